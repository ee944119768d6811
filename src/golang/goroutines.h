// goroutines.h - the list of goroutines and what of it a census needs: states and stacks.
#pragma once

#include "golang/runtime.h"

/** Goroutine states (runtime/runtime2.go, the same from Go 1.18 to 1.27). */
enum ms_go_status {
	MS_GO_IDLE = 0,
	MS_GO_RUNNABLE = 1,
	MS_GO_RUNNING = 2,
	MS_GO_SYSCALL = 3,
	MS_GO_WAITING = 4,
	MS_GO_DEAD = 6,
	MS_GO_COPYSTACK = 8,
	MS_GO_PREEMPTED = 9,
	MS_GO_LEAKED = 10,     // From 1.26.
	MS_GO_DEAD_EXTRA = 11, // From 1.26: kept for a thread of C; here it is MS_GO_DEAD.
	MS_GO_STATUS_MAX = 11,
	MS_GO_SCAN_BIT = 0x1000,
};

struct ms_goroutine {
	ms_addr address;
	ms_addr stack_lo, stack_hi;
	ms_addr sp;         // Saved stack pointer; stale while it runs.
	ms_addr pc;         // Saved with sp: where it goes on.
	ms_addr bp;         // Saved frame pointer; in a system call it may be of an earlier stop.
	ms_addr lr;         // arm64: the return address when pc is where its function begins.
	ms_addr created_at; // The go statement that made it, as a return address; 0 for the first.
	ms_addr start_pc;   // The function it began with.
	ms_addr m;          // The thread that runs it, or 0.
	uint64_t id;
	uint64_t parent;      // id of the one that made it, 0: none; MS_UNKNOWN before Go 1.21.
	uint64_t wait_since;  // Runtime clock; 0 when it did not wait long enough to be noticed.
	uint32_t status;      // ms_go_status without the scan bit.
	uint32_t wait_reason; // runtime.waitReason, whose numbers differ between releases.
	bool in_syscall;      // pc and sp are those of its entry into a system call.
	bool is_stopped;      // It ran, and stands still for good: pc and sp are where it was.
	bool at_instruction;  // pc is no return address but the next instruction.
};

struct ms_goroutines {
	struct ms_goroutine *items; // Dead ones left out.
	size_t count, capacity;
	uint64_t dead;
	uint64_t unreadable;
};

/** True when its pc and sp hold: it neither runs nor is its stack being moved. */
static inline bool ms_goroutine_rests(const struct ms_goroutine *g)
{
	return g->status == MS_GO_RUNNABLE || g->status == MS_GO_WAITING ||
	       g->status == MS_GO_PREEMPTED || g->status == MS_GO_LEAKED || g->in_syscall ||
	       g->is_stopped;
}

/** Find the slice runtime.allgs; fills rt->allgs. */
MS_MUST_USE struct ms_error *ms_goroutines_find(struct ms_go_runtime *rt);

/** Entries of the table, dead ones included; 0 when that cannot be read. */
uint64_t ms_goroutines_expected(struct ms_go_runtime *rt);

/** Read every goroutine's header. */
MS_MUST_USE struct ms_error *ms_goroutines_load(struct ms_go_runtime *rt,
						struct ms_goroutines *ret_goroutines);

/** Read the first @p most entries of the table. */
MS_MUST_USE struct ms_error *ms_goroutines_load_some(struct ms_go_runtime *rt, uint64_t most,
						     struct ms_goroutines *ret_goroutines);

/** How many bytes of a g are read. */
uint32_t ms_goroutine_bytes(const struct ms_go_layout *layout);

/** Take one raw g apart; false when it cannot be one. */
bool ms_goroutine_parse(const struct ms_go_layout *layout, const uint8_t *raw, ms_addr address,
			struct ms_goroutine *ret_goroutine);

/** Read one goroutine again.  BAD_DATA when it is none any more. */
MS_MUST_USE struct ms_error *ms_goroutine_reread(struct ms_go_runtime *rt, ms_addr address,
						 struct ms_goroutine *ret_goroutine);

enum { MS_GOROUTINES_REREAD_MAX = 256 };

/**
 * Read up to MS_GOROUTINES_REREAD_MAX of them again, at once; one that is none any more is
 * MS_GO_DEAD.
 */
MS_MUST_USE struct ms_error *ms_goroutines_reread(struct ms_go_runtime *rt,
						  const struct ms_goroutine *items, size_t count,
						  struct ms_goroutine *ret_items);

/** Whether @p b, read later, rests where @p a did and was not seen to go on between. */
bool ms_goroutine_is_same_stop(const struct ms_goroutine *a, const struct ms_goroutine *b);

void ms_goroutines_deinit(struct ms_goroutines *goroutines);
