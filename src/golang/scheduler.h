// scheduler.h - who runs where: processors (P), threads (M), and the goroutines that wait for one.
//
//	ms_go_scheduler_find(rt, &goroutines, &place);
//	ms_go_scheduler_read(rt, &place, &goroutines, &now);
//
// Everything is read from a program that goes on meanwhile: a P is read until it was the same from
// before to behind the reading of its queue, or is marked as moved.
#pragma once

#include "golang/goroutines.h"

enum {
	MS_GO_PS_MAX = 4096,       // A program with more is refused.
	MS_GO_MS_MAX = 1 << 16,    // The runtime stops at 10,000 threads unless told otherwise.
	MS_GO_QUEUE_MAX = 1 << 16, // Goroutines of the global queue that are listed.
};

/** Where the scheduler's variables lie; an address is 0 where it is not known. */
struct ms_go_scheduler_place {
	ms_addr allp;              // The slice runtime.allp.
	ms_addr sched;             // runtime.sched
	const char *sched_unknown; // Static: why it is not known; NULL when it is.
};

/** States of a P (runtime/runtime2.go, the same from Go 1.18 to 1.27). */
enum ms_go_p_status {
	MS_GO_P_IDLE,
	MS_GO_P_RUNNING,
	MS_GO_P_SYSCALL, // To Go 1.25; later releases say running.
	MS_GO_P_GCSTOP,
	MS_GO_P_DEAD,
	MS_GO_P_STATUSES,
};

struct ms_go_p {
	ms_addr address;
	ms_addr m;        // The thread that has it, or, while it is in a system call, had it; or 0.
	uint32_t id;      // Its index in runtime.allp.
	uint32_t status;  // ms_go_p_status
	uint32_t ticks;   // Of the scheduler: times it took up a goroutine that was not next.
	uint64_t running; // goid on its thread, 0 none.
	bool in_syscall;  // That one is in a system call.
	bool moved;       // It went on each time: the queue is of several moments.
	size_t queue;     // Index in queued of the first: runnext, then the ring in order.
	size_t queue_count;
};

struct ms_go_m {
	ms_addr address;
	ms_addr p;     // The P that it has, or 0.
	ms_addr old_p; // The P that it gave up for a system call, or 0.
	int64_t id;
	uint64_t thread;  // As the kernel numbers it; 0 while C has not lent one.
	uint64_t running; // goid, 0 none.
	bool in_syscall;  // That one is in a system call.
	bool is_spinning; // Looks for work.
	bool is_blocked;  // Sleeps until it is needed.
	uint64_t locked;  // goid of its LockOSThread, 0 none.
};

struct ms_go_scheduler {
	struct {
		struct ms_go_p *items; // By id.
		size_t count, capacity;
	} ps;
	struct {
		struct ms_go_m *items; // By id.
		size_t count, capacity;
	} ms;
	struct {
		uint64_t *items; // goids; see ms_go_p.queue.
		size_t count, capacity;
	} queued;
	size_t global, global_count; // Of queued: the global queue, next first.
	uint64_t global_size;        // As it says itself; MS_UNKNOWN when it is not known.
	bool global_moved;           // It went on each time.
	uint64_t strangers;          // Queue entries left out because they are no goroutines.
};

/**
 * Find them.  BAD_DATA unless exactly one place can be runtime.allp.  @p goroutines are those of
 * the program as they are now; without them, NULL, runtime.sched is not looked for.
 */
MS_MUST_USE struct ms_error *ms_go_scheduler_find(struct ms_go_runtime *rt,
						  const struct ms_goroutines *goroutines,
						  struct ms_go_scheduler_place *ret_place);

/** One look at all of it. */
MS_MUST_USE struct ms_error *ms_go_scheduler_read(struct ms_go_runtime *rt,
						  const struct ms_go_scheduler_place *place,
						  const struct ms_goroutines *goroutines,
						  struct ms_go_scheduler *ret_scheduler);

void ms_go_scheduler_deinit(struct ms_go_scheduler *scheduler);

/** What a P runs at one moment. */
struct ms_go_running {
	uint32_t ticks;
	uint64_t goroutine; // goid, 0 none.
	bool moved;         // It went on while it was looked at: the goroutine is not known.
};

/**
 * What each P runs, in the order of ids: three batched reads, for looks that follow each other.
 * *ret_count of them, at most @p room.
 */
MS_MUST_USE struct ms_error *ms_go_running_read(struct ms_go_runtime *rt,
						const struct ms_go_scheduler_place *place,
						struct ms_go_running *ret_running, size_t room,
						size_t *ret_count);
