// go_buckets.c - a Go map's bucket arrays, held to the runtime's spans.
//
// An array is one object, of a size that its class says; so is an overflow bucket, unless it is in
// the tail of its own array, where makeBucketArray keeps some.
#include "inspect/classic_look.h"

#include <inttypes.h>

static enum ms_classic_header parse(const struct ms_inspection *i, struct ms_classic_map *ret_map)
{
	return ms_classic_parse(i->layout, i->raw, ret_map);
}

static struct ms_error *array_check(struct ms_classic_look *k, enum ms_classic_array which,
				    unsigned log2)
{
	struct ms_inspection *i = k->c.i;
	enum ms_invariant_id id = which == MS_CLASSIC_OLD ? MS_INV_OLD_TABLE : MS_INV_TABLE;
	ms_addr start = k->c.arrays[which]->address;
	uint64_t units = ms_classic_buckets(log2);
	const struct ms_span *span = ms_inspect_object(i, start);

	if (which == MS_CLASSIC_NOW)
		ms_inspect_know_unit(i, span, units);
	if (i->report->row.where == MS_WHERE_STACK && !span)
		return NULL; // Its one bucket lies in the frame.
	if (!span && ms_inspect_lacks_span(i, start)) {
		ms_invariant_unknown(i, id, ms_inspect_no_span);
		if (units > k->room[which])
			k->room[which] = units;
		return NULL;
	}
	if (!span) {
		ms_invariant_break(i, id, "0x%" PRIx64 " is not where a heap object begins", start);
		return NULL;
	}
	if (!i->unit_bytes) {
		ms_invariant_unknown(i, id, "the size of a bucket is not known");
		return NULL;
	}
	if (ms_go_alloc_bytes(i->layout, units * i->unit_bytes, i->has_pointers) !=
	    span->elem_bytes) {
		ms_invariant_break(i, id,
				   "its object has %" PRIu64 " bytes, not those of %" PRIu64
				   " buckets of %u",
				   span->elem_bytes, units, i->unit_bytes);
		return NULL;
	}
	if (units > k->room[which]) // makeBucketArray rounds up.
		k->room[which] =
		    (span->elem_bytes - ms_span_header_bytes(i->layout, span)) / i->unit_bytes;
	return NULL;
}

static bool is_bucket(const struct ms_classic_look *k, const struct ms_chain_link *link)
{
	struct ms_inspection *i = k->c.i;
	const struct ms_span *span = ms_inspect_object(i, link->addr);

	if (ms_inspect_lacks_span(i, link->addr))
		return true;
	return span &&
	       ms_go_alloc_bytes(i->layout, i->unit_bytes, i->has_pointers) == span->elem_bytes;
}

static void row_renew(struct ms_classic_look *k)
{
	struct ms_map_row *row = &k->c.i->report->row;
	uint64_t old = ms_classic_old_buckets(&k->m);

	ms_inspect_renew_row(k->c.i, k->m.count, (uint64_t)MS_CLASSIC_SLOTS << k->m.bucket_log2);
	row->grow_at = ms_classic_grow_at(k->c.i->layout, k->m.bucket_log2);
	row->growing = old != 0;
	if (old)
		row->growth =
		    (struct ms_map_growth){ old * MS_CLASSIC_SLOTS, row->capacity,
					    (double)k->m.nevacuate / (double)old, k->m.same_size };
}

const struct ms_classic_source ms_classic_of_go = { .name = "Go program",
						    .parse = parse,
						    .array_check = array_check,
						    .is_bucket = is_bucket,
						    .row_renew = row_renew };
