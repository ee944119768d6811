// inspect_hmap.h - one map of libhmap opened, as its registry says where everything lies.
#pragma once

#include "inspect/inspect_run.h"
#include "registry/registries.h"

/**
 * Open the map of @p row, which @p registry lists.  Everything else is as ms_inspect_run has it.
 * Of a libhmap that is too old to say where a table lies the report has the row, and why no more.
 */
MS_MUST_USE struct ms_error *ms_inspect_hmap(struct ms_target *target,
					     const struct ms_registry *registry,
					     const struct ms_map_row *row,
					     const struct ms_inspect_options *options,
					     struct ms_inspect_report *ret_report);
