// waits.h - what each parked goroutine is parked on: the address of a semaphore, a channel, a list
// of those who wait for a condition.
#pragma once

#include "base/number_map.h"
#include "golang/unwind.h"
#include "target/fetch.h"

enum ms_wait_kind {
	MS_WAIT_NONE, // Nothing that has an address: sleep, a system call, the network.
	MS_WAIT_MUTEX,
	MS_WAIT_READ,  // RWMutex.RLock
	MS_WAIT_WRITE, // RWMutex.Lock
	MS_WAIT_GROUP, // WaitGroup.Wait
	MS_WAIT_COND,
	MS_WAIT_SEMAPHORE, // The runtime's own, or of a package that uses it directly.
	MS_WAIT_RECEIVE,
	MS_WAIT_SEND,
	MS_WAIT_SELECT,
	MS_WAIT_FOREVER, // A nil channel, or a select without cases.
};

enum { MS_WAIT_NO_FRAME = UINT8_MAX };

struct ms_wait {
	ms_addr g;
	uint64_t id, since;
	ms_addr sp, stack_lo, stack_hi;
	ms_addr frame;                  // Lowest address of the frame that made the wait ...
	ms_addr end;                    // ... and where the search in it ends.
	ms_addr object;                 // 0: could not be found.
	uint32_t row;                   // The caller's.
	uint32_t first_choice, choices; // Of a select: its channels.
	uint8_t kind;                   // ms_wait_kind
	bool queues;                    // MS_WAIT_WRITE: behind another writer, for the mutex.
	const char *user;               // The function that waits, as the linker wrote it.
	bool ended;                     // It went on meanwhile: nothing is to be said of it.
};

/** Zero-initialise, then ms_waits_init. */
struct ms_waits {
	struct ms_wait *items;
	size_t count, capacity;
	struct {
		struct ms_wait_choice {
			ms_addr channel;
			size_t wait; // Index in items.
		} * items;           // By wait.
		size_t count, capacity;
	} choices; // Of selects.
	struct ms_go_runtime *rt;
	const struct ms_functions *functions;
	struct ms_number_map known_of; // By the addresses of the innermost frames.
	struct {
		struct ms_wait_known {
			const char *user; // NULL: it is further out.
			uint8_t kind;     // ms_wait_kind
			uint8_t frame;    // The one that keeps the sudog; MS_WAIT_NO_FRAME.
			bool queues;
		} * items;
		size_t count, capacity;
	} known;
	struct ms_fetch fetch;
	struct ms_notify_list_layout {
		bool asked, known;
		uint32_t wait, notify, head, tail; // Offsets.
	} list_layout;                             // Of sync.notifyList: see wait_conds.h.
};

/** Loads the functions; @p rt must outlive it. */
MS_MUST_USE struct ms_error *ms_waits_init(struct ms_waits *waits, struct ms_go_runtime *rt);

/** Take down a goroutine that waits for something with an address; others are passed over. */
MS_MUST_USE struct ms_error *ms_waits_add(struct ms_waits *waits, const struct ms_goroutine *g,
					  const struct ms_frames *frames, uint32_t row);

/** Find what each is parked on.  An error means that the target is lost or memory is short. */
MS_MUST_USE struct ms_error *ms_waits_find(struct ms_waits *waits);

/** Forget what was taken down, not what was learnt. */
void ms_waits_reset(struct ms_waits *waits);

/** "mutex", "rwmutex (read)", ... */
const char *ms_wait_kind_name(enum ms_wait_kind kind);

static inline bool ms_wait_is_lock(enum ms_wait_kind kind)
{
	return kind == MS_WAIT_MUTEX || kind == MS_WAIT_READ || kind == MS_WAIT_WRITE;
}

static inline bool ms_wait_is_channel(enum ms_wait_kind kind)
{
	return kind == MS_WAIT_RECEIVE || kind == MS_WAIT_SEND || kind == MS_WAIT_SELECT;
}

void ms_waits_deinit(struct ms_waits *waits);
