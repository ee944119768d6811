// record.c - a target that remembers what is read through it.
//
// The wrapper hands every operation on and keeps the answers that were good.  What could not be
// read is not kept: it cannot be read from the recording either.
#include "target/record.h"

#include "base/cleanup.h"
#include "target/record_format.h"
#include "target/record_internal.h"

static struct ms_error *record_read_many(struct ms_target *t, struct ms_read *reads, size_t count)
{
	struct ms_record *r = ms_record_of(t);
	struct ms_error *err = ms_target_read_many(r->inner, reads, count);

	r->target.cost = r->inner->cost;
	for (size_t i = 0; !err && i < count; i++) {
		if (reads[i].status == MS_READ_OK)
			err = ms_record_pieces_add(&r->memory, reads[i].addr, reads[i].buf,
						   reads[i].size);
	}
	return err;
}

static struct ms_error *record_regions(struct ms_target *t, struct ms_regions *ret_regions)
{
	struct ms_record *r = ms_record_of(t);
	MS_CLEANUP(ms_regions_deinit) struct ms_regions fresh = { 0 };
	struct ms_regions copy;
	struct ms_error *err = ms_target_regions(r->inner, &fresh);

	r->target.cost = r->inner->cost;
	if (!err)
		err = ms_regions_copy(&fresh, &copy);
	if (err)
		return err;
	ms_regions_deinit(&r->regions);
	r->regions = copy;
	*ret_regions = fresh;
	fresh = (struct ms_regions){ 0 };
	return NULL;
}

static struct ms_error *record_exe_read(struct ms_target *t, uint64_t offset, void *buf,
					size_t size)
{
	struct ms_record *r = ms_record_of(t);
	struct ms_error *err = ms_target_exe_read(r->inner, offset, buf, size);

	r->target.cost = r->inner->cost;
	if (!err && size)
		err = ms_record_pieces_add(&r->exe, offset, buf, size);
	return err;
}

static int record_exe_fd(struct ms_target *t)
{
	return ms_target_exe_fd(ms_record_of(t)->inner);
}

static struct ms_error *record_check(struct ms_target *t)
{
	return ms_target_check(ms_record_of(t)->inner);
}

static void record_destroy(struct ms_target *t)
{
	struct ms_record *r = ms_record_of(t);

	ms_regions_deinit(&r->regions);
	ms_record_pieces_deinit(&r->memory);
	ms_record_pieces_deinit(&r->exe);
	free(r);
}

static const struct ms_target_ops record_ops = {
	.kind = "record",
	.read_many = record_read_many,
	.regions = record_regions,
	.exe_read = record_exe_read,
	.exe_fd = record_exe_fd,
	.check = record_check,
	.destroy = record_destroy,
};

struct ms_error *ms_record_create(struct ms_target *inner, struct ms_target **ret_target)
{
	struct ms_record *r;

	if (inner->exe_size > MS_RECORD_EXE_MAX)
		return ms_error_new(MS_ERR_LIMIT, "the executable is too large to be recorded");
	r = calloc(1, sizeof(*r));
	if (!r)
		return ms_error_no_memory();
	r->target = (struct ms_target){
		.ops = &record_ops,
		.cost = inner->cost,
		.exe_size = inner->exe_size,
		.pid = inner->pid,
	};
	r->inner = inner;
	*ret_target = &r->target;
	return NULL;
}

// --- Everything. ---

/** True for memory that is stored by ms_record_everything. */
static bool is_wanted(const struct ms_region *region)
{
	if (!ms_region_is_own(region) || !(region->prot & MS_PROT_READ))
		return false;
	return region->kind == MS_REGION_ANON || !(region->prot & MS_PROT_EXEC);
}

/** Read a block that failed as a whole page by page: a page may be swapped out. */
static struct ms_error *read_pages(struct ms_target *t, ms_addr addr, uint8_t *buf, size_t size)
{
	struct ms_read reads[MS_READ_BYTES_MAX / MS_RECORD_PAGE];
	size_t count = 0;

	for (size_t at = 0; at < size; at += MS_RECORD_PAGE)
		reads[count++] = (struct ms_read){
			.addr = addr + at,
			.buf = buf + at,
			.size = MS_RECORD_PAGE,
		};
	return ms_target_read_many(t, reads, count);
}

static struct ms_error *read_region(struct ms_target *t, const struct ms_region *region,
				    uint8_t *buf)
{
	ms_addr addr = region->start;

	while (addr < region->end) {
		uint32_t size = (uint32_t)ms_min_u64(region->end - addr, MS_READ_BYTES_MAX);
		struct ms_read read = { .addr = addr, .buf = buf, .size = size };
		struct ms_error *err = ms_target_read_many(t, &read, 1);

		if (!err && read.status != MS_READ_OK)
			err = read_pages(t, addr, buf, size);
		if (err)
			return err;
		addr += size;
	}
	return NULL;
}

/** The part of the file that @p region maps. */
static struct ms_error *read_file_of(struct ms_target *t, const struct ms_region *region,
				     uint8_t *buf)
{
	uint64_t offset = region->file_offset;
	uint64_t end = ms_min_u64(t->exe_size, offset + (region->end - region->start));

	while (offset < end) {
		size_t size = ms_min_u64(end - offset, MS_READ_BYTES_MAX);
		struct ms_error *err = ms_target_exe_read(t, offset, buf, size);

		if (err)
			return err;
		offset += size;
	}
	return NULL;
}

struct ms_error *ms_record_everything(struct ms_target *record)
{
	MS_CLEANUP(ms_regions_deinit) struct ms_regions regions = { 0 };
	MS_AUTO_FREE uint8_t *buf = malloc(MS_READ_BYTES_MAX);
	struct ms_error *err;
	uint64_t total = 0;

	if (!buf)
		return ms_error_no_memory();
	err = ms_target_regions(record, &regions);
	for (size_t i = 0; !err && i < regions.count; i++) {
		const struct ms_region *region = &regions.items[i];

		if (!is_wanted(region))
			continue;
		total += region->end - region->start;
		if (total > MS_RECORD_FULL_MAX)
			return ms_error_new(MS_ERR_LIMIT,
					    "the target maps over %d GiB: too large to be "
					    "recorded as a whole",
					    (int)(MS_RECORD_FULL_MAX >> 30));
		err = read_region(record, region, buf);
		if (!err && region->kind == MS_REGION_EXE)
			err = read_file_of(record, region, buf);
	}
	return err;
}
