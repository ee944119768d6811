// resident.c - the resident pages of a whole process, as few ranges.
//
// Linux 6.7 and later answer in ranges (PAGEMAP_SCAN), with pages that only map the kernel's page
// of zeros left out: the kernel does not count those as resident either.  Earlier kernels are asked
// for a word per page, mapping by mapping; there the page of zeros counts as present.  Mappings
// that nobody may touch are not asked for by page: they are reservations of many GB.
//
// A process moves while its pages are listed.  So what the kernel counts is read before and after;
// when the two differ by much, everything is done once more, and what is left of the difference
// is for the caller to show.
//
// The quick count (statm) is one sum per processor on Linux 6.2 to 6.16, and off by some MB on a
// large machine.  So where it differs from the pages by much, the slow one is asked, which looks at
// every page (smaps_rollup).
#include "target/resident.h"

#include "base/vec.h"
#include "target/residency.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Documentation/admin-guide/mm/pagemap.rst; headers older than Linux 6.7 lack it.
struct scan_range {
	uint64_t start, end, categories;
};

struct scan_arguments {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_arguments)

enum {
	SCAN_PRESENT = 1 << 3,
	SCAN_ZERO_PAGE = 1 << 5,
	SCAN_RANGES = 4096,
	WORDS_AT_ONCE = 64 << 10,
	RANGES_MAX = 32 << 20, // 768 MB of ours: pages in and out in turns over 256 GB.
	ATTEMPTS = 2,
	MOVED_SHARE = 100, // A hundredth is much.
};

struct ms_error *ms_resident_add(struct ms_resident *r, ms_addr start, ms_addr end)
{
	struct ms_page_range *last = r->count ? &r->items[r->count - 1] : NULL;
	uint64_t before = last ? last->before + (last->end - last->start) : 0;

	if (start >= end || (last && start < last->end))
		return NULL;
	if (last && start == last->end) {
		last->end = end;
		return NULL;
	}
	if (r->count == RANGES_MAX)
		return ms_error_new(MS_ERR_LIMIT, "its pages are in over %d pieces", RANGES_MAX);
	if (!ms_vec_push(r, { start, end, before }))
		return ms_error_no_memory();
	return NULL;
}

/** Resident bytes below @p addr. */
static uint64_t bytes_below(const struct ms_resident *r, ms_addr addr)
{
	size_t low = 0, high = r->count;
	const struct ms_page_range *last;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->items[middle].start < addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return 0;
	last = &r->items[low - 1];
	return last->before + (ms_min_u64(last->end, addr) - last->start);
}

uint64_t ms_resident_bytes(const struct ms_resident *r, ms_addr start, ms_addr end)
{
	return start < end ? bytes_below(r, end) - bytes_below(r, start) : 0;
}

void ms_resident_deinit(struct ms_resident *r)
{
	free(r->items);
	*r = (struct ms_resident){ 0 };
}

// --- The job. ---

static int add(struct ms_resident *r, ms_addr start, ms_addr end)
{
	struct ms_error *err = ms_resident_add(r, start, end);

	ms_error_free(err);
	return err ? ENOMEM : 0;
}

/** Where the last mapping of the process's own ends: the kernel takes no address behind all. */
static ms_addr mappings_end(const struct ms_regions *regions)
{
	for (size_t i = regions->count; i > 0; i--) {
		if (regions->items[i - 1].end < MS_USER_END)
			return regions->items[i - 1].end;
	}
	return 0;
}

/** Whole address space by ranges; ENOTTY where the kernel does not know the call. */
static int scan_ranges(const struct ms_resident_job *job, struct ms_resident *r,
		       atomic_ullong *progress)
{
	struct scan_range *ranges = malloc(SCAN_RANGES * sizeof(*ranges));
	struct scan_arguments a = {
		.size = sizeof(a),
		.end = mappings_end(&job->regions),
		.vec = (uint64_t)(uintptr_t)ranges,
		.vec_len = SCAN_RANGES,
		.category_inverted = SCAN_ZERO_PAGE,
		.category_mask = SCAN_PRESENT | SCAN_ZERO_PAGE,
		.return_mask = SCAN_PRESENT,
	};
	int error = ranges ? 0 : ENOMEM;

	while (!error && a.start < a.end) {
		int n = ioctl(job->pagemap_fd, SCAN_IOCTL, &a);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			error = errno;
		for (int i = 0; i < n && !error; i++)
			error = add(r, ranges[i].start, ranges[i].end);
		if (!error && a.walk_end <= a.start)
			error = EIO; // It does not get on.
		a.start = a.walk_end;
		atomic_fetch_add(progress, 1);
	}
	free(ranges);
	return error;
}

/** The pages of one mapping from @p addr on, a bufferful; *ret_pages says how many. */
static int scan_words(const struct ms_resident_job *job, struct ms_resident *r, ms_addr addr,
		      size_t pages, uint64_t *words, size_t *ret_pages)
{
	ssize_t n = pread(job->pagemap_fd, words, pages * 8, (off_t)(addr / MS_PAGE_SIZE * 8));
	int error = 0;

	if (n < 0)
		return errno == EINTR ? 0 : errno;
	*ret_pages = (size_t)n / 8;
	for (size_t i = 0; i < *ret_pages && !error; i++) {
		if (ms_pagemap_state(words[i]) == MS_PAGE_PRESENT)
			error = add(r, addr + i * MS_PAGE_SIZE, addr + (i + 1) * MS_PAGE_SIZE);
	}
	return n ? error : EIO;
}

static int scan_pages(const struct ms_resident_job *job, struct ms_resident *r,
		      atomic_ullong *progress)
{
	uint64_t *words = malloc(WORDS_AT_ONCE * sizeof(*words));
	int error = words ? 0 : ENOMEM;

	for (size_t i = 0; i < job->regions.count && !error; i++) {
		const struct ms_region *region = &job->regions.items[i];
		ms_addr addr = region->start;

		while (region->prot && addr < region->end && addr < MS_USER_END && !error) {
			size_t pages = (size_t)((region->end - addr) / MS_PAGE_SIZE), done = 0;

			pages = ms_min_u64(pages, WORDS_AT_ONCE);
			error = scan_words(job, r, addr, pages, words, &done);
			addr += done * MS_PAGE_SIZE;
			atomic_fetch_add(progress, 1);
		}
	}
	free(words);
	return error;
}

static uint64_t rss_read(int statm_fd)
{
	char text[256];
	ssize_t n = statm_fd < 0 ? -1 : pread(statm_fd, text, sizeof(text) - 1, 0);
	uint64_t total, resident;

	if (n <= 0)
		return MS_UNKNOWN;
	text[n] = '\0';
	if (sscanf(text, "%" SCNu64 " %" SCNu64, &total, &resident) != 2)
		return MS_UNKNOWN;
	if (!resident)
		return MS_UNKNOWN; // The address space is gone.
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/** The count that looks at every page. */
static uint64_t rss_read_slow(int rollup_fd)
{
	char text[2048];
	ssize_t n = rollup_fd < 0 ? -1 : pread(rollup_fd, text, sizeof(text) - 1, 0);
	const char *line;
	uint64_t kilobytes;

	if (n <= 0)
		return MS_UNKNOWN;
	text[n] = '\0';
	line = strstr(text, "\nRss:");
	if (!line || sscanf(line, " Rss: %" SCNu64 " kB", &kilobytes) != 1 ||
	    kilobytes > MS_UNKNOWN / 2048)
		return MS_UNKNOWN;
	return kilobytes * 1024;
}

/** Whether two counts of one thing differ by much. */
static bool apart(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) > b / MOVED_SHARE;
}

static uint64_t rss_settle(const struct ms_resident_job *job, const struct ms_resident *r)
{
	uint64_t quick = rss_read(job->statm_fd), slow = MS_UNKNOWN;

	if (quick == MS_UNKNOWN || apart(quick, ms_resident_bytes(r, 0, UINT64_MAX)))
		slow = rss_read_slow(job->rollup_fd);
	return slow != MS_UNKNOWN ? slow : quick;
}

void ms_resident_job_run(void *context, atomic_ullong *progress)
{
	struct ms_resident_job *job = context;

	for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
		struct ms_resident r = { .known = true };
		uint64_t before = rss_read(job->statm_fd);
		int error = job->by_page ? ENOTTY : scan_ranges(job, &r, progress);

		if (error == ENOTTY || error == EINVAL) {
			r.count = 0;
			error = scan_pages(job, &r, progress);
		}
		r.rss_bytes = rss_settle(job, &r);
		ms_resident_deinit(&job->result);
		job->result = r;
		job->error = error;
		if (error || r.rss_bytes == MS_UNKNOWN || !apart(before, rss_read(job->statm_fd)))
			return;
	}
}

void ms_resident_job_free(struct ms_resident_job *job)
{
	if (!job)
		return;
	if (job->pagemap_fd >= 0)
		close(job->pagemap_fd);
	if (job->statm_fd >= 0)
		close(job->statm_fd);
	if (job->rollup_fd >= 0)
		close(job->rollup_fd);
	ms_regions_deinit(&job->regions);
	ms_resident_deinit(&job->result);
	free(job);
}
