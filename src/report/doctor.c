// doctor.c - check states by name and what a doctor's report owns.
#include "report/doctor.h"

#include <stdlib.h>

const char *ms_check_state_name(enum ms_check_state state)
{
	switch (state) {
	case MS_CHECK_OK:
		return "ok";
	case MS_CHECK_LIMITED:
		return "limited";
	case MS_CHECK_NO:
		break;
	}
	return "no";
}

void ms_doctor_report_deinit(struct ms_doctor_report *report)
{
	free(report->checks);
	ms_arena_deinit(&report->arena);
	*report = (struct ms_doctor_report){ 0 };
}
