// doctor.h - the result of `mapscope doctor`: what will and will not work on a target.
#pragma once

#include "report/common.h"

enum ms_check_state {
	MS_CHECK_OK,
	MS_CHECK_LIMITED, // Works with a restriction; the text says which.
	MS_CHECK_NO,      // Does not work; fix says what to change.
};

struct ms_check {
	const char *name; // "memory", "go version", "layout", "spans", ...
	enum ms_check_state state;
	const char *text; // What was found.
	const char *fix;  // The command to type or thing to change, or NULL.
};

struct ms_doctor_report {
	struct ms_report_target target;
	struct ms_report_cost cost;
	struct ms_check *checks;
	size_t check_count;
	const char *verdict; // One sentence.
	const char *change;  // The one thing to change, or NULL.
	struct ms_arena arena;
};

const char *ms_check_state_name(enum ms_check_state state); // "ok", "limited", "no"

void ms_doctor_report_deinit(struct ms_doctor_report *report);
