// Goal: headers are read together where they lie together, and each says what it says by itself.
//
// Method: Swiss headers on the fake target, with gaps, a page that is not there, in any order.
#include "census/poll.h"
#include "tests/support/fake_target.h"
#include "tests/support/test.h"

#include <stdlib.h>

#define FIRST ((ms_addr)0xc000010000)

enum { COUNT = 120, STEP = 48, PAGE = 4096 };

struct heap {
	struct fake_target fake;
	struct ms_go_runtime rt;
	uint8_t bytes[2][PAGE];
};

static void header_put(struct heap *h, ms_addr address, uint64_t entries)
{
	const struct ms_go_layout *l = h->rt.layout;
	const uint64_t directory = 0xc000200000, len = 64;
	uint8_t header[STEP] = { 0 };

	memcpy(header + l->map_used, &entries, sizeof(entries));
	memcpy(header + l->map_dir_ptr, &directory, sizeof(directory));
	memcpy(header + l->map_dir_len, &len, sizeof(len));
	memset(header + l->map_seed, 0x5a, 8);
	header[l->map_global_depth] = 6;
	header[l->map_global_shift] = 58;
	memcpy(&h->bytes[0][0] + (address - FIRST), header, l->map_size);
}

static struct heap heap;

static void heap_init(bool is_whole)
{
	memset(&heap, 0, sizeof(heap));
	heap.rt.layout = ms_go_layout_find(MS_GO_PATCH(1, 24, 13), MS_ARCH_AMD64, MS_GO_EXP_SWISS);
	heap.rt.target = &heap.fake.target;
	CHECK(heap.rt.layout->map_size <= STEP);
	fake_target_init(&heap.fake);
	for (size_t i = 0; i < COUNT; i++)
		header_put(&heap, FIRST + i * STEP, i);
	fake_target_map(&heap.fake, FIRST, heap.bytes[0], PAGE, MS_REGION_ANON, MS_PROT_READ);
	if (is_whole)
		fake_target_map(&heap.fake, FIRST + PAGE, heap.bytes[1], PAGE, MS_REGION_ANON,
				MS_PROT_READ);
}

static void check_polls(struct ms_poll *polls, size_t count, ms_addr end)
{
	uint64_t before = heap.fake.reads;

	CHECK_OK(ms_poll_maps(&heap.rt, polls, count));
	CHECK(heap.fake.reads > before);
	for (size_t i = 0; i < count; i++) {
		CHECK_EQ(polls[i].valid, polls[i].address + heap.rt.layout->map_size <= end);
		if (polls[i].valid)
			CHECK_EQ(polls[i].entries, (polls[i].address - FIRST) / STEP);
	}
}

MS_TEST(poll_reads_neighbours_together)
{
	struct ms_poll polls[COUNT] = { 0 };

	heap_init(true);
	for (size_t i = 0; i < COUNT; i++)
		polls[i].address = FIRST + i * STEP;
	check_polls(polls, COUNT, UINT64_MAX);
	CHECK(heap.fake.reads <= 3); // 5,760 bytes in runs of at most 4,096.
	fake_target_deinit(&heap.fake);
}

MS_TEST(poll_in_any_order)
{
	struct ms_poll polls[COUNT] = { 0 };

	heap_init(true);
	for (size_t i = 0; i < COUNT; i++)
		polls[i].address = FIRST + ms_test_random() % COUNT * STEP;
	check_polls(polls, COUNT, UINT64_MAX);
	fake_target_deinit(&heap.fake);
}

MS_TEST(poll_of_a_run_without_its_last_page)
{
	struct ms_poll polls[COUNT] = { 0 };

	heap_init(false);
	for (size_t i = 0; i < COUNT; i++)
		polls[i].address = FIRST + i * STEP;
	check_polls(polls, COUNT, FIRST + PAGE);
	fake_target_deinit(&heap.fake);
}
