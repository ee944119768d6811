// growth_place.h - probes on the growth functions of one Go program.
#pragma once

#include "golang/functions.h"
#include "trace/growth_kernel.h"
#include "trace/probe_site.h"
#include "trace/return_sites.h"

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

/**
 * Where in @p function a probe costs little: its offset in the executable's file, and the site.
 * UNSUPPORTED, with the reason, where there is no such place.
 */
MS_MUST_USE struct ms_error *ms_probe_place_find(struct ms_go_runtime *rt, struct ms_code *code,
						 const struct ms_function *function,
						 uint64_t *ret_file_offset,
						 struct ms_probe_site *ret_site);

/**
 * Where in the executable's file @p function returns: all such places.  UNSUPPORTED where they
 * cannot be told for certain.  At @p entry_site another tracer may have a probe of its own.
 */
MS_MUST_USE struct ms_error *ms_return_places_find(struct ms_go_runtime *rt, struct ms_code *code,
						   const struct ms_function *function,
						   const struct ms_probe_site *entry_site,
						   struct ms_return_sites *ret_offsets);

/** Our namespace of processes, as the kernel numbers it; zeros where it cannot be told. */
void ms_probe_namespace(uint64_t *ret_device, uint64_t *ret_inode);

/** What the kernel's side needs to know of this release. */
void ms_growth_config(const struct ms_go_runtime *rt, const struct ms_growth_places *places,
		      struct ms_bpf_config *ret_config);
