// overflow_walk.c - the overflow buckets of a classic map, counted by following the chains.
//
// The header's own count is exact only below 2^16 buckets, and while a map grows it says nothing
// of the old array.  Each bucket's last word links to its overflow bucket.  Those in the array's
// own tail were allocated with it; the others are objects of their own.
//
// What all maps of a census may cost together is bounded; a map beyond that keeps its unknowns.
#include "census/engine.h"

#include "base/cleanup.h"
#include "base/vec.h"

enum {
	STEP = 1 << 20,
	CHAIN_MAX = 1 << 12, // Levels of overflow followed.
	LINK_BYTES = 8,
};

static const uint64_t WALK_BYTES_MAX = (uint64_t)1 << 30;

struct links {
	ms_addr *items;
	size_t count, capacity;
};

struct count {
	uint64_t overflow; // All.
	uint64_t apart;    // Of these, objects of their own.
};

static struct ms_error *link_note(struct links *links, ms_addr link, ms_addr start, ms_addr end,
				  struct count *count)
{
	if (!link || (link & 7))
		return NULL;
	count->overflow++;
	count->apart += link < start || link >= end;
	return ms_vec_push(links, link) ? NULL : ms_error_no_memory();
}

/** The links of the buckets of an array. */
static struct ms_error *array_scan(struct ms_engine *e, ms_addr array, uint64_t buckets,
				   uint32_t unit, ms_addr end, struct links *links,
				   struct count *count)
{
	MS_AUTO_FREE uint8_t *buf = malloc(STEP);
	uint64_t at_once = STEP / unit;

	if (!buf)
		return ms_error_no_memory();
	for (uint64_t i = 0; i < buckets; i += at_once) {
		uint64_t n = ms_min_u64(at_once, buckets - i);
		struct ms_error *err =
		    ms_target_read(e->rt->target, array + i * unit, buf, (size_t)(n * unit));

		for (uint64_t b = 0; b < n && !err; b++)
			err = link_note(links, ms_load_u64(buf + (b + 1) * unit - LINK_BYTES),
					array, end, count);
		if (err)
			return err;
	}
	return NULL;
}

/** Follow one level of links; afterwards @p links holds the next. */
static struct ms_error *level_follow(struct ms_engine *e, uint32_t unit, ms_addr start, ms_addr end,
				     struct links *links, struct count *count)
{
	struct ms_fetch fetch = { 0 };
	struct links next = { 0 };
	struct ms_error *err = NULL;
	uint32_t index;

	for (size_t i = 0; i < links->count && !err; i++)
		err = ms_fetch_add(&fetch, links->items[i] + unit - LINK_BYTES, LINK_BYTES, &index);
	if (!err)
		err = ms_fetch_run(&fetch, e->rt->target);
	for (size_t i = 0; i < links->count && !err; i++) {
		const uint8_t *bytes = ms_fetch_bytes(&fetch, (uint32_t)i);

		if (bytes)
			err = link_note(&next, ms_load_u64(bytes), start, end, count);
	}
	ms_fetch_deinit(&fetch);
	free(links->items);
	*links = next;
	return err;
}

static struct ms_error *array_count(struct ms_engine *e, ms_addr array, uint64_t buckets,
				    uint32_t unit, struct count *ret_count)
{
	const struct ms_span *span = ms_engine_object(e, array);
	ms_addr end = span ? array + span->elem_bytes : array;
	uint64_t bound = buckets * MS_CLASSIC_SLOTS * 2; // More than that is a loop.
	struct count count = { 0 };
	struct links links = { 0 };
	struct ms_error *err = array_scan(e, array, buckets, unit, end, &links, &count);

	for (unsigned level = 0; level < CHAIN_MAX && links.count && !err; level++) {
		err = level_follow(e, unit, array, end, &links, &count);
		if (!err && count.overflow > bound)
			err = ms_error_new(MS_ERR_BAD_DATA, "overflow chains run in a circle");
	}
	free(links.items);
	if (!err)
		*ret_count = count;
	return err;
}

static struct ms_error *walk_one(struct ms_engine *e, const struct ms_walk *w)
{
	struct ms_map_row *row = &e->report->maps[w->row];
	struct count now = { 0 }, old = { 0 };
	struct ms_error *err = array_count(e, w->buckets, w->bucket_count, w->unit_bytes, &now);

	if (!err && w->old_count)
		err = array_count(e, w->oldbuckets, w->old_count, w->unit_bytes, &old);
	if (err && (ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_BAD_DATA ||
		    ms_error_code(err) == MS_ERR_LIMIT)) {
		ms_error_free(err); // The row keeps its unknowns.
		return NULL;
	}
	if (err)
		return err;
	row->overflow_buckets = now.overflow;
	row->total_bytes = w->known_bytes + (now.apart + old.apart) * w->overflow_bytes;
	if (row->live_bytes != MS_UNKNOWN && row->live_bytes <= row->total_bytes)
		row->slack_bytes = row->total_bytes - row->live_bytes;
	return NULL;
}

struct ms_error *ms_engine_walk_overflow(struct ms_engine *e)
{
	uint64_t budget = WALK_BYTES_MAX;

	for (size_t i = 0; i < e->walks.count && !ms_engine_stopped(e); i++) {
		const struct ms_walk *w = &e->walks.items[i];
		uint64_t bytes = (w->bucket_count + w->old_count) * w->unit_bytes;
		struct ms_error *err;

		if (bytes > budget)
			continue;
		budget -= bytes;
		err = walk_one(e, w);
		if (err)
			return err;
	}
	return NULL;
}
