// poll.c - one batched read for all headers; nothing behind them is looked at.
#include "census/poll.h"

#include "base/cleanup.h"
#include "maps/classic.h"
#include "maps/swiss.h"

enum { HEADER_BYTES_MAX = 64 };

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

struct ms_error *ms_poll_maps(struct ms_go_runtime *rt, struct ms_poll *polls, size_t count)
{
	const struct ms_go_layout *l = rt->layout;
	bool swiss = l->maps == MS_GO_MAPS_SWISS;
	uint32_t size = swiss ? l->map_size : l->hmap_size;
	MS_AUTO_FREE struct ms_read *reads = calloc(count + 1, sizeof(*reads));
	MS_AUTO_FREE uint8_t *raw = malloc((count + 1) * HEADER_BYTES_MAX);
	struct ms_error *err;

	if (!reads || !raw)
		return ms_error_no_memory();
	if (size > HEADER_BYTES_MAX)
		return ms_error_new(MS_ERR_INTERNAL, "a map header is over %d bytes long",
				    HEADER_BYTES_MAX);
	for (size_t i = 0; i < count; i++)
		reads[i] =
		    (struct ms_read){ polls[i].address, raw + i * HEADER_BYTES_MAX, size, 0 };
	err = ms_target_read_many(rt->target, reads, count);
	for (size_t i = 0; i < count && !err; i++) {
		polls[i].valid = false;
		if (reads[i].status != MS_READ_OK)
			continue;
		if (swiss)
			take_swiss(l, reads[i].buf, &polls[i]);
		else
			take_classic(l, reads[i].buf, &polls[i]);
	}
	return err;
}
