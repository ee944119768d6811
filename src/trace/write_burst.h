// write_burst.h - for some moments, each write of one map as it begins: who is in it together?
//
// Probes on the runtime's functions for writing maps with such keys: while they are there, each
// such write of the program takes a microsecond or more in place of some nanoseconds.  So this is
// asked for by name, and short.  Placing and removing a probe takes the kernel tens of
// milliseconds, which come on top.
#pragma once

#include "goroutines/goroutines_run.h"

#define MS_WRITE_BURST_S 0.05
enum { MS_WRITE_BURST_HITS = 2000 };

struct ms_write_burst;

/** Load the program.  DENIED or UNSUPPORTED with the reason, and what to type. */
MS_MUST_USE struct ms_error *ms_write_burst_open(struct ms_go_runtime *rt,
						 struct ms_write_burst **ret_burst);

/**
 * Watch the map that @p report is most suspicious of, or that is written most, for
 * MS_WRITE_BURST_S or MS_WRITE_BURST_HITS writes, and add what clue there is.  Says in
 * report->burst what was seen.  Only the clock of @p options is used.
 */
MS_MUST_USE struct ms_error *ms_write_burst_take(struct ms_write_burst *burst,
						 const struct ms_goroutines_options *options,
						 struct ms_goroutines_report *report);

/** No probe is left behind.  Accepts NULL. */
void ms_write_burst_close(struct ms_write_burst *burst);
