// census.c - names, order and sums of census rows.
//
// A census may hold a million rows of which a page shows twenty.  So the order is found with a
// bounded heap: each row is compared with the least of the best N so far, and only rows that beat
// it cost a heap step.  What is sorted in the end is N keys, not the rows.
#include "report/census.h"

#include <math.h>
#include <stdlib.h>

struct ms_map_row ms_map_row_unknown(ms_addr address)
{
	return (struct ms_map_row){ .address = address,
				    .entries = MS_UNKNOWN,
				    .capacity = MS_UNKNOWN,
				    .grow_at = MS_UNKNOWN,
				    .overflow_buckets = MS_UNKNOWN,
				    .deleted_slots = MS_UNKNOWN,
				    .live_bytes = MS_UNKNOWN,
				    .total_bytes = MS_UNKNOWN,
				    .slack_bytes = MS_UNKNOWN };
}

const char *ms_map_kind_name(enum ms_map_kind kind)
{
	switch (kind) {
	case MS_MAP_SWISS:
		return "swiss";
	case MS_MAP_SYNC_TRIE:
		return "sync_trie";
	case MS_MAP_HMAP_STEADY:
		return "hmap";
	case MS_MAP_HMAP_CLASSIC:
		return "hmap_classic";
	case MS_MAP_CLASSIC:
		break;
	}
	return "classic";
}

const char *ms_map_where_name(enum ms_map_where where)
{
	return where == MS_WHERE_STACK ? "stack" : "heap";
}

const char *ms_confidence_name(enum ms_map_confidence value)
{
	switch (value) {
	case MS_CONFIDENCE_VERIFIED:
		return "verified";
	case MS_CONFIDENCE_CHANGED:
		return "changed";
	case MS_CONFIDENCE_UNVERIFIED:
		break;
	}
	return "unverified";
}

const char *ms_type_source_name(enum ms_type_source source)
{
	switch (source) {
	case MS_TYPE_MALLOC_HEADER:
		return "malloc header";
	case MS_TYPE_DWARF:
		return "dwarf";
	case MS_TYPE_WALK:
		return "walk";
	case MS_TYPE_REGISTRY:
		return "registry";
	case MS_TYPE_CALL:
		return "call";
	case MS_TYPE_NONE:
		break;
	}
	return NULL;
}

static double load_of(uint64_t entries, uint64_t capacity)
{
	if (capacity == 0 || capacity == MS_UNKNOWN || entries == MS_UNKNOWN)
		return NAN;
	return (double)entries / (double)capacity;
}

const struct ms_map_row *ms_census_row_at(const struct ms_census_report *report, ms_addr address)
{
	size_t low = 0, high = report->map_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (report->maps[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < report->map_count && report->maps[low].address == address ? &report->maps[low]
									       : NULL;
}

bool ms_map_row_is_of_sync_map(const struct ms_map_row *row)
{
	return row->type && (!strcmp(row->type, "map[interface {}]*sync.entry") ||
			     !strcmp(row->type, "map[any]*sync.entry"));
}

bool ms_census_holds(const struct ms_census_report *report, ms_addr address)
{
	const struct ms_map_row *row = ms_census_row_at(report, address);
	const struct ms_walk_figures *walk = &report->coverage.walk;

	return row && (row->owner || !walk->taken || walk->cut);
}

double ms_map_row_load(const struct ms_map_row *row)
{
	return load_of(row->entries, row->capacity);
}

double ms_owner_row_load(const struct ms_owner_row *row)
{
	return load_of(row->entries, row->capacity);
}

/** A row's place: a larger key comes first, then a smaller address. */
struct order_key {
	uint64_t key;
	ms_addr address;
	size_t index;
};

enum { KEY_NEVER_WRITTEN, KEY_UNKNOWN, KEY_KNOWN };

static uint64_t known_key(uint64_t value)
{
	return value == MS_UNKNOWN ? KEY_UNKNOWN : ms_min_u64(value, MS_UNKNOWN - 3) + KEY_KNOWN;
}

/** The bits of a double that is not negative sort like the double itself. */
static uint64_t load_key(double load)
{
	uint64_t bits;

	if (isnan(load))
		return KEY_UNKNOWN;
	memcpy(&bits, &load, sizeof(bits));
	return bits + KEY_KNOWN;
}

static struct order_key order_key(const struct ms_map_row *row, enum ms_sort_key sort, size_t index)
{
	struct order_key k = { .address = row->address, .index = index };

	if (ms_map_row_never_written(row)) {
		k.key = KEY_NEVER_WRITTEN;
		return k;
	}
	switch (sort) {
	case MS_SORT_BYTES:
	case MS_SORT_MAPS:
		k.key = known_key(row->total_bytes);
		break;
	case MS_SORT_ENTRIES:
		k.key = known_key(row->entries);
		break;
	case MS_SORT_SLACK:
		k.key = known_key(row->slack_bytes);
		break;
	case MS_SORT_LOAD:
		k.key = load_key(ms_map_row_load(row));
		break;
	}
	return k;
}

static struct order_key group_key(const struct ms_owner_row *row, enum ms_sort_key sort,
				  size_t index)
{
	struct order_key k = { .index = index };

	// With an owner, thousands of maps that are never written are worth a look.
	if (row->never_written == row->maps && !row->owner) {
		k.key = KEY_NEVER_WRITTEN;
		return k;
	}
	switch (sort) {
	case MS_SORT_BYTES:
		k.key = known_key(row->total_bytes);
		break;
	case MS_SORT_ENTRIES:
		k.key = known_key(row->entries);
		break;
	case MS_SORT_SLACK:
		k.key = known_key(row->slack_bytes);
		break;
	case MS_SORT_LOAD:
		k.key = load_key(ms_owner_row_load(row));
		break;
	case MS_SORT_MAPS:
		k.key = known_key(row->maps);
		break;
	}
	return k;
}

/** Negative when @p a comes first.  The index decides when two rows share an address. */
static int order_compare(const void *a, const void *b)
{
	const struct order_key *x = a;
	const struct order_key *y = b;

	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/** Let the key at the root of a heap of @p count sink; the root is the one that comes last. */
static void heap_sink(struct order_key *heap, size_t count)
{
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;
		struct order_key swap;

		if (child >= count)
			return;
		if (child + 1 < count && order_compare(&heap[child], &heap[child + 1]) < 0)
			child++;
		if (order_compare(&heap[at], &heap[child]) >= 0)
			return;
		swap = heap[at];
		heap[at] = heap[child];
		heap[child] = swap;
		at = child;
	}
}

/** The first @c limit keys of all that were offered. */
struct best {
	struct order_key *keys;
	size_t count, limit;
};

/** Sorted last-first, an array is a heap with the least at its root. */
static void best_make_heap(struct best *best)
{
	qsort(best->keys, best->count, sizeof(*best->keys), order_compare);
	for (size_t i = 0; i < best->count / 2; i++) {
		struct order_key swap = best->keys[i];

		best->keys[i] = best->keys[best->count - 1 - i];
		best->keys[best->count - 1 - i] = swap;
	}
}

static void best_offer(struct best *best, struct order_key key)
{
	if (best->count < best->limit) {
		best->keys[best->count++] = key;
		if (best->count == best->limit)
			best_make_heap(best);
	} else if (best->limit > 0 && order_compare(&key, &best->keys[0]) < 0) {
		best->keys[0] = key;
		heap_sink(best->keys, best->count);
	}
}

static bool best_init(struct best *best, size_t top, size_t available)
{
	best->count = 0;
	best->limit = top < available ? top : available;
	best->keys = malloc((best->limit + 1) * sizeof(*best->keys));
	return best->keys != NULL;
}

/** The indices in order; the keys are freed.  NULL: no memory. */
static size_t *best_take(struct best *best, size_t *ret_count)
{
	size_t *order = malloc((best->count + 1) * sizeof(*order));

	if (order) {
		qsort(best->keys, best->count, sizeof(*best->keys), order_compare);
		for (size_t i = 0; i < best->count; i++)
			order[i] = best->keys[i].index;
		*ret_count = best->count;
	}
	free(best->keys);
	return order;
}

size_t *ms_census_order(const struct ms_census_report *report, const struct ms_census_view *view,
			size_t *ret_count)
{
	struct best best;

	if (!best_init(&best, view->top, report->map_count))
		return NULL;
	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];

		if (ms_row_filter_passes(view->filter, row->owner, row->type))
			best_offer(&best, order_key(row, view->sort, i));
	}
	return best_take(&best, ret_count);
}

size_t *ms_census_group_order(const struct ms_census_report *report,
			      const struct ms_census_view *view, size_t *ret_count)
{
	struct best best;

	if (!best_init(&best, view->top, report->owner_count))
		return NULL;
	for (size_t i = 0; i < report->owner_count; i++) {
		const struct ms_owner_row *row = &report->owners[i];

		if (ms_row_filter_passes(view->filter, row->owner, row->type))
			best_offer(&best, group_key(row, view->sort, i));
	}
	return best_take(&best, ret_count);
}

static uint64_t add_known(uint64_t sum, uint64_t value)
{
	return value == MS_UNKNOWN ? sum : sum + value;
}

void ms_owner_row_add(struct ms_owner_row *sum, const struct ms_map_row *row)
{
	sum->maps++;
	sum->never_written += ms_map_row_never_written(row);
	sum->growing += row->growing;
	sum->entries = add_known(sum->entries, row->entries);
	sum->capacity = add_known(sum->capacity, row->capacity);
	sum->live_bytes = add_known(sum->live_bytes, row->live_bytes);
	sum->total_bytes = add_known(sum->total_bytes, row->total_bytes);
	sum->slack_bytes = add_known(sum->slack_bytes, row->slack_bytes);
	if (row->live_bytes == MS_UNKNOWN || row->total_bytes == MS_UNKNOWN ||
	    row->slack_bytes == MS_UNKNOWN)
		sum->unknown_bytes_maps++;
}

struct ms_owner_row ms_census_totals(const struct ms_census_report *report)
{
	struct ms_owner_row sum = { 0 };

	for (size_t i = 0; i < report->map_count; i++)
		ms_owner_row_add(&sum, &report->maps[i]);
	return sum;
}

struct ms_map_bytes ms_census_map_bytes(const struct ms_census_report *report)
{
	struct ms_map_bytes sum = { 0 };

	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];

		if (row->total_bytes == MS_UNKNOWN || ms_map_row_is_hmap(row))
			continue;
		sum.total += row->total_bytes;
		if (row->live_bytes == MS_UNKNOWN)
			sum.untyped += row->total_bytes;
		else
			sum.live += ms_min_u64(row->live_bytes, row->total_bytes);
	}
	return sum;
}

void ms_census_split_memory(struct ms_census_report *report)
{
	ms_memory_split_maps(&report->memory, ms_census_map_bytes(report));
}

struct ms_owner_row ms_census_filtered(const struct ms_census_report *report,
				       const struct ms_census_view *view)
{
	struct ms_owner_row sum = { 0 };

	for (size_t i = 0; i < report->map_count; i++) {
		const struct ms_map_row *row = &report->maps[i];

		if (ms_row_filter_passes(view->filter, row->owner, row->type))
			ms_owner_row_add(&sum, row);
	}
	return sum;
}

uint64_t ms_coverage_skipped(const struct ms_coverage *coverage)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < coverage->skip_count; i++)
		sum += coverage->skips[i].count;
	return sum;
}

struct ms_error *ms_coverage_skip(struct ms_coverage *coverage, const char *reason, uint64_t count)
{
	struct ms_skip *skips;

	if (!count)
		return NULL;
	skips = realloc(coverage->skips, (coverage->skip_count + 1) * sizeof(*skips));
	if (!skips)
		return ms_error_no_memory();
	coverage->skips = skips;
	skips[coverage->skip_count++] = (struct ms_skip){ reason, count };
	return NULL;
}

void ms_coverage_deinit(struct ms_coverage *coverage)
{
	free(coverage->skips);
	coverage->skips = NULL;
	coverage->skip_count = 0;
}

void ms_census_report_deinit(struct ms_census_report *report)
{
	free(report->maps);
	free(report->owners);
	ms_coverage_deinit(&report->coverage);
	ms_memory_deinit(&report->memory);
	ms_arena_deinit(&report->arena);
	*report = (struct ms_census_report){ 0 };
}

/** A string of another report, copied once for neighbours that share it. */
struct copied {
	const char *from, *to;
};

static const char *copy(struct ms_arena *arena, struct copied *last, const char *text)
{
	if (!text)
		return NULL;
	if (last->from != text) {
		last->to = ms_arena_strndup(arena, text, strlen(text));
		last->from = last->to ? text : NULL;
	}
	return last->to;
}

static bool row_inherit(struct ms_arena *arena, struct copied last[4], struct ms_map_row *row,
			const struct ms_map_row *earlier)
{
	if (!row->owner && earlier->owner) {
		row->owner = copy(arena, &last[0], earlier->owner);
		row->owners = earlier->owners;
		if (!row->owner)
			return false;
	}
	if (row->type || !earlier->type || row->kind != earlier->kind)
		return true;
	row->type = copy(arena, &last[1], earlier->type);
	row->key_type = copy(arena, &last[2], earlier->key_type);
	row->elem_type = copy(arena, &last[3], earlier->elem_type);
	row->type_source = earlier->type_source;
	if (earlier->entries && earlier->entries != MS_UNKNOWN && row->entries != MS_UNKNOWN &&
	    earlier->live_bytes != MS_UNKNOWN && row->live_bytes == MS_UNKNOWN) {
		row->live_bytes = earlier->live_bytes / earlier->entries * row->entries;
		row->slack_bytes = ms_map_row_slack(row);
	}
	return row->type && (row->key_type || !earlier->key_type) &&
	       (row->elem_type || !earlier->elem_type);
}

struct ms_error *ms_census_inherit(struct ms_census_report *census,
				   const struct ms_census_report *earlier)
{
	struct copied last[4] = { { NULL, NULL } };
	size_t at = 0;

	census->coverage.typed = 0;
	for (size_t i = 0; i < census->map_count; i++) {
		struct ms_map_row *row = &census->maps[i];

		while (at < earlier->map_count && earlier->maps[at].address < row->address)
			at++;
		if (at < earlier->map_count && earlier->maps[at].address == row->address &&
		    !row_inherit(&census->arena, last, row, &earlier->maps[at]))
			return ms_error_no_memory();
		census->coverage.typed += row->type != NULL;
	}
	return ms_census_sum_owners(census);
}
