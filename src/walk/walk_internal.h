// walk_internal.h - the inside of a walk: what waits, what was seen, what was found.
//
//	roots ──► queue ──► batch ──► fetch ──► visit ──► maps found
//	            ▲                             │
//	            └──── values met (seen once) ◄┘
//
// The queue is worked off from the front, so that the shortest way to a map names its owner; when
// it grows long, from the back, so that it stays within its bound.
#pragma once

#include "golang/code_facts.h"
#include "golang/functions.h"
#include "golang/spans.h"
#include "image/symbols.h"
#include "target/fetch.h"
#include "walk/label.h"
#include "walk/page_cache.h"
#include "walk/plan.h"
#include "walk/walk.h"

enum { MS_WALK_QUEUE_LONG = 1 << 16 };

/** What lies at an address that waits. */
enum ms_walk_kind {
	MS_WALK_VALUES,    // Values of a type, one behind the other.
	MS_WALK_ROOTED,    // A variable: its own name begins what it holds.
	MS_WALK_MAP,       // The header of a map.
	MS_WALK_DIRECTORY, // Of a Swiss map: pointers to tables.
	MS_WALK_TABLE,     // Of a Swiss map.
	MS_WALK_CHAN,
	MS_WALK_CLOSURE,
	MS_WALK_TRIE_NODE,
	MS_WALK_UNTYPED, // An object whose words may be anything.
	MS_WALK_HEADED,  // An object behind a word that names its type.
	MS_WALK_STACK,   // A part of a stack.
};

struct ms_walk_item {
	ms_addr address;
	ms_plan_id type;
	uint32_t count; // Values, or words.
	ms_label label; // The holder's.
	uint32_t root : 24;
	uint32_t kind : 8;
	uint32_t trie; // Of the insides of a hash trie: its number + 1.
};

/** What was found out about one row of the census. */
struct ms_walk_found {
	ms_plan_id type; // The map's; 0: none.
	ms_label label;
	uint32_t root;
	uint32_t holders;
	ms_addr holder; // The word that holds it, of those the last one met.
	bool by_table;  // The type is what the memory of its table names.
};

/** A hash trie: the census does not see these. */
struct ms_walk_trie {
	ms_addr address;
	ms_plan_id type; // Of its branches.
	ms_label label;
	uint32_t root;
	uint64_t entries;
	uint64_t bytes;
	uint64_t waiting; // Nodes that were met and not yet visited.
	bool is_lost;     // A node could not be visited.
	bool is_moving;   // A node was no longer there, or not yet.
};

/** Where a wanted address was met. */
struct ms_walk_wanted {
	ms_addr value;   // Begins here; 0: not met.
	ms_plan_id type; // 0: nothing says what it is.
	ms_label label;
	uint32_t root;
	bool is_rooted;  // A variable itself.
	bool is_settled; // Nothing that comes later knows better.
};

/** A set of numbers; 0 is never in it. */
struct ms_walk_set {
	uint64_t *slots;
	size_t count, slot_count;
};

struct ms_walk {
	struct ms_go_runtime *rt;
	const struct ms_go_layout *layout;
	const struct ms_walk_options *options;
	const struct ms_types *types;
	struct ms_census_report *report;
	struct ms_labels labels;
	struct ms_plans plans;
	struct ms_spans spans;
	uint64_t *span_bits;   // First bit of each span in seen.
	uint8_t *seen;         // A bit for each object that was met whole.
	uint16_t smaller[256]; // By size class: bytes of the next smaller one.
	struct {
		struct ms_walk_total {
			ms_plan_id type; // 0: bytes of strings.
			uint64_t objects, bytes;
			uint8_t span_class;
			bool is_row; // Several values, one behind the other.
			bool is_map; // A map's own.
		} * items;
		size_t count, capacity;
		uint32_t *slots; // Index + 1.
		size_t slot_count;
	} totals;                   // What was seen, by type and span class.
	struct ms_walk_set holders; // Words that hold a map which others hold, too.
	struct ms_walk_set parts;   // Met in part, or outside of the heap.
	struct ms_number_map rows;  // Rows met where spans are missing: by end, their words.
	struct ms_walk_queue {
		struct ms_walk_item *items; // A ring.
		size_t first, count, capacity;
	} queue, later;             // What is typed goes first: it knows better whose a map is.
	size_t queue_max;           // Items that may wait.
	struct ms_page_cache pages; // For when little waits.
	struct ms_fetch fetch;
	struct ms_walk_found *found; // By row.
	unsigned tables_asked;       // For their types.
	uint32_t *row_slots;         // Row + 1 by address.
	size_t row_slot_count;
	struct {
		struct ms_walk_trie *items;
		size_t count, capacity;
	} tries;
	struct ms_plan_sync_map sync_map;
	struct ms_walk_function {
		ms_addr entry;
		ms_addr value;   // Of a variable that is this function; 0: not met yet.
		ms_addr refused; // The last that is not.
		unsigned looks;
	} sync_hash, sync_equal; // What is in every sync.Map.
	struct ms_symbols symbols;
	const struct ms_code_facts *facts;    // NULL: not to be had, or not needed.
	const struct ms_functions *functions; // Likewise.
	struct {
		const char **items; // Of roots; [0] is none.
		size_t count, capacity;
	} roots;
	struct {
		ms_addr address;
		bool is_near;
		const char *name;
	} nameless;                    // The last variable without a symbol.
	struct ms_number_map itabs;    // Types by the address of an itab.
	struct ms_walk_wanted *wanted; // By want; NULL: nothing is wanted.
	size_t wanted_left;            // Those that no typed value held so far.
	bool wants_only;               // Nothing else is asked for.
	struct ms_walk_figures summary;
	double until;        // By the clock; 0: no bound.
	uint64_t steps_left; // Of the item that is visited: no honest type needs as many.
	uint32_t trie;       // Whose insides are being visited: its number + 1.
	bool stopped;
	bool out_of_memory;
};

// walk.c

/** Whether to stop here: asked, out of time, or at another bound.  Says so in the figures. */
bool ms_walk_is_over(struct ms_walk *w);

/** The walk leaves something out; of several reasons the first is told. */
void ms_walk_cut(struct ms_walk *w, const char *reason);

/** Whether @p err costs what it was about, and no more: neither the target nor memory is lost. */
bool ms_walk_can_do_without(const struct ms_error *err);

/** Let what waits be visited until nothing that is typed does. */
MS_MUST_USE struct ms_error *ms_walk_drain(struct ms_walk *w);

/** The same with what is not typed. */
MS_MUST_USE struct ms_error *ms_walk_drain_all(struct ms_walk *w);

/** Add @p key to a set; false when it is in there, or there is no more room. */
bool ms_walk_set_add(struct ms_walk *w, struct ms_walk_set *set, uint64_t key);

/** A name for what a walk begins with; its number. */
uint32_t ms_walk_root(struct ms_walk *w, const char *name);

// meet.c: what is done with an address that was met.

/** Let an item wait: what is not typed until nothing else does. */
void ms_walk_push(struct ms_walk *w, struct ms_walk_item item);

/** Let it wait with what is typed. */
void ms_walk_push_now(struct ms_walk *w, struct ms_walk_item item);

/** Whether an object of the heap may lie there: in a span, or where spans are missing. */
bool ms_walk_may_be_object(const struct ms_walk *w, ms_addr address);

/** The end of memory of which spans are missing at @p address; 0: it is none. */
ms_addr ms_walk_hole_end(const struct ms_walk *w, ms_addr address);

/** Whether the object there was met whole. */
bool ms_walk_is_seen(const struct ms_walk *w, ms_addr address);

/** @p count values of @p type lie at @p address. */
void ms_walk_meet_values(struct ms_walk *w, ms_addr address, ms_plan_id type, uint64_t count,
			 ms_label label, uint32_t root);

/** A map's header lies at @p address; @p type may be 0.  @p holder is the word that says so. */
void ms_walk_meet_map(struct ms_walk *w, ms_addr address, ms_plan_id type, ms_label label,
		      uint32_t root, ms_addr holder);

/** The bytes of a string lie at @p address. */
void ms_walk_meet_string(struct ms_walk *w, ms_addr address);

/** An object of some other kind lies at @p address. */
void ms_walk_meet_object(struct ms_walk *w, ms_addr address, enum ms_walk_kind kind,
			 ms_plan_id type, ms_label label, uint32_t root);

/** Whether @p address is the header of a map that the census has: its row, or SIZE_MAX. */
size_t ms_walk_row_of(const struct ms_walk *w, ms_addr address);

/** Whether a map of the census can have this type, by the bytes that it takes. */
bool ms_walk_map_fits(struct ms_walk *w, ms_plan_id type, ms_addr address);

/** The type of a row's map by what the memory of its table says of itself; 0: nothing.  An error is
 *  that the target is lost. */
MS_MUST_USE struct ms_error *ms_walk_type_by_table(struct ms_walk *w, const struct ms_map_row *row,
						   ms_plan_id *ret_type);

/** The type that an interface's first word names; @p is_itab: by an itab.  0: none. */
ms_plan_id ms_walk_interface_type(struct ms_walk *w, ms_addr word, bool is_itab);

/** An interface: two words, of which the second is at @p at. */
void ms_walk_meet_interface(struct ms_walk *w, ms_plan_id type, ms_addr word, ms_addr at,
			    ms_label label, uint32_t root);

// visit.c

/** Look at what was fetched for @p item: @p size bytes. */
void ms_walk_visit(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *bytes,
		   uint64_t size);

/** Bytes to be fetched for an item, at most MS_READ_BYTES_MAX; 0: none. */
uint64_t ms_walk_item_bytes(struct ms_walk *w, const struct ms_walk_item *item);

// names.c

/** The variable that @p address lies in, as a root and its label; 0 when nothing names it. */
uint32_t ms_walk_name_variable(struct ms_walk *w, ms_addr address, ms_label *ret_label);

/** A function's name, as the beginning of what it captured. */
ms_label ms_walk_name_closure(struct ms_walk *w, ms_addr entry);

/** "stack of main.worker": the label for what a frame of this function holds. */
ms_label ms_walk_name_stack(struct ms_walk *w, const struct ms_function *function);

// stacks.c

MS_MUST_USE struct ms_error *ms_walk_from_stacks(struct ms_walk *w);

// tries.c

/** The trie at @p at, whose topmost branch is at @p top. */
void ms_walk_meet_trie(struct ms_walk *w, ms_addr at, ms_addr top, ms_plan_id branch,
		       ms_label label, uint32_t root);

/** Learn how to know a sync.Map where no type says so. */
void ms_walk_sync_map_load(struct ms_walk *w);

/** Words as they were read. */
struct ms_walk_words {
	const uint8_t *bytes;
	size_t size;
	ms_addr address;
};

/** Whether the word @p at bytes behind the first is the root of a sync.Map. */
bool ms_walk_is_sync_map(struct ms_walk *w, const struct ms_walk_words *words, size_t at);

/** A word of a trie leads to a node. */
void ms_walk_meet_node(struct ms_walk *w, ms_addr address, ms_plan_id branch, ms_label label,
		       uint32_t root);

/** An item is about to wait: note whose node it is. */
void ms_walk_trie_waits(struct ms_walk *w, struct ms_walk_item *item);

/** A node cannot wait, nor be visited. */
void ms_walk_trie_lose(struct ms_walk *w);

/** A branch or an entry was reached. */
void ms_walk_trie_count(struct ms_walk *w, const struct ms_walk_item *item);

/** A node was reached, of which only its bytes say what it is. */
void ms_walk_visit_node(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *raw);

/** Whether all nodes of a trie that were met were visited. */
bool ms_walk_trie_is_whole(const struct ms_walk_trie *trie);

// roots.c

/** Begin with each kind of root in turn. */
MS_MUST_USE struct ms_error *ms_walk_from_roots(struct ms_walk *w);

// annotate.c

/** Write what was found into the report. */
MS_MUST_USE struct ms_error *ms_walk_annotate(struct ms_walk *w);

// want.c

/** @p count values of @p type lie at @p address: take down those that are wanted. */
void ms_walk_want_values(struct ms_walk *w, ms_addr address, ms_plan_id type, uint64_t count,
			 ms_label label, uint32_t root, bool is_rooted);

/** An object of @p bytes lies there: nothing says what is in it, or it is a channel. */
void ms_walk_want_object(struct ms_walk *w, ms_addr address, uint64_t bytes, bool is_channel,
			 ms_label label, uint32_t root);

/** The program's variables were looked at: what no type named of them has its symbol's name. */
void ms_walk_want_settle(struct ms_walk *w);

/** Write what was found of the wanted addresses, with the report's memory. */
MS_MUST_USE struct ms_error *ms_walk_want_annotate(struct ms_walk *w);
