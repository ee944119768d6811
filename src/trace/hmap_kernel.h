// hmap_kernel.h - libhmap's static probes (provider "hmap") in the kernel: placed, read, taken
// away.
#pragma once

#include "base/error.h"
#include "trace/bpf/hmap_events.h"

#include <sys/types.h>

struct ms_hmap_kernel;

/** As ms_growth_kernel_open. */
MS_MUST_USE struct ms_error *ms_hmap_kernel_open(const struct ms_bpf_hmap_config *config,
						 struct ms_hmap_kernel **ret_kernel);

/**
 * Probe events of @p kind of the libhmap that is in the file @p path, as process @p pid runs it.
 * UNSUPPORTED where it was built without probes.
 */
MS_MUST_USE struct ms_error *ms_hmap_kernel_attach(struct ms_hmap_kernel *kernel,
						   enum ms_bpf_hmap_kind kind, pid_t pid,
						   const char *path);

typedef struct ms_error *(*ms_hmap_event_fn)(void *context, const struct ms_bpf_hmap_event *event);

/** Take what the ring holds.  An error of @p fn ends it. */
MS_MUST_USE struct ms_error *ms_hmap_kernel_drain(struct ms_hmap_kernel *kernel,
						  ms_hmap_event_fn fn, void *context);

void ms_hmap_kernel_counters(const struct ms_hmap_kernel *kernel,
			     struct ms_bpf_hmap_counters *ret_counters);

/** Take all probes away; what was counted can still be read. */
void ms_hmap_kernel_detach(struct ms_hmap_kernel *kernel);

/** Accepts NULL. */
void ms_hmap_kernel_close(struct ms_hmap_kernel *kernel);
