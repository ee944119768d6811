// main.c - mapscope: the order of a run, and the one place where it ends.
#include "cli/cmd.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/privileges.h"

#include <stdio.h>

static struct ms_error *print_help(const struct ms_options *options)
{
	struct ms_sink sink;
	struct ms_error *err;

	ms_sink_init_file(&sink, stdout);
	if (options->verb == MS_VERB_VERSION)
		ms_sink_puts(&sink, "mapscope " MS_VERSION "\n");
	else
		ms_options_help(options->topic, &sink);
	err = ms_output_forgive_closed(ms_sink_finish(&sink), &sink);
	ms_sink_deinit(&sink);
	return err;
}

static struct ms_error *run(const struct ms_options *options, double started,
			    enum ms_exit_code *ret_exit)
{
	struct ms_error *err;

	if (options->verb == MS_VERB_HELP || options->verb == MS_VERB_VERSION)
		return print_help(options);
	ms_privileges_shrink(options);
	err = ms_output_check(options);
	if (err)
		return err;
	switch (options->verb) {
	case MS_VERB_DIAGNOSE:
		return options->core ? ms_cmd_core(options, started, ret_exit)
				     : ms_cmd_diagnose(options, started, ret_exit);
	case MS_VERB_INSPECT:
		return ms_cmd_inspect(options, started, ret_exit);
	case MS_VERB_HEAP:
		return ms_cmd_heap(options, started, ret_exit);
	case MS_VERB_GOROUTINES:
		return ms_cmd_goroutines(options, started, ret_exit);
	case MS_VERB_TRACE:
		return ms_cmd_trace(options, started, ret_exit);
	case MS_VERB_DIFF:
		return ms_cmd_diff(options, started, ret_exit);
	case MS_VERB_WATCH:
		return ms_cmd_watch(options, started, ret_exit);
	case MS_VERB_TOP:
		return ms_cmd_top(options, started, ret_exit);
	case MS_VERB_RUN:
		return ms_cmd_run(options, started, ret_exit);
	case MS_VERB_DOCTOR:
		return ms_cmd_doctor(options, started, ret_exit);
	default:
		return ms_cmd_maps(options, started, ret_exit);
	}
}

static void print_error(const struct ms_error *err)
{
	ms_output_say(ms_error_message(err));
}

int main(int argc, char **argv)
{
	double started = ms_clock_now();
	enum ms_exit_code code = MS_EXIT_DONE;
	struct ms_options options;
	struct ms_error *err;

	ms_interrupt_catch();
	err = ms_options_parse(argc, argv, &options);
	if (!err)
		err = run(&options, started, &code);
	if (err) {
		print_error(err);
		code = ms_exit_code_of(err);
		ms_error_free(err);
	}
	return (int)code;
}
