// fault.h - a target that fails where it is told to, for sweeps over every read of a caller.
//
//	for (uint64_t n = 0;; n++) {
//		plan.at = n;
//		... create, run the code under test, look at ms_fault_count(), destroy ...
//		if (ms_fault_count(fault) <= n)
//			break; // Nothing failed: the sweep has seen every operation.
//	}
#pragma once

#include "target/target.h"

/** Operations that can fail; each single read of a batch is one. */
enum ms_fault_op {
	MS_FAULT_READ = 1,
	MS_FAULT_EXE_READ = 2,
	MS_FAULT_REGIONS = 4,
	MS_FAULT_ANY = 7,
};

enum ms_fault_kind {
	MS_FAULT_FAULT,   // A read: its status.  Others: a FAULT error.
	MS_FAULT_SWAPPED, // Likewise.
	MS_FAULT_STUCK,   // Likewise.
	MS_FAULT_GONE,    // The target is lost: GONE now and, whatever the span, ever after.
};

enum ms_fault_span {
	MS_FAULT_ONCE,   // Only the operation named.
	MS_FAULT_STICKY, // That one and all behind it.
};

struct ms_fault_plan {
	unsigned ops; // Bits of ms_fault_op: what is counted and may fail.
	uint64_t at;  // The first operation to fail, counted from 0; UINT64_MAX for none.
	enum ms_fault_kind kind;
	enum ms_fault_span span;
};

/** Wrap @p inner, which is borrowed and has to outlive the wrapper, which the caller destroys. */
MS_MUST_USE struct ms_error *ms_fault_create(struct ms_target *inner,
					     const struct ms_fault_plan *plan,
					     struct ms_target **ret_target);

/** Start over with another plan: nothing counted yet, and a target that was gone is back. */
void ms_fault_restart(struct ms_target *fault, const struct ms_fault_plan *plan);

/** Operations counted so far, the failed ones included. */
uint64_t ms_fault_count(const struct ms_target *fault);
