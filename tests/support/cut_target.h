// cut_target.h - a target that has lost its memory from an address on, as a core that was cut off.
#pragma once

#include "target/target.h"

/** Wrap @p inner, which becomes the result's; the caller destroys the result. */
struct ms_target *cut_target_create(struct ms_target *inner, ms_addr end);

enum { CUT_PATCH_MAX = 64 };

/** From now on the @p size bytes at @p addr read as @p bytes: one patch a target. */
void cut_target_patch(struct ms_target *t, ms_addr addr, const void *bytes, size_t size);
