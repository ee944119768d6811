// measure_memory.c - every resident page of a Go process in one part, once.
//
//	mapping of the executable, or of its variables  ->  executable
//	mapping of another file, shared memory           ->  files
//	anonymous:  in an arena    ->  by span: objects, stacks, other manual; else free
//		    by evidence    ->  the runtime's own
//		    else           ->  off-heap
//
// Objects are counted by span and cut to what is resident of it: first the live ones, then the
// dead, then the free, because a page that was never touched holds no object that was written.
// Maps' bytes come from the census; pages of a large bucket array that were never touched are taken
// out of their slack.  What the kernel counts beyond all of this is unknown, and said to be.
#include "census/measure_memory.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "census/memory_internal.h"
#include "target/fetch.h"

#include <time.h>

enum {
	LARGE_TABLE_BYTES = 1 << 20,
	LARGE_TABLES_MAX = 64 << 10,
	HEADER_BYTES = 48,
};

struct measure {
	const struct ms_memory_input *in;
	struct ms_memory *m;
	struct ms_resident resident;
	struct ms_span_life *lives;
	struct ms_ranges arenas, runtime;
	struct ms_size_class_row rows[MS_SPAN_CLASSES_MAX];
	uint64_t span_bytes; // Resident bytes of spans of any kind.
	bool large_absent;   // Some large object has pages that were never touched.
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// --- Spans. ---

static void row_add(struct ms_size_class_row *row, const struct ms_span *s,
		    const struct ms_span_life *life)
{
	uint64_t bytes = ms_span_end(s) - s->start;

	row->span_class = s->span_class;
	row->object_bytes = s->span_class / 2 ? s->elem_bytes : 0;
	row->spans++;
	row->span_bytes += bytes;
	row->live_objects += life->live;
	row->live_bytes += life->live * s->elem_bytes;
	row->garbage_objects += life->garbage;
	row->garbage_bytes += life->garbage * s->elem_bytes;
	row->free_bytes += bytes - (life->live + life->garbage) * s->elem_bytes;
}

static void span_add(struct measure *x, const struct ms_span *s, const struct ms_span_life *life)
{
	uint64_t resident = ms_resident_bytes(&x->resident, s->start, ms_span_end(s));
	uint64_t live_bytes = life->live * s->elem_bytes;
	uint64_t live = ms_min_u64(resident, live_bytes), garbage;

	x->span_bytes += resident;
	if (s->state == MS_SPAN_MANUAL) {
		// stackpoolalloc and stackalloc say in elemsize how large a stack is; others do
		// not.
		*(s->elem_bytes ? &x->m->stack_bytes : &x->m->manual_bytes) += resident;
		return;
	}
	x->large_absent = x->large_absent || (!(s->span_class / 2) && resident < live_bytes);
	resident -= live;
	garbage = ms_min_u64(resident, life->garbage * s->elem_bytes);
	x->m->other_live_bytes += live;
	x->m->garbage_bytes += garbage;
	x->m->span_free_bytes += resident - garbage;
}

static struct ms_error *spans_add(struct measure *x)
{
	const struct ms_spans *spans = x->in->spans;
	struct ms_error *err;

	x->lives = malloc((spans->count + 1) * sizeof(*x->lives));
	if (!x->lives)
		return ms_error_no_memory();
	err = ms_memory_count_lives(x->in->rt, spans, x->lives);
	for (size_t i = 0; i < spans->count && !err; i++) {
		const struct ms_span *s = &spans->items[i];

		if (s->state == MS_SPAN_IN_USE)
			row_add(&x->rows[s->span_class], s, &x->lives[i]);
		span_add(x, s, &x->lives[i]);
	}
	return err;
}

static struct ms_error *rows_take(struct measure *x)
{
	size_t count = 0;

	x->m->classes = malloc(sizeof(x->rows));
	if (!x->m->classes)
		return ms_error_no_memory();
	for (size_t i = 0; i < MS_SPAN_CLASSES_MAX; i++) {
		if (x->rows[i].spans)
			x->m->classes[count++] = x->rows[i];
	}
	x->m->class_count = count;
	return NULL;
}

// --- Mappings. ---

/** Whether an anonymous mapping holds variables of the program: its bss, behind the file's data. */
static bool is_bss(const struct ms_go_runtime *rt, const struct ms_region *r)
{
	for (size_t i = 0; i < rt->module_count; i++) {
		const struct ms_go_module *m = &rt->modules[i];
		ms_addr end = ms_max_u64(ms_max_u64(m->ebss, m->enoptrbss), m->edata);

		if (r->start < end && r->end > ms_min_u64(m->noptrdata, m->data))
			return true;
	}
	return false;
}

static void anonymous_add(struct measure *x, const struct ms_region *r, uint64_t resident,
			  uint64_t *heap)
{
	uint64_t arenas = ms_ranges_resident(&x->arenas, &x->resident, r->start, r->end);
	uint64_t own = 0;

	if (arenas == 0)
		own = ms_ranges_resident(&x->runtime, &x->resident, r->start, r->end);
	*heap += arenas;
	x->m->runtime_bytes += own;
	x->m->off_heap_bytes += resident - arenas - own;
}

static void regions_add(struct measure *x)
{
	const struct ms_regions *regions = &x->in->rt->regions;
	uint64_t heap = 0;

	for (size_t i = 0; i < regions->count; i++) {
		const struct ms_region *r = &regions->items[i];
		uint64_t resident = ms_resident_bytes(&x->resident, r->start, r->end);

		if (r->kind == MS_REGION_OTHER || r->kind == MS_REGION_LIBRARY)
			x->m->file_bytes += resident;
		else if (r->kind == MS_REGION_EXE || is_bss(x->in->rt, r))
			x->m->executable_bytes += resident;
		else
			anonymous_add(x, r, resident, &heap);
	}
	// Spans that were made since the mappings were listed lie in none of them.
	x->m->heap_free_bytes = heap > x->span_bytes ? heap - x->span_bytes : 0;
}

// --- Maps. ---

/** Bytes of the table at @p addr that were never touched. */
static uint64_t table_absent(const struct measure *x, ms_addr addr)
{
	const struct ms_span *s = ms_spans_find(x->in->spans, addr);

	if (!s || s->start != addr || s->span_class / 2)
		return 0;
	return ms_span_end(s) - s->start -
	       ms_resident_bytes(&x->resident, s->start, ms_span_end(s));
}

/** Untouched bytes of large bucket arrays: made with a hint, not yet filled. */
static struct ms_error *tables_absent(const struct measure *x, uint64_t *ret_absent)
{
	const struct ms_census_report *census = x->in->census;
	const struct ms_go_layout *l = x->in->rt->layout;
	struct ms_fetch fetch = { 0 };
	uint64_t absent = 0;
	uint32_t count = 0;
	struct ms_error *err = NULL;

	for (size_t i = 0; i < census->map_count && count < LARGE_TABLES_MAX && !err; i++) {
		const struct ms_map_row *row = &census->maps[i];

		if (row->kind == MS_MAP_CLASSIC && row->total_bytes != MS_UNKNOWN &&
		    row->total_bytes >= LARGE_TABLE_BYTES)
			err = ms_fetch_add(&fetch, row->address, HEADER_BYTES, &count);
	}
	if (!err)
		err = ms_fetch_run(&fetch, x->in->rt->target);
	for (uint32_t i = 0; i < fetch.count && !err; i++) {
		const uint8_t *raw = ms_fetch_bytes(&fetch, i);

		if (!raw)
			continue;
		absent += table_absent(x, ms_load_u64(raw + l->hmap_buckets));
		absent += table_absent(x, ms_load_u64(raw + l->hmap_oldbuckets));
	}
	ms_fetch_deinit(&fetch);
	*ret_absent = absent;
	return err;
}

/** Live objects are all others' until the census says which are maps'. */
static struct ms_error *maps_split(struct measure *x)
{
	const struct ms_census_report *census = x->in->census;
	bool arrays = x->in->rt->layout->maps == MS_GO_MAPS_CLASSIC && x->large_absent;
	struct ms_error *err = arrays ? tables_absent(x, &x->m->map_absent_bytes) : NULL;

	ms_memory_split_maps(x->m, ms_census_map_bytes(census));
	return err;
}

// --- The whole. ---

static void rest_settle(struct ms_memory *m)
{
	uint64_t sum = ms_memory_map_bytes(m) + m->other_live_bytes + m->garbage_bytes +
		       m->span_free_bytes + m->heap_free_bytes + m->stack_bytes + m->manual_bytes +
		       m->runtime_bytes + m->off_heap_bytes + m->executable_bytes + m->file_bytes;

	if (m->rss_bytes == MS_UNKNOWN)
		return;
	m->unknown_bytes = m->rss_bytes > sum ? m->rss_bytes - sum : 0;
	m->excess_bytes = sum > m->rss_bytes ? sum - m->rss_bytes : 0;
}

static struct ms_error *measure(struct measure *x)
{
	const struct ms_memory_input *in = x->in;
	struct ms_error *err = ms_target_resident(in->rt->target, &x->resident);

	if (!err)
		err = ms_memory_find_arenas(in->rt, in->spans, &x->arenas);
	if (!err && x->resident.known)
		err = ms_memory_find_runtime(in->rt, in->spans, &x->runtime);
	if (!err)
		err = spans_add(x);
	if (!err)
		err = rows_take(x);
	if (!err && !ms_memory_take_types(x->m, in->types, in->type_count))
		err = ms_error_no_memory();
	if (err)
		return err;
	x->m->known = x->resident.known && x->resident.rss_bytes != MS_UNKNOWN;
	x->m->rss_bytes = x->resident.rss_bytes;
	regions_add(x);
	err = maps_split(x);
	rest_settle(x->m);
	return err;
}

struct ms_error *ms_memory_measure(const struct ms_memory_input *in, struct ms_memory *ret_memory)
{
	MS_AUTO_FREE struct measure *x = calloc(1, sizeof(*x));
	struct ms_memory m = { .rss_bytes = MS_UNKNOWN };
	double start = now();
	struct ms_error *err;

	if (!x)
		return ms_error_no_memory();
	x->in = in;
	x->m = &m;
	err = measure(x);
	free(x->lives);
	free(x->arenas.items);
	free(x->runtime.items);
	ms_resident_deinit(&x->resident);
	if (err) {
		ms_memory_deinit(&m);
		return err;
	}
	m.wall_s = now() - start;
	*ret_memory = m;
	return NULL;
}
