// wait_conds.h - which condition a goroutine waits for, where its sudog does not tell.
#pragma once

#include "goroutines/waits.h"

/**
 * Find the objects of those of @p items that wait for a condition, have none yet, and have a sudog
 * in @p sudogs, which stands beside them.  A program that does not describe sync.notifyList leaves
 * them without.  An error means that the target is lost or memory is short.
 */
MS_MUST_USE struct ms_error *ms_wait_conds_find(struct ms_waits *waits, struct ms_wait *items,
						const ms_addr *sudogs, size_t count);
