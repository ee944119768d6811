// old_array.c - passes over an array that changes: each goes from the first bucket that was not
// told to the last, in steps that a tick can afford.
//
// A bucket counts as emptied when all tags of its chain say so: evacuate writes them one by one,
// and overflow buckets last.  One that is caught halfway is met again in the next pass.
#include "trace/old_array.h"

#include "base/vec.h"
#include "maps/classic.h"

enum {
	TAG_X = 2,
	TAG_Y = 3,
	LINK_BYTES = 8,
	STEP_BYTES = 1 << 18,
	CHAIN_MAX = 64, // Overflow buckets of one; more are taken for damage.
};

struct ms_error *ms_old_array_init(struct ms_old_array *a, ms_addr start, uint64_t buckets,
				   struct ms_map_unit unit)
{
	size_t bytes = (size_t)(buckets / 8 + 1);

	if (!unit.bytes || unit.bytes > STEP_BYTES || unit.bytes < MS_CLASSIC_SLOTS + LINK_BYTES ||
	    buckets > MS_OLD_ARRAY_BUCKETS_MAX)
		return ms_error_new(MS_ERR_LIMIT, "an old array of %llu buckets is not looked into",
				    (unsigned long long)buckets);
	*a = (struct ms_old_array){ .start = start, .buckets = buckets, .unit = unit };
	a->told = calloc(1, bytes);
	a->plain = calloc(1, bytes);
	if (a->told && a->plain)
		return NULL;
	ms_old_array_deinit(a);
	return ms_error_no_memory();
}

void ms_old_array_deinit(struct ms_old_array *a)
{
	free(a->told);
	free(a->plain);
	ms_number_map_deinit(&a->links);
	ms_vec_free(&a->linked);
	*a = (struct ms_old_array){ 0 };
}

void ms_old_array_look_deinit(struct ms_old_array_look *look)
{
	ms_vec_free(look);
	ms_vec_free(&look->plain);
	ms_vec_free(&look->linked);
	ms_fetch_deinit(&look->fetch);
	free(look->bytes);
	*look = (struct ms_old_array_look){ 0 };
}

static bool bit(const uint8_t *bits, uint64_t index)
{
	return bits[index / 8] >> (index % 8) & 1;
}

static void bit_set(uint8_t *bits, uint64_t index)
{
	bits[index / 8] |= (uint8_t)(1 << (index % 8));
}

static void tags_count(const uint8_t tags[MS_CLASSIC_SLOTS], struct ms_old_bucket *bucket)
{
	for (unsigned i = 0; i < MS_CLASSIC_SLOTS; i++) {
		bucket->keys_x += tags[i] == TAG_X;
		bucket->keys_y += tags[i] == TAG_Y;
	}
}

/** A chain that is none: what the head alone says is left. */
static void chain_drop(struct ms_old_seen *s)
{
	s->link = 0;
	s->bucket.keys_x = s->head_x;
	s->bucket.keys_y = s->head_y;
	s->bucket.at_least = true;
}

/** A bucket that was not emptied yet: what it will not tell afterwards. */
static struct ms_error *waiting_note(struct ms_old_array_look *look, uint64_t index, ms_addr link)
{
	bool fits = link ? ms_vec_push(&look->linked, { index, link, look->sweepgen })
			 : ms_vec_push(&look->plain, index);

	return fits ? NULL : ms_error_no_memory();
}

/** Where the overflow of a bucket was, and still is; 0 where that is not known. */
static ms_addr link_known(const struct ms_old_array *a, uint64_t index, uint32_t sweepgen)
{
	const uint32_t *place = ms_number_map_find(&a->links, index + 1);

	return place && a->linked.items[*place].sweepgen == sweepgen ? a->linked.items[*place].link
								     : 0;
}

/** A bucket of the array itself: note it, with what is to be followed. */
static struct ms_error *bucket_note(const struct ms_old_array *a, struct ms_old_array_look *look,
				    uint64_t index, const uint8_t *bytes)
{
	ms_addr link = ms_load_u64(bytes + a->unit.bytes - LINK_BYTES);
	struct ms_old_seen seen = { .bucket = { .index = index }, .link = link, .is_done = true };

	if (bit(a->told, index))
		return NULL;
	if (!ms_classic_bucket_evacuated(bytes))
		return waiting_note(look, index, link);
	tags_count(bytes, &seen.bucket);
	if (a->unit.has_pointers && !link && !bit(a->plain, index)) {
		seen.link = link_known(a, index, look->sweepgen);
		seen.bucket.at_least = !seen.link;
	}
	seen.head_x = seen.bucket.keys_x;
	seen.head_y = seen.bucket.keys_y;
	if (seen.link & 7)
		chain_drop(&seen);
	return ms_vec_push(look, seen) ? NULL : ms_error_no_memory();
}

static struct ms_error *step_read(const struct ms_old_array *a, struct ms_target *t,
				  struct ms_old_array_look *look)
{
	uint64_t count = ms_min_u64(STEP_BYTES / a->unit.bytes, a->buckets - look->reached);
	struct ms_error *err = ms_target_read(t, a->start + look->reached * a->unit.bytes,
					      look->bytes, (size_t)(count * a->unit.bytes));

	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		look->is_partial = true;
		look->reached += count;
		return NULL;
	}
	for (uint64_t i = 0; i < count && !err; i++)
		err = bucket_note(a, look, look->reached + i, look->bytes + i * a->unit.bytes);
	look->reached += count;
	return err;
}

/** One more overflow bucket of each chain. */
static struct ms_error *level_want(const struct ms_old_array *a, struct ms_old_array_look *look,
				   bool *ret_any)
{
	struct ms_error *err = NULL;
	uint32_t second;

	ms_fetch_reset(&look->fetch);
	for (size_t i = 0; i < look->count && !err; i++) {
		struct ms_old_seen *s = &look->items[i];

		if (!s->link)
			continue;
		*ret_any = true;
		err = ms_fetch_add(&look->fetch, s->link, MS_CLASSIC_SLOTS, &s->want);
		if (!err)
			err = ms_fetch_add(&look->fetch, s->link + a->unit.bytes - LINK_BYTES,
					   LINK_BYTES, &second);
	}
	return err;
}

static void level_take(struct ms_old_array_look *look)
{
	for (size_t i = 0; i < look->count; i++) {
		struct ms_old_seen *s = &look->items[i];
		const uint8_t *tags, *link;

		if (!s->link)
			continue;
		tags = ms_fetch_bytes(&look->fetch, s->want);
		link = ms_fetch_bytes(&look->fetch, s->want + 1);
		if (!tags || !link) {
			chain_drop(s);
			continue;
		}
		s->is_done &= ms_classic_bucket_evacuated(tags);
		tags_count(tags, &s->bucket);
		s->link = ms_load_u64(link);
		if (s->link & 7)
			chain_drop(s);
	}
}

static struct ms_error *chains_follow(const struct ms_old_array *a, struct ms_target *t,
				      struct ms_old_array_look *look)
{
	for (unsigned level = 0; level < CHAIN_MAX; level++) {
		bool any = false;
		struct ms_error *err = level_want(a, look, &any);

		if (!err && any)
			err = ms_fetch_run(&look->fetch, t);
		if (err || !any)
			return err;
		level_take(look);
	}
	for (size_t i = 0; i < look->count; i++) {
		if (look->items[i].link)
			chain_drop(&look->items[i]);
	}
	return NULL;
}

struct ms_error *ms_old_array_read(const struct ms_old_array *a, struct ms_target *t,
				   uint64_t bytes_max, uint32_t sweepgen,
				   struct ms_old_array_look *look)
{
	struct ms_error *err = NULL;

	look->count = look->plain.count = look->linked.count = 0;
	look->sweepgen = sweepgen;
	look->is_partial = false;
	look->reached = a->at > a->first ? a->at : a->first;
	if (!look->bytes)
		look->bytes = malloc(STEP_BYTES);
	if (!look->bytes)
		return ms_error_no_memory();
	for (uint64_t done = 0; done < bytes_max && look->reached < a->buckets && !err;
	     done += STEP_BYTES)
		err = step_read(a, t, look);
	return err ? err : chains_follow(a, t, look);
}

static struct ms_error *link_keep(struct ms_old_array *a, const struct ms_old_link *link)
{
	uint32_t *place = ms_number_map_find(&a->links, link->index + 1);

	if (place) {
		a->linked.items[*place] = *link;
		return NULL;
	}
	if (!ms_vec_push(&a->linked, *link) ||
	    !ms_number_map_add(&a->links, link->index + 1, (uint32_t)(a->linked.count - 1)))
		return ms_error_no_memory();
	return NULL;
}

static void seen_take(struct ms_old_array *a, const struct ms_old_seen *s, ms_old_bucket_fn fn,
		      void *context)
{
	if (!s->is_done || bit(a->told, s->bucket.index))
		return;
	bit_set(a->told, s->bucket.index);
	a->told_count++;
	fn(context, &s->bucket);
}

struct ms_error *ms_old_array_take(struct ms_old_array *a, const struct ms_old_array_look *look,
				   ms_old_bucket_fn fn, void *context, bool *ret_end)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < look->plain.count; i++)
		bit_set(a->plain, look->plain.items[i]);
	for (size_t i = 0; i < look->linked.count && !err && a->unit.has_pointers; i++)
		err = link_keep(a, &look->linked.items[i]);
	if (err)
		return err;
	for (size_t i = 0; i < look->count; i++)
		seen_take(a, &look->items[i], fn, context);
	while (a->first < a->buckets && bit(a->told, a->first))
		a->first++;
	a->at = look->reached < a->buckets ? look->reached : 0;
	*ret_end = a->at == 0;
	return NULL;
}
