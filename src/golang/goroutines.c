// goroutines.c - a g is recognised by its saved scheduling buffer, which points back to it
// (gobuf.g).  Most entries of allgs may be dead: they keep that pointer, but have no stack.
#include "golang/goroutines.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/scan.h"
#include "golang/stopped.h"
#include "target/fetch.h"

#include <inttypes.h>

enum {
	FIND_TRIES = 3,
	GOOD_PERCENT = 75,
	GOROUTINES_MAX = 32 << 20,
	BATCH = 1024,
	G_BYTES = 512, // Room for the head of a g, which is all that is read.
};

static const uint64_t STACK_BYTES_MAX = (uint64_t)1 << 32;

uint32_t ms_goroutine_bytes(const struct ms_go_layout *l)
{
	const uint32_t fields[] = { l->g_stack_lo, l->g_stack_hi,  l->g_sched_sp,   l->g_sched_g,
				    l->g_status,   l->g_syscallsp, l->g_goid,       l->g_sched_pc,
				    l->g_sched_bp, l->g_syscallpc, l->g_waitreason, l->g_waitsince,
				    l->g_gopc,     l->g_startpc,   l->g_m };
	uint32_t last = l->g_parent == MS_ABSENT ? 0 : l->g_parent;

	for (size_t i = 0; i < MS_ARRAY_SIZE(fields); i++)
		last = fields[i] > last ? fields[i] : last;
	return last + 8;
}

/** Idle stands for a g that is not in the table yet; 5 and 7 are not used. */
static bool status_is_legal(uint32_t status)
{
	static const uint32_t legal = 1u << MS_GO_RUNNABLE | 1u << MS_GO_RUNNING |
				      1u << MS_GO_SYSCALL | 1u << MS_GO_WAITING | 1u << MS_GO_DEAD |
				      1u << MS_GO_COPYSTACK | 1u << MS_GO_PREEMPTED |
				      1u << MS_GO_LEAKED | 1u << MS_GO_DEAD_EXTRA;

	return status <= MS_GO_STATUS_MAX && (legal >> status & 1);
}

/** The word before gobuf.bp (runtime/runtime2.go, Go 1.18 to 1.27). */
static ms_addr saved_lr(const struct ms_go_layout *l, const uint8_t *raw)
{
	return l->arch == MS_ARCH_ARM64 && l->g_sched_bp >= 8 ? ms_load_u64(raw + l->g_sched_bp - 8)
							      : 0;
}

bool ms_goroutine_parse(const struct ms_go_layout *l, const uint8_t *raw, ms_addr address,
			struct ms_goroutine *ret_goroutine)
{
	uint32_t status = ms_load_u32(raw + l->g_status) & ~(uint32_t)MS_GO_SCAN_BIT;
	bool dead = status == MS_GO_DEAD || status == MS_GO_DEAD_EXTRA;
	struct ms_goroutine g = {
		.address = address,
		.stack_lo = ms_load_u64(raw + l->g_stack_lo),
		.stack_hi = ms_load_u64(raw + l->g_stack_hi),
		.sp = ms_load_u64(raw + l->g_sched_sp),
		.pc = ms_load_u64(raw + l->g_sched_pc),
		.bp = ms_load_u64(raw + l->g_sched_bp),
		.lr = saved_lr(l, raw),
		.created_at = ms_load_u64(raw + l->g_gopc),
		.start_pc = ms_load_u64(raw + l->g_startpc),
		.m = ms_load_u64(raw + l->g_m),
		.id = ms_load_u64(raw + l->g_goid),
		.parent = l->g_parent == MS_ABSENT ? MS_UNKNOWN : ms_load_u64(raw + l->g_parent),
		.wait_since = ms_load_u64(raw + l->g_waitsince),
		.status = dead ? MS_GO_DEAD : status,
		.wait_reason = raw[l->g_waitreason],
	};

	if (ms_load_u64(raw + l->g_sched_g) != address || !status_is_legal(status))
		return false;
	if (status == MS_GO_SYSCALL && ms_load_u64(raw + l->g_syscallsp)) {
		g.sp = ms_load_u64(raw + l->g_syscallsp);
		g.pc = ms_load_u64(raw + l->g_syscallpc);
		g.in_syscall = true;
	}
	if (!dead && (g.stack_lo >= g.stack_hi || g.stack_hi - g.stack_lo > STACK_BYTES_MAX ||
		      (g.stack_lo & 7) || (g.stack_hi & 7) || g.id > (uint64_t)1 << 48))
		return false;
	*ret_goroutine = g;
	return true;
}

static struct ms_error *judge_allgs(struct ms_go_runtime *rt, const struct ms_go_slice *slice,
				    void *context, bool *ret_take)
{
	uint8_t raw[MS_GO_SLICE_SAMPLES][G_BYTES];
	struct ms_read reads[MS_GO_SLICE_SAMPLES];
	uint64_t *best = context;
	unsigned good = 0, missing = 0;
	struct ms_error *err;

	*ret_take = false; // Go on: a shorter copy of the slice may come first.
	if (slice->len <= *best)
		return NULL;
	for (size_t i = 0; i < slice->sample_count; i++)
		reads[i] = (struct ms_read){ slice->samples[i], raw[i],
					     ms_goroutine_bytes(rt->layout), MS_READ_OK };
	err = ms_target_read_many(rt->target, reads, slice->sample_count);
	if (err)
		return err;
	for (size_t i = 0; i < slice->sample_count; i++) {
		struct ms_goroutine g;

		missing += rt->target->is_cut && reads[i].status == MS_READ_FAULT;
		good += reads[i].status == MS_READ_OK &&
			ms_goroutine_parse(rt->layout, raw[i], slice->samples[i], &g);
	}
	if (good && good * 100 >= (slice->sample_count - missing) * GOOD_PERCENT) {
		*best = slice->len;
		rt->allgs = slice->address;
	}
	return NULL;
}

struct ms_error *ms_goroutines_find(struct ms_go_runtime *rt)
{
	struct ms_error *err = NULL;

	if (ms_goroutine_bytes(rt->layout) > G_BYTES)
		return ms_error_new(MS_ERR_INTERNAL, "the head of a g is over %d bytes long",
				    G_BYTES);
	// Of a few goroutines, one that just changes is enough to hide them all for a moment.
	for (unsigned try = 0; try < FIND_TRIES && !err && !rt->allgs; try++) {
		uint64_t best = 0;
		bool found;

		err = ms_go_scan_slices(rt, 1, judge_allgs, &best, &found);
	}
	if (err)
		return err;
	if (!rt->allgs)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "layout check failed: a table of goroutines expected in the "
				    "runtime's data, found none");
	return NULL;
}

uint64_t ms_goroutines_expected(struct ms_go_runtime *rt)
{
	uint8_t raw[8];
	struct ms_error *err = rt->allgs
				   ? ms_target_read(rt->target, rt->allgs + 8, raw, sizeof(raw))
				   : ms_error_no_memory();
	uint64_t count = err ? 0 : ms_load_u64(raw);

	ms_error_free(err);
	return count < GOROUTINES_MAX ? count : 0;
}

/** The heads of some, whose neighbours in the heap are heads as well: read in few pieces. */
static struct ms_error *batch_read(struct ms_go_runtime *rt, struct ms_fetch *fetch,
				   const ms_addr *pointers, size_t count,
				   struct ms_goroutines *goroutines)
{
	uint32_t size = ms_goroutine_bytes(rt->layout), want;
	struct ms_error *err = NULL;

	ms_fetch_reset(fetch);
	for (size_t i = 0; i < count && !err; i++)
		err = ms_fetch_add(fetch, pointers[i], size, &want);
	if (!err)
		err = ms_fetch_run(fetch, rt->target);
	for (size_t i = 0; i < count && !err; i++) {
		const uint8_t *raw = ms_fetch_bytes(fetch, (uint32_t)i);
		struct ms_goroutine g;

		if (!raw || !ms_goroutine_parse(rt->layout, raw, pointers[i], &g)) {
			goroutines->unreadable++;
			continue;
		}
		if (g.status == MS_GO_DEAD) {
			goroutines->dead++;
			continue;
		}
		err = ms_goroutine_stop(rt, &g);
		if (!err && !ms_vec_push(goroutines, g))
			return ms_error_no_memory();
	}
	return err;
}

/** The table's entries, and where the target was cut off, 0 for each that is missing. */
static struct ms_error *pointers_read(struct ms_go_runtime *rt, ms_addr table, size_t count,
				      ms_addr *pointers)
{
	struct ms_error *err = ms_target_read(rt->target, table, pointers, count * 8);

	if (!err || ms_error_code(err) != MS_ERR_FAULT || !rt->target->is_cut)
		return err;
	for (size_t i = 0; i < count; i += BATCH) {
		size_t some = (size_t)ms_min_u64(BATCH, count - i);

		ms_error_free(err);
		err = ms_target_read(rt->target, table + i * 8, pointers + i, some * 8);
		if (err && ms_error_code(err) != MS_ERR_FAULT)
			return err;
		if (err)
			memset(pointers + i, 0, some * 8);
	}
	ms_error_free(err);
	return NULL;
}

struct ms_error *ms_goroutines_load_some(struct ms_go_runtime *rt, uint64_t most,
					 struct ms_goroutines *ret_goroutines)
{
	MS_AUTO_FREE ms_addr *pointers = NULL;
	struct ms_goroutines goroutines = { 0 };
	struct ms_fetch fetch = { 0 };
	uint8_t slice[24];
	uint64_t count;
	struct ms_error *err;

	if (!rt->allgs)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "the table of its goroutines is in what is missing");
	err = ms_target_read(rt->target, rt->allgs, slice, sizeof(slice));
	if (err)
		return ms_error_wrap(err, "goroutine table");
	count = ms_load_u64(slice + 8);
	if (count > GOROUTINES_MAX)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "the goroutine table says it has %" PRIu64 " entries", count);
	count = ms_min_u64(count, most);
	pointers = malloc((size_t)count * 8 + 8);
	if (!pointers)
		return ms_error_no_memory();
	err = pointers_read(rt, ms_load_u64(slice), (size_t)count, pointers);
	for (uint64_t i = 0; i < count && !err; i += BATCH)
		err = batch_read(rt, &fetch, pointers + i, (size_t)ms_min_u64(BATCH, count - i),
				 &goroutines);
	ms_fetch_deinit(&fetch);
	if (err) {
		ms_goroutines_deinit(&goroutines);
		return ms_error_wrap(err, "goroutine table");
	}
	*ret_goroutines = goroutines;
	return NULL;
}

struct ms_error *ms_goroutines_load(struct ms_go_runtime *rt, struct ms_goroutines *ret_goroutines)
{
	return ms_goroutines_load_some(rt, GOROUTINES_MAX, ret_goroutines);
}

struct ms_error *ms_goroutine_reread(struct ms_go_runtime *rt, ms_addr address,
				     struct ms_goroutine *ret_goroutine)
{
	uint8_t raw[G_BYTES];
	struct ms_error *err =
	    ms_target_read(rt->target, address, raw, ms_goroutine_bytes(rt->layout));

	if (!err && !ms_goroutine_parse(rt->layout, raw, address, ret_goroutine))
		err = ms_error_new(MS_ERR_BAD_DATA, "no goroutine at 0x%" PRIx64, address);
	return err ? err : ms_goroutine_stop(rt, ret_goroutine);
}

struct ms_error *ms_goroutines_reread(struct ms_go_runtime *rt, const struct ms_goroutine *items,
				      size_t count, struct ms_goroutine *ret_items)
{
	uint32_t size = ms_goroutine_bytes(rt->layout), want;
	struct ms_fetch fetch = { 0 };
	struct ms_error *err = NULL;

	for (size_t i = 0; i < count && !err; i++)
		err = ms_fetch_add(&fetch, items[i].address, size, &want);
	if (!err)
		err = ms_fetch_run(&fetch, rt->target);
	for (size_t i = 0; i < count && !err; i++) {
		const uint8_t *raw = ms_fetch_bytes(&fetch, (uint32_t)i);

		if (!raw || !ms_goroutine_parse(rt->layout, raw, items[i].address, &ret_items[i]))
			ret_items[i] = (struct ms_goroutine){ .address = items[i].address,
							      .status = MS_GO_DEAD };
		else
			err = ms_goroutine_stop(rt, &ret_items[i]);
	}
	ms_fetch_deinit(&fetch);
	return err;
}

bool ms_goroutine_is_same_stop(const struct ms_goroutine *a, const struct ms_goroutine *b)
{
	return a->pc == b->pc && a->sp == b->sp && a->stack_lo == b->stack_lo && a->id == b->id &&
	       a->in_syscall == b->in_syscall && a->wait_since == b->wait_since &&
	       ms_goroutine_rests(b);
}

void ms_goroutines_deinit(struct ms_goroutines *goroutines)
{
	ms_vec_free(goroutines);
}
