// core.h - a core file as a target.
//
// Memory is what the core has; the clean pages of the executable that its writer left out come from
// the executable, if that is found and is the right one.  What neither has is a FAULT.  A core that
// has the program's data is a target without its program, too: lacks_program is set.  The target is
// never GONE, and has no process: pid is 0.
#pragma once

#include "target/core_file.h"
#include "target/target.h"

struct ms_core_options {
	const char *exe; // The program itself; NULL: looked for where it was, and beside the core.
	const char *sysroot; // Where the paths in the core begin; NULL: here.
};

enum ms_core_exe {
	MS_CORE_EXE_CHECKED,   // Its build id is the core's.
	MS_CORE_EXE_UNCHECKED, // The core does not have the page with the build id.
	MS_CORE_EXE_OF_MEMORY, // No file: put together from the core.
	MS_CORE_EXE_MISSING,   // No file, and not whole in the core: headers and data alone.
};

struct ms_core_info {
	const struct ms_core_file *file;
	const char *exe; // As it was mapped; NULL: not said.
	enum ms_core_exe exe_is;
	const char *missing_why; // A clause that says what to do, where it is missing.
};

/**
 * Open the core file at @p path.  As ms_core_file_open; UNSUPPORTED when the executable is needed
 * and not found, or another one.  The caller destroys the result.
 */
MS_MUST_USE struct ms_error *ms_core_open(const char *path, const struct ms_core_options *options,
					  struct ms_target **ret_target);

/** @p err about a core, which says also what is missing where that was cut off.  Takes it over. */
MS_MUST_USE struct ms_error *ms_core_error_if_cut(const struct ms_core_file *file,
						  struct ms_error *err);

/** What is known of it, owned by @p target; NULL where that is no core. */
const struct ms_core_info *ms_core_info(const struct ms_target *target);
