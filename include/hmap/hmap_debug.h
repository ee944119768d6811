/*
 * hmap_debug.h - what HMAP_DEBUG asks for, asked for by the program itself.
 *
 * Tracing, statistics and endpoints live in a library of their own, libhmap-debug.so.0, which is
 * loaded when the environment variable HMAP_DEBUG is set as the first map is made, or by
 *hmap_debug. Words, separated by commas:
 *
 *	maptrace=1            a line for each event of each map; 2: no migrations of buckets; 3:
 *only where tables grow, shrink and are tidied up file=PATH             lines go there, appended,
 *and not to stderr shrinktrigger=1       maps without a shrink policy get HMAP_SHRINKTRIGGER_LOAD
 *	                      (gcshrinktrigger=1 is the same)
 *	stats=SECONDS         the sums over all maps as a line each so many seconds; stats=exit:
 *once audit=1               looks at 1,000 accesses a second; audit=N: at N http=PORT serves
 * /debug/mapstats, /metrics, /debug/pprof/maps and growth, /debug/audit and /debug/maptrace on
 *127.0.0.1; also http=127.0.0.1:PORT, http=[::1]:PORT, http=unix:/path
 */
#ifndef HMAP_HMAP_DEBUG_H
#define HMAP_HMAP_DEBUG_H

#include <hmap/hmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Begins what `words` say, for maps that are made from now on; once in a process.  What is wrong
 * with them is named on stderr.  HMAP_BAD_ARGUMENT: a word is unknown, and the others are heeded;
 * HMAP_NOT_SUPPORTED: there is no libhmap-debug.so.0, or it was begun before.
 */
HMAP_API enum hmap_status hmap_debug(const char *words);

#ifdef __cplusplus
}
#endif

#endif
