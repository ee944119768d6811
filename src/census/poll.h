// poll.h - a second look at the headers of a few known maps, cheap enough to do ten times a second.
#pragma once

#include "golang/runtime.h"

struct ms_poll {
	ms_addr address;
	bool valid; // The rest was read, and is what a map's header can be.
	uint64_t entries;
	uint64_t size;   // Classic: buckets; Swiss: directory entries.  Changes when the map grows.
	bool growing;    // Classic: evacuating.
	double progress; // Of the evacuation, 0 to 1.
	uint64_t seed;   // Another one when the map was cleared, or another map lies here.
	ms_addr
	    table; // Classic: its buckets.  Swiss: its directory, or its one group.  0: none yet.
	bool is_small;     // Swiss: of one group.
	bool same_size;    // Classic, while it grows: into as many buckets.
	ms_addr old_table; // Classic, while it grows; else 0.
	uint64_t old_size; // Buckets of that.
	uint64_t frontier; // Of these, from the first on, so many were moved; at rest, of the last
			   // growth's: all of them, or 0 before the first.
};

/** Read @p count headers anew.  An error means that the target is lost. */
MS_MUST_USE struct ms_error *ms_poll_maps(struct ms_go_runtime *rt, struct ms_poll *polls,
					  size_t count);
