// overflow_walk.c - the overflow buckets of a classic map, counted by following the chains.
//
// The header's own count is exact only below 2^16 buckets, and while a map grows it says nothing
// of the old array.  Each bucket's last word links to its overflow bucket.  Those in the array's
// own tail were allocated with it; the others are objects of their own.
//
// Many maps are walked together: all their arrays are one batch of reads, and so is each level of
// their chains.  An array too large for a batch is read in steps.  What all maps of a census may
// cost together is bounded; a map beyond that, or whose chains are no chains, keeps its unknowns.
#include "census/engine.h"

#include "base/cleanup.h"
#include "base/vec.h"

enum {
	STEP = 1 << 20,
	BATCH_BYTES = 32 << 20,
	CHAIN_MAX = 1 << 12, // Levels of overflow followed.
	LINK_BYTES = 8,
	ARRAYS = 2, // The current one and the old.
};

static const uint64_t WALK_BYTES_MAX = (uint64_t)1 << 30;

/** One of the two arrays of a map under way. */
struct array {
	ms_addr start, end; // Its object.
	uint64_t buckets;
	uint64_t overflow; // Overflow buckets found.
	uint64_t apart;    // Of these, objects of their own.
	bool failed;
};

struct link {
	ms_addr addr;
	uint32_t array; // Index in batch.arrays.
	uint32_t unit;
};

struct batch {
	struct array *arrays; // ARRAYS for each walk.
	const struct ms_walk *walks;
	size_t count; // Of walks.
	struct links {
		struct link *items;
		size_t count, capacity;
	} links, next;
	struct wanted {
		struct link *items; // addr: how many bytes; what the array wants are of.
		size_t count, capacity;
	} wanted;
	struct ms_fetch fetch;
};

/** Note what the last word of a bucket says. */
static struct ms_error *link_note(struct batch *b, struct links *to, uint32_t index, uint32_t unit,
				  ms_addr link)
{
	struct array *array = &b->arrays[index];

	if (!link || (link & 7) || array->failed)
		return NULL;
	array->overflow++;
	array->apart += link < array->start || link >= array->end;
	if (array->overflow > array->buckets * MS_CLASSIC_SLOTS * 2) {
		array->failed = true; // Chains that run in a circle.
		return NULL;
	}
	return ms_vec_push(to, { link, index, unit }) ? NULL : ms_error_no_memory();
}

static struct ms_error *buckets_note(struct batch *b, uint32_t index, uint32_t unit,
				     const uint8_t *bytes, uint64_t size)
{
	struct ms_error *err = NULL;

	for (uint64_t at = unit; at <= size && !err; at += unit)
		err = link_note(b, &b->links, index, unit, ms_load_u64(bytes + at - LINK_BYTES));
	return err;
}

/** An array that is too large for a batch. */
static struct ms_error *array_scan(struct ms_engine *e, struct batch *b, uint32_t index,
				   uint32_t unit)
{
	MS_AUTO_FREE uint8_t *buf = malloc(STEP);
	struct array *array = &b->arrays[index];
	uint64_t at_once = STEP / unit;

	if (!buf)
		return ms_error_no_memory();
	for (uint64_t i = 0; i < array->buckets && !array->failed; i += at_once) {
		size_t size = (size_t)(ms_min_u64(at_once, array->buckets - i) * unit);
		struct ms_error *err =
		    ms_target_read(e->rt->target, array->start + i * unit, buf, size);

		if (err && ms_error_code(err) == MS_ERR_FAULT) {
			ms_error_free(err);
			array->failed = true;
			return NULL;
		}
		if (!err)
			err = buckets_note(b, index, unit, buf, size);
		if (err)
			return err;
	}
	return NULL;
}

static struct ms_error *array_want(struct ms_engine *e, struct batch *b, uint32_t index,
				   uint32_t unit)
{
	const struct array *array = &b->arrays[index];
	uint64_t size = array->buckets * unit;
	uint32_t want;
	struct ms_error *err;

	if (!size)
		return NULL;
	if (size > MS_READ_BYTES_MAX)
		return array_scan(e, b, index, unit);
	err = ms_fetch_add(&b->fetch, array->start, (uint32_t)size, &want);
	if (!err && !ms_vec_push(&b->wanted, { size, index, unit }))
		err = ms_error_no_memory();
	return err;
}

/** Take in the links of all arrays of the batch. */
static struct ms_error *arrays_take(struct ms_engine *e, struct batch *b)
{
	struct ms_error *err = NULL;

	ms_fetch_reset(&b->fetch);
	b->wanted.count = b->links.count = 0;
	for (uint32_t i = 0; i < b->count * ARRAYS && !err; i++)
		err = array_want(e, b, i, b->walks[i / ARRAYS].unit_bytes);
	if (!err)
		err = ms_fetch_run(&b->fetch, e->rt->target);
	for (size_t i = 0; i < b->wanted.count && !err; i++) {
		const struct link *w = &b->wanted.items[i];
		const uint8_t *bytes = ms_fetch_bytes(&b->fetch, (uint32_t)i);

		if (bytes)
			err = buckets_note(b, w->array, w->unit, bytes, w->addr);
		else
			b->arrays[w->array].failed = true;
	}
	return err;
}

/** Follow one level of links; afterwards b->links holds the next. */
static struct ms_error *level_follow(struct ms_engine *e, struct batch *b)
{
	struct links swap;
	struct ms_error *err = NULL;
	uint32_t want;

	ms_fetch_reset(&b->fetch);
	b->next.count = 0;
	for (size_t i = 0; i < b->links.count && !err; i++) {
		const struct link *l = &b->links.items[i];

		err = ms_fetch_add(&b->fetch, l->addr + l->unit - LINK_BYTES, LINK_BYTES, &want);
	}
	if (!err)
		err = ms_fetch_run(&b->fetch, e->rt->target);
	for (size_t i = 0; i < b->links.count && !err; i++) {
		const struct link *l = &b->links.items[i];
		const uint8_t *bytes = ms_fetch_bytes(&b->fetch, (uint32_t)i);

		if (bytes)
			err = link_note(b, &b->next, l->array, l->unit, ms_load_u64(bytes));
		else
			b->arrays[l->array].failed = true;
	}
	swap = b->links;
	b->links = b->next;
	b->next = swap;
	return err;
}

static void row_fill(struct ms_engine *e, const struct ms_walk *w,
		     const struct array arrays[ARRAYS])
{
	struct ms_map_row *row = &e->report->maps[w->row];

	if (arrays[0].failed || arrays[1].failed)
		return; // The row keeps its unknowns.
	row->overflow_buckets = w->known_overflow + arrays[0].overflow;
	row->total_bytes = w->known_bytes + (arrays[0].apart + arrays[1].apart) * w->overflow_bytes;
	row->slack_bytes = ms_map_row_slack(row);
}

static struct array array_of(const struct ms_engine *e, ms_addr start, uint64_t buckets,
			     uint64_t bytes)
{
	const struct ms_span *span = buckets && !bytes ? ms_engine_object(e, start) : NULL;

	return (struct array){ .start = start,
			       .end = start + (span ? span->elem_bytes : bytes),
			       .buckets = buckets };
}

static struct ms_error *batch_walk(struct ms_engine *e, struct batch *b)
{
	struct ms_error *err;

	b->arrays = calloc(b->count * ARRAYS, sizeof(*b->arrays));
	if (!b->arrays)
		return ms_error_no_memory();
	for (size_t i = 0; i < b->count; i++) {
		const struct ms_walk *w = &b->walks[i];

		b->arrays[i * ARRAYS] = array_of(e, w->buckets, w->bucket_count, w->array_bytes);
		b->arrays[i * ARRAYS + 1] =
		    array_of(e, w->oldbuckets, w->old_count, w->old_array_bytes);
	}
	err = arrays_take(e, b);
	for (unsigned level = 0; level < CHAIN_MAX && b->links.count && !err; level++)
		err = level_follow(e, b);
	for (size_t i = 0; i < b->links.count && !err; i++)
		b->arrays[b->links.items[i].array].failed = true; // Longer than we follow.
	for (size_t i = 0; i < b->count && !err; i++)
		row_fill(e, &b->walks[i], &b->arrays[i * ARRAYS]);
	free(b->arrays);
	b->arrays = NULL;
	return err;
}

struct ms_error *ms_engine_walk_overflow(struct ms_engine *e)
{
	uint64_t budget = WALK_BYTES_MAX;
	struct batch b = { 0 };
	struct ms_error *err = NULL;

	for (size_t i = 0; i < e->walks.count && !err && !ms_engine_stopped(e); i += b.count) {
		uint64_t bytes = 0;

		b.walks = &e->walks.items[i];
		for (b.count = 0; i + b.count < e->walks.count && bytes < BATCH_BYTES; b.count++) {
			const struct ms_walk *w = &b.walks[b.count];

			bytes += (w->bucket_count + w->old_count) * w->unit_bytes;
		}
		if (bytes > budget)
			continue;
		budget -= bytes;
		err = batch_walk(e, &b);
	}
	ms_vec_free(&b.links);
	ms_vec_free(&b.next);
	ms_vec_free(&b.wanted);
	ms_fetch_deinit(&b.fetch);
	return err;
}
