// creation_kernel.h - the programs in the kernel that see maps being made: loaded, attached, read,
// taken away.
#pragma once

#include "base/error.h"
#include "trace/bpf/creation_events.h"

#include <sys/types.h>

struct ms_creation_kernel;

enum ms_creation_site {
	MS_CREATION_BEGINS,
	MS_CREATION_RETURNS,
	MS_CREATION_SMALL,
};

/**
 * Load the programs.  Errors as of ms_growth_kernel_open(); the caller closes it.
 */
MS_MUST_USE struct ms_error *ms_creation_kernel_open(const struct ms_bpf_creations_config *config,
						     struct ms_creation_kernel **ret_kernel);

/**
 * Put a program at @p offset of the executable of @p pid.  @p condition is an ms_bpf condition of
 * the place.
 */
MS_MUST_USE struct ms_error *ms_creation_kernel_attach(struct ms_creation_kernel *kernel,
						       enum ms_creation_site site, pid_t pid,
						       uint64_t offset, uint32_t condition);

typedef struct ms_error *(*ms_creation_fn)(void *context, const struct ms_bpf_creation *creation);

/** Take what the ring holds.  An error of @p fn ends it. */
MS_MUST_USE struct ms_error *ms_creation_kernel_drain(struct ms_creation_kernel *kernel,
						      ms_creation_fn fn, void *context);

struct ms_bpf_creation_counters
ms_creation_kernel_counters(const struct ms_creation_kernel *kernel);

/** Do without the probes where functions return: maps are then sent as they begin to be made. */
void ms_creation_kernel_forgo_returns(struct ms_creation_kernel *kernel);

/** Take all probes away, those that begin something first. */
void ms_creation_kernel_detach(struct ms_creation_kernel *kernel);

/** Accepts NULL. */
void ms_creation_kernel_close(struct ms_creation_kernel *kernel);
