// doctor.h - the checks of `mapscope doctor`, in the order in which a census needs them.
#pragma once

#include "cli/exit_code.h"
#include "cli/session.h"
#include "report/doctor.h"

struct ms_doctor {
	struct ms_session *session;
	struct ms_doctor_report *report;
	size_t check_capacity;
	enum ms_exit_code code; // That a census would end with.
	bool no_memory;         // Running out of it is the only error of a check itself.
	struct ms_elf elf;      // Once ms_doctor_check_program has read it.
	struct ms_build_info build;
	bool has_go; // It has Go's table of functions.
};

/** Add a check; @p fix may be NULL.  Strings are copied. */
void ms_doctor_add(struct ms_doctor *d, const char *name, enum ms_check_state state,
		   const char *fix, const char *fmt, ...) MS_PRINTF(5, 6);

/**
 * Add a check that failed with @p err, which is freed, and take its code over: unless it is about
 * Go alone and there is libhmap.
 */
void ms_doctor_refuse(struct ms_doctor *d, const char *name, const char *fix, struct ms_error *err);

/** Who the process is, what may be seen of it: needs no permission. */
void ms_doctor_check_process(struct ms_doctor *d);

/** Opens the target.  False when the census cannot go on from here. */
bool ms_doctor_check_memory(struct ms_doctor *d);

/** The executable as a file.  Likewise. */
bool ms_doctor_check_program(struct ms_doctor *d);

/** Opens the runtime: layout, heap, goroutines, types. */
void ms_doctor_check_runtime(struct ms_doctor *d);

/** Finds what there is of libhmap.  False when the census cannot go on from here. */
bool ms_doctor_find_hmap(struct ms_doctor *d);

/** Its maps, their names and lines, its probes; nothing where there is no libhmap. */
void ms_doctor_check_hmap(struct ms_doctor *d);
