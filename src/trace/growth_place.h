// growth_place.h - probes on the growth functions of one Go program.
#pragma once

#include "trace/growth_kernel.h"
#include "trace/probe_place.h"

/** A growth function of a program, and where in it a probe goes. */
struct ms_growth_place {
	enum ms_bpf_kind kind;
	const char *function; // Static.
	ms_addr entry;        // 0: the program has no such function.
	uint64_t file_offset; // Of the site in the executable.
	struct ms_probe_site site;
};

struct ms_growth_places {
	struct ms_growth_place items[MS_BPF_KINDS];
	size_t count;
};

/**
 * Find the functions and their sites.  UNSUPPORTED where one that the program has cannot be
 * probed cheaply, or is not what the file says; then none should be, because counts would lack it.
 */
MS_MUST_USE struct ms_error *ms_growth_places_find(struct ms_go_runtime *rt,
						   struct ms_growth_places *ret_places);

/** What the kernel's side needs to know of this release. */
void ms_growth_config(const struct ms_go_runtime *rt, const struct ms_growth_places *places,
		      struct ms_bpf_config *ret_config);
