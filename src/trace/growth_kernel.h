// growth_kernel.h - the programs in the kernel: loaded, attached to functions, read, taken away.
//
// Everything they hold are descriptors of this process, so the kernel takes the probes away
// whichever way it ends.
#pragma once

#include "base/error.h"
#include "base/types.h"
#include "trace/bpf/events.h"

#include <sys/types.h>

struct ms_growth_kernel;

/**
 * Load the programs.  DENIED with the capability that is missing and what to type; UNSUPPORTED for
 * a kernel that cannot, or a mapscope that was built without.  The caller closes it.
 */
MS_MUST_USE struct ms_error *ms_growth_kernel_open(const struct ms_bpf_config *config,
						   struct ms_growth_kernel **ret_kernel);

/** Put the program of @p kind at @p offset of the executable of @p pid, for all its threads. */
MS_MUST_USE struct ms_error *ms_growth_kernel_attach(struct ms_growth_kernel *kernel,
						     enum ms_bpf_kind kind, pid_t pid,
						     uint64_t offset);

typedef struct ms_error *(*ms_growth_event_fn)(void *context, const struct ms_bpf_event *event);

/** Take what the ring holds.  An error of @p fn ends it. */
MS_MUST_USE struct ms_error *ms_growth_kernel_drain(struct ms_growth_kernel *kernel,
						    ms_growth_event_fn fn, void *context);

/** The counters of all CPUs together. */
MS_MUST_USE struct ms_error *ms_growth_kernel_counters(struct ms_growth_kernel *kernel,
						       struct ms_bpf_counters *ret_counters);

/** The stack that events name; false when it was not kept. */
bool ms_growth_kernel_stack(struct ms_growth_kernel *kernel, uint64_t key,
			    struct ms_bpf_stack *ret_stack);

typedef struct ms_error *(*ms_growth_sum_fn)(void *context, const struct ms_bpf_sum_key *key,
					     uint64_t count);

/** The sums of what was not sent one by one: whole only when the probes are gone. */
MS_MUST_USE struct ms_error *ms_growth_kernel_sums(struct ms_growth_kernel *kernel,
						   ms_growth_sum_fn fn, void *context);

/** Take all probes away; what was counted can still be read. */
void ms_growth_kernel_detach(struct ms_growth_kernel *kernel);

/** Whether there may be probes at all; libbpf is told to print nothing. */
MS_MUST_USE struct ms_error *ms_kernel_prepare(void);

/** What @p error of the kernel's means to a user, who wanted to @p what: also of other programs. */
MS_MUST_USE struct ms_error *ms_kernel_refuse(int error, const char *what);

/** Accepts NULL. */
void ms_growth_kernel_close(struct ms_growth_kernel *kernel);
