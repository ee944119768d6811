// fake_collector.h - a Go runtime of which nothing is there but what its collector keeps.
//
//	struct fake_collector fake;
//
//	fake_collector_init(&fake, layout);
//	fake_collector_cycle(&fake, (struct fake_cycle){ .start_ns = ..., ... });
//	... &fake.rt goes wherever a struct ms_go_runtime * is asked for ...
//	fake_collector_deinit(&fake);
//
// gcController stands there from the beginning, memstats and work fill with the first cycle, as the
// runtime does it.
#pragma once

#include "golang/collections.h"
#include "tests/support/fake_target.h"

enum { FAKE_COLLECTOR_BYTES = 1 << 15 };

struct fake_cycle {
	int64_t start_ns, mark_ns, mark_end_ns, end_ns;
	uint64_t pause_ns, end_unix_ns;
	uint64_t heap_start_bytes, heap_end_bytes, heap_marked_bytes;
	bool is_forced;
};

struct fake_collector {
	struct fake_target target;
	struct ms_go_runtime rt;
	uint8_t bytes[FAKE_COLLECTOR_BYTES];
	uint32_t ended;
	uint8_t *memstats, *pacer, *work; // Into bytes.
};

void fake_collector_init(struct fake_collector *fake, const struct ms_go_layout *layout);
void fake_collector_deinit(struct fake_collector *fake);

/** A cycle from its beginning to its end; a pause of 0 is what its times say. */
void fake_collector_cycle(struct fake_collector *fake, struct fake_cycle cycle);

/** A cycle begins to mark, and does not end. */
void fake_collector_begin(struct fake_collector *fake, int64_t start_ns);

/** A cycle that was asked for is about to end: it is among the forced, and not yet among the ended.
 */
void fake_collector_count_forced(struct fake_collector *fake);

void fake_collector_heap(struct fake_collector *fake, uint64_t live_bytes);
