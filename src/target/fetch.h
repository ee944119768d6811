// fetch.h - many small scattered reads, made few and large.
#pragma once

#include "target/target.h"

/** One wanted piece of memory. */
struct ms_want {
	ms_addr addr;
	uint32_t size;
	uint32_t at; // Where in ms_fetch.bytes it will be.
};

/** A batch of wants and their bytes.  Zero-initialised is empty; reused after ms_fetch_reset. */
struct ms_fetch {
	struct ms_want *wants;
	size_t count, capacity;
	uint8_t *status; // ms_read_status by want.
	uint8_t *bytes;
	size_t status_capacity, bytes_used, bytes_capacity;
	struct ms_order {
		uint64_t key;
		uint32_t want, unused;
	} * order, *spare;
	size_t order_capacity, spare_capacity;
};

enum { MS_FETCH_BYTES_MAX = 256 << 20 };

/** Queue a read; *ret_index is its place in wants.  LIMIT when the batch is full. */
MS_MUST_USE struct ms_error *ms_fetch_add(struct ms_fetch *f, ms_addr addr, uint32_t size,
					  uint32_t *ret_index);

/** Do all queued reads.  Each has its own status; an error means the target is lost. */
MS_MUST_USE struct ms_error *ms_fetch_run(struct ms_fetch *f, struct ms_target *t);

/** Do the reads from want @p first on: those before have been done. */
MS_MUST_USE struct ms_error *ms_fetch_run_from(struct ms_fetch *f, struct ms_target *t,
					       size_t first);

/** The bytes of a want, or NULL when it could not be read. */
const uint8_t *ms_fetch_bytes(const struct ms_fetch *f, uint32_t index);

void ms_fetch_reset(struct ms_fetch *f);

void ms_fetch_deinit(struct ms_fetch *f);
