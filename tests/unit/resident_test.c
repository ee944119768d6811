// Goal: the pages that are in memory, as ranges, by both ways to ask the kernel.
// Method: ranges by hand; then mappings of this process of which every other page was touched.
#include "target/resident.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "target/process.h"
#include "tests/support/fake_target.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 64 };

MS_TEST(resident_ranges_join_and_add_up)
{
	struct ms_resident r = { 0 };

	CHECK_OK(ms_resident_add(&r, 0x1000, 0x3000));
	CHECK_OK(ms_resident_add(&r, 0x3000, 0x4000)); // Touches the one before.
	CHECK_OK(ms_resident_add(&r, 0x8000, 0x9000));
	CHECK_OK(ms_resident_add(&r, 0x2000, 0x5000)); // Out of order: left out.
	CHECK_OK(ms_resident_add(&r, 0xa000, 0xa000)); // Empty.
	CHECK_EQ(r.count, 2);
	CHECK_EQ(ms_resident_bytes(&r, 0, UINT64_MAX), 0x4000);
	CHECK_EQ(ms_resident_bytes(&r, 0x2000, 0x8800), 0x2800);
	CHECK_EQ(ms_resident_bytes(&r, 0x4000, 0x8000), 0);
	CHECK_EQ(ms_resident_bytes(&r, 0x8100, 0x8200), 0x100);
	CHECK_EQ(ms_resident_bytes(&r, 0x9000, 0x1000), 0);
	ms_resident_deinit(&r);
	CHECK_EQ(ms_resident_bytes(&r, 0, UINT64_MAX), 0);
}

MS_TEST(resident_is_unknown_where_a_target_cannot_tell)
{
	struct fake_target fake;
	struct ms_resident r = { .known = true };

	fake_target_init(&fake);
	CHECK_OK(ms_target_resident(&fake.target, &r));
	CHECK(!r.known);
	CHECK_EQ(r.rss_bytes, MS_UNKNOWN);
	ms_resident_deinit(&r);
	fake_target_deinit(&fake);
}

/** Every other page written, the rest never touched; with holes of no mapping around. */
static uint8_t *make_pages(void)
{
	uint8_t *p = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK(mprotect(p + PAGE, PAGES * PAGE, PROT_READ | PROT_WRITE) == 0);
	madvise(p + PAGE, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < PAGES; i += 2)
		p[PAGE + i * PAGE] = 1;
	return p + PAGE;
}

static void check_pages(const struct ms_resident *r, const uint8_t *pages)
{
	ms_addr at = (ms_addr)(uintptr_t)pages;

	CHECK(r->known);
	CHECK_EQ(ms_resident_bytes(r, at, at + PAGES * PAGE), PAGES / 2 * PAGE);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(ms_resident_bytes(r, at + i * PAGE, at + (i + 1) * PAGE),
			 i % 2 ? 0 : PAGE);
}

MS_TEST(resident_pages_of_a_process)
{
	uint8_t *pages = make_pages();
	struct ms_target *t;
	struct ms_resident r;
	uint64_t sum;

	CHECK_OK(ms_process_open(getpid(), NULL, &t));
	CHECK_OK(ms_target_resident(t, &r));
	check_pages(&r, pages);
	sum = ms_resident_bytes(&r, 0, UINT64_MAX);
	CHECK(r.rss_bytes != MS_UNKNOWN);
	CHECK(sum > r.rss_bytes / 2 && sum < r.rss_bytes * 2); // It is running while it looks.
	ms_resident_deinit(&r);
	ms_target_destroy(t);
}

static void run_job(struct ms_resident_job *job)
{
	atomic_ullong progress = 0;

	ms_resident_job_run(job, &progress);
	CHECK(progress > 0);
}

MS_TEST(resident_by_ranges_and_by_page_agree)
{
	uint8_t *pages = make_pages();
	ms_addr at = (ms_addr)(uintptr_t)pages;

	for (int by_page = 0; by_page < 2; by_page++) {
		struct ms_resident_job *job = calloc(1, sizeof(*job));
		struct ms_region region = { .start = at,
					    .end = at + PAGES * PAGE,
					    .prot = MS_PROT_READ };
		struct ms_region none = { .start = at + 2 * PAGES * PAGE,
					  .end = at + ((ms_addr)1 << 40) };

		CHECK(job != NULL);
		job->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
		job->statm_fd = job->rollup_fd = -1;
		job->by_page = by_page;
		CHECK(ms_vec_push(&job->regions, region));
		if (by_page) // A reservation of a terabyte: not asked for.
			CHECK(ms_vec_push(&job->regions, none));
		run_job(job);
		CHECK_EQ(job->error, 0);
		CHECK_EQ(job->result.rss_bytes, MS_UNKNOWN);
		check_pages(&job->result, pages);
		ms_resident_job_free(job);
	}
}

MS_TEST(resident_says_why_it_failed)
{
	struct ms_resident_job *job = calloc(1, sizeof(*job));
	atomic_ullong progress = 0;
	struct ms_region region = { .start = 0x1000, .end = 0x2000, .prot = MS_PROT_READ };

	CHECK(job != NULL);
	job->pagemap_fd = job->statm_fd = job->rollup_fd = -1;
	CHECK(ms_vec_push(&job->regions, region));
	ms_resident_job_run(job, &progress);
	CHECK(job->error != 0);
	ms_resident_job_free(job);
	ms_resident_job_free(NULL);
}

static int file_of(const char *text)
{
	int fd = memfd_create("proc", MFD_CLOEXEC);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

/** What comes out as RSS when the kernel's files say so; this test's pages are 128 KiB. */
static uint64_t rss_of(const char *statm, const char *rollup)
{
	uint8_t *pages = make_pages();
	ms_addr at = (ms_addr)(uintptr_t)pages;
	struct ms_region region = { .start = at, .end = at + PAGES * PAGE, .prot = MS_PROT_READ };
	struct ms_resident_job *job = calloc(1, sizeof(*job));
	uint64_t rss;

	CHECK(job != NULL);
	job->pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	job->statm_fd = file_of(statm);
	job->rollup_fd = file_of(rollup);
	job->by_page = true;
	CHECK(ms_vec_push(&job->regions, region));
	run_job(job);
	CHECK_EQ(job->error, 0);
	rss = job->result.rss_bytes;
	ms_resident_job_free(job);
	return rss;
}

MS_TEST(resident_the_slow_count_settles_a_doubt)
{
	static const char rollup[] = "0-1 ---p 0 0:0 0 [rollup]\nRss:     132 kB\nPss: 9 kB\n";

	CHECK_EQ(rss_of("900 32 0 0 0 0 0\n", rollup), 32 * PAGE); // Fits: no doubt.
	CHECK_EQ(rss_of("900 40 0 0 0 0 0\n", rollup), 132 << 10);
	CHECK_EQ(rss_of("900 40 0 0 0 0 0\n", "Rss: 7 kB\n"), 40 * PAGE); // Not as it should be.
	CHECK_EQ(rss_of("", rollup), 132 << 10);
	CHECK_EQ(rss_of("", ""), MS_UNKNOWN);
	CHECK_EQ(rss_of("words\n", "0-1\nRss: 99999999999999999999 kB\n"), MS_UNKNOWN);
}
