// record_internal.h - what record.c and record_write.c share.
#pragma once

#include "target/record.h"
#include "target/record_pieces.h"

struct ms_record {
	struct ms_target target;
	struct ms_target *inner;
	struct ms_regions regions; // The latest snapshot asked for.
	struct ms_record_pieces memory;
	struct ms_record_pieces exe; // By file offset.
};

static inline struct ms_record *ms_record_of(struct ms_target *t)
{
	return (struct ms_record *)t;
}
