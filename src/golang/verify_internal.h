// verify_internal.h - what the parts of verification share.
#pragma once

#include "golang/types.h"
#include "golang/verify.h"

/** What of @p seen things must hold: a process moves while it is looked at. */
bool ms_verify_enough(uint64_t good, uint64_t seen);

/** "layout check failed: WHAT: expected of SEEN looked at, found of GOOD". */
MS_MUST_USE struct ms_error *ms_verify_refusal(const char *what, uint64_t good, uint64_t seen);

/** The spans' part of ms_go_verify_process: verify_spans.c. */
MS_MUST_USE struct ms_error *ms_go_verify_spans(struct ms_go_runtime *rt);

/** The part about type descriptors that nothing describes: verify_types.c. */
MS_MUST_USE struct ms_error *ms_go_verify_types(const struct ms_types *types,
						const struct ms_go_layout *layout);
