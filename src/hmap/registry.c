// registry.c - the list of maps, as hmap_registry.h describes it to readers outside.
//
// Places are in leaves, each twice as large as the one before, so that a program with few maps pays
// little and none is ever moved: a reader outside takes no lock.  A place that is free leads to the
// next one, by its number times two with the lowest bit set.
#include "hmap/registry.h"
#include "hmap/classic_internal.h"
#include "hmap/space.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#define FIELD(number, of, member)                                                                  \
	[number] = { offsetof(struct of, member), sizeof(((struct of *)0)->member) }
#define NUMBER(number, value) [number] = { (value), 0 }

static uint64_t first_leaf[HMAP_REGISTRY_FIRST_LEAF];

__attribute__((used)) struct hmap_registry hmapi_registry = {
	.version = HMAP_REGISTRY_VERSION,
	.size = sizeof(struct hmap_registry),
	.library = "0.1.0",
	.unborn_mask = HMAPI_UNBORN,
	.map_size = sizeof(struct hmap),
	.group_slots = HMAP_GROUP_SLOTS,
	.leaf_count = HMAP_REGISTRY_LEAVES,
	.field_count = HMAP_FIELDS,
	.fields = {
		FIELD(HMAP_FIELD_TYPE, hmap, type),
		FIELD(HMAP_FIELD_NAME, hmap, name),
		FIELD(HMAP_FIELD_CREATED_AT, hmap, created_at),
		FIELD(HMAP_FIELD_CLASSIC, hmap, classic),
		FIELD(HMAP_FIELD_COUNT, hmap, count),
		FIELD(HMAP_FIELD_GROUPS, hmap, groups),
		FIELD(HMAP_FIELD_LOW, hmap, low),
		FIELD(HMAP_FIELD_PASS, hmap, pass),
		FIELD(HMAP_FIELD_GROW_AT, hmap, usual_grow_at),
		FIELD(HMAP_FIELD_STATE, hmap, state),
		FIELD(HMAP_FIELD_NODES, hmap, nodes_used),
		FIELD(HMAP_FIELD_BYTES, hmap, held_bytes),
		FIELD(HMAP_FIELD_GROWTHS, hmap, growths),
		FIELD(HMAP_FIELD_COMPACTIONS, hmap, compactions),
		FIELD(HMAP_FIELD_SHRINKS, hmap, shrinks),
		FIELD(HMAP_FIELD_COMPACTED, hmap, compacted),
		FIELD(HMAP_FIELD_TYPE_NAME, hmap_type, name),
		FIELD(HMAP_FIELD_TYPE_KEY_NAME, hmap_type, key_name),
		FIELD(HMAP_FIELD_TYPE_VALUE_NAME, hmap_type, value_name),
		FIELD(HMAP_FIELD_TYPE_KEY_SIZE, hmap_type, key_size),
		FIELD(HMAP_FIELD_TYPE_VALUE_SIZE, hmap_type, value_size),
		FIELD(HMAP_FIELD_CLASSIC_COUNT, hmap_classic, h.count),
		FIELD(HMAP_FIELD_CLASSIC_B, hmap_classic, h.B),
		FIELD(HMAP_FIELD_CLASSIC_OVERFLOW, hmap_classic, h.noverflow),
		FIELD(HMAP_FIELD_CLASSIC_OLD, hmap_classic, h.oldbuckets),
		FIELD(HMAP_FIELD_CLASSIC_EVACUATED, hmap_classic, h.nevacuate),
		FIELD(HMAP_FIELD_CLASSIC_FLAGS, hmap_classic, h.flags),
		FIELD(HMAP_FIELD_CLASSIC_LOAD, hmap_classic, load_num),
		FIELD(HMAP_FIELD_CLASSIC_BYTES, hmap_classic, bytes),
		FIELD(HMAP_FIELD_CLASSIC_GROWTHS, hmap_classic, growths),
		FIELD(HMAP_FIELD_CLASSIC_COMPACTIONS, hmap_classic, compactions),
		FIELD(HMAP_FIELD_TAGS, hmap, tags),
		FIELD(HMAP_FIELD_SLOTS, hmap, slots),
		FIELD(HMAP_FIELD_MASK, hmap, mask),
		FIELD(HMAP_FIELD_SEED, hmap, seed),
		FIELD(HMAP_FIELD_READY, hmap, ready),
		FIELD(HMAP_FIELD_BLOCK_MASK, hmap, block_mask),
		FIELD(HMAP_FIELD_SMALL_BYTES, hmap, small_bytes),
		FIELD(HMAP_FIELD_SEGMENTS, hmap, segments),
		FIELD(HMAP_FIELD_SEGMENT_SHIFT, hmap, segment_shift),
		FIELD(HMAP_FIELD_SEGMENT_SLOTS_AT, hmap, segment_slots_at),
		FIELD(HMAP_FIELD_SLABS, hmap, slabs),
		FIELD(HMAP_FIELD_NODES_MADE, hmap, nodes_made),
		FIELD(HMAP_FIELD_SLOT_KEY_BYTES, hmap, shape.key_size),
		FIELD(HMAP_FIELD_SLOT_VALUE_BYTES, hmap, shape.value_size),
		FIELD(HMAP_FIELD_SLOT_VALUE_AT, hmap, shape.value_at),
		FIELD(HMAP_FIELD_SLOT_HASH_AT, hmap, shape.hash_at),
		FIELD(HMAP_FIELD_SLOT_BYTES, hmap, shape.slot_size),
		FIELD(HMAP_FIELD_LINK_SLOTS, hmap, shape.links),
		FIELD(HMAP_FIELD_NODE_SLOTS, hmap, shape.node_slots),
		FIELD(HMAP_FIELD_NODE_SLOTS_AT, hmap, shape.node_slots_at),
		FIELD(HMAP_FIELD_NODE_BYTES, hmap, shape.node_size),
		FIELD(HMAP_FIELD_SLOT_FLAGS, hmap, shape.flags),
		FIELD(HMAP_FIELD_CLASSIC_SEED, hmap_classic, h.hash0),
		FIELD(HMAP_FIELD_CLASSIC_BUCKETS, hmap_classic, h.buckets),
		FIELD(HMAP_FIELD_CLASSIC_EXTRA, hmap_classic, h.extra),
		FIELD(HMAP_FIELD_CLASSIC_KEY_BYTES, hmap_classic, keysize),
		FIELD(HMAP_FIELD_CLASSIC_VALUE_BYTES, hmap_classic, elemsize),
		FIELD(HMAP_FIELD_CLASSIC_VALUES_AT, hmap_classic, elems_at),
		FIELD(HMAP_FIELD_CLASSIC_BUCKET_BYTES, hmap_classic, bucketsize),
		FIELD(HMAP_FIELD_CLASSIC_KEY_AWAY, hmap_classic, indirectkey),
		FIELD(HMAP_FIELD_CLASSIC_VALUE_AWAY, hmap_classic, indirectelem),
		FIELD(HMAP_FIELD_CLASSIC_ARRAY, hmap_classic, now),
		FIELD(HMAP_FIELD_CLASSIC_OLD_ARRAY, hmap_classic, old),
		FIELD(HMAP_FIELD_ARRAY_BUCKETS, hmap_classic_table, buckets),
		FIELD(HMAP_FIELD_ARRAY_BYTES, hmap_classic_table, bytes),
		FIELD(HMAP_FIELD_ARRAY_B, hmap_classic_table, B),
		FIELD(HMAP_FIELD_ARRAY_PIECES, hmap_classic_table, overflow.pieces),
		FIELD(HMAP_FIELD_PIECE_NEXT, hmap_classic_piece, next),
		FIELD(HMAP_FIELD_PIECE_BYTES, hmap_classic_piece, bytes),
		FIELD(HMAP_FIELD_SLAB_NEXT, hmapi_slab, next),
		FIELD(HMAP_FIELD_SLAB_BYTES, hmapi_slab, size),
		FIELD(HMAP_FIELD_NODE_NEXT, hmapi_node, next),
		FIELD(HMAP_FIELD_NODE_TAGS, hmapi_node, tags),
		NUMBER(HMAP_FIELD_GROUP_BYTES, HMAP_GROUP_BYTES),
		NUMBER(HMAP_FIELD_STRAYS_AT, HMAPI_COUNT),
		NUMBER(HMAP_FIELD_SEGMENT_LEAF, HMAPI_LEAF),
		NUMBER(HMAP_FIELD_STATE_PASS, HMAPI_CURSOR),
		NUMBER(HMAP_FIELD_STATE_SEGMENTS, HMAPI_SEGMENTS),
		NUMBER(HMAP_FIELD_STATE_FLAGS, HMAPI_DETOURS),
	},
};

#if defined(__ELF__) && (defined(__x86_64__) || defined(__aarch64__) || defined(__s390x__))
// Elf64_Nhdr, the owner, and the distance to the registry from the word that holds it.  Notes of 4
// bytes' alignment are what every reader expects, and what the linker puts into one segment.
__asm__(".pushsection .note.hmap, \"a\", %note\n"
	".balign 4\n"
	".4byte 5, 8, 1\n"
	".asciz \"hmap\"\n"
	".balign 4\n"
	"1: .8byte hmapi_registry - 1b\n"
	".balign 4\n"
	".popsection\n");
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

static void begin_list(void)
{
	// Written now, and not in the program's file: a reader that finds it finds a list.
	hmapi_registry.leaves[0] = (uintptr_t)first_leaf;
	memcpy(hmapi_registry.cookie, HMAP_REGISTRY_COOKIE, sizeof(hmapi_registry.cookie));
	pthread_atfork(before_fork, after_fork, after_fork);
}

static void enter(void)
{
	pthread_once(&once, begin_list);
	pthread_mutex_lock(&lock);
}

/* ------------------------------------------------------------------------------------------- */
/* Places                                                                                      */

/** The leaf that has place @p place, which becomes the place in it. */
static unsigned leaf_of(uint64_t *place)
{
	unsigned leaf = 63 - (unsigned)__builtin_clzll(*place / HMAP_REGISTRY_FIRST_LEAF + 1);

	*place -= HMAP_REGISTRY_FIRST_LEAF * (((uint64_t)1 << leaf) - 1);
	return leaf;
}

static uint64_t *word_of(uint64_t place)
{
	unsigned leaf = leaf_of(&place);

	return (uint64_t *)(uintptr_t)hmapi_registry.leaves[leaf] + place;
}

/** Room for one more place at the end; false: no memory, or no map of such a number can be. */
static bool has_room(void)
{
	uint64_t place = hmapi_registry.used;
	unsigned leaf = leaf_of(&place);
	uint64_t *words;

	if (leaf >= HMAP_REGISTRY_LEAVES)
		return false;
	if (hmapi_registry.leaves[leaf])
		return true;
	words = calloc((size_t)HMAP_REGISTRY_FIRST_LEAF << leaf, sizeof(*words));
	hmapi_registry.leaves[leaf] = (uintptr_t)words;
	return words;
}

/** What others read meanwhile is in order before and after. */
static void change(void)
{
	__atomic_store_n(&hmapi_registry.changes, hmapi_registry.changes + 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void hmapi_list(struct hmap *m, const void *created_at)
{
	uint64_t place;

	m->created_at = created_at;
	enter();
	change();
	hmapi_registry.created++;
	place = hmapi_registry.free_place;
	if (place) {
		place--;
		hmapi_registry.free_place = *word_of(place) >> 1;
	} else if (has_room()) {
		place = hmapi_registry.used++;
	} else {
		hmapi_registry.unlisted++;
		place = UINT64_MAX;
	}
	m->place = place;
	if (place != UINT64_MAX) {
		*word_of(place) = (uintptr_t)m;
		hmapi_registry.maps++;
	}
	change();
	pthread_mutex_unlock(&lock);
}

void hmapi_unlist(struct hmap *m)
{
	enter();
	change();
	hmapi_registry.freed++;
	if (m->place == UINT64_MAX) {
		hmapi_registry.unlisted--;
	} else {
		*word_of(m->place) = hmapi_registry.free_place << 1 | 1;
		hmapi_registry.free_place = m->place + 1;
		hmapi_registry.maps--;
	}
	change();
	pthread_mutex_unlock(&lock);
}

const void *hmap_created_at(const struct hmap *m)
{
	return m ? m->created_at : NULL;
}

static const struct hmap *map_at(uint64_t place)
{
	uint64_t word = place < hmapi_registry.used ? *word_of(place) : 1;

	return word & 1 ? NULL : (const struct hmap *)(uintptr_t)word;
}

/** Maps lie anywhere: what will be looked at of one is asked for some maps ahead, and nearer the
 *  texts that it points to. */
static void expect(uint64_t far, uint64_t near)
{
	const struct hmap *m = map_at(far);

	if (m) {
		__builtin_prefetch(&m->count);
		__builtin_prefetch(&m->groups);
		__builtin_prefetch(&m->type);
		__builtin_prefetch(&m->growths);
		__builtin_prefetch(&m->name);
		__builtin_prefetch(&m->worst_ns);
	}
	m = map_at(near);
	if (m)
		__builtin_prefetch(m->name);
}

/** Calls @p visit for each map; the list is held. */
static void each(hmap_each_fn visit, void *state)
{
	enum { FAR = 16, NEAR = 8 };

	for (uint64_t place = 0; place < hmapi_registry.used; place++) {
		const struct hmap *m = map_at(place);

		expect(place + FAR, place + NEAR);
		if (m && !visit(m, state))
			return;
	}
}

void hmap_each_map(hmap_each_fn visit, void *state)
{
	enter();
	each(visit, state);
	pthread_mutex_unlock(&lock);
}

/* ------------------------------------------------------------------------------------------- */
/* Sums                                                                                        */

// The owner may be writing: each word is read once, and what follows from two of them is made from
// what was read.
#define READ(lvalue) (*(const volatile __typeof__(lvalue) *)&(lvalue))

HMAPI_RACY static void peek_classic(const struct hmap_classic *c, struct hmap_stats *s)
{
	unsigned B = READ(c->h.B), load = READ(c->load_num);
	bool grows = READ(c->h.oldbuckets) != NULL, same = READ(c->h.flags) & 8;

	s->engine = HMAP_CLASSIC;
	s->entries = READ(c->h.count);
	s->buckets = (size_t)1 << (B & 63);
	s->slots = s->buckets * 8;
	s->grow_at = B ? s->buckets * load / 2 + 1 : 9;
	s->overflow = READ(c->h.noverflow);
	s->total_bytes = s->reserved_bytes = READ(c->bytes);
	s->growths = READ(c->growths);
	s->compactions = READ(c->compactions);
	if (!grows)
		return;
	s->pass = same ? HMAP_PASS_COMPACT : HMAP_PASS_GROW;
	s->pass_to = s->slots;
	s->pass_from = same ? s->slots : s->slots / 2;
	s->pass_of = s->pass_from / 8;
	s->pass_done = READ(c->h.nevacuate);
}

HMAPI_RACY static void peek_steady(const struct hmap *m, struct hmap_stats *s)
{
	bool born = !(READ(m->state) & HMAPI_UNBORN);
	size_t groups = born ? READ(m->groups) : 0, low = READ(m->low);
	enum hmap_pass pass = READ(m->pass);

	s->engine = HMAP_STEADY;
	s->entries = READ(m->count);
	s->slots = groups * HMAP_GROUP_SLOTS;
	s->grow_at = born && !pass ? READ(m->usual_grow_at) + 1 : 0;
	s->buckets = groups > HMAP_BLOCK_GROUPS ? groups / HMAP_BLOCK_GROUPS : groups > 0;
	s->overflow = READ(m->nodes_used);
	s->total_bytes = READ(m->held_bytes);
	s->reserved_bytes = READ(m->held_reserved);
	s->growths = READ(m->growths);
	s->compactions = READ(m->compactions);
	s->shrinks = READ(m->shrinks);
	s->pass = pass;
	if (!pass)
		return;
	s->pass_from = (pass == HMAP_PASS_SHRINK ? 2 * low : low) * HMAP_GROUP_SLOTS;
	s->pass_to = (pass == HMAP_PASS_GROW ? 2 * low : low) * HMAP_GROUP_SLOTS;
	s->pass_of = low / HMAP_BLOCK_GROUPS;
	s->pass_done = pass == HMAP_PASS_COMPACT ? READ(m->compacted) / HMAP_BLOCK_GROUPS
		       : pass == HMAP_PASS_GROW  ? (groups - low) / HMAP_BLOCK_GROUPS
						 : (2 * low - groups) / HMAP_BLOCK_GROUPS;
}

HMAPI_RACY void hmap_peek(const struct hmap *m, struct hmap_stats *ret_stats)
{
	struct hmap_stats s = { .engine = HMAP_STEADY };

	if (m && m->classic)
		peek_classic(m->classic, &s);
	else if (m)
		peek_steady(m, &s);
	s.load = s.slots ? (double)s.entries / (double)s.slots : 0;
	if (m)
		s.live_bytes = s.entries * ((size_t)m->type->key_size + m->type->value_size + 1);
	s.slack_bytes = s.total_bytes > s.live_bytes ? s.total_bytes - s.live_bytes : 0;
	*ret_stats = s;
}

static void fold(struct hmap_totals *to, const struct hmap_totals *from)
{
	to->maps += from->maps;
	to->entries += from->entries;
	to->slots += from->slots;
	to->overflow += from->overflow;
	to->total_bytes += from->total_bytes;
	to->live_bytes += from->live_bytes;
	to->slack_bytes += from->slack_bytes;
	to->reserved_bytes += from->reserved_bytes;
	to->passes += from->passes;
	to->growths += from->growths;
	to->compactions += from->compactions;
	to->shrinks += from->shrinks;
	if (from->longest_chain > to->longest_chain)
		to->longest_chain = from->longest_chain;
	if (from->worst_ns > to->worst_ns)
		to->worst_ns = from->worst_ns;
}

/** One map's share of a sum. */
HMAPI_RACY static void add_map(struct hmap_totals *t, const struct hmap *m)
{
	struct hmap_totals one = { .maps = 1,
				   .longest_chain = READ(m->longest_chain),
				   .worst_ns = READ(m->worst_ns) };
	struct hmap_stats s;

	hmap_peek(m, &s);
	one.entries = s.entries;
	one.slots = s.slots;
	one.overflow = s.overflow;
	one.total_bytes = s.total_bytes;
	one.live_bytes = s.live_bytes;
	one.slack_bytes = s.slack_bytes;
	one.reserved_bytes = s.reserved_bytes;
	one.passes = s.pass != 0;
	one.growths = s.growths;
	one.compactions = s.compactions;
	one.shrinks = s.shrinks;
	fold(t, &one);
}

static void set_load(struct hmap_totals *t)
{
	t->avg_load = t->slots ? (double)t->entries / (double)t->slots : 0;
}

static bool sum(const struct hmap *m, void *state)
{
	add_map(state, m);
	return true;
}

static void add_counts(struct hmap_totals *t)
{
	set_load(t);
	t->created = hmapi_registry.created;
	t->freed = hmapi_registry.freed;
	t->unlisted = hmapi_registry.unlisted;
}

void hmap_totals(struct hmap_totals *ret_totals)
{
	struct hmap_totals t = { 0 };

	enter();
	each(sum, &t);
	add_counts(&t);
	pthread_mutex_unlock(&lock);
	*ret_totals = t;
}

/** Names that were met, each with a place in a table of twice as many at least. */
struct naming {
	struct named {
		const char *name; // Holds while the list is held.
		struct hmap_totals totals;
	} * items;
	size_t *table; // 0: free; else one more than an item.
	size_t count, room;
	bool failed;
};

static size_t *place_of(const struct naming *n, const char *name)
{
	size_t mask = 2 * n->room - 1,
	       at = name ? (size_t)hmap_hash_fnv1a64(name, strlen(name), 0) : 0;

	for (at &= mask; n->table[at]; at = (at + 1) & mask) {
		const char *other = n->items[n->table[at] - 1].name;

		if (name == other || (name && other && strcmp(name, other) == 0))
			break;
	}
	return &n->table[at];
}

static bool more_room(struct naming *n)
{
	size_t room = n->room ? 2 * n->room : 64;
	struct named *items = realloc(n->items, room * sizeof(*items));
	size_t *table = calloc(2 * room, sizeof(*table));

	if (items)
		n->items = items;
	if (!items || !table) {
		free(table);
		return false;
	}
	free(n->table);
	n->table = table;
	n->room = room;
	for (size_t i = 0; i < n->count; i++)
		*place_of(n, n->items[i].name) = i + 1;
	return true;
}

static bool sum_by_name(const struct hmap *m, void *state)
{
	struct naming *n = state;
	const char *name = m->name ? m->name : m->type->name;
	size_t *place;

	if (n->count == n->room && !more_room(n)) {
		n->failed = true;
		return false;
	}
	place = place_of(n, name);
	if (!*place) {
		n->items[n->count] = (struct named){ .name = name };
		*place = ++n->count;
	}
	add_map(&n->items[*place - 1].totals, m);
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->totals.total_bytes != y->totals.total_bytes)
		return x->totals.total_bytes > y->totals.total_bytes ? -1 : 1;
	return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

/** The first into places of their own, the rest into the last place; while the list is held. */
static void name_totals(const struct naming *n, struct hmap_named_totals *ret, size_t count)
{
	for (size_t i = 0; i < n->count; i++) {
		bool is_rest = i + 1 >= count && n->count > count;
		struct hmap_named_totals *to = &ret[is_rest ? count - 1 : i];
		const char *name = is_rest ? "other" : n->items[i].name;

		if (i < count) {
			*to = (struct hmap_named_totals){ .is_other = is_rest };
			strncpy(to->name, name ? name : "", sizeof(to->name) - 1);
		}
		fold(&to->totals, &n->items[i].totals);
		set_load(&to->totals);
	}
}

size_t hmap_totals_by_name(struct hmap_named_totals *ret, size_t count, struct hmap_totals *ret_all)
{
	struct naming n = { 0 };
	struct hmap_totals all = { 0 };
	size_t names;

	enter();
	each(sum_by_name, &n);
	if (n.count)
		qsort(n.items, n.count, sizeof(*n.items), by_bytes);
	names = n.failed ? (size_t)-1 : n.count;
	if (!n.failed)
		name_totals(&n, ret, count);
	for (size_t i = 0; i < n.count; i++)
		fold(&all, &n.items[i].totals);
	add_counts(&all);
	pthread_mutex_unlock(&lock);
	free(n.items);
	free(n.table);
	if (ret_all)
		*ret_all = all;
	return names;
}

/* ------------------------------------------------------------------------------------------- */
/* Events                                                                                      */

#if defined(__has_include)
#if __has_include(<sys/sdt.h>)
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>
#define SEMAPHORE(name)                                                                            \
	__extension__ unsigned short hmap_##name##_semaphore                                       \
	    __attribute__((unused, section(".probes"), visibility("hidden")))
SEMAPHORE(created);
SEMAPHORE(grows);
SEMAPHORE(migrates);
SEMAPHORE(shrinks);
SEMAPHORE(freed);
SEMAPHORE(misuse);
#define PROBE(event, m, from, to, entries)                                                         \
	do {                                                                                       \
		if (__builtin_expect(hmap_##event##_semaphore, 0))                                 \
			STAP_PROBE5(hmap, event, m, hmap_name_of(m), from, to, entries);           \
	} while (0)
#define IS_PROBED(name) __builtin_expect(hmap_##name##_semaphore, 0)
#endif
#endif
#if !defined(PROBE)
#define PROBE(event, m, from, to, entries) ((void)(m))
#define IS_PROBED(name) false
#endif

static const struct hmap_observer *observer; // Set once, or unset: read without a lock.

const struct hmap_observer *hmapi_observing(void)
{
	return __atomic_load_n(&observer, __ATOMIC_ACQUIRE);
}

enum hmap_status hmap_observe(const struct hmap_observer *o)
{
	const struct hmap_observer *none = NULL;

	if (!o) {
		__atomic_store_n(&observer, NULL, __ATOMIC_RELEASE);
		return HMAP_OK;
	}
	if (o->kinds && !o->event)
		return HMAP_BAD_ARGUMENT;
	return __atomic_compare_exchange_n(&observer, &none, o, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE)
		   ? HMAP_OK
		   : HMAP_NOT_SUPPORTED;
}

uint32_t hmapi_kinds(const struct hmap_options *options)
{
	const struct hmap_hooks *hooks = options->hooks;
	const struct hmap_observer *o = hmapi_observing();

	return (hooks && hooks->event ? hooks->kinds : 0) | (o ? o->kinds : 0) |
	       (o && o->figures ? HMAPI_FIGURES : 0);
}

bool hmapi_wants_shrink(void)
{
	const struct hmap_observer *o = hmapi_observing();

	return o && o->shrink;
}

void hmapi_ask_for_moves(struct hmap *m)
{
	m->kinds = m->wanted_kinds | (IS_PROBED(migrates) ? 1u << HMAP_EVENT_MIGRATES : 0);
}

void hmapi_notify(const struct hmap *m, const struct hmap_event *event)
{
	const struct hmap_observer *o = hmapi_observing();
	uint32_t bit = 1u << event->kind;

	switch (event->kind) {
	case HMAP_EVENT_CREATED:
		PROBE(created, m, event->from, event->to, event->entries);
		break;
	case HMAP_EVENT_GROWS:
	case HMAP_EVENT_COMPACTS:
		PROBE(grows, m, event->from, event->to, event->entries);
		break;
	case HMAP_EVENT_MIGRATES:
		PROBE(migrates, m, event->from, event->to, event->entries);
		break;
	case HMAP_EVENT_SHRINKS:
		PROBE(shrinks, m, event->from, event->to, event->entries);
		break;
	case HMAP_EVENT_FREED:
		PROBE(freed, m, event->from, event->to, event->entries);
		break;
	default:
		break;
	}
	if (o && (o->kinds & bit))
		o->event(m, event, o->state);
	if (m->hooks && m->hooks->event && (m->hooks->kinds & bit))
		m->hooks->event(m, event, m->hooks->state);
}

void hmapi_notify_misuse(const struct hmap_misuse *misuse)
{
	const struct hmap_observer *o = hmapi_observing();

	PROBE(misuse, misuse->map, misuse->thread, misuse->other, misuse->text);
	if (o && o->misuse)
		o->misuse(misuse, o->state);
}
