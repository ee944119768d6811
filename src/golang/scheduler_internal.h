// scheduler_internal.h - for scheduler.c and scheduler_read.c.
#pragma once

#include "golang/scheduler.h"

enum { MS_GO_RUNQ = 256 }; // Places of a P's ring (runtime/runtime2.go, Go 1.18 to 1.27).

/** Bytes of a P up to its queue's end. */
uint32_t ms_go_p_bytes(const struct ms_go_layout *layout);

/** Bytes of an M that are read. */
uint32_t ms_go_m_bytes(const struct ms_go_layout *layout);

/** The addresses of all Ps, as runtime.allp at @p allp has them; *ret_ps is the caller's. */
MS_MUST_USE struct ms_error *ms_go_ps_list(struct ms_go_runtime *rt, ms_addr allp, ms_addr **ret_ps,
					   size_t *ret_count);

/** Addresses of Ms. */
struct ms_go_m_list {
	ms_addr *items;
	size_t count, capacity;
};

/**
 * All Ms: those of @p ps and of goroutines (NULL: none), those that a variable without initial
 * value points to (runtime.allm is one), and the older ones that each of these leads to.
 */
MS_MUST_USE struct ms_error *ms_go_ms_list(struct ms_go_runtime *rt, const ms_addr *ps,
					   size_t p_count, const struct ms_goroutines *goroutines,
					   struct ms_go_m_list *ret_ms);
