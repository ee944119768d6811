// human.h - numbers as people read them.
//
// Each function fills a buffer of its caller and returns its text.  What is unknown is "?".
#pragma once

#include "base/types.h"

struct ms_human {
	char text[48];
};

/** 1,234,567 */
const char *ms_human_count(struct ms_human *h, uint64_t count);

/** 512 B, 9.5 kB, 310 MB, 1.9 GB: decimal units, one digit behind the point below 10. */
const char *ms_human_bytes(struct ms_human *h, uint64_t bytes);

/** The same for a difference: +96 MB, -1.2 kB. */
const char *ms_human_bytes_change(struct ms_human *h, double bytes);

/** 18,240 or, below 10, 0.5; with a minus sign where it is negative. */
const char *ms_human_rate(struct ms_human *h, double per_unit);

/** A difference in seven characters: +1234, -0.5, +250k. */
const char *ms_human_change(struct ms_human *h, double change);

/** 0.04 s, 0.4 s, 12 s */
const char *ms_human_seconds(struct ms_human *h, double seconds);

/** As ms_human_seconds, with larger units for what lies far ahead: 4 min, 3 h, 2 days. */
const char *ms_human_ahead(struct ms_human *h, double seconds);

/** A short while in the unit that fits it: 35 us, 0.3 ms, 3.1 ms, 310 ms, 1.2 s. */
const char *ms_human_pause(struct ms_human *h, double seconds);

/** 82 % */
const char *ms_human_percent(struct ms_human *h, double share);
