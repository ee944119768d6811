// Where memory comes from unless somebody says otherwise: malloc for what is small, and ranges of
// addresses from the system for what grows.
//
// A range is reserved without access and without a claim on memory (so that it also works where
// the system counts claims), and made writable as it is needed.  Pages are asked for at once
// where the kernel can (Linux 5.14, MADV_POPULATE_WRITE): one call for eight pages costs less than
// eight faults, and leaves no page fault for the writes that follow.
//
// What is only reserved is left out of core dumps: gdb would write a gigabyte of zeros for it.
// Where the kernel refuses that, cores are larger, and nothing else is different.
#include <hmap/hmap.h>

#include <stdlib.h>
#include <string.h>

#if defined(__linux__) && defined(__LP64__)
#define RANGES 1
#include <errno.h>
#include <sys/mman.h>
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#endif

static void *allocate(void *state, size_t size, size_t align)
{
	void *memory = NULL;

	(void)state;
	if (align <= sizeof(void *) * 2)
		return malloc(size);
	return posix_memalign(&memory, align, size) == 0 ? memory : NULL;
}

static void release(void *state, void *memory, size_t size, size_t align)
{
	(void)state;
	(void)size;
	(void)align;
	free(memory);
}

#if defined(RANGES)
enum { HUGE_PAGE = 2 << 20 };

static void *reserve(void *state, size_t size)
{
	unsigned char *all, *range;
	size_t before;

	(void)state;
	if (size > SIZE_MAX - HUGE_PAGE)
		return NULL;
	all = mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		   -1, 0);
	if (all == MAP_FAILED)
		return NULL;
	before = (HUGE_PAGE - (uintptr_t)all % HUGE_PAGE) % HUGE_PAGE;
	range = all + before;
	if (before)
		munmap(all, before);
	if (HUGE_PAGE - before)
		munmap(range + size, HUGE_PAGE - before);
	(void)madvise(range, size, MADV_DONTDUMP);
	return range;
}

static bool commit(void *state, void *part, size_t size)
{
	(void)state;
	if (mprotect(part, size, PROT_READ | PROT_WRITE) != 0)
		return false;
	(void)madvise(part, size, MADV_DODUMP);
	return true;
}

static bool populate(void *state, void *part, size_t size)
{
	(void)state;
	// EINVAL: an older kernel, where pages come by faults.
	return madvise(part, size, MADV_POPULATE_WRITE) == 0 || errno == EINVAL;
}

static void decommit(void *state, void *part, size_t size)
{
	(void)state;
	(void)madvise(part, size, MADV_DONTNEED);
}

static void unreserve(void *state, void *range, size_t size)
{
	(void)state;
	(void)munmap(range, size);
}

/**
 * The addresses that pages leave stay reserved: in a hole another thread's memory could come to
 * lie, and would go with the range.  A kernel before 5.7 cannot do that; then the table is copied.
 */
static bool move_pages(void *state, void *to, void *part, size_t size)
{
	(void)state;
	return mremap(part, size, size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) !=
	       MAP_FAILED;
}

static void huge(void *state, void *part, size_t size)
{
	unsigned char *start = part;
	size_t before = (HUGE_PAGE - (uintptr_t)start % HUGE_PAGE) % HUGE_PAGE;

	(void)state;
	if (size < before + HUGE_PAGE)
		return;
	size = (size - before) / HUGE_PAGE * HUGE_PAGE;
	(void)madvise(start + before, size, MADV_HUGEPAGE);
	(void)madvise(start + before, size, MADV_COLLAPSE);
}
#endif

const struct hmap_allocator *hmap_default_allocator(void)
{
	static const struct hmap_allocator allocator = {
		.allocate = allocate,
		.release = release,
#if defined(RANGES)
		.reserve = reserve,
		.commit = commit,
		.populate = populate,
		.decommit = decommit,
		.unreserve = unreserve,
		.move = move_pages,
		.huge = huge,
#endif
	};

	return &allocator;
}

const struct hmap_allocator *hmap_malloc_allocator(void)
{
	static const struct hmap_allocator allocator = { .allocate = allocate, .release = release };

	return &allocator;
}
