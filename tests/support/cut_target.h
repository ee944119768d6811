// cut_target.h - a target that has lost its memory from an address on, as a core that was cut off.
#pragma once

#include "target/target.h"

/** Wrap @p inner, which becomes the result's; the caller destroys the result. */
struct ms_target *cut_target_create(struct ms_target *inner, ms_addr end);
