// changed_target.h - another target with some bytes of its memory changed, and a bound on reads.
#pragma once

#include "target/target.h"

enum change_kind {
	CHANGE_REPLACE,
	CHANGE_FLIP,
};

struct change {
	ms_addr addr;
	uint64_t value;
	uint32_t size; // 1 to 8.
	enum change_kind kind;
};

struct changed_target {
	struct ms_target target;
	struct ms_target *inner;
	struct change *changes;
	size_t count;
	uint64_t reads_left; // Single reads until the target is GONE.
};

/** @p inner and @p changes are borrowed; there is nothing to deinit. */
void changed_target_init(struct changed_target *t, struct ms_target *inner, struct change *changes,
			 uint64_t reads_max);
