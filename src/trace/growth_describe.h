// growth_describe.h - the words of the kernel about a growth made into the words of a report.
#pragma once

#include "report/growth_trace.h"
#include "trace/bpf/events.h"
#include "trace/growth_types.h"

/** The kind of growth, and the slots and bytes of the table before and after. */
void ms_growth_describe_sizes(const struct ms_go_layout *layout, const struct ms_bpf_event *raw,
			      const struct ms_growth_type *type, struct ms_growth_event *event);

/** What else the kernel told; stack, owner and the go statement are the caller's to add. */
struct ms_growth_event ms_growth_describe(const struct ms_go_layout *layout,
					  const struct ms_bpf_event *raw,
					  const struct ms_growth_type *type, double began);
