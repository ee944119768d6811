// census_run.c - the life of a census:
//
//	1. mappings, spans, types: one snapshot
//	2. candidates in the heap and on stacks, judged as they come (heap_search.c,
// stack_search.c); 	   where spans are missing, those that a walk has led to (typed_search.c)
//	3. where a sample of a table was empty, more of it is read
//	4. what did not fit is looked at again with a fresh snapshot: header, table and all.  A
//	   candidate that did not move and still does not fit is no map; one that keeps moving is a
//	   map that is being written, as long as everything but its counts fits
//	5. overflow buckets of big and growing classic maps are counted (overflow_walk.c)
//	6. rows are sorted by address; those that package-level variables hold get the variable's
//	   name and, where it was not known, their type (name_globals.c)
//	7. skips are named, owners summed
//	8. where it was asked for, all memory is measured, with spans as they are by then
#include "census/engine.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "census/measure_memory.h"
#include "golang/globals.h"

#include <math.h>
#include <sys/mman.h>

enum {
	ROWS_EXPECTED_MAX = 16 << 20,
	// What is judged at once: the largest directory, and all tables of directories, come on
	// top.
	CLASSIC_BYTES_AT_ONCE = 128 << 20,
	SWISS_BYTES_AT_ONCE = 16 << 20,
};

static const uint64_t COUNTED_BYTES_MAX = (uint64_t)16 << 30;

static const char *const reject_texts[MS_REJECT_COUNT_] = {
	[MS_REJECT_NO_TABLE] = "shaped like a map, but its table is no heap object",
	[MS_REJECT_NO_TYPE] = "shaped like a map, but no map type fits its table",
	[MS_REJECT_TAGS] = "shaped like a map, but its table is none",
	[MS_REJECT_COUNT] = "shaped like a map, but its table does not make its count",
	[MS_REJECT_HEADER] = "gone or reused while it was read",
	[MS_REJECT_UNREADABLE] = "could not be read",
	[MS_REJECT_SWAPPED] = "swapped out",
	[MS_REJECT_RUNNING] = "stack of a running goroutine",
	[MS_REJECT_STACK] = "stack that could not be read",
	[MS_REJECT_SPAN] = "span that could not be read",
	[MS_REJECT_DWARF] = "debug information that is damaged or too large to name owners from",
	[MS_REJECT_GLOBAL] = "package-level variable too large to look through to its end",
	[MS_REJECT_HOLE] = "shaped like a map, but its table's span is missing",
	[MS_REJECT_PLACE] = "met as a map, but no map's header can begin there",
	[MS_REJECT_TYPES] = "met as maps of several types, all of which fit",
};

uint32_t ms_engine_header_bytes(const struct ms_engine *e)
{
	return e->layout->maps == MS_GO_MAPS_SWISS ? e->layout->map_size : e->layout->hmap_size;
}

const struct ms_span *ms_engine_object(const struct ms_engine *e, ms_addr addr)
{
	const struct ms_span *span = ms_spans_find(&e->spans, addr);

	return span && ms_span_is_object(e->layout, span, addr) ? span : NULL;
}

bool ms_engine_is_untyped(const struct ms_engine *e)
{
	return e->rt->target->lacks_program;
}

bool ms_engine_stopped(struct ms_engine *e)
{
	if (!e->report->partial && e->options && e->options->stop &&
	    e->options->stop(e->options->stop_context)) {
		e->report->partial = true;
		e->report->partial_reason = "interrupted";
	}
	return e->report->partial;
}

// --- Types. ---

struct ms_error *ms_engine_want_type(struct ms_engine *e, struct ms_candidate *c,
				     const struct ms_span *span, ms_addr table)
{
	if (!span || !ms_span_has_headers(e->layout, span))
		return NULL;
	return ms_fetch_add(&e->fetch, table - ms_span_header_bytes(e->layout, span),
			    ms_span_header_bytes(e->layout, span), &c->header_want);
}

bool ms_engine_take_type(struct ms_engine *e, struct ms_candidate *c, const struct ms_span *span)
{
	ms_addr named = span->large_type;

	if (c->header_want != UINT32_MAX) {
		const uint8_t *bytes = ms_fetch_bytes(&e->fetch, c->header_want);

		named = bytes ? ms_load_u64(bytes) : 0;
	}
	if (c->met_as && (named || c->header_want != UINT32_MAX) && named != c->met_as->table)
		return false;
	if (!named)
		return true;
	if (ms_engine_is_untyped(e)) {
		const struct ms_region *r = ms_regions_find(&e->rt->regions, named);

		return r && r->kind == MS_REGION_EXE;
	}
	c->type = ms_types_by_table(e->types, named);
	return c->type != NULL;
}

/** The three names of a map type, made once. */
static const struct ms_type_names *type_names(struct ms_engine *e, const struct ms_map_type *type)
{
	struct ms_type_names *n = &e->names[type - e->types->items];
	const char *key, *elem;
	size_t key_size, elem_size;

	if (n->type)
		return n;
	if (!ms_types_name(e->types, e->layout, type->key, &key, &key_size) ||
	    !ms_types_name(e->types, e->layout, type->elem, &elem, &elem_size))
		return NULL;
	n->key = ms_arena_strndup(&e->report->arena, key, key_size);
	n->elem = ms_arena_strndup(&e->report->arena, elem, elem_size);
	n->type = ms_arena_printf(&e->report->arena, "map[%.*s]%.*s", (int)key_size, key,
				  (int)elem_size, elem);
	return n->key && n->elem && n->type ? n : NULL;
}

void ms_engine_type_row(struct ms_engine *e, const struct ms_map_type *type,
			enum ms_type_source source, struct ms_map_row *row)
{
	const struct ms_type_names *names = type ? type_names(e, type) : NULL;

	if (!names)
		return;
	row->type = names->type;
	row->key_type = names->key;
	row->elem_type = names->elem;
	row->type_source = (uint8_t)source;
	if (row->entries != MS_UNKNOWN)
		row->live_bytes = row->entries * (type->entry_bytes + 1u);
}

// --- Judging. ---

static bool is_swiss(const struct ms_engine *e)
{
	return e->layout->maps == MS_GO_MAPS_SWISS;
}

static bool never_written(const struct ms_engine *e, const struct ms_candidate *c)
{
	struct ms_swiss_map swiss;

	return is_swiss(e) ? ms_swiss_parse(e->layout, c->raw, &swiss) == MS_SWISS_NEVER_WRITTEN
			   : c->classic_header == MS_CLASSIC_NEVER_WRITTEN;
}

void ms_engine_expect_rows(struct ms_engine *e, size_t count)
{
	enum { HUGE_BYTES = 2 << 20, HUGE_FROM = 4 * HUGE_BYTES };
	uintptr_t at, bytes = count * sizeof(*e->report->maps);

	// Rows are written once and in order, so most of what they cost is the first touch of their
	// pages.  In huge ones that is five hundred times as rare; a kernel without does without.
	if (count > ROWS_EXPECTED_MAX || bytes < HUGE_FROM ||
	    !ms_vec_reserve_raw((void **)&e->report->maps, &e->row_capacity, count,
				sizeof(*e->report->maps)))
		return;
	at = ms_round_up((uintptr_t)e->report->maps, HUGE_BYTES);
	bytes -= at - (uintptr_t)e->report->maps;
	madvise((void *)at, bytes & ~(uintptr_t)(HUGE_BYTES - 1), MADV_HUGEPAGE);
}

static struct ms_error *row_add(struct ms_engine *e, struct ms_map_row *row)
{
	struct ms_census_report *r = e->report;

	if (r->map_count == e->row_capacity &&
	    !ms_vec_reserve_raw((void **)&r->maps, &e->row_capacity, r->map_count + 1,
				sizeof(*r->maps)))
		return ms_error_no_memory();
	row->slack_bytes = ms_map_row_slack(row);
	r->never_written += row->confidence == MS_CONFIDENCE_UNVERIFIED;
	r->coverage.changed += row->confidence == MS_CONFIDENCE_CHANGED;
	r->coverage.typed += row->type != NULL;
	r->maps[r->map_count++] = *row;
	return NULL;
}

/** A classic map whose overflow its header does not tell is put down for the walk. */
static struct ms_error *walk_note(struct ms_engine *e, const struct ms_candidate *c,
				  const struct ms_map_row *row)
{
	struct ms_walk w;

	if (is_swiss(e) || row->total_bytes != MS_UNKNOWN || !ms_classic_walk(e, c, &w))
		return NULL;
	w.row = e->report->map_count;
	return ms_vec_push(&e->walks, w) ? NULL : ms_error_no_memory();
}

static struct ms_error *row_emit(struct ms_engine *e, const struct ms_candidate *c,
				 enum ms_map_confidence confidence)
{
	struct ms_map_row row = {
		.address = c->address,
		.grow_at = MS_UNKNOWN,
		.overflow_buckets = is_swiss(e) ? MS_UNKNOWN : 0,
		.deleted_slots = is_swiss(e) ? 0 : MS_UNKNOWN,
		.live_bytes = MS_UNKNOWN,
		.total_bytes = ms_engine_header_bytes(e),
		.where = c->stack_hi ? MS_WHERE_STACK : MS_WHERE_HEAP,
		.confidence = (uint8_t)confidence,
		.kind = is_swiss(e) ? MS_MAP_SWISS : MS_MAP_CLASSIC,
	};
	struct ms_error *err;

	if (never_written(e, c)) {
		row.confidence = MS_CONFIDENCE_UNVERIFIED;
		row.live_bytes = 0;
		return row_add(e, &row);
	}
	if (is_swiss(e))
		ms_swiss_fill(e, c, &row);
	else
		ms_classic_fill(e, c, &row);
	if (!row.entries)
		row.live_bytes = 0;
	else if (row.live_bytes == MS_UNKNOWN && c->entry_bytes)
		row.live_bytes = row.entries * (c->entry_bytes + 1);
	if (!row.type)
		ms_engine_type_row(e, c->type, MS_TYPE_MALLOC_HEADER, &row);
	err = walk_note(e, c, &row);
	return err ? err : row_add(e, &row);
}

static struct ms_error *settle(struct ms_engine *e, struct ms_candidate *c,
			       enum ms_judgement judgement)
{
	if (judgement == MS_JUDGE_MAP)
		return row_emit(e, c, MS_CONFIDENCE_VERIFIED);
	if (judgement == MS_JUDGE_MORE)
		return ms_vec_push(&e->more, *c) ? NULL : ms_error_no_memory();
	if (judgement == MS_JUDGE_DROP || (c->attempts && !c->changed)) {
		e->skips[c->reject]++; // It held still and does not fit.
		return NULL;
	}
	if (++c->attempts < MS_ATTEMPTS_MAX)
		return ms_vec_push(&e->again, *c) ? NULL : ms_error_no_memory();
	if (c->sound)
		return row_emit(e, c, MS_CONFIDENCE_CHANGED);
	e->skips[c->reject]++;
	return NULL;
}

/** From the queue's @p first on, as many as one batch holds, whatever their headers say. */
static struct ms_error *plan_some(struct ms_engine *e, size_t first, uint8_t *judgements,
				  size_t *ret_end)
{
	enum { AHEAD = 8 };
	size_t table = is_swiss(e) ? e->layout->map_dir_ptr : e->layout->hmap_buckets, i;
	size_t most = is_swiss(e) ? SWISS_BYTES_AT_ONCE : CLASSIC_BYTES_AT_ONCE;
	struct ms_error *err = NULL;

	ms_fetch_reset(&e->fetch);
	for (i = first; i < e->queue.count && e->fetch.bytes_used < most && !err; i++) {
		struct ms_candidate *c = &e->queue.items[i];
		enum ms_judgement judgement;

		if (i + AHEAD < e->queue.count)
			ms_spans_prefetch(&e->spans, ms_load_u64(c[AHEAD].raw + table));

		c->want_count = c->table_count = 0;
		c->header_want = c->extra_want = UINT32_MAX;
		c->type = NULL;
		c->span = NULL;
		c->entry_bytes = c->unit_bytes = 0;
		c->sound = false;
		err = is_swiss(e) ? ms_swiss_plan(e, c, &judgement)
				  : ms_classic_plan(e, c, &judgement);
		if (!err)
			judgements[i] = (uint8_t)judgement;
	}
	*ret_end = i;
	if (!err)
		err = ms_fetch_run(&e->fetch, e->rt->target);
	return err;
}

/** The tables of large Swiss maps are known only when their directories were read. */
static struct ms_error *plan_tables(struct ms_engine *e, size_t first, size_t end,
				    const uint8_t *judgements)
{
	struct ms_error *err = NULL;
	size_t before = e->fetch.count;

	for (size_t i = first; i < end && !err; i++) {
		if (judgements[i] == MS_JUDGE_MAP)
			err = ms_swiss_plan_tables(e, &e->queue.items[i]);
	}
	if (!err && e->fetch.count > before)
		err = ms_fetch_run_from(&e->fetch, e->rt->target, before);
	return err;
}

/** Judge from the queue's *at on what one batch holds, and set *at behind it. */
static struct ms_error *some_judge(struct ms_engine *e, uint8_t *judgements, size_t *at)
{
	size_t first = *at, end;
	struct ms_error *err = plan_some(e, first, judgements, &end);

	if (!err && is_swiss(e))
		err = plan_tables(e, first, end, judgements);
	for (size_t i = first; i < end && !err; i++) {
		struct ms_candidate *c = &e->queue.items[i];
		enum ms_judgement judgement = judgements[i];

		e->report->coverage.seen += c->attempts == 0 && !c->doubtful;
		if (judgement == MS_JUDGE_MAP)
			judgement = is_swiss(e) ? ms_swiss_judge(e, c) : ms_classic_judge(e, c);
		err = settle(e, c, judgement);
	}
	*at = end;
	return err;
}

struct ms_error *ms_engine_judge(struct ms_engine *e)
{
	MS_AUTO_FREE uint8_t *judgements = calloc(e->queue.count + 1, 1);
	struct ms_error *err = NULL;
	size_t at = 0;

	if (!judgements)
		return ms_error_no_memory();
	while (at < e->queue.count && !err)
		err = some_judge(e, judgements, &at);
	e->queue.count = 0;
	if (!err && e->out_of_memory)
		err = ms_error_no_memory();
	return err;
}

// --- Once more, with a fresh view. ---

static struct ms_error *snapshot(struct ms_engine *e)
{
	struct ms_spans spans;
	struct ms_error *err = ms_go_refresh(e->rt);

	if (!err)
		err = ms_spans_load(e->rt, &spans);
	if (err)
		return err;
	if (spans.unreadable > e->spans_unread) { // The same are so at each look.
		e->skips[MS_REJECT_SPAN] += spans.unreadable - e->spans_unread;
		e->spans_unread = spans.unreadable;
	}
	ms_spans_deinit(&e->spans);
	e->spans = spans;
	return NULL;
}

/** Read the headers again that did not fit. */
static struct ms_error *headers_reread(struct ms_engine *e)
{
	uint32_t size = ms_engine_header_bytes(e), index;
	struct ms_error *err = NULL;
	size_t kept = 0;

	ms_fetch_reset(&e->fetch);
	for (size_t i = 0; i < e->queue.count && !err; i++)
		err = ms_fetch_add(&e->fetch, e->queue.items[i].address, size, &index);
	if (!err)
		err = ms_fetch_run(&e->fetch, e->rt->target);
	for (size_t i = 0; i < e->queue.count && !err; i++) {
		struct ms_candidate c = e->queue.items[i];
		const uint8_t *raw = ms_fetch_bytes(&e->fetch, (uint32_t)i);

		if (!raw) {
			e->skips[MS_REJECT_HEADER]++;
			continue;
		}
		c.changed = memcmp(c.raw, raw, size) != 0;
		memcpy(c.raw, raw, size);
		e->queue.items[kept++] = c;
	}
	e->queue.count = kept;
	return err;
}

/** Those that a sample said nothing of: the view that they were found in is still good. */
static struct ms_error *look_closer(struct ms_engine *e)
{
	struct ms_candidates swap = e->queue;

	e->queue = e->more;
	e->more = swap;
	e->more.count = 0;
	return e->queue.count ? ms_engine_judge(e) : NULL;
}

static struct ms_error *look_again(struct ms_engine *e)
{
	while (e->again.count && !ms_engine_stopped(e)) {
		struct ms_candidates swap = e->queue;
		struct ms_error *err;

		e->queue = e->again;
		e->again = swap;
		e->again.count = 0;
		e->report->cost.reads_retried += e->queue.count;
		err = snapshot(e);
		if (!err)
			err = headers_reread(e);
		if (!err)
			err = ms_engine_judge(e);
		if (err)
			return err;
	}
	return NULL;
}

// --- The whole. ---

static int by_address(const void *a, const void *b)
{
	const struct ms_map_row *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/**
 * Sort the rows by address.  The heap was searched in that order, so all but the last few (stacks,
 * second looks) stand right already: sort those, and merge from behind.
 */
static struct ms_error *rows_sort(struct ms_census_report *r)
{
	MS_AUTO_FREE struct ms_map_row *tail = NULL;
	size_t sorted = r->map_count ? 1 : 0, to = r->map_count, left;

	while (sorted < r->map_count && r->maps[sorted - 1].address < r->maps[sorted].address)
		sorted++;
	left = r->map_count - sorted;
	if (!left)
		return NULL;
	tail = malloc(left * sizeof(*tail));
	if (!tail)
		return ms_error_no_memory();
	memcpy(tail, r->maps + sorted, left * sizeof(*tail));
	qsort(tail, left, sizeof(*tail), by_address);
	while (left) {
		bool take_tail = !sorted || tail[left - 1].address >= r->maps[sorted - 1].address;

		r->maps[--to] = take_tail ? tail[--left] : r->maps[--sorted];
	}
	return NULL;
}

static struct ms_error *coverage_fill(struct ms_engine *e)
{
	struct ms_coverage *c = &e->report->coverage;

	c->read = e->report->map_count;
	c->skips = calloc(MS_REJECT_COUNT_, sizeof(*c->skips));
	if (!c->skips)
		return ms_error_no_memory();
	for (size_t i = 1; i < MS_REJECT_COUNT_; i++) {
		if (e->skips[i])
			c->skips[c->skip_count++] =
			    (struct ms_skip){ reject_texts[i], e->skips[i] };
	}
	return NULL;
}

/** With spans as they are now: the heap has moved since the first look. */
static struct ms_error *memory_measure_now(struct ms_engine *e)
{
	struct ms_memory_input in = { .rt = e->rt, .spans = &e->spans, .census = e->report };
	struct ms_error *err;

	err = snapshot(e);
	if (!err)
		err = ms_memory_measure(&in, &e->report->memory);
	if (!err)
		e->report->rss_bytes = e->report->memory.rss_bytes;
	return err;
}

/** Memory that cannot be measured is not known; the census stands without it. */
static struct ms_error *memory_measure(struct ms_engine *e)
{
	struct ms_error *err = NULL;

	if (e->options && e->options->memory && !e->spans.has_holes)
		err = memory_measure_now(e);
	if (err &&
	    (ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_BAD_DATA ||
	     ms_error_code(err) == MS_ERR_LIMIT || ms_error_code(err) == MS_ERR_UNSUPPORTED)) {
		ms_error_free(err);
		err = NULL;
	}
	return err;
}

static struct ms_error *engine_run(struct ms_engine *e)
{
	const struct ms_go_globals *globals;
	struct ms_error *err = ms_go_globals_load(e->rt, &globals); // Early: it takes memory.

	if (!err)
		err = snapshot(e);
	if (!err)
		err = ms_go_types(e->rt, &e->types);
	if (!err)
		err = ms_shapes_create(ms_engine_is_untyped(e) ? NULL : e->types, e->layout,
				       &e->shapes);
	if (err)
		return err;
	e->names = calloc(e->types->count + 1, sizeof(*e->names));
	if (!e->names)
		return ms_error_no_memory();
	if (ms_engine_header_bytes(e) > MS_HEADER_BYTES_MAX)
		return ms_error_new(MS_ERR_INTERNAL, "a map header is over %d bytes long",
				    MS_HEADER_BYTES_MAX);
	err = ms_engine_search_heap(e);
	if (!err)
		err = ms_engine_search_typed(e);
	if (!err)
		err = ms_engine_search_stacks(e);
	if (!err)
		err = look_closer(e);
	if (!err)
		err = look_again(e);
	if (!err)
		err = ms_engine_walk_overflow(e);
	if (!err)
		err = ms_target_check(e->rt->target);
	if (!err)
		err = rows_sort(e->report);
	if (!err)
		ms_engine_join_typed(e);
	if (!err)
		err = ms_engine_name_globals(e);
	if (!err)
		err = coverage_fill(e);
	if (!err)
		err = ms_census_sum_owners(e->report);
	return err ? err : memory_measure(e);
}

static void engine_deinit(struct ms_engine *e)
{
	ms_shapes_destroy(e->shapes);
	ms_spans_deinit(&e->spans);
	free(e->names);
	ms_fetch_deinit(&e->fetch);
	free(e->queue.items);
	free(e->more.items);
	free(e->again.items);
	free(e->walks.items);
	free(e->scratch);
	ms_number_map_deinit(&e->assumed_by);
	for (size_t i = 0; i < e->assumed.count; i++)
		free(e->assumed.items[i]);
	ms_vec_free(&e->assumed);
}

struct ms_error *ms_census_run(struct ms_go_runtime *rt, const struct ms_census_options *options,
			       struct ms_census_report *ret_report)
{
	struct ms_census_report report = { .rss_bytes = MS_UNKNOWN };
	struct ms_target_cost before = rt->target->cost;
	struct ms_engine e = {
		.rt = rt,
		.layout = rt->layout,
		.options = options,
		.report = &report,
		.bytes_left = COUNTED_BYTES_MAX,
	};
	struct ms_error *err = engine_run(&e);

	report.heap_bytes = e.spans.has_holes ? MS_UNKNOWN : e.spans.in_use_bytes;
	report.cost.read_bytes = rt->target->cost.read_bytes - before.read_bytes;
	report.cost.gc_cycle = rt->lacks_spans ? MS_UNKNOWN : e.spans.sweepgen / 2;
	report.cost.gc_age_s = NAN;
	engine_deinit(&e);
	if (err) {
		ms_census_report_deinit(&report);
		return err;
	}
	*ret_report = report;
	return NULL;
}
