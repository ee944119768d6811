// followed.h - maps whose headers are read again and again, each as often as it needs.
//
// A round is one batched read of the headers that are due.  A map that grows is due in every round;
// one in which entries come and go, the sooner the nearer its next growth is; one that rests, twice
// as late each time, up to as late as lets some sixty be due in each round.  Rounds follow upon
// each other in 2 ms, or as much later as keeps all reading within a twentieth of one core.
#pragma once

#include "base/number_map.h"
#include "census/poll.h"
#include "report/census.h"
#include "trace/map_units.h"
#include "trace/table_look.h"

enum {
	MS_FOLLOWED_MAX = 1 << 16,
	MS_FOLLOWED_REST = 1 << 9, // Rounds; a second, at 2 ms each.
};

/** When something was read: it was so at some moment between the two, on the trace's line of time.
 */
struct ms_moment {
	double from, to;
};

/** An evacuation that was seen, or the one that is being seen. */
struct ms_evacuation {
	ms_addr map, old_table;
	double begun_after, begun_before; // It began between these; the first NAN: not known.
	double ended_after, ended_before; // It ended between these.
	uint32_t sweepgen;                // mheap_.sweepgen when it was first seen, then since.
};

struct ms_followed_map {
	ms_addr address;
	const char *type, *owner; // Of the census; NULL once another map lies there.
	struct ms_map_unit unit;  // Likewise not known then.
	struct ms_poll last;      // The last that was valid.
	struct ms_moment last_at;
	uint32_t last_sweepgen; // Just before that.
	bool seen;              // There was one.
	double since_s;         // When it was first seen.
	bool on_stack;          // Where headers come and go without a collection.
	bool is_parked;         // There is no map any more, as far as can be told.
	uint8_t doubts;         // Looks since the last that convinced.
	bool in_census;         // The last census had a map here, of
	uint64_t census_slots, census_entries;
	uint32_t alive_sweepgen;         // With which it was last known to be alive; 0: never.
	struct ms_evacuation evacuation; // map 0: none under way.
	struct ms_table_look tables;     // Swiss.
	struct ms_moment tables_at;
	uint64_t tables_entries; // Of the map when they were looked at.
	uint16_t wait;           // Rounds from one read to the next.
	uint16_t slot;           // Of the wheel; UINT16_MAX: in none.
	uint32_t next, before;   // In that slot; UINT32_MAX: none.
};

/** What a round read of one map; what was known of it before is still in the map. */
struct ms_followed_look {
	const struct ms_poll *now;
	struct ms_moment at;
	const struct ms_table_look *tables; // NULL: not looked at.
	bool is_first; // Nothing was known of it, or another map lay there before.
};

typedef struct ms_error *(*ms_followed_fn)(void *context, struct ms_followed_map *map,
					   const struct ms_followed_look *look);

struct ms_followed {
	struct ms_go_runtime *rt;
	ms_followed_fn also; // Told of each look, behind the round's own; may be NULL.
	void *also_context;
	struct ms_followed_map *items;
	size_t count, capacity;
	struct ms_number_map index; // By address: place in items.
	uint32_t wheel[MS_FOLLOWED_REST];
	uint64_t round;
	unsigned slots;        // That the last one made up for.
	double round_at;       // When it began.
	double round_s;        // From one round to the next.
	double cost_s;         // What a round takes, as of late.
	uint64_t polls;        // Headers read so far.
	size_t growing;        // Maps that are.
	uint32_t sweepgen;     // mheap_.sweepgen just before this round.
	struct ms_fetch fetch; // Of tags, directories and tables.
	struct ms_followed_due {
		uint32_t *items; // Places in items.
		size_t count, capacity;
	} due;
	struct ms_followed_polls {
		struct ms_poll *items; // Of those.
		size_t count, capacity;
	} read;
	struct ms_followed_wants {
		uint32_t *items; // The tags of each of those in fetch; UINT32_MAX: none.
		size_t count, capacity;
	} tags;
	struct ms_followed_looks {
		struct ms_followed_pending *items; // At the tables of some of them.
		size_t count, capacity;
	} looks;
	double refreshed_s; // When the target's mappings were last taken in anew.
};

void ms_followed_init(struct ms_followed *followed, struct ms_go_runtime *rt);

/**
 * A census has a map there, of so many slots and entries: it is read on, if it was no longer.
 * @p sweepgen is mheap_.sweepgen of that census.
 */
void ms_followed_confirm(struct ms_followed *followed, struct ms_followed_map *map, uint64_t slots,
			 uint64_t entries, uint32_t sweepgen);

/** Add a map; NULL when there is no room, or when memory is short. */
struct ms_followed_map *ms_followed_add(struct ms_followed *followed, ms_addr address);

/** The map at @p address, or NULL.  Holds until the next one is added. */
struct ms_followed_map *ms_followed_find(const struct ms_followed *followed, ms_addr address);

/** Have a map be read in the next round. */
void ms_followed_hurry(struct ms_followed *followed, struct ms_followed_map *map);

/**
 * One round: read what is due, give it to @p fn, note it as the last.  @p clock gives the time on
 * the trace's line.  An error is the target's or fn's.
 */
MS_MUST_USE struct ms_error *ms_followed_round(struct ms_followed *followed,
					       double (*clock)(void *context), ms_followed_fn fn,
					       void *context);

void ms_followed_deinit(struct ms_followed *followed);
