// fault.c - a target that fails where it is told to.
//
// The reads of a batch that are to fail are left out of what is handed on, so that they leave their
// buffers alone, as real faults do; those between them are handed on together.
#include "target/fault.h"

#include <stdlib.h>

struct fault {
	struct ms_target target;
	struct ms_target *inner;
	struct ms_fault_plan plan;
	uint64_t count;
	bool gone;
};

static struct fault *fault_of(struct ms_target *t)
{
	return (struct fault *)t;
}

static struct ms_error *error_gone(void)
{
	return ms_error_new(MS_ERR_GONE, "the target is gone, as the plan says");
}

/** Count one operation; true when it is to fail. */
static bool strikes(struct fault *f, enum ms_fault_op op)
{
	uint64_t index;

	if (!(f->plan.ops & op))
		return false;
	index = f->count++;
	return index == f->plan.at || (index > f->plan.at && f->plan.span == MS_FAULT_STICKY);
}

static uint32_t fault_status(struct fault *f)
{
	switch (f->plan.kind) {
	case MS_FAULT_SWAPPED:
		f->target.cost.swapped_pages++;
		return MS_READ_SWAPPED;
	case MS_FAULT_STUCK:
		f->target.cost.stuck_reads++;
		return MS_READ_STUCK;
	default:
		return MS_READ_FAULT;
	}
}

/** Add what the wrapped target has spent since @p before. */
static void add_cost(struct fault *f, const struct ms_target_cost *before)
{
	const struct ms_target_cost *now = &f->inner->cost;
	struct ms_target_cost *cost = &f->target.cost;

	cost->read_bytes += now->read_bytes - before->read_bytes;
	cost->reads += now->reads - before->reads;
	cost->absent_pages += now->absent_pages - before->absent_pages;
	cost->swapped_pages += now->swapped_pages - before->swapped_pages;
	cost->stuck_reads += now->stuck_reads - before->stuck_reads;
}

/** Hand a part of a batch on. */
static struct ms_error *pass_on(struct fault *f, struct ms_read *reads, size_t count)
{
	struct ms_target_cost before = f->inner->cost;
	struct ms_error *err = count ? ms_target_read_many(f->inner, reads, count) : NULL;

	add_cost(f, &before);
	return err;
}

static struct ms_error *fault_read_many(struct ms_target *t, struct ms_read *reads, size_t count)
{
	struct fault *f = fault_of(t);
	size_t passed = 0;

	if (f->gone)
		return error_gone();
	for (size_t i = 0; i < count; i++) {
		struct ms_error *err;

		if (!strikes(f, MS_FAULT_READ))
			continue;
		f->gone = f->plan.kind == MS_FAULT_GONE;
		if (f->gone)
			return error_gone();
		err = pass_on(f, reads + passed, i - passed);
		if (err)
			return err;
		reads[i].status = fault_status(f);
		passed = i + 1;
	}
	return pass_on(f, reads + passed, count - passed);
}

/** The error of an operation that is no memory read, or NULL when it is to work. */
static struct ms_error *fail_whole(struct fault *f, enum ms_fault_op op, const char *what)
{
	if (f->gone)
		return error_gone();
	if (!strikes(f, op))
		return NULL;
	f->gone = f->plan.kind == MS_FAULT_GONE;
	if (f->gone)
		return error_gone();
	return ms_error_new(MS_ERR_FAULT, "%s could not be read, as the plan says", what);
}

static struct ms_error *fault_regions(struct ms_target *t, struct ms_regions *ret_regions)
{
	struct fault *f = fault_of(t);
	struct ms_error *err = fail_whole(f, MS_FAULT_REGIONS, "the mappings");

	return err ? err : ms_target_regions(f->inner, ret_regions);
}

static struct ms_error *fault_exe_read(struct ms_target *t, uint64_t offset, void *buf, size_t size)
{
	struct fault *f = fault_of(t);
	struct ms_error *err = fail_whole(f, MS_FAULT_EXE_READ, "the executable");

	return err ? err : ms_target_exe_read(f->inner, offset, buf, size);
}

static int fault_exe_fd(struct ms_target *t)
{
	return ms_target_exe_fd(fault_of(t)->inner);
}

static struct ms_error *fault_check(struct ms_target *t)
{
	struct fault *f = fault_of(t);

	return f->gone ? error_gone() : ms_target_check(f->inner);
}

static void fault_destroy(struct ms_target *t)
{
	free(fault_of(t));
}

static const struct ms_target_ops fault_ops = {
	.kind = "fault",
	.read_many = fault_read_many,
	.regions = fault_regions,
	.exe_read = fault_exe_read,
	.exe_fd = fault_exe_fd,
	.check = fault_check,
	.destroy = fault_destroy,
};

struct ms_error *ms_fault_create(struct ms_target *inner, const struct ms_fault_plan *plan,
				 struct ms_target **ret_target)
{
	struct fault *f = calloc(1, sizeof(*f));

	if (!f)
		return ms_error_no_memory();
	f->target = (struct ms_target){
		.ops = &fault_ops,
		.exe_size = inner->exe_size,
		.pid = inner->pid,
	};
	f->inner = inner;
	f->plan = *plan;
	*ret_target = &f->target;
	return NULL;
}

void ms_fault_restart(struct ms_target *fault, const struct ms_fault_plan *plan)
{
	struct fault *f = fault_of(fault);

	f->plan = *plan;
	f->count = 0;
	f->gone = false;
}

uint64_t ms_fault_count(const struct ms_target *fault)
{
	return ((const struct fault *)fault)->count;
}
