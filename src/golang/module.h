// module.h - runtime.moduledata, found in live memory.
#pragma once

#include "golang/runtime.h"

/**
 * Fill rt->modules: the first by its pointer to the pclntab, the others along its list.  Of a
 * target that lacks the program the first alone, and only where its variables are.
 */
MS_MUST_USE struct ms_error *ms_go_modules_find(struct ms_go_runtime *rt);
