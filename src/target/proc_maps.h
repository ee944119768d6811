// proc_maps.h - the text of /proc/PID/maps as regions.
#pragma once

#include "target/target.h"

#include <sys/stat.h>

/**
 * Parse @p text (@p size bytes).  A private mapping is the executable's when its inode is that of
 * @p exe and its device or its path (@p exe_path, may be NULL) is too: on overlay file systems the
 * device shown differs.  BAD_DATA for a line that is not in the kernel's form.
 */
MS_MUST_USE struct ms_error *ms_proc_maps_parse(const char *text, size_t size,
						const struct stat *exe, const char *exe_path,
						struct ms_regions *ret_regions);
