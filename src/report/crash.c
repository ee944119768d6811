// crash.c - the runtime's own words.
#include "report/crash.h"

const char *ms_crash_error_text(enum ms_crash_error error)
{
	switch (error) {
	case MS_CRASH_WRITES:
		return "concurrent map writes";
	case MS_CRASH_READ_AND_WRITE:
		return "concurrent map read and map write";
	case MS_CRASH_ITERATION_AND_WRITE:
		return "concurrent map iteration and map write";
	case MS_CRASH_NONE:
	case MS_CRASH_OTHER:
		break;
	}
	return NULL;
}

const char *ms_crash_map_source_name(enum ms_crash_map_source source)
{
	static const char *const names[] = {
		[MS_CRASH_MAP_UNKNOWN] = NULL,    [MS_CRASH_MAP_ARGUMENT] = "argument",
		[MS_CRASH_MAP_CALLER] = "caller", [MS_CRASH_MAP_WORDS] = "words",
		[MS_CRASH_MAP_TYPE] = "type",
	};

	return names[source];
}

const char *ms_crash_end_name(enum ms_crash_end end)
{
	static const char *const names[] = {
		[MS_ENDED_UNKNOWN] = NULL,
		[MS_ENDED_FATAL] = "fatal error",
		[MS_ENDED_PANIC] = "panic",
	};

	return names[end];
}
