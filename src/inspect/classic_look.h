// classic_look.h - one look at bucket arrays under way, shared by the files that take it.
#pragma once

#include "inspect/chains.h"

/** A map's arrays: the current one, and the one that entries are moved out of. */
enum ms_classic_array { MS_CLASSIC_NOW, MS_CLASSIC_OLD };

struct ms_classic_source;

struct ms_classic_look {
	struct ms_chains c; // First: what is told of a chain is told of its look.
	struct ms_classic_map m;
	uint64_t room[2]; // Buckets that each array's object has, with those kept for overflow.
	const struct ms_classic_source *source;
};

/** What a runtime knows of its bucket arrays: Go's, or libhmap's. */
struct ms_classic_source {
	const char *name; // Whose header it is not when it cannot be.

	/** Take the header in raw apart, and hold it against what is kept true of it. */
	enum ms_classic_header (*parse)(const struct ms_inspection *i, struct ms_classic_map *ret);

	/** Hold an array of 2^log2 buckets to its memory; settle its room, and the unit's size. */
	struct ms_error *(*array_check)(struct ms_classic_look *k, enum ms_classic_array which,
					unsigned log2);

	/** Whether a link leads to a bucket that is in no array's tail. */
	bool (*is_bucket)(const struct ms_classic_look *k, const struct ms_chain_link *link);

	/** What the header says now, in place of what it said to the census. */
	void (*row_renew)(struct ms_classic_look *k);
};

extern const struct ms_classic_source ms_classic_of_go;
extern const struct ms_classic_source ms_classic_of_hmap;

/** One look, by the header in raw.  An error means that the target is lost. */
MS_MUST_USE struct ms_error *ms_inspect_classic(struct ms_inspection *i,
						const struct ms_classic_source *source);

/** Tell of the bucket that was asked for. */
MS_MUST_USE struct ms_error *ms_classic_look_at_unit(struct ms_classic_look *look);
