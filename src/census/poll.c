// poll.c - one batched read for all headers; nothing behind them is looked at.
//
// The kernel takes longer to begin a piece of a batch than to copy a header.  So headers that lie
// close to each other, in the order they are asked for, are one piece.
#include "census/poll.h"

#include "base/cleanup.h"
#include "maps/classic.h"
#include "maps/swiss.h"

enum {
	HEADER_BYTES_MAX = 64,
	GAP_BYTES_MAX = 192, // Between two headers of a run: cheaper to read than to leave out.
	RUN_BYTES_MAX = 4096,
};

static void take_classic(const struct ms_go_layout *l, const uint8_t *raw, struct ms_poll *p)
{
	struct ms_classic_map m;

	if (ms_classic_parse(l, raw, &m) == MS_CLASSIC_NOT)
		return;
	*p = (struct ms_poll){ .address = p->address,
			       .valid = true,
			       .entries = m.count,
			       .size = (uint64_t)1 << m.bucket_log2,
			       .growing = m.oldbuckets != 0,
			       .seed = m.seed,
			       .table = m.buckets,
			       .same_size = m.oldbuckets && m.same_size,
			       .old_table = m.oldbuckets,
			       .old_size = ms_classic_old_buckets(&m),
			       .frontier = m.nevacuate };
	if (p->growing)
		p->progress = (double)p->frontier / (double)p->old_size;
}

static void take_swiss(const struct ms_go_layout *l, const uint8_t *raw, struct ms_poll *p)
{
	struct ms_swiss_map m;
	enum ms_swiss_header header = ms_swiss_parse(l, raw, &m);

	if (header == MS_SWISS_NOT)
		return;
	*p = (struct ms_poll){ .address = p->address,
			       .valid = true,
			       .entries = m.used,
			       .size = m.dir_len,
			       .seed = m.seed,
			       .table = m.dir,
			       .is_small = header == MS_SWISS_SMALL };
}

static uint32_t header_size(const struct ms_go_layout *l)
{
	return l->maps == MS_GO_MAPS_SWISS ? l->map_size : l->hmap_size;
}

static void take(const struct ms_go_layout *l, const uint8_t *raw, struct ms_poll *p)
{
	if (l->maps == MS_GO_MAPS_SWISS)
		take_swiss(l, raw, p);
	else
		take_classic(l, raw, p);
}

/** How many polls from the first on are one read: headers of a span lie side by side. */
static size_t run_length(const struct ms_poll *polls, size_t count, uint32_t size)
{
	size_t n = 1;

	while (n < count && polls[n].address >= polls[n - 1].address &&
	       polls[n].address - polls[n - 1].address <= size + GAP_BYTES_MAX &&
	       polls[n].address + size - polls[0].address <= RUN_BYTES_MAX)
		n++;
	return n;
}

/** One by one, where a run could not be read as a whole: a page of it is gone. */
static struct ms_error *poll_alone(struct ms_go_runtime *rt, struct ms_poll *polls, size_t count)
{
	uint8_t raw[HEADER_BYTES_MAX];

	for (size_t i = 0; i < count; i++) {
		struct ms_error *err =
		    ms_target_read(rt->target, polls[i].address, raw, header_size(rt->layout));

		if (err && ms_error_code(err) != MS_ERR_FAULT)
			return err;
		if (!err)
			take(rt->layout, raw, &polls[i]);
		ms_error_free(err);
	}
	return NULL;
}

struct ms_error *ms_poll_maps(struct ms_go_runtime *rt, struct ms_poll *polls, size_t count)
{
	uint32_t size = header_size(rt->layout);
	MS_AUTO_FREE struct ms_read *reads = calloc(count + 1, sizeof(*reads));
	MS_AUTO_FREE uint8_t *raw = malloc((count + 1) * (HEADER_BYTES_MAX + GAP_BYTES_MAX));
	size_t used = 0, runs = 0, n;
	struct ms_error *err;

	if (!reads || !raw)
		return ms_error_no_memory();
	if (size > HEADER_BYTES_MAX)
		return ms_error_new(MS_ERR_INTERNAL, "a map header is over %d bytes long",
				    HEADER_BYTES_MAX);
	for (size_t i = 0; i < count; i += n) {
		uint32_t bytes;

		n = run_length(polls + i, count - i, size);
		bytes = (uint32_t)(polls[i + n - 1].address - polls[i].address) + size;
		reads[runs++] = (struct ms_read){ polls[i].address, raw + used, bytes, 0 };
		used += bytes;
	}
	err = ms_target_read_many(rt->target, reads, runs);
	runs = 0;
	for (size_t i = 0; i < count && !err; i += n, runs++) {
		const uint8_t *bytes = reads[runs].buf;

		n = run_length(polls + i, count - i, size);
		for (size_t k = i; k < i + n; k++) {
			polls[k].valid = false;
			if (reads[runs].status == MS_READ_OK)
				take(rt->layout, bytes + (polls[k].address - polls[i].address),
				     &polls[k]);
		}
		if (reads[runs].status != MS_READ_OK && n > 1)
			err = poll_alone(rt, polls + i, n);
	}
	return err;
}
