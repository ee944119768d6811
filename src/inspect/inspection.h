// inspection.h - the inside of one inspection: looks at a map, and what they hold it to.
//
//	header ─► arrays or tables ─► chains ─► header again
//	  ▲                                         │
//	  └──────── once more, it moved ◄───────────┘
//
// A look is believed when the header was the same before and after it and nothing is broken in it.
// What is broken is believed when two looks saw the very same bytes: a map that a goroutine is
// writing to does not stay half-written.
#pragma once

#include "golang/spans.h"
#include "golang/types.h"
#include "inspect/inspect_run.h"
#include "maps/classic.h"
#include "maps/shape.h"
#include "maps/swiss.h"
#include "target/fetch.h"

enum {
	MS_INSPECT_HEADER_MAX = 1024,
	MS_INSPECT_TAG_BYTES = 8,
	MS_INSPECT_LINK_BYTES = 8,
};

enum ms_invariant_id {
	MS_INV_HEADER,
	MS_INV_TABLE,
	MS_INV_OLD_TABLE,
	MS_INV_DIRECTORY,
	MS_INV_TABLES,
	MS_INV_TAGS,
	MS_INV_COUNT,
	MS_INV_TABLE_COUNTS,
	MS_INV_CHAIN_CYCLE,
	MS_INV_OVERFLOW,
	MS_INV_OVERFLOW_COUNT,
	MS_INV_FRONTIER,
	MS_INV_COUNT_, // How many there are.
};

struct ms_invariant_look {
	bool is_asked;
	uint64_t broken;
	const char *detail;      // Of the first that is broken.
	const char *unknown_why; // Where it could not be told.
};

struct ms_inspection;

/** What is done otherwise with a map of a Go runtime than with one of libhmap. */
struct ms_inspect_source {
	/** What does not change from look to look; before the first. */
	struct ms_error *(*prepare)(struct ms_inspection *i);

	/** What a look leads into was not where it was: before the first, and when it is stale. */
	struct ms_error *(*renew)(struct ms_inspection *i);

	/** Read the header, of header_bytes; *ret_read: it could be. */
	struct ms_error *(*header_read)(struct ms_inspection *i, uint8_t *raw, bool *ret_read);

	/** One look, by the header in raw.  An error means that the target is lost. */
	struct ms_error *(*look)(struct ms_inspection *i);

	/** Fields and padding of a unit; bytes of the units that were read. */
	void (*layout)(struct ms_inspection *i);

	/** Places that a debugger can show as well. */
	void (*views)(struct ms_inspection *i);

	/** What the keys look like: a sample of them. */
	struct ms_error *(*keys)(struct ms_inspection *i);
};

struct ms_inspection {
	const struct ms_inspect_source *source;
	struct ms_target *target;
	uint32_t header_bytes;
	void *own;                         // The source's.
	struct ms_go_runtime *rt;          // NULL: a map of libhmap.
	const struct ms_go_layout *layout; // NULL: a steady one.
	const struct ms_inspect_options *options;
	struct ms_inspect_report *report;
	const struct ms_types *types;
	struct ms_shapes *shapes;
	struct ms_spans spans;
	bool spans_stale;               // Something led to where no span was: look anew.
	const struct ms_map_type *type; // NULL: not known.
	uint32_t unit_bytes;            // 0: not known.
	bool has_pointers;              // Of units.
	_Alignas(8) uint8_t raw[MS_INSPECT_HEADER_MAX];
	bool is_writing; // By its header a write is under way.
	bool is_cut;     // The caller wanted an end.
	struct ms_fetch fetch;
	uint64_t fingerprint; // Of the bytes that this look saw.
	struct ms_invariant_look invariants[MS_INV_COUNT_];
};

/**
 * Look at the map until it holds still, or as often as is asked for, and fill in the report but for
 * its target and cost: looks.c.
 */
MS_MUST_USE struct ms_error *ms_inspect_open(struct ms_inspection *i);

/** Of Go's maps: a look, and what a source says beside it. */
MS_MUST_USE struct ms_error *ms_inspect_swiss(struct ms_inspection *i);
void ms_inspect_layout(struct ms_inspection *i);
void ms_inspect_views(struct ms_inspection *i);
MS_MUST_USE struct ms_error *ms_inspect_keys(struct ms_inspection *i);

/**
 * Evenness of the report's units and tags, where a unit has what its hash sends there.  Hashes that
 * would have a tag below @p tag_min have one that is @p tag_shift higher.
 */
void ms_inspect_evenness_units(struct ms_inspection *i, unsigned tag_min, unsigned tag_shift);

/** Of groups that are probed from one to the next. */
void ms_inspect_evenness_swiss(struct ms_inspection *i);

/** Take up an invariant: it holds until it is broken. */
void ms_invariant_ask(struct ms_inspection *i, enum ms_invariant_id id);
void ms_invariant_break(struct ms_inspection *i, enum ms_invariant_id id, const char *fmt, ...)
    MS_PRINTF(3, 4);
void ms_invariant_unknown(struct ms_inspection *i, enum ms_invariant_id id, const char *why);

/** Copy the invariants of the last look into the report. */
MS_MUST_USE struct ms_error *ms_invariants_report(struct ms_inspection *i);

bool ms_inspect_stopped(struct ms_inspection *i);

/** Why the table was not read; the first reason stays. */
void ms_inspect_unread(struct ms_inspection *i, const char *why);

/** Take bytes that decide into the fingerprint. */
static inline void ms_inspect_mix(struct ms_inspection *i, uint64_t word)
{
	i->fingerprint = (i->fingerprint ^ word) * 0x9e3779b97f4a7c15;
	i->fingerprint ^= i->fingerprint >> 29;
}

/** The span of a heap object that begins at @p addr, else NULL. */
const struct ms_span *ms_inspect_object(struct ms_inspection *i, ms_addr addr);

/** Whether spans are missing of memory that may hold such an object: nothing says that it does. */
bool ms_inspect_lacks_span(const struct ms_inspection *i, ms_addr addr);

/** Why an invariant of such an object is unknown. */
extern const char ms_inspect_no_span[];

/** Settle the size of a unit, by the type or by an object that holds @p units of them. */
void ms_inspect_know_unit(struct ms_inspection *i, const struct ms_span *span, uint64_t units);

void ms_inspect_word(struct ms_inspection *i, const char *name, uint64_t value, const char *meaning,
		     bool is_hex);

/** Take into the row what a look found; bytes that the census counted for another table go. */
void ms_inspect_renew_row(struct ms_inspection *i, uint64_t entries, uint64_t capacity);

/** Room for what is kept of each unit; NO_MEMORY. */
MS_MUST_USE struct ms_error *ms_inspect_array_init(struct ms_inspect_array *array, ms_addr address,
						   uint64_t units);

/** Count the units of the current array by their entries, and by their chains. */
void ms_inspect_count_fills(struct ms_inspect_report *report);
void ms_inspect_count_chains(struct ms_inspect_report *report);

/** Note a place for debuggers. */
void ms_inspect_add_view(struct ms_inspect_report *report, const struct ms_debug_view *view);
