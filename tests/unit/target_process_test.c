// Goal: what a live process lends is what it holds, however the reads are cut into transfers.
// Method: this process reads itself: memory with pages that were never touched, in reads that
// together are longer than one transfer, and some that cannot be read.
#include "target/process.h"
#include "target/residency.h"

#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 1024, READS = 600 };

static uint8_t expected_byte(size_t at)
{
	return at / PAGE % 3 == 1 ? 0 : (uint8_t)(at * 7 + at / PAGE);
}

/** Two of three pages written, the third never touched. */
static uint8_t *memory_make(void)
{
	uint8_t *memory =
	    mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	CHECK_EQ(madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE), 0);
	for (size_t at = 0; at < PAGES * PAGE; at++) {
		if (at / PAGE % 3 != 1)
			memory[at] = expected_byte(at);
	}
	return memory;
}

static void check_lent(struct ms_target *t, const uint8_t *memory, size_t size_max)
{
	static struct ms_read reads[READS];
	uint8_t *scratch = malloc(READS * size_max);
	size_t at[READS];

	for (size_t i = 0; i < READS; i++) {
		uint32_t size = 1 + (uint32_t)(ms_test_random() % size_max);
		bool bad = i % 50 == 7;

		at[i] = ms_test_random() % (PAGES * PAGE - size);
		reads[i] = (struct ms_read){ bad ? 16 : (ms_addr)(uintptr_t)memory + at[i],
					     scratch + i * size_max, size, 77 };
	}
	CHECK_OK(ms_target_read_lent(t, reads, READS));
	for (size_t i = 0; i < READS; i++) {
		const uint8_t *bytes = reads[i].buf;

		CHECK_EQ(reads[i].status, i % 50 == 7 ? MS_READ_FAULT : MS_READ_OK);
		for (size_t k = 0; reads[i].status == MS_READ_OK && k < reads[i].size; k++)
			CHECK_EQ(bytes[k], expected_byte(at[i] + k));
	}
	free(scratch);
}

MS_TEST(process_lends_what_it_read)
{
	struct ms_target *t = NULL;
	uint8_t *memory = memory_make();
	unsigned char resident[PAGES];

	CHECK_OK(ms_process_open(getpid(), NULL, &t));
	check_lent(t, memory, 64);       // One transfer.
	check_lent(t, memory, 2 * PAGE); // Several.
	CHECK_EQ(mincore(memory, PAGES * PAGE, resident), 0);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(resident[i] & 1, i % 3 != 1); // Nothing was pulled in.
	CHECK(t->cost.absent_pages > 0);
	ms_target_destroy(t);
	munmap(memory, PAGES * PAGE);
}

// The kernel's own search, where there is one, says the same as the file.
MS_TEST(pagemap_scan_agrees_with_the_file)
{
	static uint64_t listed[PAGES], words[PAGES];
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint8_t *memory = memory_make();
	ms_addr start = (ms_addr)(uintptr_t)memory;

	CHECK(fd >= 0);
	CHECK_EQ(pread(fd, words, sizeof(words), (off_t)(start / PAGE * 8)), sizeof(words));
	if (ms_pagemap_scan(fd, start, listed, PAGES)) {
		for (size_t i = 0; i < PAGES; i++) {
			CHECK_EQ(ms_pagemap_state(listed[i]), ms_pagemap_state(words[i]));
			CHECK_EQ(ms_pagemap_state(words[i]),
				 i % 3 == 1 ? MS_PAGE_ABSENT : MS_PAGE_PRESENT);
		}
	}
	CHECK(!ms_pagemap_scan(-1, start, listed, PAGES));
	close(fd);
	munmap(memory, PAGES * PAGE);
}
