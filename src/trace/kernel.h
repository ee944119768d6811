// kernel.h - what all programs in the kernel have in common: whether there may be any, and what the
// kernel's refusals mean.  Only where mapscope was built with them.
#pragma once

#include "base/error.h"

#include <sys/types.h>

struct bpf_link;
struct bpf_program;
struct ring_buffer;

/** Whether there may be probes at all; libbpf is told to print nothing. */
MS_MUST_USE struct ms_error *ms_kernel_prepare(void);

/**
 * Put @p program at @p offset of the executable of @p pid, for all its threads; @p cookie is what
 * it is told of the place.  NULL, with errno set, where that is not possible; libbpf's to destroy.
 */
struct bpf_link *ms_kernel_attach(const struct bpf_program *program, pid_t pid, uint64_t offset,
				  uint64_t cookie);

/** Read events of @p map_fd by @p fn, which is given @p context. */
MS_MUST_USE struct ms_error *ms_kernel_open_ring(int map_fd,
						 int (*fn)(void *context, void *data, size_t size),
						 void *context, struct ring_buffer **ret_ring);

/** Take what a ring holds; *failed is what its function met, which ends it.  Takes that over. */
MS_MUST_USE struct ms_error *ms_kernel_drain(struct ring_buffer *ring, struct ms_error **failed);

/** What @p error of the kernel's means to a user, who wanted to @p what: also of other programs. */
MS_MUST_USE struct ms_error *ms_kernel_refuse(int error, const char *what);
