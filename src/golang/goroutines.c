// goroutines.c - a g is recognised by its saved scheduling buffer, which points back to it
// (gobuf.g).  Most entries of allgs may be dead: they keep that pointer, but have no stack.
#include "golang/goroutines.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/scan.h"

#include <inttypes.h>

enum {
	SAMPLES = 16,
	SAMPLES_NEEDED = 12,
	GOROUTINES_MAX = 32 << 20,
	BATCH = 1024,
	G_BYTES = 512, // At least g_size of every row; only the head of it is read.
};

static const uint64_t STACK_BYTES_MAX = (uint64_t)1 << 32;

/** Up to the last field that is looked at. */
static uint32_t g_bytes(const struct ms_go_layout *l)
{
	const uint32_t fields[] = { l->g_stack_lo, l->g_stack_hi,  l->g_sched_sp, l->g_sched_g,
				    l->g_status,   l->g_syscallsp, l->g_goid };
	uint32_t last = 0;

	for (size_t i = 0; i < MS_ARRAY_SIZE(fields); i++)
		last = fields[i] > last ? fields[i] : last;
	return last + 8;
}

bool ms_goroutine_parse(const struct ms_go_layout *l, const uint8_t *raw, ms_addr address,
			struct ms_goroutine *ret_goroutine)
{
	uint32_t status = ms_load_u32(raw + l->g_status) & ~(uint32_t)MS_GO_SCAN_BIT;
	struct ms_goroutine g = {
		.address = address,
		.stack_lo = ms_load_u64(raw + l->g_stack_lo),
		.stack_hi = ms_load_u64(raw + l->g_stack_hi),
		.sp = ms_load_u64(raw + l->g_sched_sp),
		.id = ms_load_u64(raw + l->g_goid),
		.status = status,
	};

	if (ms_load_u64(raw + l->g_sched_g) != address || status > MS_GO_STATUS_MAX)
		return false;
	if (status == MS_GO_SYSCALL && ms_load_u64(raw + l->g_syscallsp))
		g.sp = ms_load_u64(raw + l->g_syscallsp);
	if (status != MS_GO_DEAD && status != MS_GO_IDLE &&
	    (g.stack_lo >= g.stack_hi || g.stack_hi - g.stack_lo > STACK_BYTES_MAX ||
	     (g.stack_lo & 7) || (g.stack_hi & 7) || g.id > (uint64_t)1 << 48))
		return false;
	*ret_goroutine = g;
	return true;
}

static struct ms_error *judge_allgs(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
				    void *context, bool *ret_take)
{
	uint64_t *best = context;
	ms_addr at[SAMPLES];
	unsigned good = 0;
	size_t samples = (size_t)ms_min_u64(SAMPLES, slice->len);
	struct ms_error *err = ms_go_slice_sample(rt, slice, samples, at);

	if (err)
		return err;
	*ret_take = false; // Go on: a shorter copy of the slice may come first.
	for (size_t i = 0; i < samples; i++) {
		struct ms_goroutine g;
		uint8_t raw[G_BYTES];

		err =
		    at[i] & 7 ? NULL : ms_target_read(rt->target, at[i], raw, g_bytes(rt->layout));
		good += !err && !(at[i] & 7) && ms_goroutine_parse(rt->layout, raw, at[i], &g);
		ms_error_free(err);
	}
	if (good * SAMPLES >= samples * SAMPLES_NEEDED && good && slice->len > *best) {
		*best = slice->len;
		rt->allgs = slice->address;
	}
	return NULL;
}

struct ms_error *ms_goroutines_find(struct ms_go_runtime *rt)
{
	uint64_t best = 0;
	bool found;
	struct ms_error *err;

	if (g_bytes(rt->layout) > G_BYTES)
		return ms_error_new(MS_ERR_INTERNAL, "the head of a g is over %d bytes long",
				    G_BYTES);
	err = ms_go_scan_slices(rt, 1, judge_allgs, &best, &found);
	if (err)
		return err;
	if (!rt->allgs)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "layout check failed: a table of goroutines expected in the "
				    "runtime's data, found none");
	return NULL;
}

static struct ms_error *batch_read(struct ms_go_runtime *rt, const ms_addr *pointers, size_t count,
				   uint8_t *buf, struct ms_goroutines *goroutines)
{
	MS_AUTO_FREE struct ms_read *reads = calloc(count, sizeof(*reads));
	uint32_t size = g_bytes(rt->layout);
	struct ms_error *err;

	if (!reads)
		return ms_error_no_memory();
	for (size_t i = 0; i < count; i++)
		reads[i] = (struct ms_read){ pointers[i], buf + i * G_BYTES, size, MS_READ_OK };
	err = ms_target_read_many(rt->target, reads, count);
	for (size_t i = 0; i < count && !err; i++) {
		struct ms_goroutine g;

		if (reads[i].status != MS_READ_OK ||
		    !ms_goroutine_parse(rt->layout, reads[i].buf, pointers[i], &g))
			goroutines->unreadable++;
		else if (g.status == MS_GO_DEAD || g.status == MS_GO_IDLE)
			goroutines->dead++;
		else if (!ms_vec_push(goroutines, g))
			return ms_error_no_memory();
	}
	return err;
}

struct ms_error *ms_goroutines_load(struct ms_go_runtime *rt, struct ms_goroutines *ret_goroutines)
{
	MS_AUTO_FREE uint8_t *buf = malloc((size_t)BATCH * G_BYTES);
	MS_AUTO_FREE ms_addr *pointers = NULL;
	struct ms_goroutines goroutines = { 0 };
	uint8_t slice[24];
	uint64_t count;
	struct ms_error *err;

	if (!buf)
		return ms_error_no_memory();
	err = ms_target_read(rt->target, rt->allgs, slice, sizeof(slice));
	if (err)
		return ms_error_wrap(err, "goroutine table");
	count = ms_load_u64(slice + 8);
	if (count > GOROUTINES_MAX)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "the goroutine table says it has %" PRIu64 " entries", count);
	pointers = malloc((size_t)count * 8 + 8);
	if (!pointers)
		return ms_error_no_memory();
	err = ms_target_read(rt->target, ms_load_u64(slice), pointers, (size_t)count * 8);
	for (uint64_t i = 0; i < count && !err; i += BATCH)
		err = batch_read(rt, pointers + i, (size_t)ms_min_u64(BATCH, count - i), buf,
				 &goroutines);
	if (err) {
		ms_goroutines_deinit(&goroutines);
		return ms_error_wrap(err, "goroutine table");
	}
	*ret_goroutines = goroutines;
	return NULL;
}

struct ms_error *ms_goroutine_reread(struct ms_go_runtime *rt, ms_addr address,
				     struct ms_goroutine *ret_goroutine)
{
	uint8_t raw[G_BYTES];
	struct ms_error *err = ms_target_read(rt->target, address, raw, g_bytes(rt->layout));

	if (!err && !ms_goroutine_parse(rt->layout, raw, address, ret_goroutine))
		err = ms_error_new(MS_ERR_BAD_DATA, "no goroutine at 0x%" PRIx64, address);
	return err;
}

void ms_goroutines_deinit(struct ms_goroutines *goroutines)
{
	ms_vec_free(goroutines);
}
