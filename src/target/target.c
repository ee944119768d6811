// target.c - what is the same for every kind of target.
#include "target/target.h"

#include "base/vec.h"
#include "target/resident.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *read_status_text(uint32_t status)
{
	switch (status) {
	case MS_READ_SWAPPED:
		return "is swapped out";
	case MS_READ_STUCK:
		return "did not answer in time";
	default:
		return "is not readable";
	}
}

struct ms_error *ms_target_read(struct ms_target *t, ms_addr addr, void *buf, size_t size)
{
	uint8_t *at = buf;

	while (size > 0) {
		uint32_t part = size < MS_READ_BYTES_MAX ? (uint32_t)size : MS_READ_BYTES_MAX;
		struct ms_read read = { .addr = addr, .buf = at, .size = part };
		struct ms_error *err = ms_target_read_many(t, &read, 1);

		if (err)
			return err;
		if (read.status != MS_READ_OK)
			return ms_error_new(MS_ERR_FAULT, "memory at 0x%" PRIx64 " %s", addr,
					    read_status_text(read.status));
		addr += part;
		at += part;
		size -= part;
	}
	return NULL;
}

struct ms_error *ms_target_read_many(struct ms_target *t, struct ms_read *reads, size_t count)
{
	return t->ops->read_many(t, reads, count);
}

struct ms_error *ms_target_read_lent(struct ms_target *t, struct ms_read *reads, size_t count)
{
	return t->ops->read_lent ? t->ops->read_lent(t, reads, count)
				 : t->ops->read_many(t, reads, count);
}

struct ms_error *ms_target_regions(struct ms_target *t, struct ms_regions *ret_regions)
{
	return t->ops->regions(t, ret_regions);
}

struct ms_error *ms_target_exe_read(struct ms_target *t, uint64_t offset, void *buf, size_t size)
{
	return t->ops->exe_read(t, offset, buf, size);
}

int ms_target_exe_fd(struct ms_target *t)
{
	return t->ops->exe_fd(t);
}

struct ms_error *ms_target_check(struct ms_target *t)
{
	return t->ops->check(t);
}

void ms_target_end_threads(struct ms_target *t)
{
	if (t->ops->end_threads)
		t->ops->end_threads(t);
}

struct ms_error *ms_target_resident(struct ms_target *t, struct ms_resident *ret_resident)
{
	if (t->ops->resident)
		return t->ops->resident(t, ret_resident);
	*ret_resident = (struct ms_resident){ .rss_bytes = MS_UNKNOWN };
	return NULL;
}

const struct ms_thread_state *ms_target_threads(struct ms_target *t, size_t *ret_count)
{
	*ret_count = 0;
	return t->ops->threads ? t->ops->threads(t, ret_count) : NULL;
}

void ms_target_destroy(struct ms_target *t)
{
	if (t)
		t->ops->destroy(t);
}

const struct ms_region *ms_regions_find(const struct ms_regions *regions, ms_addr addr)
{
	size_t low = 0, high = regions->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (regions->items[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < regions->count && regions->items[low].start <= addr)
		return &regions->items[low];
	return NULL;
}

struct ms_error *ms_regions_copy(const struct ms_regions *regions, struct ms_regions *ret_regions)
{
	struct ms_regions copy = { 0 };

	if (!ms_vec_reserve(&copy, regions->count))
		return ms_error_no_memory();
	if (regions->count)
		memcpy(copy.items, regions->items, regions->count * sizeof(*copy.items));
	copy.count = regions->count;
	*ret_regions = copy;
	return NULL;
}

uint64_t ms_regions_writable_bytes(const struct ms_regions *regions)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < regions->count; i++) {
		const struct ms_region *r = &regions->items[i];

		if (r->kind == MS_REGION_ANON && (r->prot & MS_PROT_WRITE))
			bytes += r->end - r->start;
	}
	return bytes;
}

void ms_regions_deinit(struct ms_regions *regions)
{
	free(regions->items);
	*regions = (struct ms_regions){ 0 };
}
