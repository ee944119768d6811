// inspect_hmap.c - one map of libhmap opened from outside, by its registry alone.
//
//	registry ─► members of struct hmap ─► steady: tags and slots, nodes in slabs
//	                 │
//	                 └─► of the classic engine ─► arrays with their records, overflow in pieces
//
// No symbol is needed and no library of our version: offsets and sizes are the registry's, and a
// table is read as they say.  Memory is held to what libhmap itself keeps of it: an array to its
// record, what overflows to the pieces that it is taken from.
#include "inspect/inspect_hmap.h"

#include "base/vec.h"
#include "inspect/classic_look.h"
#include "inspect/hmap_look.h"
#include "registry/hmap_census.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	BUCKET_LOG2_MAX = 40,
	FLAG_SAME_SIZE = 8,
	FLAGS_MAX = 15,
	BUCKET_BYTES_MIN = 24, // Eight tags, eight keys of a byte, a link.
	BUCKET_BYTES_MAX = 16384,
	PIECES_MAX = 1 << 20,
	STOP_EVERY = 256,
};

_Static_assert(sizeof(struct ms_hmap_head) <= MS_INSPECT_HEADER_MAX, "a header has room");

// --- Pieces of memory that overflow is taken from. ---

const char ms_hmap_pieces_unknown[] = "the list of their memory could not be read to its end";

static int by_start(const void *a, const void *b)
{
	const struct ms_hmap_piece *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

struct ms_error *ms_hmap_pieces_read(struct ms_inspection *i, ms_addr first, enum hmap_field next,
				     uint32_t unit_bytes, uint64_t bytes_max,
				     struct ms_hmap_pieces *p)
{
	const enum hmap_field bytes_at = (enum hmap_field)(next + 1);
	struct ms_hmap_head head;
	uint64_t bytes = 0;
	bool is_read;

	p->count = 0;
	p->units = 0;
	p->unit_bytes = unit_bytes;
	p->is_known = false;
	for (ms_addr at = first; at; at = head.members[next]) {
		struct ms_error *err =
		    ms_registry_read(i->target, ms_hmap_own(i)->registry, at, next,
				     (enum hmap_field)(next + 2), &head, &is_read);
		uint64_t size = is_read ? head.members[bytes_at] : 0;

		if (err)
			return err;
		if (!is_read || size < unit_bytes || size > bytes_max - bytes ||
		    p->count == PIECES_MAX || (p->count % STOP_EVERY == 0 && ms_inspect_stopped(i)))
			return NULL;
		bytes += size;
		if (!ms_vec_push(p, { at + size % unit_bytes, at + size }))
			return ms_error_no_memory();
		p->units += size / unit_bytes;
	}
	if (p->count)
		qsort(p->items, p->count, sizeof(*p->items), by_start);
	p->is_known = true;
	return NULL;
}

bool ms_hmap_pieces_have(const struct ms_hmap_pieces *p, ms_addr addr)
{
	size_t low = 0, high = p->count;

	if (!p->is_known)
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->items[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->count && addr >= p->items[low].start &&
	       (p->items[low].end - addr) % p->unit_bytes == 0;
}

// --- The header. ---

static struct ms_error *header_read(struct ms_inspection *i, uint8_t *raw, bool *ret_read)
{
	struct ms_hmap_head head;
	struct ms_error *err = ms_hmap_head_read(i->target, ms_hmap_own(i)->registry,
						 i->report->row.address, &head, ret_read);

	memcpy(raw, &head, sizeof(head));
	return err;
}

/** The sizes of keys and values, which the type knows. */
static struct ms_error *type_read(struct ms_inspection *i)
{
	struct ms_hmap_own *own = ms_hmap_own(i);
	ms_addr type = ms_hmap_member(i, HMAP_FIELD_TYPE);
	struct ms_hmap_head head;
	bool is_read;
	struct ms_error *err =
	    ms_registry_read(i->target, own->registry, type, HMAP_FIELD_TYPE_NAME,
			     HMAP_FIELD_CLASSIC_COUNT, &head, &is_read);

	own->key_bytes = own->value_bytes = MS_UNKNOWN;
	if (err || !is_read)
		return err;
	if (head.members[HMAP_FIELD_TYPE_KEY_SIZE] < INT32_MAX &&
	    head.members[HMAP_FIELD_TYPE_VALUE_SIZE] < INT32_MAX) {
		own->key_bytes = head.members[HMAP_FIELD_TYPE_KEY_SIZE];
		own->value_bytes = head.members[HMAP_FIELD_TYPE_VALUE_SIZE];
	}
	return NULL;
}

bool ms_hmap_renew_row(struct ms_inspection *i)
{
	const struct ms_hmap_own *own = ms_hmap_own(i);
	struct ms_map_row *row = &i->report->row, now;
	struct ms_hmap_look look = { .address = row->address,
				     .registry = own->registry,
				     .status = MS_HMAP_READ };
	struct ms_hmap_head head;

	memcpy(&head, i->raw, sizeof(head));
	look.words = ms_hmap_head_words(&head);
	if (!ms_hmap_row_fill(&look,
			      own->key_bytes == MS_UNKNOWN ? MS_UNKNOWN
							   : own->key_bytes + own->value_bytes + 1,
			      &now))
		return false;
	row->entries = now.entries;
	row->capacity = now.capacity;
	row->grow_at = now.grow_at;
	row->overflow_buckets = now.overflow_buckets;
	row->live_bytes = now.live_bytes;
	row->total_bytes = now.total_bytes;
	row->slack_bytes = now.slack_bytes;
	row->growing = now.growing;
	row->growth = now.growth;
	return true;
}

// --- Arrays of buckets. ---

/** Where the header's words lie in raw. */
static const struct ms_go_layout classic_layout = {
	.maps = MS_GO_MAPS_CLASSIC,
	.hmap_count = 8 * HMAP_FIELD_CLASSIC_COUNT,
	.hmap_flags = 8 * HMAP_FIELD_CLASSIC_FLAGS,
	.hmap_bucket_log2 = 8 * HMAP_FIELD_CLASSIC_B,
	.hmap_noverflow = 8 * HMAP_FIELD_CLASSIC_OVERFLOW,
	.hmap_seed = 8 * HMAP_FIELD_CLASSIC_SEED,
	.hmap_buckets = 8 * HMAP_FIELD_CLASSIC_BUCKETS,
	.hmap_oldbuckets = 8 * HMAP_FIELD_CLASSIC_OLD,
	.hmap_nevacuate = 8 * HMAP_FIELD_CLASSIC_EVACUATED,
	.hmap_extra = 8 * HMAP_FIELD_CLASSIC_EXTRA,
};

/** Buckets have the size that their keys and values ask for. */
static bool buckets_are_sane(const struct ms_inspection *i)
{
	uint64_t bytes = ms_hmap_member(i, HMAP_FIELD_CLASSIC_BUCKET_BYTES);
	uint64_t key = ms_hmap_member(i, HMAP_FIELD_CLASSIC_KEY_BYTES);
	uint64_t value = ms_hmap_member(i, HMAP_FIELD_CLASSIC_VALUE_BYTES);
	uint64_t values_at = ms_hmap_member(i, HMAP_FIELD_CLASSIC_VALUES_AT);

	return bytes >= BUCKET_BYTES_MIN && bytes <= BUCKET_BYTES_MAX && bytes % 8 == 0 && key &&
	       key < bytes && value < bytes &&
	       values_at >= MS_INSPECT_TAG_BYTES + key * MS_CLASSIC_SLOTS &&
	       values_at + value * MS_CLASSIC_SLOTS <= bytes - MS_INSPECT_LINK_BYTES;
}

static enum ms_classic_header parse(const struct ms_inspection *i, struct ms_classic_map *ret_map)
{
	uint64_t flags = ms_hmap_member(i, HMAP_FIELD_CLASSIC_FLAGS);
	uint64_t log2 = ms_hmap_member(i, HMAP_FIELD_CLASSIC_B);
	struct ms_classic_map m = {
		.count = ms_hmap_member(i, HMAP_FIELD_CLASSIC_COUNT),
		.buckets = ms_hmap_member(i, HMAP_FIELD_CLASSIC_BUCKETS),
		.oldbuckets = ms_hmap_member(i, HMAP_FIELD_CLASSIC_OLD),
		.extra = ms_hmap_member(i, HMAP_FIELD_CLASSIC_EXTRA),
		.nevacuate = ms_hmap_member(i, HMAP_FIELD_CLASSIC_EVACUATED),
		.seed = (uint32_t)ms_hmap_member(i, HMAP_FIELD_CLASSIC_SEED),
		.noverflow = (uint16_t)ms_hmap_member(i, HMAP_FIELD_CLASSIC_OVERFLOW),
		.bucket_log2 = (uint8_t)log2,
		.same_size = flags & FLAG_SAME_SIZE,
	};

	if (flags > FLAGS_MAX || log2 > BUCKET_LOG2_MAX || !buckets_are_sane(i) ||
	    (m.oldbuckets && (m.oldbuckets == m.buckets || (!m.same_size && !log2) ||
			      m.nevacuate > ms_classic_old_buckets(&m))))
		return MS_CLASSIC_NOT;
	*ret_map = m;
	if (m.buckets)
		return MS_CLASSIC_MAP;
	return m.count || log2 || m.oldbuckets ? MS_CLASSIC_NOT : MS_CLASSIC_NEVER_WRITTEN;
}

/** The record that libhmap keeps of each array has to name it, its size, and memory enough. */
static struct ms_error *array_check(struct ms_classic_look *k, enum ms_classic_array which,
				    unsigned log2)
{
	struct ms_inspection *i = k->c.i;
	struct ms_hmap_own *own = ms_hmap_own(i);
	enum ms_invariant_id id = which == MS_CLASSIC_OLD ? MS_INV_OLD_TABLE : MS_INV_TABLE;
	ms_addr record = ms_hmap_member(i, which == MS_CLASSIC_OLD ? HMAP_FIELD_CLASSIC_OLD_ARRAY
								   : HMAP_FIELD_CLASSIC_ARRAY);
	uint64_t all = ms_hmap_member(i, HMAP_FIELD_CLASSIC_BYTES), bytes;
	struct ms_hmap_head head = { .members = { 0 } };
	bool is_read;
	struct ms_error *err =
	    ms_registry_read(i->target, own->registry, record, HMAP_FIELD_ARRAY_BUCKETS,
			     HMAP_FIELD_PIECE_NEXT, &head, &is_read);

	i->unit_bytes = (uint32_t)ms_hmap_member(i, HMAP_FIELD_CLASSIC_BUCKET_BYTES);
	own->pieces[which].is_known = false;
	if (err)
		return err;
	bytes = head.members[HMAP_FIELD_ARRAY_BYTES];
	if (!is_read) {
		ms_invariant_unknown(i, id, "its record cannot be read");
		ms_inspect_unread(i, "the record of its array cannot be read");
		return NULL;
	}
	if (head.members[HMAP_FIELD_ARRAY_BUCKETS] != k->c.arrays[which]->address) {
		ms_invariant_break(i, id, "its record is of an array at 0x%" PRIx64,
				   head.members[HMAP_FIELD_ARRAY_BUCKETS]);
	} else if (head.members[HMAP_FIELD_ARRAY_B] != log2 || bytes > all ||
		   bytes / i->unit_bytes >> log2 == 0) {
		ms_invariant_break(i, id,
				   "its record has %" PRIu64 " bytes and B=%" PRIu64
				   ", not those of %" PRIu64 " buckets of %u",
				   bytes, head.members[HMAP_FIELD_ARRAY_B], k->room[which],
				   i->unit_bytes);
	} else {
		k->room[which] = bytes / i->unit_bytes;
		err = ms_hmap_pieces_read(i, head.members[HMAP_FIELD_ARRAY_PIECES],
					  HMAP_FIELD_PIECE_NEXT, i->unit_bytes, all,
					  &own->pieces[which]);
		if (!err && !own->pieces[which].is_known)
			ms_invariant_unknown(i, MS_INV_OVERFLOW, ms_hmap_pieces_unknown);
		return err;
	}
	ms_inspect_unread(i, "its array is not the one that its record is of");
	return NULL;
}

static bool is_bucket(const struct ms_classic_look *k, const struct ms_chain_link *link)
{
	return ms_hmap_pieces_have(&ms_hmap_own(k->c.i)->pieces[link->which], link->addr);
}

static void row_renew(struct ms_classic_look *k)
{
	if (!ms_hmap_renew_row(k->c.i))
		ms_invariant_break(k->c.i, MS_INV_HEADER, "its words contradict each other");
}

const struct ms_classic_source ms_classic_of_hmap = { .name = "libhmap",
						      .parse = parse,
						      .array_check = array_check,
						      .is_bucket = is_bucket,
						      .row_renew = row_renew };

// --- The whole. ---

static struct ms_error *look(struct ms_inspection *i)
{
	bool is_classic = i->report->row.kind == MS_MAP_HMAP_CLASSIC;
	ms_addr classic = ms_hmap_member(i, HMAP_FIELD_CLASSIC);
	struct ms_error *err;

	if (is_classic != (classic && classic != MS_UNKNOWN)) {
		ms_invariant_break(i, MS_INV_HEADER, "it is of the other engine");
		ms_inspect_unread(i, "another map is in its place");
		return NULL;
	}
	err = type_read(i);
	if (err)
		return err;
	return is_classic ? ms_inspect_classic(i, &ms_classic_of_hmap) : ms_inspect_steady(i);
}

static struct ms_error *keys(struct ms_inspection *i)
{
	i->report->keys.unknown_why =
	    "keys of libhmap's maps are bytes, and only the program knows what they mean";
	return NULL;
}

static const struct ms_inspect_source hmap_source = { .header_read = header_read,
						      .look = look,
						      .layout = ms_hmap_layout,
						      .views = ms_hmap_views,
						      .keys = keys };

struct ms_error *ms_inspect_hmap(struct ms_target *target, const struct ms_registry *registry,
				 const struct ms_map_row *row,
				 const struct ms_inspect_options *options,
				 struct ms_inspect_report *ret_report)
{
	bool is_classic = row->kind == MS_MAP_HMAP_CLASSIC;
	struct ms_inspect_report report = { .row = *row };
	struct ms_hmap_own own = { .registry = registry };
	struct ms_inspection i = { .source = &hmap_source,
				   .target = target,
				   .header_bytes = sizeof(struct ms_hmap_head),
				   .own = &own,
				   .layout = is_classic ? &classic_layout : NULL,
				   .options = options,
				   .report = &report };
	struct ms_error *err;

	if (!ms_registry_has_tables(registry, is_classic)) {
		*ret_report = ms_inspect_row_alone(
		    row, "its libhmap is older, and does not say where a table lies; in gdb, hmap "
			 "show and hmap chains of that libhmap open it");
		return NULL;
	}
	err = ms_inspect_open(&i);
	ms_vec_free(&own.pieces[0]);
	ms_vec_free(&own.pieces[1]);
	ms_fetch_deinit(&i.fetch);
	if (err)
		ms_inspect_report_deinit(&report);
	else
		*ret_report = report;
	return err;
}
