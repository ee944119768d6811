// fail_ifs.c - one condition after the other: all that hold are said, and the exit code is one.
#include "cli/fail_ifs.h"

#include "cli/output.h"

#include <inttypes.h>
#include <stdlib.h>

static void say_unknown(const char *text, uint64_t count)
{
	char line[256];

	snprintf(line, sizeof(line), "--fail-if %s: of %" PRIu64 " the value is not known", text,
		 count);
	ms_output_say(line);
}

struct ms_error *ms_fail_ifs_check(const struct ms_options *options,
				   const struct ms_owner_row *owners, size_t count,
				   const struct ms_diagnosis_report *diagnosis,
				   enum ms_exit_code *ret_exit)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < options->fail_if_count && !err; i++) {
		struct ms_fail_if rule = { 0 };
		struct ms_fail_result result = { 0 };

		err = ms_fail_if_parse(options->fail_ifs[i], &rule);
		if (!err)
			err = ms_fail_if_check(&rule, owners, count, diagnosis, &result);
		if (!err && result.hit) {
			ms_output_say(result.sentence);
			*ret_exit = MS_EXIT_BUDGET;
		}
		if (!err && result.unknown)
			say_unknown(options->fail_ifs[i], result.unknown);
		free(result.sentence);
		ms_fail_if_deinit(&rule);
	}
	return err;
}

struct ms_error *ms_fail_ifs_are_of_census(const struct ms_options *options)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < options->fail_if_count && !err; i++) {
		struct ms_fail_if rule = { 0 };

		err = ms_fail_if_parse(options->fail_ifs[i], &rule);
		if (!err && !ms_fail_if_is_of_census(&rule))
			err =
			    ms_error_new(MS_ERR_USAGE,
					 "--fail-if %s takes a window: type mapscope PID in place "
					 "of mapscope %s PID",
					 options->fail_ifs[i], ms_verb_name(options->verb));
		ms_fail_if_deinit(&rule);
	}
	return err;
}
