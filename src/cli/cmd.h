// cmd.h - the verbs.  Each runs from the options to the last file and returns an exit code.
#pragma once

#include "cli/exit_code.h"
#include "cli/options.h"

/** @p started is when the command began.  @p ret_exit is set when no error is returned. */
MS_MUST_USE struct ms_error *ms_cmd_diagnose(const struct ms_options *options, double started,
					     enum ms_exit_code *ret_exit);
/** The page of a core file: options->core. */
MS_MUST_USE struct ms_error *ms_cmd_core(const struct ms_options *options, double started,
					 enum ms_exit_code *ret_exit);
MS_MUST_USE struct ms_error *ms_cmd_maps(const struct ms_options *options, double started,
					 enum ms_exit_code *ret_exit);
MS_MUST_USE struct ms_error *ms_cmd_inspect(const struct ms_options *options, double started,
					    enum ms_exit_code *ret_exit);
MS_MUST_USE struct ms_error *ms_cmd_heap(const struct ms_options *options, double started,
					 enum ms_exit_code *ret_exit);
MS_MUST_USE struct ms_error *ms_cmd_trace(const struct ms_options *options, double started,
					  enum ms_exit_code *ret_exit);
MS_MUST_USE struct ms_error *ms_cmd_doctor(const struct ms_options *options, double started,
					   enum ms_exit_code *ret_exit);
MS_MUST_USE struct ms_error *ms_cmd_diff(const struct ms_options *options, double started,
					 enum ms_exit_code *ret_exit);
MS_MUST_USE struct ms_error *ms_cmd_watch(const struct ms_options *options, double started,
					  enum ms_exit_code *ret_exit);
MS_MUST_USE struct ms_error *ms_cmd_top(const struct ms_options *options, double started,
					enum ms_exit_code *ret_exit);
MS_MUST_USE struct ms_error *ms_cmd_goroutines(const struct ms_options *options, double started,
					       enum ms_exit_code *ret_exit);
MS_MUST_USE struct ms_error *ms_cmd_run(const struct ms_options *options, double started,
					enum ms_exit_code *ret_exit);
