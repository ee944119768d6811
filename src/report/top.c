// top.c - names.
#include "report/top.h"

const char *ms_top_sort_name(enum ms_top_sort sort)
{
	static const char *const names[] = {
		[MS_TOP_GROWTH] = "growth",   [MS_TOP_BYTES] = "bytes",
		[MS_TOP_SLACK] = "slack",     [MS_TOP_WAITING] = "waiting",
		[MS_TOP_ENTRIES] = "entries",
	};

	return names[sort];
}
