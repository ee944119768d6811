// wait_reasons.h - what the numbers in a goroutine's waitreason mean, in the target's own words.
#pragma once

#include "base/arena.h"
#include "golang/runtime.h"

enum { MS_WAIT_REASONS_MAX = 128 };

struct ms_go_wait_reasons {
	ms_addr address; // Of runtime.waitReasonStrings.
	const char *names[MS_WAIT_REASONS_MAX];
	size_t count;
};

/**
 * Read runtime.waitReasonStrings; its names are copied to @p arena.  BAD_DATA when no place, or
 * more than one, holds it.
 */
MS_MUST_USE struct ms_error *ms_go_wait_reasons_find(struct ms_go_runtime *rt,
						     struct ms_arena *arena,
						     struct ms_go_wait_reasons *ret_reasons);
