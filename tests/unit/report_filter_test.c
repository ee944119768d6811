// Goal: a filter lets through what its regular expressions match, and nothing else.
// Method: rows with and without owner and type, patterns good and bad; texts that change in place.
#include "report/filter.h"
#include "tests/support/test.h"

MS_TEST(filter_without_patterns_lets_everything_through)
{
	struct ms_row_filter filter;

	CHECK(ms_row_filter_passes(NULL, NULL, "map[int]int"));
	CHECK(!ms_row_filter_is_set(NULL));
	CHECK_OK(ms_row_filter_init(&filter, NULL, NULL));
	CHECK(ms_row_filter_passes(&filter, NULL, NULL));
	CHECK(ms_row_filter_passes(&filter, "main.a", "map[int]int"));
	CHECK(!ms_row_filter_is_set(&filter));
	ms_row_filter_deinit(&filter);
	ms_row_filter_deinit(NULL);
}

MS_TEST(filter_takes_both_patterns)
{
	struct ms_row_filter filter;

	CHECK_OK(ms_row_filter_init(&filter, "^main\\.(a|b)$", "int"));
	CHECK(ms_row_filter_is_set(&filter));
	for (unsigned round = 0; round < 2; round++) { // The second from what is remembered.
		CHECK(ms_row_filter_passes(&filter, "main.a", "map[int]int"));
		CHECK(!ms_row_filter_passes(&filter, "main.ab", "map[int]int"));
		CHECK(!ms_row_filter_passes(&filter, "main.a", "map[string]bool"));
		CHECK(!ms_row_filter_passes(&filter, NULL, "map[int]int"));
		CHECK(!ms_row_filter_passes(&filter, "main.b", NULL));
	}
	ms_row_filter_deinit(&filter);
}

MS_TEST(filter_says_what_is_wrong)
{
	struct ms_row_filter filter;
	struct ms_error *err = ms_row_filter_init(&filter, "main", "map[string");

	CHECK(err != NULL);
	CHECK_EQ(ms_error_code(err), MS_ERR_USAGE);
	CHECK(strstr(ms_error_message(err), "--type map[string is no regular expression") != NULL);
	ms_error_free(err);
	CHECK(!ms_row_filter_is_set(&filter)); // Nothing is left to free.
}
