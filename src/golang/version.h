// version.h - the release of a program whose build info is gone.
#pragma once

#include "golang/runtime.h"

enum { MS_GO_VERSIONS_MAX = 32 };

/**
 * Collect the distinct releases that string variables of the program name, newest patch level
 * first within a release.  *ret_count may be 0.
 */
MS_MUST_USE struct ms_error *ms_go_versions_find(struct ms_go_runtime *rt,
						 struct ms_build_info ret_found[MS_GO_VERSIONS_MAX],
						 size_t *ret_count);
