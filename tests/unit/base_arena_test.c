// Goal: arena memory is zeroed, aligned, never overlaps, and is counted.
// Method: many blocks of random sizes, each filled with its own byte and checked at the end.
#include "base/arena.h"
#include "base/types.h"
#include "tests/support/test.h"

enum { BLOCKS = 2000 };

MS_TEST(arena_blocks_are_zeroed_aligned_and_apart)
{
	struct ms_arena arena = { 0 };
	unsigned char *block[BLOCKS];
	size_t size[BLOCKS];
	size_t sum = 0;

	for (size_t i = 0; i < BLOCKS; i++) {
		size[i] = ms_test_random() % (i % 100 == 0 ? 200000 : 200);
		block[i] = ms_arena_alloc(&arena, size[i]);
		CHECK(block[i]);
		CHECK_EQ((uintptr_t)block[i] % 8, 0);
		for (size_t b = 0; b < size[i]; b++)
			CHECK_EQ(block[i][b], 0);
		memset(block[i], (int)(i % 255 + 1), size[i]);
		sum += size[i];
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		for (size_t b = 0; b < size[i]; b++)
			CHECK_EQ(block[i][b], i % 255 + 1);
	}
	CHECK(arena.bytes >= sum && arena.bytes <= sum + (size_t)8 * BLOCKS);
	ms_arena_deinit(&arena);
	CHECK(!arena.head);
}

MS_TEST(arena_strings_end_in_nul)
{
	struct ms_arena arena = { 0 };

	CHECK_STR(ms_arena_strndup(&arena, "map[string]int", 3), "map");
	CHECK_STR(ms_arena_strndup(&arena, "", 0), "");
	CHECK_STR(ms_arena_printf(&arena, "%s[%d]", "x", 7), "x[7]");
	ms_arena_deinit(&arena);
}

MS_TEST(arena_refuses_what_cannot_be)
{
	struct ms_arena arena = { 0 };

	CHECK(!ms_arena_alloc(&arena, SIZE_MAX));
	CHECK(!ms_arena_alloc(&arena, SIZE_MAX / 2 + 1));
	CHECK_EQ(arena.bytes, 0);
	ms_arena_deinit(&arena);
}
