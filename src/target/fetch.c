// fetch.c - wants are sorted by address, and neighbours less than a gap apart become one read.
//
// Reading a gap of 1 KiB costs about what a read of its own costs (0.2 us against 0.3 us), and the
// buckets of maps that were made together lie together.  So a census of a million small maps
// becomes some thousand reads.  A merged read that fails is done again, want by want.
#include "target/fetch.h"

#include "base/cleanup.h"
#include "base/vec.h"

enum {
	GAP_BYTES = 1024,
	RUN_BYTES_MAX = 64 << 10,
	RUNS_AT_ONCE = 1024,     // What one call of the kernel takes.
	SCRATCH_BYTES = 1 << 20, // Likewise; and it stays in the cache until it is delivered.
	RADIX_BITS = 11,
	RADIX_SLOTS = 1 << RADIX_BITS,
};

struct ms_error *ms_fetch_add(struct ms_fetch *f, ms_addr addr, uint32_t size, uint32_t *ret_index)
{
	if (!size || size > MS_READ_BYTES_MAX || f->bytes_used + size > MS_FETCH_BYTES_MAX ||
	    f->count >= UINT32_MAX - 1)
		return ms_error_new(MS_ERR_LIMIT, "a batch of reads is over %d bytes long",
				    MS_FETCH_BYTES_MAX);
	if (!ms_vec_reserve_raw((void **)&f->wants, &f->capacity, f->count + 1, sizeof(*f->wants)))
		return ms_error_no_memory();
	f->wants[f->count] = (struct ms_want){ addr, size, (uint32_t)f->bytes_used };
	f->bytes_used += ms_round_up(size, 8);
	*ret_index = (uint32_t)f->count++;
	return NULL;
}

/** Least significant digit first; the keys' high zeros cost nothing. */
static void order_sort(struct ms_fetch *f, size_t first)
{
	size_t count = f->count - first;
	uint64_t lowest = UINT64_MAX, highest = 0;
	struct ms_order *from = f->order, *to = f->spare;

	for (size_t i = first; i < f->count; i++) {
		lowest = ms_min_u64(lowest, f->wants[i].addr);
		highest = ms_max_u64(highest, f->wants[i].addr);
	}
	for (size_t i = first; i < f->count; i++)
		from[i - first] = (struct ms_order){ f->wants[i].addr - lowest, (uint32_t)i, 0 };
	for (unsigned shift = 0; shift < 64 && (highest - lowest) >> shift; shift += RADIX_BITS) {
		size_t starts[RADIX_SLOTS] = { 0 };
		size_t sum = 0;

		for (size_t i = 0; i < count; i++)
			starts[(from[i].key >> shift) % RADIX_SLOTS]++;
		for (size_t i = 0; i < RADIX_SLOTS; i++) {
			size_t n = starts[i];

			starts[i] = sum;
			sum += n;
		}
		for (size_t i = 0; i < count; i++)
			to[starts[(from[i].key >> shift) % RADIX_SLOTS]++] = from[i];
		struct ms_order *swap = from;

		from = to;
		to = swap;
	}
	f->order = from;
	f->spare = to;
}

struct run {
	size_t first, count; // In f->order.
	size_t at;           // In the scratch buffer.
};

/** How many wants from @p first on make one read, and how long it is. */
static size_t run_extent(const struct ms_fetch *f, size_t first, size_t count, uint64_t *ret_bytes)
{
	const struct ms_want *w = &f->wants[f->order[first].want];
	ms_addr start = w->addr, end = w->addr + w->size;
	size_t i = first + 1;

	for (; i < count; i++) {
		w = &f->wants[f->order[i].want];
		if (w->addr > end + GAP_BYTES || w->addr + w->size - start > RUN_BYTES_MAX)
			break;
		end = ms_max_u64(end, w->addr + w->size);
	}
	*ret_bytes = end - start;
	return i - first;
}

static struct ms_error *wants_read_singly(struct ms_fetch *f, struct ms_target *t,
					  const struct run *run)
{
	for (size_t i = run->first; i < run->first + run->count; i++) {
		const struct ms_want *w = &f->wants[f->order[i].want];
		struct ms_read read = { w->addr, f->bytes + w->at, w->size, MS_READ_OK };
		struct ms_error *err = ms_target_read_many(t, &read, 1);

		if (err)
			return err;
		f->status[f->order[i].want] = (uint8_t)read.status;
	}
	return NULL;
}

static void run_deliver(struct ms_fetch *f, const struct run *run, const struct ms_read *read)
{
	for (size_t i = run->first; i < run->first + run->count; i++) {
		const struct ms_want *w = &f->wants[f->order[i].want];

		memcpy(f->bytes + w->at, (const uint8_t *)read->buf + (w->addr - read->addr),
		       w->size);
		f->status[f->order[i].want] = MS_READ_OK;
	}
}

static struct ms_error *runs_deliver(struct ms_fetch *f, struct ms_target *t,
				     const struct run *runs, const struct ms_read *reads,
				     size_t count)
{
	struct ms_error *err = NULL;

	for (size_t r = 0; r < count; r++) {
		if (reads[r].status == MS_READ_OK)
			run_deliver(f, &runs[r], &reads[r]);
	}
	for (size_t r = 0; r < count && !err; r++) { // Now that nothing lent is needed any more.
		if (reads[r].status != MS_READ_OK)
			err = wants_read_singly(f, t, &runs[r]);
	}
	return err;
}

static struct ms_error *fetch_prepare(struct ms_fetch *f, size_t first)
{
	if (!ms_vec_reserve_raw((void **)&f->order, &f->order_capacity, f->count,
				sizeof(*f->order)) ||
	    !ms_vec_reserve_raw((void **)&f->spare, &f->spare_capacity, f->count,
				sizeof(*f->spare)) ||
	    !ms_vec_reserve_raw((void **)&f->status, &f->status_capacity, f->count, 1) ||
	    !ms_vec_reserve_raw((void **)&f->bytes, &f->bytes_capacity, f->bytes_used, 1))
		return ms_error_no_memory();
	order_sort(f, first);
	return NULL;
}

struct ms_error *ms_fetch_run(struct ms_fetch *f, struct ms_target *t)
{
	return ms_fetch_run_from(f, t, 0);
}

struct ms_error *ms_fetch_run_from(struct ms_fetch *f, struct ms_target *t, size_t first)
{
	MS_AUTO_FREE uint8_t *scratch = NULL;
	struct ms_read reads[RUNS_AT_ONCE];
	struct run runs[RUNS_AT_ONCE];
	size_t next = 0, count = f->count - first;
	struct ms_error *err;

	if (!count)
		return NULL;
	err = fetch_prepare(f, first);
	if (!err && count == 1) // A walk down a list does nothing else.
		return wants_read_singly(f, t, &(struct run){ 0, 1, 0 });
	if (!err && !(scratch = malloc(SCRATCH_BYTES)))
		err = ms_error_no_memory();
	while (next < count && !err) {
		size_t n = 0, used = 0;

		while (next < count && n < RUNS_AT_ONCE) {
			uint64_t bytes;
			size_t wants = run_extent(f, next, count, &bytes);

			if (n && used + bytes > SCRATCH_BYTES)
				break;
			runs[n] = (struct run){ next, wants, used };
			reads[n++] =
			    (struct ms_read){ f->wants[f->order[next].want].addr, scratch + used,
					      (uint32_t)bytes, MS_READ_OK };
			used += (size_t)bytes;
			next += wants;
		}
		err = ms_target_read_lent(t, reads, n);
		if (!err)
			err = runs_deliver(f, t, runs, reads, n);
	}
	return err;
}

const uint8_t *ms_fetch_bytes(const struct ms_fetch *f, uint32_t index)
{
	return f->status[index] == MS_READ_OK ? f->bytes + f->wants[index].at : NULL;
}

void ms_fetch_reset(struct ms_fetch *f)
{
	f->count = f->bytes_used = 0;
}

void ms_fetch_deinit(struct ms_fetch *f)
{
	free(f->wants);
	free(f->status);
	free(f->bytes);
	free(f->order);
	free(f->spare);
	*f = (struct ms_fetch){ 0 };
}
