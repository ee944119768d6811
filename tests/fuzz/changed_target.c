// changed_target.c - the changes are laid over what the inner target read.
#include "tests/fuzz/changed_target.h"

static struct changed_target *changed_of(struct ms_target *t)
{
	return (struct changed_target *)t;
}

static void change_apply(const struct change *c, const struct ms_read *read)
{
	for (uint32_t i = 0; i < c->size; i++) {
		uint64_t at = c->addr + i - read->addr;
		uint8_t value = (uint8_t)(c->value >> (8 * i));
		uint8_t *bytes = read->buf;

		if (at < read->size)
			bytes[at] = c->kind == CHANGE_FLIP ? bytes[at] ^ value : value;
	}
}

static struct ms_error *changed_read_many(struct ms_target *t, struct ms_read *reads, size_t count)
{
	struct changed_target *changed = changed_of(t);
	struct ms_error *err;

	if (count > changed->reads_left)
		return ms_error_new(MS_ERR_GONE, "the target has exited");
	changed->reads_left -= count;
	err = ms_target_read_many(changed->inner, reads, count);
	for (size_t i = 0; i < count && !err; i++) {
		for (size_t c = 0; c < changed->count && reads[i].status == MS_READ_OK; c++)
			change_apply(&changed->changes[c], &reads[i]);
	}
	return err;
}

static struct ms_error *changed_regions(struct ms_target *t, struct ms_regions *ret_regions)
{
	return ms_target_regions(changed_of(t)->inner, ret_regions);
}

static struct ms_error *changed_exe_read(struct ms_target *t, uint64_t offset, void *buf,
					 size_t size)
{
	return ms_target_exe_read(changed_of(t)->inner, offset, buf, size);
}

static int changed_exe_fd(struct ms_target *t)
{
	return ms_target_exe_fd(changed_of(t)->inner);
}

static struct ms_error *changed_check(struct ms_target *t)
{
	(void)t;
	return NULL;
}

static void changed_destroy(struct ms_target *t)
{
	(void)t; // It is its maker's.
}

static const struct ms_target_ops changed_ops = {
	.kind = "changed",
	.read_many = changed_read_many,
	.regions = changed_regions,
	.exe_read = changed_exe_read,
	.exe_fd = changed_exe_fd,
	.check = changed_check,
	.destroy = changed_destroy,
};

void changed_target_init(struct changed_target *t, struct ms_target *inner, struct change *changes,
			 uint64_t reads_max)
{
	*t = (struct changed_target){
		.target = { .ops = &changed_ops, .exe_size = inner->exe_size },
		.inner = inner,
		.changes = changes,
		.reads_left = reads_max,
	};
}
