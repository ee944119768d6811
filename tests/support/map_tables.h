// map_tables.h - a map[int]int with its tables on a fake heap, for what opens maps.
//
//	classic   4 buckets, three of them with entries, one with an overflow bucket; with
//		  map_tables_grow twice as many beside the old ones, one of which was moved
//	Swiss     2 tables of 2 groups each behind a directory of 2
#pragma once

#include "inspect/inspect_run.h"
#include "tests/support/fake_heap.h"

struct map_tables {
	struct fake_heap *h;
	struct ms_map_row *row;
	ms_addr map, type;
	uint64_t unit_bytes;
	ms_addr now, old, overflow; // Classic.
	ms_addr directory, tables[2], groups[2];
};

struct map_tables map_tables_classic(void);
struct map_tables map_tables_swiss(void);

/** Let the classic map be in the middle of its growth. */
void map_tables_grow(struct map_tables *t);

/** The address of a bucket's or group's last word: of a bucket its link. */
ms_addr map_tables_link(const struct map_tables *t, ms_addr unit);

/** Inspect it, in three looks at most. */
struct ms_inspect_report map_tables_inspect(struct map_tables *t, uint64_t unit);

/** The invariant of that name; the test fails when it was not asked. */
const struct ms_invariant *map_tables_invariant(const struct ms_inspect_report *report,
						const char *name);
