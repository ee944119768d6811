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

MS_TEST(filter_refuses_what_would_take_all_memory)
{
	static const char *const bombs[] = {
		"l++++++++++++++++++++++++++++++++++++++++++++++++++",
		"((((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+",
		"(a{255}){255}{255}",
		"x(a{255}b){255}{9,}|c",
		"((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a",
	};
	static const char *const harmless[] = {
		"main\\.(a|b)+ [(]x[)]{2} [^]+]+\\+\\++",
		"a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q+r+s+t+u+v+w",
		"((a+)+)+",
		"a{1000}",
		"[a+++++++++++++++++++++++++++]",
	};
	struct ms_row_filter filter;

	for (size_t i = 0; i < MS_ARRAY_SIZE(bombs); i++)
		CHECK_ERR(ms_row_filter_init(&filter, bombs[i], NULL), MS_ERR_USAGE);
	for (size_t i = 0; i < MS_ARRAY_SIZE(harmless); i++) {
		CHECK_OK(ms_row_filter_init(&filter, harmless[i], NULL));
		ms_row_filter_deinit(&filter);
	}
}
