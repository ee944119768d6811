// typed_search.c - maps that a walk has led to, where spans are missing: of a core that was cut
// off.
//
// No span says that an object begins where a header or a table is, nor how long it is.  What stands
// in: the way there was typed, from the program's variables on; the header begins where an object
// of its size can; the table has the bytes that the allocator makes of so many buckets or groups of
// that type; and tags, tables' counts and the words that name types have to fit as they do in any
// census.  What nothing led to is not looked for: an object that nothing leads to may be dead.
#include "census/engine.h"

#include "base/cleanup.h"
#include "base/vec.h"

enum {
	AT_ONCE = 1 << 15,
	LINK_BYTES = 8,
	READ_BYTES = 512,                     // That cost as much as a read by itself does.
	UNIT_BYTES_MAX = 8 + 8 * 2 * 128 + 8, // Of a bucket: larger keys and elems are pointers.
	ARRAY_BYTES_MAX = 64 << 20,           // Whose tags are all counted.
};

bool ms_engine_may_be_in_hole(const struct ms_engine *e, ms_addr addr)
{
	const struct ms_region *r = (addr & 7) || ms_spans_find(&e->spans, addr)
					? NULL
					: ms_regions_find(&e->rt->regions, addr);

	return r && r->kind == MS_REGION_ANON && (r->prot & MS_PROT_WRITE);
}

/** Of some spans the records are there. */
static bool may_be_in_object(const struct ms_engine *e, ms_addr addr)
{
	const struct ms_span *span = (addr & 7) ? NULL : ms_spans_find(&e->spans, addr);

	return span ? span->state == MS_SPAN_IN_USE : ms_engine_may_be_in_hole(e, addr);
}

/** The class of objects of @p bytes, 0 for those that have pages of their own. */
static unsigned size_class(const struct ms_go_layout *l, uint64_t bytes)
{
	for (unsigned i = 1; i < l->size_class_count; i++) {
		if (l->size_classes[i] == bytes)
			return i;
	}
	return 0;
}

/** What would be said of the span of objects of @p bytes, as allocated. */
static const struct ms_span *assume(struct ms_engine *e, uint64_t bytes, bool has_pointers)
{
	uint64_t key = bytes << 1 | has_pointers;
	const uint32_t *known = ms_number_map_find(&e->assumed_by, key);
	struct ms_span *span;

	if (known)
		return e->assumed.items[*known];
	span = malloc(sizeof(*span));
	if (!span || !ms_vec_push(&e->assumed, span)) {
		free(span);
		e->out_of_memory = true;
		return NULL;
	}
	*span = (struct ms_span){ .elem_bytes = bytes,
				  .elems = 1,
				  .span_class =
				      (uint8_t)(size_class(e->layout, bytes) << 1 | !has_pointers),
				  .state = MS_SPAN_IN_USE };
	if (!ms_number_map_add(&e->assumed_by, key, (uint32_t)(e->assumed.count - 1))) {
		e->out_of_memory = true;
		return NULL;
	}
	return span;
}

const struct ms_span *ms_engine_part(struct ms_engine *e, const struct ms_candidate *c,
				     ms_addr addr, uint64_t bytes, bool has_pointers)
{
	const struct ms_span *span = ms_engine_object(e, addr);

	if (span || !c->met_as || !ms_engine_may_be_in_hole(e, addr))
		return span;
	bytes = ms_go_alloc_bytes(e->layout, bytes, has_pointers);
	return bytes ? assume(e, bytes, has_pointers) : NULL;
}

const struct ms_span *ms_engine_table(struct ms_engine *e, struct ms_candidate *c, ms_addr addr,
				      uint64_t units, struct ms_shape *ret_shape)
{
	const struct ms_map_type *t = c->met_as;
	uint64_t bytes = t ? units * t->table_bytes : 0;
	const struct ms_span *span = ms_engine_part(e, c, addr, bytes, t && t->has_pointers);

	c->reject = e->spans.has_holes && ms_engine_may_be_in_hole(e, addr) ? MS_REJECT_HOLE
									    : MS_REJECT_NO_TABLE;
	if (!span)
		return NULL;
	c->reject = MS_REJECT_NO_TYPE;
	if (!t) {
		*ret_shape =
		    ms_shapes_fit(e->shapes, units, span->elem_bytes, ms_span_has_pointers(span));
		return ret_shape->fits ? span : NULL;
	}
	*ret_shape = (struct ms_shape){ true, t->table_bytes, t->entry_bytes };
	return span->elem_bytes == ms_go_alloc_bytes(e->layout, bytes, t->has_pointers) &&
		       ms_span_has_pointers(span) == t->has_pointers &&
		       (!span->large_type || span->large_type == t->table)
		   ? span
		   : NULL;
}

// --- Chains. ---

/** What is left to be found of a classic map. */
struct chains {
	struct ms_engine *e;
	uint64_t entries;
	uint64_t overflow; // Buckets, at most.
	uint32_t unit;
	bool is_over; // As much was read as may be.
	uint8_t bucket[UNIT_BYTES_MAX];
};

/** Take a bucket's entries off; false when its tags are none, or more than the header says. */
static bool tags_take(struct chains *k, const uint8_t *bucket)
{
	int entries = ms_classic_bucket_entries(bucket);

	if (entries < 0 || (uint64_t)entries > k->entries)
		return false;
	k->entries -= (uint64_t)entries;
	return true;
}

/** The overflow buckets behind @p bucket, each by the last word of the one before. */
static bool chain_take(struct chains *k, const uint8_t *bucket)
{
	ms_addr link = ms_load_u64(bucket + k->unit - LINK_BYTES);

	while (link) {
		struct ms_error *err;

		k->is_over |= !ms_engine_may_count(k->e, k->unit + READ_BYTES);
		if (k->is_over)
			return true;
		if (!k->overflow-- || !may_be_in_object(k->e, link))
			return false;
		err = ms_target_read(k->e->rt->target, link, k->bucket, k->unit);
		if (err || !tags_take(k, k->bucket)) {
			ms_error_free(err);
			return false;
		}
		link = ms_load_u64(k->bucket + k->unit - LINK_BYTES);
	}
	return true;
}

/** Some of the array's buckets, and what hangs on them. */
static bool some_take(struct chains *k, ms_addr at, uint64_t buckets, uint8_t *buf)
{
	struct ms_error *err =
	    ms_target_read(k->e->rt->target, at, buf, (size_t)(buckets * k->unit));
	bool fits = !err;

	ms_error_free(err);
	for (uint64_t i = 0; i < buckets && fits; i++)
		fits = tags_take(k, buf + i * k->unit) && chain_take(k, buf + i * k->unit);
	return fits;
}

uint8_t *ms_engine_scratch(struct ms_engine *e)
{
	if (!e->scratch)
		e->scratch = malloc(MS_READ_BYTES_MAX);
	e->out_of_memory |= !e->scratch;
	return e->scratch;
}

bool ms_engine_may_count(struct ms_engine *e, uint64_t bytes)
{
	if (bytes > e->bytes_left)
		return false;
	e->bytes_left -= bytes;
	return true;
}

bool ms_engine_chains_fit(struct ms_engine *e, const struct ms_candidate *c)
{
	const struct ms_classic_map *m = &c->classic;
	uint64_t buckets = (uint64_t)1 << m->bucket_log2, at_once;
	bool exact = m->bucket_log2 < MS_CLASSIC_NOVERFLOW_EXACT;
	uint8_t *buf = ms_engine_scratch(e);
	struct chains k = { .e = e, .entries = m->count, .unit = c->unit_bytes };

	if (!buf || k.unit < 2 * LINK_BYTES || k.unit > UNIT_BYTES_MAX)
		return false;
	k.overflow = exact ? m->noverflow : buckets * MS_CLASSIC_SLOTS;
	if (buckets > ARRAY_BYTES_MAX / k.unit || !ms_engine_may_count(e, buckets * k.unit))
		return true;
	at_once = MS_READ_BYTES_MAX / k.unit;
	for (uint64_t i = 0; i < buckets; i += at_once) {
		if (!some_take(&k, m->buckets + i * k.unit, ms_min_u64(at_once, buckets - i), buf))
			return false;
	}
	return k.is_over || m->oldbuckets || !k.entries; // The others are in the old array.
}

// --- Candidates. ---

/** Spans of headers are one page long. */
static bool may_be_header(const struct ms_engine *e, ms_addr addr)
{
	uint64_t bytes = ms_go_alloc_bytes(e->layout, ms_engine_header_bytes(e), true);
	uint64_t offset = addr % MS_GO_PAGE_BYTES;

	if (ms_spans_find(&e->spans, addr)) {
		const struct ms_span *span = ms_engine_object(e, addr);

		return span && bytes && span->elem_bytes == bytes;
	}
	return bytes && ms_engine_may_be_in_hole(e, addr) && offset % bytes == 0 &&
	       offset / bytes < ms_span_elems_of(e->layout, MS_GO_PAGE_BYTES, bytes, true);
}

static int by_address(const void *a, const void *b)
{
	const struct ms_map_type *const *x = a, *const *y = b;

	return (*x)->address < (*y)->address ? -1 : (*x)->address > (*y)->address;
}

/** The map types by address. */
static const struct ms_map_type **types_sort(const struct ms_types *types)
{
	const struct ms_map_type **sorted = calloc(types->count + 1, sizeof(*sorted));

	for (size_t i = 0; i < types->count && sorted; i++)
		sorted[i] = &types->items[i];
	if (sorted)
		qsort(sorted, types->count, sizeof(*sorted), by_address);
	return sorted;
}

static const struct ms_map_type *type_at(const struct ms_map_type *const *sorted, size_t count,
					 ms_addr address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sorted[middle]->address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && sorted[low]->address == address ? sorted[low] : NULL;
}

/** Some of them: headers in one batch, and judged. */
static struct ms_error *some_judge(struct ms_engine *e, const struct ms_map_type *const *types,
				   const struct ms_typed_map *maps, size_t count)
{
	uint32_t size = ms_engine_header_bytes(e), index;
	struct ms_fetch fetch = { 0 };
	struct ms_error *err = NULL;

	for (size_t i = 0; i < count && !err; i++)
		err = ms_fetch_add(&fetch, maps[i].address, size, &index);
	if (!err && count)
		err = ms_fetch_run(&fetch, e->rt->target);
	for (size_t i = 0; i < count && !err; i++) {
		const uint8_t *raw = ms_fetch_bytes(&fetch, (uint32_t)i);
		struct ms_candidate c = { .address = maps[i].address,
					  .met_as = type_at(types, e->types->count, maps[i].type) };

		if (!raw || !c.met_as || !may_be_header(e, c.address)) {
			e->skips[raw ? MS_REJECT_PLACE : MS_REJECT_UNREADABLE]++;
			e->report->coverage.seen++;
			continue;
		}
		memcpy(c.raw, raw, size);
		if (!ms_vec_push(&e->queue, c))
			err = ms_error_no_memory();
	}
	ms_fetch_deinit(&fetch);
	return err ? err : ms_engine_judge(e);
}

struct ms_error *ms_engine_search_typed(struct ms_engine *e)
{
	const struct ms_typed_maps *typed = e->options ? e->options->typed : NULL;
	MS_AUTO_FREE const struct ms_map_type **types = NULL;
	struct ms_error *err = NULL;

	if (!typed || !typed->count)
		return NULL;
	types = types_sort(e->types);
	if (!types)
		return ms_error_no_memory();
	for (size_t i = 0; i < typed->count && !err && !ms_engine_stopped(e); i += AT_ONCE)
		err = some_judge(e, types, typed->items + i,
				 (size_t)ms_min_u64(AT_ONCE, typed->count - i));
	return err;
}

static bool are_equal(const struct ms_map_row *a, const struct ms_map_row *b)
{
	return a->entries == b->entries && a->capacity == b->capacity &&
	       a->total_bytes == b->total_bytes && a->live_bytes == b->live_bytes &&
	       a->overflow_buckets == b->overflow_buckets;
}

void ms_engine_join_typed(struct ms_engine *e)
{
	struct ms_census_report *r = e->report;
	size_t kept = 0, next;

	if (!e->options || !e->options->typed || !e->options->typed->count)
		return;
	for (size_t i = 0; i < r->map_count; i = next) {
		bool equal = true;

		for (next = i + 1;
		     next < r->map_count && r->maps[next].address == r->maps[i].address; next++) {
			equal &= are_equal(&r->maps[i], &r->maps[next]);
			r->never_written -= ms_map_row_never_written(&r->maps[next]);
			r->coverage.typed -= r->maps[next].type != NULL;
			r->coverage.seen--; // It is one map, however many types it was met as.
		}
		if (equal) {
			r->maps[kept++] = r->maps[i];
			continue;
		}
		r->never_written -= ms_map_row_never_written(&r->maps[i]);
		r->coverage.typed -= r->maps[i].type != NULL;
		e->skips[MS_REJECT_TYPES]++;
	}
	r->map_count = kept;
}
