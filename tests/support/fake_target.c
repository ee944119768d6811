// fake_target.c - a target over byte buffers, which can be told to fail.
//
// Stricter than a process: what lies on a mapped page but outside of a given buffer is a FAULT, so
// that a reader which reads too far is found.
#include "tests/support/fake_target.h"

#include "base/vec.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FAKE_PAGE = 4096 };

static struct fake_target *fake_of(struct ms_target *t)
{
	return (struct fake_target *)t;
}

static void misuse(const char *what)
{
	fprintf(stderr, "fake_target: %s\n", what);
	abort();
}

static struct ms_error *gone(const struct fake_target *fake)
{
	if (fake->reads < fake->gone_at)
		return NULL;
	return ms_error_new(MS_ERR_GONE, "the fake target has exited");
}

/** The mapping that holds @p addr, or NULL. */
static const struct fake_mapping *mapping_at(const struct fake_target *fake, ms_addr addr)
{
	for (size_t i = 0; i < fake->mappings.count; i++) {
		const struct fake_mapping *m = &fake->mappings.items[i];

		if (addr >= m->start && addr - m->start < m->size)
			return m;
	}
	return NULL;
}

static bool readable(const struct fake_target *fake, ms_addr addr, uint64_t size)
{
	if (addr + size < addr)
		return false;
	for (ms_addr end = addr + size; addr < end;) {
		const struct fake_mapping *m = mapping_at(fake, addr);

		if (!m || m->kind == MS_REGION_OTHER || !(m->prot & MS_PROT_READ))
			return false;
		addr = m->start + m->size;
	}
	return true;
}

static void copy_out(const struct fake_target *fake, ms_addr addr, uint8_t *buf, uint64_t size)
{
	while (size > 0) {
		const struct fake_mapping *m = mapping_at(fake, addr);
		uint64_t at = addr - m->start;
		uint64_t part = ms_min_u64(size, m->size - at);

		if (m->bytes)
			memcpy(buf, m->bytes + at, part);
		else
			memset(buf, 0, part);
		addr += part;
		buf += part;
		size -= part;
	}
}

static uint32_t read_one(struct fake_target *fake, struct ms_read *read)
{
	uint64_t index = fake->reads++;

	if (fake->before_read)
		fake->before_read(fake->before_read_arg, index, read);
	if (read->size == 0 || read->size > MS_READ_BYTES_MAX)
		misuse("a read of 0 bytes or of more than MS_READ_BYTES_MAX");
	if (index == fake->fail_at)
		return fake->fail_status;
	if (!readable(fake, read->addr, read->size))
		return MS_READ_FAULT;
	copy_out(fake, read->addr, read->buf, read->size);
	fake->target.cost.read_bytes += read->size;
	return MS_READ_OK;
}

static struct ms_error *fake_read_many(struct ms_target *t, struct ms_read *reads, size_t count)
{
	struct fake_target *fake = fake_of(t);

	fake->target.cost.reads++;
	for (size_t i = 0; i < count; i++) {
		struct ms_error *err = gone(fake);

		if (err)
			return err;
		reads[i].status = read_one(fake, &reads[i]);
		if (reads[i].status == MS_READ_SWAPPED)
			fake->target.cost.swapped_pages++;
		if (reads[i].status == MS_READ_STUCK)
			fake->target.cost.stuck_reads++;
	}
	return NULL;
}

/** True when @p m only continues @p last. */
static bool region_continues(const struct ms_region *last, const struct fake_mapping *m)
{
	ms_addr start = m->start & ~(ms_addr)(FAKE_PAGE - 1);

	if (start > last->end)
		return false;
	if (last->kind != m->kind || last->prot != m->prot) {
		if (start < last->end)
			misuse("two kinds of memory on one page");
		return false;
	}
	return m->kind != MS_REGION_EXE ||
	       m->file_offset == last->file_offset + (m->start - last->start);
}

static struct ms_error *fake_regions(struct ms_target *t, struct ms_regions *ret_regions)
{
	struct fake_target *fake = fake_of(t);
	struct ms_regions regions = { 0 };
	struct ms_error *err = gone(fake);

	if (err)
		return err;
	for (size_t i = 0; i < fake->mappings.count; i++) {
		const struct fake_mapping *m = &fake->mappings.items[i];
		struct ms_region region = {
			.start = m->start & ~(ms_addr)(FAKE_PAGE - 1),
			.end = ms_round_up(m->start + m->size, FAKE_PAGE),
			.file_offset = m->file_offset - m->start % FAKE_PAGE,
			.kind = m->kind,
			.prot = m->prot,
		};

		if (m->kind != MS_REGION_EXE)
			region.file_offset = 0;
		if (regions.count && region_continues(&regions.items[regions.count - 1], m))
			regions.items[regions.count - 1].end = region.end;
		else if (!ms_vec_push(&regions, region))
			misuse("no memory");
	}
	*ret_regions = regions;
	return NULL;
}

static struct ms_error *fake_exe_read(struct ms_target *t, uint64_t offset, void *buf, size_t size)
{
	struct fake_target *fake = fake_of(t);
	struct ms_error *err = gone(fake);

	if (err)
		return err;
	if (!ms_range_holds(0, fake->target.exe_size, offset, size))
		return ms_error_new(MS_ERR_FAULT,
				    "the executable has no %zu bytes at offset 0x%" PRIx64, size,
				    offset);
	if (pread(fake->exe_fd, buf, size, (off_t)offset) != (ssize_t)size)
		misuse("the memfd lost its bytes");
	return NULL;
}

static int fake_exe_fd(struct ms_target *t)
{
	return fake_of(t)->exe_fd;
}

static struct ms_error *fake_check(struct ms_target *t)
{
	return gone(fake_of(t));
}

static struct ms_error *fake_resident(struct ms_target *t, struct ms_resident *ret_resident)
{
	struct fake_target *fake = fake_of(t);
	struct ms_resident copy = { .rss_bytes = MS_UNKNOWN };
	struct ms_error *err = gone(fake);

	if (err)
		return err;
	if (fake->resident.known) {
		copy = fake->resident;
		copy.items = NULL;
		copy.count = copy.capacity = 0;
		for (size_t i = 0; i < fake->resident.count; i++) {
			if (!ms_vec_push(&copy, fake->resident.items[i]))
				misuse("no memory");
		}
	}
	*ret_resident = copy;
	return NULL;
}

static void fake_destroy(struct ms_target *t)
{
	fake_target_deinit(fake_of(t));
}

static const struct ms_target_ops fake_ops = {
	.kind = "fake",
	.read_many = fake_read_many,
	.regions = fake_regions,
	.exe_read = fake_exe_read,
	.exe_fd = fake_exe_fd,
	.check = fake_check,
	.resident = fake_resident,
	.destroy = fake_destroy,
};

void fake_target_init(struct fake_target *fake)
{
	*fake = (struct fake_target){
		.target = { .ops = &fake_ops },
		.exe_fd = memfd_create("fake-exe", MFD_CLOEXEC),
		.fail_at = UINT64_MAX,
		.gone_at = UINT64_MAX,
	};
	if (fake->exe_fd < 0)
		misuse("no memfd");
}

void fake_target_deinit(struct fake_target *fake)
{
	if (fake->exe_fd >= 0)
		close(fake->exe_fd);
	fake->exe_fd = -1;
	ms_resident_deinit(&fake->resident);
	ms_vec_free(&fake->mappings);
}

static void map_add(struct fake_target *fake, struct fake_mapping mapping)
{
	size_t at = fake->mappings.count;

	if (mapping.size == 0 || mapping.start + mapping.size < mapping.start)
		misuse("a buffer without bytes or past the end of the address space");
	if (!ms_vec_push(&fake->mappings, mapping))
		misuse("no memory");
	for (; at > 0 && fake->mappings.items[at - 1].start > mapping.start; at--)
		fake->mappings.items[at] = fake->mappings.items[at - 1];
	fake->mappings.items[at] = mapping;
	if (at > 0 &&
	    fake->mappings.items[at - 1].start + fake->mappings.items[at - 1].size > mapping.start)
		misuse("a buffer overlaps the one before it");
	if (at + 1 < fake->mappings.count &&
	    mapping.start + mapping.size > fake->mappings.items[at + 1].start)
		misuse("a buffer overlaps the one behind it");
}

void fake_target_map(struct fake_target *fake, ms_addr addr, const void *bytes, uint64_t size,
		     enum ms_region_kind kind, unsigned prot)
{
	map_add(fake,
		(struct fake_mapping){
		    .start = addr, .size = size, .bytes = bytes, .kind = kind, .prot = prot });
}

void fake_target_map_exe(struct fake_target *fake, ms_addr addr, const void *bytes, uint64_t size,
			 uint64_t file_offset, unsigned prot)
{
	map_add(fake, (struct fake_mapping){ .start = addr,
					     .size = size,
					     .bytes = bytes,
					     .file_offset = file_offset,
					     .kind = MS_REGION_EXE,
					     .prot = prot });
}

void fake_target_unmap(struct fake_target *fake, ms_addr addr)
{
	size_t at = 0;

	while (at < fake->mappings.count && fake->mappings.items[at].start != addr)
		at++;
	if (at == fake->mappings.count)
		misuse("nothing is mapped there");
	fake->mappings.count--;
	for (; at < fake->mappings.count; at++)
		fake->mappings.items[at] = fake->mappings.items[at + 1];
}

void fake_target_exe(struct fake_target *fake, const void *bytes, size_t size)
{
	if (ftruncate(fake->exe_fd, 0) != 0 ||
	    pwrite(fake->exe_fd, bytes, size, 0) != (ssize_t)size)
		misuse("the memfd does not take the executable");
	fake->target.exe_size = size;
}

void fake_target_resident(struct fake_target *fake, ms_addr addr, uint64_t size, uint64_t rss_bytes)
{
	if (ms_resident_add(&fake->resident, addr, addr + size))
		misuse("no memory");
	fake->resident.known = true;
	fake->resident.rss_bytes = rss_bytes;
}

void fake_target_fail_read(struct fake_target *fake, uint64_t n)
{
	fake_target_fail_read_as(fake, n, MS_READ_FAULT);
}

void fake_target_fail_read_as(struct fake_target *fake, uint64_t n, enum ms_read_status status)
{
	fake->fail_at = fake->reads + n;
	fake->fail_status = status;
}

void fake_target_gone_after(struct fake_target *fake, uint64_t n)
{
	fake->gone_at = fake->reads + n;
}

void fake_target_before_read(struct fake_target *fake, fake_target_read_fn fn, void *arg)
{
	fake->before_read = fn;
	fake->before_read_arg = arg;
}
