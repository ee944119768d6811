// Goal: an error carries one sentence, each layer's context in front, and its first code.
// Method: make, wrap and free errors, the static one included.
#include "base/cleanup.h"
#include "base/error.h"
#include "tests/support/test.h"

#include <errno.h>

MS_TEST(error_carries_code_and_sentence)
{
	MS_AUTO_ERROR struct ms_error *err = ms_error_new(MS_ERR_BAD_DATA, "B=%u", 77u);

	CHECK_EQ(ms_error_code(err), MS_ERR_BAD_DATA);
	CHECK_STR(ms_error_message(err), "B=77");
}

MS_TEST(error_wrap_puts_contexts_in_front_and_keeps_the_code)
{
	MS_AUTO_ERROR struct ms_error *err = ms_error_new(MS_ERR_FAULT, "unmapped");

	err = ms_error_wrap(err, "map header at 0x%x", 0xc000u);
	err = ms_error_wrap(err, "census");
	CHECK_EQ(ms_error_code(err), MS_ERR_FAULT);
	CHECK_STR(ms_error_message(err), "census: map header at 0xc000: unmapped");
}

MS_TEST(error_errno_appends_the_systems_words)
{
	MS_AUTO_ERROR struct ms_error *err = ms_error_errno(MS_ERR_IO, ENOENT, "open %s", "x");

	CHECK_EQ(ms_error_code(err), MS_ERR_IO);
	CHECK_STR(ms_error_message(err), "open x: No such file or directory");
}

MS_TEST(error_is_unreadable_where_only_a_part_of_the_target_is_missing)
{
	for (enum ms_error_code code = MS_ERR_FAULT; code <= MS_ERR_INTERNAL; code++) {
		MS_AUTO_ERROR struct ms_error *err = ms_error_new(code, "x");

		CHECK_EQ(ms_error_is_unreadable(err), code <= MS_ERR_UNSUPPORTED);
	}
	CHECK(!ms_error_is_unreadable(NULL));
}

MS_TEST(error_no_memory_is_shared_and_unchanged_by_wrap_and_free)
{
	struct ms_error *err = ms_error_wrap(ms_error_no_memory(), "reading %s", "x");

	CHECK(err == ms_error_no_memory());
	ms_error_free(err);
	ms_error_free(NULL);
	CHECK_EQ(ms_error_code(ms_error_no_memory()), MS_ERR_NO_MEMORY);
	CHECK_STR(ms_error_message(ms_error_no_memory()), "out of memory");
}
