// described.h - what a program says of its own runtime's types.
#pragma once

#include "golang/types.h"

/**
 * Hold every answer of @p layout against the runtime's own type descriptors, as far as the program
 * has them.  UNSUPPORTED names the first that differs.
 */
MS_MUST_USE struct ms_error *ms_go_described_check(const struct ms_types *types,
						   const struct ms_go_layout *layout);
