// meet.c - what is done with an address: is it an object, was it seen, has it to be visited?
//
// An object is seen once, by the bit of its place in its span.  That bit is set by a value that
// fills it; one that is smaller (a pointer to a first field, to a middle, into static data) is kept
// in a set instead, so that the whole object may still be met later.
//
// Where spans are missing, of a core that was cut off, everything is kept in that set.  A typed
// word of Go's leads to as many bytes as its type says, and a row of values has the length of its
// slice.
#include "walk/walk_internal.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/vec.h"

enum {
	PARTS_MAX = 1 << 22,
	PARTS_OF_HOLES_MAX = 1 << 24, // Where no object has a bit.
	ROWS_MAX = 1 << 20,
	SET_SLOTS_MIN = 1 << 12,
	ITABS_MAX = 1 << 19,
	TOTALS_MAX = 1 << 17,
	QUEUE_ITEMS_MIN = 1 << 12,
	MALLOC_HEADER_BYTES = 8,
	TABLE_SLOTS = 8,
	TABLE_BYTES_MAX = 1 << 16,
	MAP_HEADS_BYTES = 128, // A map's header and what belongs to it, or a table's.
};

// --- Sets. ---

static bool set_grow(struct ms_walk_set *set)
{
	size_t wanted = set->slot_count ? set->slot_count * 2 : SET_SLOTS_MIN;
	uint64_t *slots = calloc(wanted, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < set->slot_count; i++) {
		size_t at = ms_hash_number(set->slots[i]) & (wanted - 1);

		if (!set->slots[i])
			continue;
		while (slots[at])
			at = (at + 1) & (wanted - 1);
		slots[at] = set->slots[i];
	}
	free(set->slots);
	set->slots = slots;
	set->slot_count = wanted;
	return true;
}

bool ms_walk_set_add(struct ms_walk *w, struct ms_walk_set *set, uint64_t key)
{
	size_t at;

	if (!key)
		return false;
	if (set->count * 4 >= set->slot_count * 3 && !set_grow(set)) {
		w->out_of_memory = true;
		return false;
	}
	for (at = ms_hash_number(key) & (set->slot_count - 1); set->slots[at];
	     at = (at + 1) & (set->slot_count - 1)) {
		if (set->slots[at] == key)
			return false;
	}
	if (set->count >= (w->spans.has_holes ? PARTS_OF_HOLES_MAX : PARTS_MAX)) {
		ms_walk_cut(w, "more pointers into objects than are kept in mind");
		if (set == &w->parts)
			ms_walk_trie_lose(w);
		return false;
	}
	set->slots[at] = key;
	set->count++;
	return true;
}

static bool part_is_new(struct ms_walk *w, ms_addr address, uint32_t type)
{
	return ms_walk_set_add(w, &w->parts,
			       address ^ (uint64_t)type << 48 ^ (uint64_t)(type >> 16) << 56);
}

// --- The queue. ---

static bool queue_grow(struct ms_walk_queue *q, size_t wanted)
{
	struct ms_walk_item *items = malloc(wanted * sizeof(*items));
	size_t head = q->capacity - q->first;

	if (!items)
		return false;
	if (head > q->count)
		head = q->count;
	if (q->count) {
		memcpy(items, q->items + q->first, head * sizeof(*items));
		memcpy(items + head, q->items, (q->count - head) * sizeof(*items));
	}
	free(q->items);
	q->items = items;
	q->first = 0;
	q->capacity = wanted;
	return true;
}

static size_t queue_next(const struct ms_walk_queue *q)
{
	return q->capacity ? q->capacity * 2 : QUEUE_ITEMS_MIN;
}

/** The bound is for what both queues have taken, not for what is in them. */
static bool queue_has_room(const struct ms_walk *w, const struct ms_walk_queue *q)
{
	const struct ms_walk_queue *other = q == &w->queue ? &w->later : &w->queue;
	size_t wanted = queue_next(q);

	return q->count < w->queue_max && (q->count < q->capacity || wanted == QUEUE_ITEMS_MIN ||
					   wanted + other->capacity <= w->queue_max);
}

static void queue_push(struct ms_walk *w, struct ms_walk_queue *q, struct ms_walk_item item)
{
	if (!queue_has_room(w, q)) {
		ms_walk_trie_lose(w);
		ms_walk_cut(w, "more was waiting to be visited than its memory holds");
		return;
	}
	if (q->count == q->capacity && !queue_grow(q, queue_next(q))) {
		w->out_of_memory = true;
		return;
	}
	ms_walk_trie_waits(w, &item);
	q->items[(q->first + q->count) & (q->capacity - 1)] = item;
	q->count++;
}

void ms_walk_push(struct ms_walk *w, struct ms_walk_item item)
{
	bool typed = item.kind != MS_WALK_UNTYPED && item.kind != MS_WALK_HEADED;

	if (w->wanted && item.kind == MS_WALK_ROOTED)
		ms_walk_want_values(w, item.address, item.type, item.count, item.label, item.root,
				    true);
	queue_push(w, typed ? &w->queue : &w->later, item);
}

void ms_walk_push_now(struct ms_walk *w, struct ms_walk_item item)
{
	queue_push(w, &w->queue, item);
}

// --- Objects. ---

/** An object of the heap: where it begins for its owner, and ends. */
struct object {
	const struct ms_span *span;
	ms_addr start, end;
	uint64_t bit;
};

static bool object_find(const struct ms_walk *w, ms_addr address, struct object *ret_object)
{
	const struct ms_span *s = ms_spans_find(&w->spans, address);
	struct object o = { .span = s };
	uint64_t index;

	if (!s || s->state != MS_SPAN_IN_USE || address < s->start)
		return false;
	index = (address - s->start) / s->elem_bytes;
	if (index >= s->elems)
		return false;
	o.start = s->start + index * s->elem_bytes;
	o.end = o.start + s->elem_bytes;
	o.start += ms_span_header_bytes(w->layout, s);
	o.bit = w->span_bits[s - w->spans.items] + index;
	if (address < o.start)
		return false;
	*ret_object = o;
	return true;
}

static bool is_seen(const struct ms_walk *w, const struct object *o)
{
	return w->seen[o->bit / 8] >> (o->bit % 8) & 1;
}

/** The sum that objects of this kind belong to; NULL when there are too many kinds. */
static struct ms_walk_total *total_find(struct ms_walk *w, const struct ms_walk_total *kind)
{
	uint64_t key = ms_hash_number((uint64_t)kind->type << 16 | (uint64_t)kind->span_class << 8 |
				      (uint64_t)kind->is_row << 1 | kind->is_map);
	size_t at;

	if (w->totals.count * 2 >= w->totals.slot_count) {
		size_t wanted = w->totals.slot_count ? w->totals.slot_count * 2 : 1 << 10;
		uint32_t *slots;

		if (wanted > TOTALS_MAX) {
			ms_walk_cut(w, "more types than it sums up");
			return NULL;
		}
		slots = calloc(wanted, sizeof(*slots));
		if (!slots) {
			w->out_of_memory = true;
			return NULL;
		}
		for (size_t i = 0; i < w->totals.count; i++) {
			const struct ms_walk_total *t = &w->totals.items[i];

			at = ms_hash_number((uint64_t)t->type << 16 | (uint64_t)t->span_class << 8 |
					    (uint64_t)t->is_row << 1 | t->is_map) &
			     (wanted - 1);
			while (slots[at])
				at = (at + 1) & (wanted - 1);
			slots[at] = (uint32_t)(i + 1);
		}
		free(w->totals.slots);
		w->totals.slots = slots;
		w->totals.slot_count = wanted;
	}
	for (at = key & (w->totals.slot_count - 1); w->totals.slots[at];
	     at = (at + 1) & (w->totals.slot_count - 1)) {
		struct ms_walk_total *t = &w->totals.items[w->totals.slots[at] - 1];

		if (t->type == kind->type && t->span_class == kind->span_class &&
		    t->is_row == kind->is_row && t->is_map == kind->is_map)
			return t;
	}
	if (!ms_vec_push(&w->totals, *kind)) {
		w->out_of_memory = true;
		return NULL;
	}
	w->totals.slots[at] = (uint32_t)w->totals.count;
	return &w->totals.items[w->totals.count - 1];
}

static void total_add(struct ms_walk *w, const struct object *o, ms_plan_id type, bool is_row)
{
	struct ms_walk_total kind = { .type = type,
				      .span_class = o->span->span_class,
				      .is_row = is_row };
	struct ms_walk_total *t;

	if (type) {
		const struct ms_plan *plan = ms_plans_at(&w->plans, type);

		kind.is_map = plan->is_table || plan->kind == MS_KIND_MAP;
	}
	t = total_find(w, &kind);
	if (!t)
		return;
	t->objects++;
	t->bytes += o->span->elem_bytes;
}

static void see(struct ms_walk *w, const struct object *o)
{
	w->seen[o->bit / 8] |= (uint8_t)(1u << (o->bit % 8));
	w->summary.objects++;
	w->summary.bytes += o->span->elem_bytes;
}

/** Whether @p size bytes from its start on are what the object was made for. */
static bool fills(const struct ms_walk *w, const struct object *o, ms_addr address, uint64_t size)
{
	unsigned class = o->span->span_class / 2;

	if (address != o->start)
		return false;
	if (!class)
		return size + MS_GO_PAGE_BYTES > o->span->elem_bytes;
	return size + MALLOC_HEADER_BYTES > w->smaller[class];
}

ms_addr ms_walk_hole_end(const struct ms_walk *w, ms_addr address)
{
	const struct ms_region *r;

	if (!w->spans.has_holes || (address & 7) || ms_spans_find(&w->spans, address))
		return 0;
	r = ms_regions_find(&w->rt->regions, address);
	return r && r->kind == MS_REGION_ANON && (r->prot & MS_PROT_WRITE) ? r->end : 0;
}

bool ms_walk_may_be_object(const struct ms_walk *w, ms_addr address)
{
	return ms_spans_find(&w->spans, address) || ms_walk_hole_end(w, address);
}

/**
 * How many of the first of @p count values were not met with a row that ends where theirs does:
 * slices of one array often have its end in common.
 */
static uint64_t row_rest(struct ms_walk *w, ms_addr address, ms_plan_id type, uint64_t count)
{
	uint64_t bytes = ms_plans_at(&w->plans, type)->bytes;
	ms_addr end = address + count * bytes;
	uint64_t key = end ^ (uint64_t)type << 48;
	uint32_t *known = ms_number_map_find(&w->rows, key);
	uint64_t before = known ? *known : 0;

	if (count <= before)
		return 0;
	if (known) {
		*known = (uint32_t)count;
		return count - before;
	}
	if (w->rows.count >= ROWS_MAX) {
		ms_walk_cut(w, "more slices than are kept in mind");
		return 0;
	}
	if (!ms_number_map_add(&w->rows, key, (uint32_t)count))
		w->out_of_memory = true;
	return count;
}

/** The end of the memory outside the heap that holds @p address, or 0. */
static ms_addr data_end(const struct ms_walk *w, ms_addr address)
{
	const struct ms_region *r;
	ms_addr hole;

	for (size_t i = 0; i < w->rt->module_count; i++) {
		const struct ms_go_module *m = &w->rt->modules[i];

		if (address >= m->data && address < m->edata)
			return m->edata;
		if (address >= m->bss && address < m->ebss)
			return m->ebss;
		if (address >= m->noptrdata && address < m->enoptrdata)
			return m->enoptrdata;
		if (address >= m->noptrbss && address < m->enoptrbss)
			return m->enoptrbss;
	}
	hole = ms_walk_hole_end(w, address);
	if (hole)
		return hole;
	// What the runtime allocates for itself, for good: blocks of finalizers and the like.
	r = ms_spans_has_arena(&w->spans, address) ? NULL
						   : ms_regions_find(&w->rt->regions, address);
	return r && r->kind == MS_REGION_ANON ? r->end : 0;
}

/** Where spans are missing: a trie's node that is not followed is lost, as nothing moves there. */
static void node_lose(struct ms_walk *w, const struct ms_plan *plan)
{
	if (w->spans.has_holes && (plan->is_trie_branch || plan->is_trie_entry))
		ms_walk_trie_lose(w);
}

void ms_walk_meet_values(struct ms_walk *w, ms_addr address, ms_plan_id type, uint64_t count,
			 ms_label label, uint32_t root)
{
	const struct ms_plan *plan = ms_plans_at(&w->plans, type);
	struct object o;
	bool is_row;
	ms_addr end;

	if (!type) {
		ms_walk_meet_object(w, address, MS_WALK_UNTYPED, 0, label, root);
		return;
	}
	if (!plan->bytes || !count)
		return;
	is_row = count > 1;
	if (count > UINT32_MAX)
		count = UINT32_MAX;
	if (w->wanted)
		ms_walk_want_values(w, address, type, count, label, root, false);
	if (object_find(w, address, &o)) {
		end = o.end;
		if (count > (end - address) / plan->bytes)
			count = (end - address) / plan->bytes;
		if (!count || is_seen(w, &o))
			return;
		if (fills(w, &o, address, count * plan->bytes)) {
			see(w, &o);
			total_add(w, &o, type, is_row);
		} else if (!part_is_new(w, address, type))
			return;
		if (!ms_span_has_pointers(o.span))
			return;
	} else {
		end = data_end(w, address);
		if (!end || plan->bytes > end - address) {
			node_lose(w, plan);
			return;
		}
		if (count > (end - address) / plan->bytes)
			count = (end - address) / plan->bytes;
		if (is_row && w->spans.has_holes)
			count = row_rest(w, address, type, count);
		else if (!part_is_new(w, address, type))
			return;
		w->summary.objects += w->spans.has_holes && count;
	}
	if (!count || !plan->pointer_bytes || count > UINT32_MAX)
		return;
	ms_walk_push(w, (struct ms_walk_item){
			    .address = address,
			    .type = type,
			    .count = (uint32_t)count,
			    .label = label,
			    .root = root & 0xffffff,
			    .kind = MS_WALK_VALUES,
			});
}

void ms_walk_meet_string(struct ms_walk *w, ms_addr address)
{
	struct object o;

	if (!object_find(w, address, &o) || ms_span_has_pointers(o.span) || is_seen(w, &o))
		return;
	see(w, &o);
	total_add(w, &o, 0, false);
}

bool ms_walk_is_seen(const struct ms_walk *w, ms_addr address)
{
	struct object o;

	return object_find(w, address, &o) && is_seen(w, &o);
}

/** An object where spans are missing: of one that nothing types no more than its type is asked. */
static void object_in_hole(struct ms_walk *w, struct ms_walk_item item)
{
	// A trie's node may also be met as what its type says: by those below it.
	uint32_t key = item.kind == MS_WALK_TRIE_NODE ? item.type : UINT32_MAX - item.kind;

	if (item.kind == MS_WALK_UNTYPED || !ms_walk_hole_end(w, item.address) ||
	    !part_is_new(w, item.address, key))
		return;
	w->summary.objects++;
	ms_walk_push(w, item);
}

void ms_walk_meet_object(struct ms_walk *w, ms_addr address, enum ms_walk_kind kind,
			 ms_plan_id type, ms_label label, uint32_t root)
{
	struct ms_walk_item item = { .address = address,
				     .type = type,
				     .count = 1,
				     .label = label,
				     .root = root & 0xffffff,
				     .kind = kind };
	struct object o;

	if (!object_find(w, address, &o)) {
		object_in_hole(w, item);
		return;
	}
	if (w->wanted)
		ms_walk_want_object(w, o.start, o.end - o.start, kind == MS_WALK_CHAN, label, root);
	if (address != o.start || is_seen(w, &o))
		return;
	if (kind == MS_WALK_UNTYPED || kind == MS_WALK_CLOSURE) {
		if (!ms_span_has_pointers(o.span) || !part_is_new(w, address, UINT32_MAX - kind))
			return;
		if (o.span->large_type && kind == MS_WALK_UNTYPED) {
			ms_walk_meet_values(w, address, ms_plans_get(&w->plans, o.span->large_type),
					    UINT64_MAX, label, root);
			return;
		}
		if (ms_span_has_headers(w->layout, o.span)) {
			item.kind = MS_WALK_HEADED;
			item.address -= MALLOC_HEADER_BYTES;
		}
		item.count = (uint32_t)ms_min_u64((o.end - address) / 8, UINT32_MAX);
	} else {
		see(w, &o);
	}
	ms_walk_push(w, item);
}

// --- Maps. ---

size_t ms_walk_row_of(const struct ms_walk *w, ms_addr address)
{
	size_t at;

	if (!w->row_slot_count)
		return SIZE_MAX;
	for (at = ms_hash_number(address) & (w->row_slot_count - 1); w->row_slots[at];
	     at = (at + 1) & (w->row_slot_count - 1)) {
		if (w->report->maps[w->row_slots[at] - 1].address == address)
			return w->row_slots[at] - 1;
	}
	return SIZE_MAX;
}

/** Two types of which a map can have both: they map the same. */
static bool are_aliases(struct ms_walk *w, ms_plan_id a, ms_plan_id b)
{
	ms_plan_id key, elem;

	if (a == b)
		return true;
	key = ms_plans_ready(&w->plans, a)->key;
	elem = ms_plans_at(&w->plans, a)->elem;
	return ms_plans_ready(&w->plans, b)->key == key && ms_plans_at(&w->plans, b)->elem == elem;
}

static bool has_pointers(struct ms_walk *w, ms_plan_id map)
{
	ms_plan_id table = ms_plans_ready(&w->plans, map)->table_plan;

	return table && ms_plans_at(&w->plans, table)->pointer_bytes;
}

static void map_enter(struct ms_walk *w, ms_addr address, ms_plan_id type, ms_label label,
		      uint32_t root)
{
	struct object o;

	if (object_find(w, address, &o) && address == o.start && !is_seen(w, &o)) {
		see(w, &o);
		if (type)
			total_add(w, &o, type, false);
	}
	if (!type || !has_pointers(w, type))
		return;
	ms_walk_push(w, (struct ms_walk_item){ .address = address,
					       .type = type,
					       .count = 1,
					       .label = label,
					       .root = root & 0xffffff,
					       .kind = MS_WALK_MAP });
}

/** One that cannot be noted for want of memory is only counted. */
static void missed_note(struct ms_walk *w, ms_addr address)
{
	struct ms_walk_missed *missed = w->options->missed;

	if (missed && missed->count < MS_WALK_MISSED_MAX)
		(void)ms_vec_push(missed, address);
}

/** A map where spans are missing, that is not in the report. */
static void typed_meet(struct ms_walk *w, ms_addr address, ms_plan_id type, ms_label label,
		       uint32_t root)
{
	struct ms_typed_maps *typed = w->options->typed;
	const struct ms_typed_map map = { address, ms_plans_at(&w->plans, type)->address };

	if (!typed || !ms_walk_hole_end(w, address) || !part_is_new(w, address, type))
		return;
	if (typed->count >= MS_WALK_TYPED_MAX) {
		ms_walk_cut(w, "more maps without a span than are kept in mind");
		return;
	}
	if (!ms_vec_push(typed, map))
		w->out_of_memory = true;
	map_enter(w, address, type, label, root);
}

/** A map that the census does not have: passed over there, or made since. */
static void extra_meet(struct ms_walk *w, ms_addr address, ms_plan_id type, ms_label label,
		       uint32_t root)
{
	struct object o;

	if (!type)
		return;
	if (!object_find(w, address, &o)) {
		typed_meet(w, address, type, label, root);
		return;
	}
	if (address != o.start || is_seen(w, &o))
		return;
	w->summary.unseen++;
	missed_note(w, address);
	map_enter(w, address, type, label, root);
}

/** Whether the word was not counted yet; a word is met as often as ways lead to it. */
static bool holder_is_new(struct ms_walk *w, const struct ms_walk_found *f, ms_addr holder)
{
	if (holder == f->holder)
		return false;
	if (w->holders.count + 2 > PARTS_MAX) {
		ms_walk_cut(w, "more words that hold maps than are kept in mind");
		return false;
	}
	(void)ms_walk_set_add(w, &w->holders, f->holder);
	return ms_walk_set_add(w, &w->holders, holder);
}

void ms_walk_meet_map(struct ms_walk *w, ms_addr address, ms_plan_id type, ms_label label,
		      uint32_t root, ms_addr holder)
{
	size_t row = ms_walk_row_of(w, address);
	struct ms_walk_found *f;

	if (row == SIZE_MAX) {
		extra_meet(w, address, type, label, root);
		return;
	}
	f = &w->found[row];
	if (!f->holders) {
		bool by_table = !type;

		if (by_table) // A target that is lost shows in the next batch.
			ms_error_free(ms_walk_type_by_table(w, &w->report->maps[row], &type));
		*f = (struct ms_walk_found){ type, label, root, 1, holder, by_table && type };
		map_enter(w, address, type, label, root);
		return;
	}
	if (holder_is_new(w, f, holder)) {
		f->holders++;
		f->holder = holder;
	}
	if (type && f->type && !are_aliases(w, f->type, type))
		w->summary.conflicts++;
	else if (type && (!f->type || f->by_table)) {
		bool is_first = !f->type;

		f->type = type;
		f->by_table = false;
		f->label = label; // Who knows what it holds knows better whose it is.
		f->root = root;
		if (is_first)
			map_enter(w, address, type, label, root);
	}
	if (!f->label) {
		f->label = label;
		f->root = root;
	}
}

bool ms_walk_map_fits(struct ms_walk *w, ms_plan_id type, ms_addr address)
{
	const struct ms_plan *plan = ms_plans_ready(&w->plans, type);
	size_t at = ms_walk_row_of(w, address);
	const struct ms_map_row *row;
	uint64_t unit, need, most;

	if (at == SIZE_MAX || plan->kind != MS_KIND_MAP || !plan->table_plan)
		return true;
	row = &w->report->maps[at];
	if (row->confidence != MS_CONFIDENCE_VERIFIED || row->where != MS_WHERE_HEAP ||
	    row->capacity == MS_UNKNOWN || row->total_bytes == MS_UNKNOWN || !row->capacity)
		return true;
	unit = ms_plans_at(&w->plans, plan->table_plan)->bytes;
	if (unit > TABLE_BYTES_MAX)
		return false;
	need = most = row->capacity / TABLE_SLOTS * unit;
	if (row->kind == MS_MAP_CLASSIC && row->overflow_buckets != MS_UNKNOWN)
		most += row->overflow_buckets * unit;
	if (row->growing)
		most += need;
	// Size classes round up by a quarter at most; header, directory and tables are small.
	most += most / 4 + MAP_HEADS_BYTES * (1 + (uint64_t)row->tables);
	if (row->directory_depth < 40)
		most += (uint64_t)8 << row->directory_depth;
	return row->total_bytes >= need && row->total_bytes <= most;
}

// --- Interfaces. ---

/** Where the linker and the runtime keep itabs: in the program's data, or in no span. */
static bool may_be_itab(const struct ms_walk *w, ms_addr word)
{
	const struct ms_region *r;

	if ((word & 7) || ms_spans_find(&w->spans, word))
		return false;
	r = ms_regions_find(&w->rt->regions, word);
	return r && ms_region_is_own(r) && !(r->prot & MS_PROT_EXEC);
}

static ms_plan_id itab_type(struct ms_walk *w, ms_addr word)
{
	const struct ms_go_layout *l = w->layout;
	uint8_t raw[64];
	uint64_t size = ms_max_u64(l->itab_interface, l->itab_type) + 8;
	ms_plan_id interface, type;
	struct ms_error *err;

	if (size > sizeof(raw))
		return 0;
	err = ms_target_read(w->rt->target, word, raw, (size_t)size);
	if (err) {
		ms_error_free(err); // A target that is lost shows in the next batch.
		return 0;
	}
	interface = ms_plans_get(&w->plans, ms_load_u64(raw + l->itab_interface));
	type = ms_plans_get(&w->plans, ms_load_u64(raw + l->itab_type));
	return interface && ms_plans_at(&w->plans, interface)->kind == 20 ? type : 0;
}

ms_plan_id ms_walk_interface_type(struct ms_walk *w, ms_addr word, bool is_itab)
{
	const uint32_t *known;
	ms_plan_id type;

	if (!is_itab)
		return ms_plans_get(&w->plans, word);
	known = ms_number_map_find(&w->itabs, word);
	if (known || !may_be_itab(w, word))
		return known ? *known : 0;
	if (w->itabs.count >= ITABS_MAX) {
		ms_walk_cut(w, "more itabs than are kept in mind");
		return 0;
	}
	type = itab_type(w, word);
	if (!ms_number_map_add(&w->itabs, word, type))
		w->out_of_memory = true;
	return type;
}

void ms_walk_meet_interface(struct ms_walk *w, ms_plan_id type, ms_addr word, ms_addr at,
			    ms_label label, uint32_t root)
{
	uint8_t raw[8];

	if (!type || !word)
		return;
	if (!ms_plans_at(&w->plans, type)->is_direct) {
		ms_walk_meet_values(w, word, type, 1, label, root);
		return;
	}
	memcpy(raw, &word, sizeof(raw));
	ms_walk_visit(w,
		      &(struct ms_walk_item){ .address = at,
					      .type = type,
					      .count = 1,
					      .label = label,
					      .root = root & 0xffffff,
					      .kind = MS_WALK_VALUES },
		      raw, sizeof(raw));
}
