#include "tests/support/cut_target.h"

#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

struct cut {
	struct ms_target target;
	struct ms_target *inner;
	ms_addr end, patched;
	uint8_t patch[CUT_PATCH_MAX];
	size_t patch_size;
};

static struct cut *cut_of(struct ms_target *t)
{
	return (struct cut *)t;
}

static void patch_put(const struct cut *c, const struct ms_read *r)
{
	uint8_t *buf = r->buf;

	for (size_t i = 0; i < c->patch_size; i++) {
		ms_addr at = c->patched + i - r->addr;

		if (at < r->size)
			buf[at] = c->patch[i];
	}
}

static struct ms_error *cut_read_many(struct ms_target *t, struct ms_read *reads, size_t count)
{
	struct cut *c = cut_of(t);

	for (size_t i = 0; i < count; i++) {
		struct ms_error *err;

		if (reads[i].addr >= c->end || reads[i].size > c->end - reads[i].addr) {
			reads[i].status = MS_READ_FAULT;
			continue;
		}
		err = ms_target_read_many(c->inner, &reads[i], 1);
		if (err)
			return err;
		patch_put(c, &reads[i]);
	}
	return NULL;
}

static struct ms_error *cut_regions(struct ms_target *t, struct ms_regions *ret_regions)
{
	return ms_target_regions(cut_of(t)->inner, ret_regions);
}

static struct ms_error *cut_exe_read(struct ms_target *t, uint64_t offset, void *buf, size_t size)
{
	return ms_target_exe_read(cut_of(t)->inner, offset, buf, size);
}

static int cut_exe_fd(struct ms_target *t)
{
	return ms_target_exe_fd(cut_of(t)->inner);
}

static struct ms_error *cut_check(struct ms_target *t)
{
	(void)t;
	return NULL;
}

static const struct ms_thread_state *cut_threads(struct ms_target *t, size_t *ret_count)
{
	static const struct ms_thread_state none;

	(void)t;
	*ret_count = 0;
	return &none;
}

static void cut_destroy(struct ms_target *t)
{
	ms_target_destroy(cut_of(t)->inner);
	free(t);
}

static const struct ms_target_ops cut_ops = {
	.kind = "cut",
	.read_many = cut_read_many,
	.regions = cut_regions,
	.exe_read = cut_exe_read,
	.exe_fd = cut_exe_fd,
	.check = cut_check,
	.threads = cut_threads,
	.destroy = cut_destroy,
};

struct ms_target *cut_target_create(struct ms_target *inner, ms_addr end)
{
	struct cut *c = calloc(1, sizeof(*c));

	CHECK(c != NULL);
	c->target =
	    (struct ms_target){ .ops = &cut_ops, .exe_size = inner->exe_size, .is_cut = true };
	c->inner = inner;
	c->end = end;
	return &c->target;
}

void cut_target_patch(struct ms_target *t, ms_addr addr, const void *bytes, size_t size)
{
	struct cut *c = cut_of(t);

	CHECK(size <= sizeof(c->patch));
	memcpy(c->patch, bytes, size);
	c->patched = addr;
	c->patch_size = size;
}
