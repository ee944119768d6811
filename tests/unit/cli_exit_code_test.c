// Goal: every error has an exit code of its table, and none looks like success.
// Method: walk the codes.
#include "base/cleanup.h"
#include "base/types.h"
#include "cli/exit_code.h"
#include "tests/support/test.h"

MS_TEST(exit_codes_are_those_of_the_man_page)
{
	static const struct {
		enum ms_error_code error;
		int exit;
	} cases[] = {
		{ MS_ERR_FAULT, 3 },      { MS_ERR_BAD_DATA, 3 }, { MS_ERR_UNSUPPORTED, 3 },
		{ MS_ERR_DENIED, 2 },     { MS_ERR_GONE, 4 },     { MS_ERR_LIMIT, 5 },
		{ MS_ERR_NO_MEMORY, 70 }, { MS_ERR_IO, 6 },       { MS_ERR_USAGE, 1 },
		{ MS_ERR_INTERNAL, 70 },
	};

	CHECK_EQ(ms_exit_code_of(NULL), 0);
	CHECK_EQ(MS_ARRAY_SIZE(cases), 10);
	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		MS_AUTO_ERROR struct ms_error *err = ms_error_new(cases[i].error, "x");

		CHECK_EQ(ms_exit_code_of(err), cases[i].exit);
	}
}
