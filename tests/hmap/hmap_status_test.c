// Goal: statuses keep their numbers, and each says what it means.
#include "tests/support/test.h"

#include <hmap/hmap.h>
#include <hmap/hmap_hash.h>

MS_TEST(hmap_statuses_are_pinned)
{
	CHECK_EQ(HMAP_OK, 0);
	CHECK_EQ(HMAP_NOT_FOUND, 1);
	CHECK_EQ(HMAP_NO_MEMORY, 2);
	CHECK_EQ(HMAP_NULL_MAP, 3);
	CHECK_EQ(HMAP_BAD_ARGUMENT, 4);
	CHECK_EQ(HMAP_TOO_LARGE, 5);
	CHECK_EQ(HMAP_MISUSE, 6);
	CHECK_EQ(HMAP_FROZEN, 7);
	CHECK_EQ(HMAP_NOT_SUPPORTED, 8);
	CHECK_EQ(HMAP_BROKEN, 9);
	CHECK_EQ(HMAP_BUSY, 10);
}

MS_TEST(hmap_statuses_all_have_a_text)
{
	for (int i = HMAP_OK; i <= HMAP_BUSY; i++)
		CHECK(!strstr(hmap_status_text((enum hmap_status)i), "does not know"));
	CHECK(strstr(hmap_status_text((enum hmap_status)99), "does not know"));
	CHECK_STR(hmap_version(), "0.1.0");
}
