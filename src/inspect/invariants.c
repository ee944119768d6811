// invariants.c - what the runtime keeps true of a map, and whether it did.
//
// An invariant that a write leaves broken for a moment is not called broken while the header says
// that a write is under way: a stopped process may stand in the middle of one.
#include "inspect/inspection.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct claim {
	const char *name, *claims;
	bool moves_in_write;
};

static const struct claim claims[MS_INV_COUNT_] = {
	[MS_INV_HEADER] = { "header", "the header's words fit each other", true },
	[MS_INV_TABLE] = { "table", "the table is one object, of the size for its units", false },
	[MS_INV_OLD_TABLE] = { "old_table", "so is the old array", false },
	[MS_INV_DIRECTORY] = { "directory", "the directory names each table in its place", true },
	[MS_INV_TABLES] = { "tables", "each table's words fit each other and its groups", true },
	[MS_INV_TAGS] = { "tags", "every tag is one, and nothing lies behind an end mark", true },
	[MS_INV_COUNT] = { "count", "the entries in the table are those that the header counts",
			   true },
	[MS_INV_TABLE_COUNTS] = { "table_counts",
				  "each table counts its own entries and deleted slots", true },
	[MS_INV_CHAIN_CYCLE] = { "chain_cycle", "no chain comes back to itself or joins another",
				 false },
	[MS_INV_OVERFLOW] = { "overflow", "every link leads to an overflow bucket", false },
	[MS_INV_OVERFLOW_COUNT] = { "overflow_count",
				    "the overflow buckets are those that the header counts", true },
	[MS_INV_FRONTIER] = { "frontier",
			      "all below the frontier was moved, and nothing is in two arrays",
			      true },
};

/** What a map of libhmap's steady engine claims in place of these. */
static const char *const claims_of_steady[MS_INV_COUNT_] = {
	[MS_INV_TABLE] = "all groups in use have memory",
	[MS_INV_TAGS] = "every tag is one, and links stand where they can be",
	[MS_INV_OVERFLOW] = "every link leads to an overflow node",
	[MS_INV_OVERFLOW_COUNT] = "the overflow nodes are those that the header counts",
	[MS_INV_FRONTIER] = "nothing lies behind the groups in use",
};

void ms_invariant_ask(struct ms_inspection *i, enum ms_invariant_id id)
{
	i->invariants[id].is_asked = true;
}

void ms_invariant_break(struct ms_inspection *i, enum ms_invariant_id id, const char *fmt, ...)
{
	struct ms_invariant_look *look = &i->invariants[id];
	char text[256];
	va_list args;

	look->is_asked = true;
	if (look->broken++)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	look->detail = ms_arena_strndup(&i->report->arena, text, strlen(text));
	if (!look->detail)
		look->detail = "memory is short";
}

void ms_invariant_unknown(struct ms_inspection *i, enum ms_invariant_id id, const char *why)
{
	i->invariants[id].is_asked = true;
	if (!i->invariants[id].unknown_why)
		i->invariants[id].unknown_why = why;
}

static struct ms_invariant verdict(const struct ms_inspection *i, enum ms_invariant_id id)
{
	const struct ms_invariant_look *look = &i->invariants[id];
	const struct ms_inspect_report *r = i->report;
	bool is_steady = r->row.kind == MS_MAP_HMAP_STEADY && claims_of_steady[id];
	struct ms_invariant v = { .name = claims[id].name,
				  .claims = is_steady ? claims_of_steady[id] : claims[id].claims,
				  .broken = look->broken,
				  .detail = look->detail };

	if (look->broken && r->settled && !(i->is_writing && claims[id].moves_in_write)) {
		v.state = MS_INVARIANT_BROKEN;
	} else if (look->broken || look->unknown_why || !r->settled) {
		v.state = MS_INVARIANT_UNKNOWN;
		v.detail = look->unknown_why ? look->unknown_why
			   : r->settled      ? "a write is under way"
					     : r->unsettled_why;
		v.broken = 0;
	}
	return v;
}

struct ms_error *ms_invariants_report(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;

	r->invariants = calloc(MS_INV_COUNT_, sizeof(*r->invariants));
	if (!r->invariants)
		return ms_error_no_memory();
	for (enum ms_invariant_id id = 0; id < MS_INV_COUNT_; id++) {
		if (i->invariants[id].is_asked)
			r->invariants[r->invariant_count++] = verdict(i, id);
	}
	return NULL;
}
