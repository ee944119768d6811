// quantity.h - times and sizes as they are typed: 30s, 5m, 2h; 64MB, 1GiB.
#pragma once

#include "base/types.h"

/** No time that is typed is longer: a month. */
#define MS_DURATION_S_MAX (31.0 * 24 * 3600)

/** A number and a unit of s, m, h or d; 0 needs none.  False when it is something else. */
bool ms_duration_parse(const char *text, double *ret_seconds);

/** A number and a unit, as in --fail-if; false when it is something else. */
bool ms_bytes_parse(const char *text, uint64_t *ret_bytes);
