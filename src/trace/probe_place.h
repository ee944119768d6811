// probe_place.h - where in the executable's file a probe on a function goes.
#pragma once

#include "golang/functions.h"
#include "trace/probe_site.h"
#include "trace/return_sites.h"

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
