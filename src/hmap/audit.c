// audit.c - single accesses looked at, at no cost to all others.
//
// A fast path asks one word of a map: whether it is idle.  Whoever wants to see an access sets a
// bit in that word while the map is idle; the next access then takes the way that accesses during a
// growth take, is looked at, and takes the bit away.  A write that began at the same moment
// overwrites the bit: a look less, and nothing else.  Maps of the classic engine never have the
// fast path's word; they are asked through the address by which that is left.
#include "hmap/classic.h"
#include "hmap/registry.h"
#include "hmap/steady.h"

#include <time.h>

/* The sanitizer looks at atomic operations also where it is told to look at nothing. */
#if defined(HMAPI_TSAN)
void AnnotateIgnoreSyncBegin(const char *file, int line);
void AnnotateIgnoreSyncEnd(const char *file, int line);
#define BEGIN_RACE() AnnotateIgnoreSyncBegin(__FILE__, __LINE__)
#define END_RACE() AnnotateIgnoreSyncEnd(__FILE__, __LINE__)
#else
#define BEGIN_RACE() ((void)0)
#define END_RACE() ((void)0)
#endif

enum { AUDIT_KEY_BYTES = 64 };

static hmap_trace_id_fn trace_id_fn;
static void *trace_id_state;

/** The key that was looked at last: of which map, and its first bytes. */
static __thread __attribute__((tls_model("initial-exec"))) struct {
	const struct hmap *map;
	unsigned char key[AUDIT_KEY_BYTES];
} last_key;

void hmap_set_trace_id(hmap_trace_id_fn fn, void *state)
{
	__atomic_store_n(&trace_id_state, state, __ATOMIC_RELAXED);
	__atomic_store_n(&trace_id_fn, fn, __ATOMIC_RELEASE);
}

HMAPI_RACY bool hmap_audit_next(const struct hmap *map)
{
	struct hmap *m = (struct hmap *)(uintptr_t)map;
	uintptr_t idle;
	bool asked = false;

	BEGIN_RACE();
	idle = __atomic_load_n(&m->state, __ATOMIC_RELAXED);
	if (m->classic)
		asked = __atomic_exchange_n(&m->straight, 0, __ATOMIC_RELAXED) != 0;
	else if (!(idle & ~(uintptr_t)(HMAPI_CURSOR | HMAPI_SEGMENTS)))
		asked = __atomic_compare_exchange_n(&m->state, &idle, idle | HMAPI_AUDIT, false,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	END_RACE();
	return asked;
}

/** Whether the bit was there: of two readers at once, one has it. */
HMAPI_RACY static bool take_bit(struct hmap *m)
{
	bool taken;

	BEGIN_RACE();
	if (m->classic)
		taken = !__atomic_exchange_n(&m->straight, (uintptr_t)m->classic, __ATOMIC_RELAXED);
	else
		taken = __atomic_fetch_and(&m->state, ~(uintptr_t)HMAPI_AUDIT, __ATOMIC_RELAXED) &
			HMAPI_AUDIT;
	END_RACE();
	return taken;
}

static bool is_in_group(const struct hmap *m, const struct hmapi_code *c, size_t group,
			uint64_t hash, const void *key)
{
	for (unsigned x = hmapi_match(hmapi_tags(m, c, group), hash); x; x &= x - 1) {
		unsigned char *slot =
		    hmapi_slots(m, c, group) + (size_t)hmapi_first(x) * m->shape.slot_size;

		if (hmapi_is(m->type, &m->shape, slot, key, hash))
			return true;
	}
	return false;
}

static bool is_in_node(const struct hmap *m, struct hmapi_node *node, uint64_t hash,
		       const void *key)
{
	for (unsigned i = 0; i < m->shape.node_slots; i++)
		if (node->tags[i] == hmapi_tag(hash) &&
		    hmapi_is(m->type, &m->shape, hmapi_node_slot(&m->shape, node, i), key, hash))
			return true;
	return false;
}

/** Searches as hmapi_find does, and counts. */
static void look(const struct hmap *m, const void *key, struct hmap_access *a)
{
	const struct hmapi_code *c = hmapi_code_of(m);
	size_t group, last;

	a->hash = hmapi_hash(m, m->type, key);
	a->tag = hmapi_tag(a->hash);
	a->shift = m->groups > HMAP_BLOCK_GROUPS
		       ? 63 - (uint32_t)__builtin_clzll(m->groups / HMAP_BLOCK_GROUPS)
		       : 0;
	group = hmapi_home(m, a->hash);
	last = group | m->block_mask;
	a->bucket = group / HMAP_BLOCK_GROUPS;
	a->probes = 1;
	a->found = is_in_group(m, c, group, a->hash, key);
	if (a->found || !(hmapi_tags(m, c, group)[HMAPI_FILTER] & hmapi_filter_bit(a->hash)))
		return;
	for (size_t j = 1; j <= m->block_mask && !a->found; j++) {
		a->probes++;
		a->found = is_in_group(m, c, group ^ j, a->hash, key);
	}
	if (hmapi_tags(m, c, last)[HMAP_GROUP_SLOTS - 1] != HMAP_TAG_LINK)
		return;
	for (struct hmapi_node *node = hmapi_link(&m->shape, hmapi_slots(m, c, last));
	     node && !a->found; node = node->next) {
		a->probes++;
		a->found = is_in_node(m, node, a->hash, key);
	}
}

static uint32_t common_prefix(const struct hmap *m, const void *key)
{
	size_t size = m->type->key_size, prefix = 0;

	if (size > AUDIT_KEY_BYTES)
		size = AUDIT_KEY_BYTES;
	if (last_key.map == m)
		while (prefix < size &&
		       last_key.key[prefix] == ((const unsigned char *)key)[prefix])
			prefix++;
	last_key.map = m;
	memcpy(last_key.key, key, size);
	return prefix == m->type->key_size ? 0 : (uint32_t)prefix; // The same key says nothing.
}

void hmapi_audit(const struct hmap *map, const void *key, enum hmap_access_kind kind)
{
	struct hmap *m = (struct hmap *)(uintptr_t)map;
	const struct hmap_observer *o = hmapi_observing();
	hmap_trace_id_fn fn = __atomic_load_n(&trace_id_fn, __ATOMIC_ACQUIRE);
	struct hmap_access a = { .map = m, .kind = (uint8_t)kind };
	struct timespec now;

	if (!take_bit(m) || !o || !o->access)
		return;
	a.prefix = common_prefix(m, key);
	if (m->classic)
		hmap_classic_look(m->classic, key, &a);
	else
		look(m, key, &a);
	clock_gettime(CLOCK_REALTIME, &now);
	a.time_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (fn && !fn(a.trace_id, a.span_id, __atomic_load_n(&trace_id_state, __ATOMIC_RELAXED))) {
		memset(a.trace_id, 0, sizeof(a.trace_id));
		memset(a.span_id, 0, sizeof(a.span_id));
	}
	o->access(&a, o->state);
}

void hmapi_note_chain(struct hmap *m, const struct hmapi_node *node)
{
	uint32_t nodes = 0;

	for (; node && nodes < 1000; node = node->next)
		nodes++;
	if (nodes > m->longest_chain)
		m->longest_chain = nodes;
}

uint64_t hmapi_clock(const struct hmap *m)
{
	struct timespec now;

	if (HMAPI_LIKELY(!(m->wanted_kinds & HMAPI_FIGURES)))
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void hmapi_note_time(struct hmap *m, uint64_t began)
{
	uint64_t took = began ? hmapi_clock(m) - began : 0;

	if (took > m->worst_ns)
		m->worst_ns = took;
}
