// kernel.h - what all programs in the kernel have in common: whether there may be any, and what the
// kernel's refusals mean.  Only where mapscope was built with them.
#pragma once

#include "base/error.h"

/** Whether there may be probes at all; libbpf is told to print nothing. */
MS_MUST_USE struct ms_error *ms_kernel_prepare(void);

/** What @p error of the kernel's means to a user, who wanted to @p what: also of other programs. */
MS_MUST_USE struct ms_error *ms_kernel_refuse(int error, const char *what);
