// inspect.h - the result of one map opened: its header, its table unit by unit, what holds of it.
//
// A unit is a bucket of a classic map with its chain, a group of a Swiss map, or a block of one of
// libhmap's steady maps, also with its chain.  Nothing here is a
// key or a value; what is said of keys are sums and salted hashes, and only where they were asked
// for.
#pragma once

#include "report/census.h"

enum {
	MS_INSPECT_FILLS = 65,     // Entries of a unit; see ms_inspect_fills.
	MS_INSPECT_CHAINS = 17,    // Buckets of a chain, or groups that a probe looks at; likewise.
	MS_INSPECT_TAGS = 256,     // Values of a tag.
	MS_INSPECT_UNIT_TAGS = 64, // Of one unit.
	MS_INSPECT_FIELDS_MAX = 8, // Of a unit.
	MS_INSPECT_VIEWS_MAX = 8,
	MS_INSPECT_WORDS_MAX = 20, // Of a header.
	MS_INSPECT_CLASSES = 6,    // Of keys that begin alike.
	MS_INSPECT_LENGTHS = 65,   // Lengths of keys, by how many bits they have.
};

/** One of the header's own words. */
struct ms_header_word {
	const char *name; // As the runtime calls it.
	uint64_t value;
	const char *meaning; // In words, or NULL.
	bool is_hex;
};

enum ms_invariant_state {
	MS_INVARIANT_HOLDS,
	MS_INVARIANT_BROKEN,
	MS_INVARIANT_UNKNOWN,
};

struct ms_invariant {
	const char *name;   // "count", "tags": stable.
	const char *claims; // What holds of a map that is whole.
	enum ms_invariant_state state;
	uint64_t broken;    // Places.
	const char *detail; // The first of them, or why it is not known.
};

/** Bytes of a unit that belong to one field: @p count pieces, each @p stride behind the last. */
struct ms_unit_field {
	const char *name, *type;
	uint64_t offset, bytes; // Of one piece.
	uint64_t count, stride;
};

struct ms_unit_layout {
	bool known;
	const char *unknown_why;
	const char *note; // How its offsets are meant, where that does not go without saying.
	uint64_t unit_bytes;
	struct ms_unit_field fields[MS_INSPECT_FIELDS_MAX];
	size_t field_count;
	uint64_t padding_bytes; // Of one unit.
	uint64_t table_padding; // Of all units that were read, overflow among them.
	uint64_t tail_bytes;    // That the allocator rounded the table up by.
};

enum { MS_UNIT_MOVED = 1 }; // Bits by unit.

/** One array of units, all tables of a Swiss map being one. */
struct ms_inspect_array {
	ms_addr address;
	uint64_t units;
	uint64_t overflow; // Overflow buckets; MS_UNKNOWN where not all were found.
	uint64_t entries;
	uint64_t moved;  // Units of an old array that were emptied.
	uint16_t *fills; // Entries by unit, in its chain; NULL: it was not read.
	uint16_t *chains;
	uint8_t *bits;
};

/** How even something is, by the chi-squared of its cells. */
struct ms_evenness {
	const char *of;          // "entries per bucket"
	uint64_t cells, entries; // 0 cells: not known.
	double chi_squared;
	double expected, deviation; // Of a hash that is as good as chance.
};

enum { MS_EVENNESS_MAX = 3 };

enum ms_evenness_verdict {
	MS_EVEN_UNKNOWN, // Too few entries to tell.
	MS_EVEN_CHANCE,
	MS_EVEN_LESS,
	MS_EVEN_MORE,
};

struct ms_inspect_table {
	ms_addr address, groups;
	uint64_t index; // Its first directory entry.
	uint32_t used, capacity, growth_left, deleted;
	uint8_t local_depth;
};

enum ms_growth_stage {
	MS_STAGE_NEVER_WRITTEN,
	MS_STAGE_NONE,
	MS_STAGE_DOUBLING,
	MS_STAGE_SAME_SIZE,
	MS_STAGE_HALVING,
};

/**
 * A pass that works in place, in units: there is one array, whose lower half has those of the
 * smaller size.
 */
struct ms_inspect_pass {
	uint64_t from, to;
	uint64_t of, done; // Of the smaller size; of is 0 where no such pass is under way.
};

/** What was asked for by number. */
struct ms_unit_look {
	bool asked, exists;
	uint64_t index;
	ms_addr address;
	uint32_t entries, chain;
	uint8_t tags[MS_INSPECT_UNIT_TAGS];
	uint32_t tag_count;
	uint64_t table, group; // Of a Swiss map: which table, and which of its groups.
	bool has_old;          // Of a growth under way: the old bucket that it comes from.
	uint64_t old_index;
	ms_addr old_address;
	bool old_moved;
	uint32_t old_entries; // Still there.
	uint32_t moved_x,
	    moved_y;   // By the tags of its first bucket: gone to the same, to the twin.
	uint64_t twin; // Where the second of these went.
};

struct ms_key_class {
	uint32_t hash; // Salted anew in each run.
	uint64_t keys;
};

/** What keys look like, never one of them. */
struct ms_key_patterns {
	bool asked, known;
	const char *unknown_why;
	uint64_t sampled;
	uint64_t unreadable;
	bool are_texts;
	uint64_t shortest, longest;
	uint64_t lengths[MS_INSPECT_LENGTHS];  // By bits: of a text's length, of a number itself.
	uint64_t digits, hex, letters, others; // Texts of such characters alone.
	unsigned prefix_bytes;                 // Of the classes.
	struct ms_key_class classes[MS_INSPECT_CLASSES];
	size_t class_count;
	uint64_t multiples_of_8; // Numbers.
	uint32_t hashes[4];      // Salted, of the first keys of the sample.
	size_t hash_count;
};

/** A place whose bytes a debugger can show as well. */
struct ms_debug_view {
	const char *what;
	ms_addr address;
	uint32_t count, size; // So many words of so many bytes.
	const char *command;  // Of libhmap's own for gdb, by address; NULL: none, but its bytes.
};

/** What of a report its page has beside the rest. */
struct ms_inspect_view {
	bool gdb, dlv; // The commands of these debuggers.
};

struct ms_inspect_report {
	struct ms_report_target target;
	struct ms_report_cost cost;
	struct ms_map_row row;
	struct ms_header_word words[MS_INSPECT_WORDS_MAX];
	size_t word_count;
	enum ms_growth_stage stage;
	uint64_t frontier;                // Old buckets below it were moved.
	struct ms_inspect_array now, old; // old: units is 0 where there is none.
	struct ms_inspect_pass pass;
	uint32_t unit_slots; // Of one unit, its chain not counted; 0: 8.
	uint64_t directory;  // Entries of a Swiss map's.
	uint64_t deleted;    // Slots emptied by deletes that others lie behind.
	uint64_t displaced;  // Steady: entries outside of their hash's group, in chains too; or
			     // MS_UNKNOWN.
	struct ms_inspect_table *tables; // Of a Swiss map of several groups.
	size_t table_count;
	struct ms_unit_layout layout;
	uint64_t fills[MS_INSPECT_FILLS];   // Units of the current array with so many entries.
	uint64_t chains[MS_INSPECT_CHAINS]; // Classic: buckets with such a chain; steady: blocks
					    // with so many overflow nodes; Swiss: groups at
					    // which a probe for an absent key begins.
	uint64_t longest; // Of these.
	uint64_t tags[MS_INSPECT_TAGS];
	struct ms_evenness evenness[MS_EVENNESS_MAX];
	size_t evenness_count;
	struct ms_unit_look unit;
	struct ms_key_patterns keys;
	struct ms_invariant *invariants;
	size_t invariant_count;
	uint32_t looks;
	bool settled;              // It held still over the look that is shown.
	const char *unsettled_why; // Where it did not.
	bool is_read;              // Its table was.
	const char *unread_why;
	struct ms_debug_view views[MS_INSPECT_VIEWS_MAX];
	size_t view_count;
	bool partial;
	const char *partial_reason;
	struct ms_arena arena;
};

/** The report of a map whose table is not read: its row, and why no more. */
struct ms_inspect_report ms_inspect_row_alone(const struct ms_map_row *row, const char *why);

/** What to type in a debugger for those bytes. */
void ms_inspect_gdb_command(const struct ms_debug_view *view, char *ret_text, size_t size);
void ms_inspect_dlv_command(const struct ms_debug_view *view, char *ret_text, size_t size);

/** Classes of fills that this kind of map has; the last is as many or more. */
size_t ms_inspect_fills(const struct ms_inspect_report *report);

/** Slots of a unit. */
uint32_t ms_inspect_unit_slots(const struct ms_inspect_report *report);

/** Whether its units are buckets with chains, Go's or libhmap's. */
bool ms_inspect_is_classic(const struct ms_inspect_report *report);

/** Whether its units have overflow. */
bool ms_inspect_has_chains(const struct ms_inspect_report *report);

/** Mean of the chains (classic, steady), or of probes for absent keys (Swiss); NAN: not known. */
double ms_inspect_mean_chain(const struct ms_inspect_report *report);

/** How many invariants are in that state. */
size_t ms_inspect_count(const struct ms_inspect_report *report, enum ms_invariant_state state);

double ms_evenness_z(const struct ms_evenness *evenness);
enum ms_evenness_verdict ms_evenness_judge(const struct ms_evenness *evenness);
const char *ms_evenness_verdict_name(enum ms_evenness_verdict verdict); // "even", "uneven", ...

const char *ms_growth_stage_name(enum ms_growth_stage stage); // "none", "doubling", ...
const char *ms_invariant_state_name(enum ms_invariant_state state);

/** "bucket", "group" or "block". */
const char *ms_inspect_unit_name(const struct ms_inspect_report *report);

/** Forget what one look found; what was known before it stays. */
void ms_inspect_report_clear(struct ms_inspect_report *report);
void ms_inspect_report_deinit(struct ms_inspect_report *report);
