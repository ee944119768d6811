// inspect_classic.c - a classic map's arrays, bucket by bucket, and its chains level by level.
//
//	old   [mmmm|mmm.|....]     m: moved; what is left waits
//	                 ^ frontier (nevacuate)
//	now   [xxxx|xxx |    |yyyy|yyy |    ]
//
// An array is read in steps, and of each bucket only its tags and its link are kept.  Of a
// moved bucket nothing is followed: its link may have been cleared, or may lead to what was freed.
#include "inspect/classic_look.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <inttypes.h>

enum {
	STEP_BYTES = 1 << 20,
	UNITS_LOG2_MAX = 26, // 64 M buckets, over 400 M entries: beyond, only the header is told.
	ENDED = 2,           // Bit of a unit: an end mark was seen in its chain.
	WRITING = 4,         // Flag of a header.
	FLAGS_ALL = 15,
};

const char *ms_classic_array_name(enum ms_classic_array which)
{
	return which == MS_CLASSIC_OLD ? "old " : "";
}

// --- The header. ---

static const char *flags_meaning(uint8_t flags)
{
	static const char *const words[16] = {
		"nobody is in it",
		"an iterator is at work, or was left",
		"an iterator of the old array is at work, or was left",
		"iterators are at work, or were left",
		"a write is under way",
		"a write is under way, an iterator at work",
		"a write is under way, an iterator of the old array at work",
		"a write is under way, iterators at work",
		"the growth keeps the size",
		"the growth keeps the size; an iterator is at work, or was left",
		"the growth keeps the size; an iterator of the old array is at work",
		"the growth keeps the size; iterators are at work, or were left",
		"the growth keeps the size; a write is under way",
		"the growth keeps the size; a write is under way, an iterator at work",
		("the growth keeps the size; a write is under way, an iterator of the old array "
		 "at work"),
		"the growth keeps the size; a write is under way, iterators at work",
	};

	return flags < MS_ARRAY_SIZE(words) ? words[flags] : "no runtime sets these";
}

static void words_tell(struct ms_inspection *i)
{
	const struct ms_go_layout *l = i->layout;
	const uint8_t *raw = i->raw;
	uint8_t b = raw[l->hmap_bucket_log2];
	ms_addr old = ms_load_u64(raw + l->hmap_oldbuckets);

	ms_inspect_word(i, "count", ms_load_u64(raw + l->hmap_count), "entries", false);
	ms_inspect_word(i, "flags", raw[l->hmap_flags], flags_meaning(raw[l->hmap_flags]), false);
	ms_inspect_word(i, "B", b, "2 to the power of this are its buckets", false);
	ms_inspect_word(i, "noverflow", ms_load_u16(raw + l->hmap_noverflow),
			b < MS_CLASSIC_NOVERFLOW_EXACT ? "overflow buckets"
						       : "overflow buckets, estimated from B 16 on",
			false);
	ms_inspect_word(i, "hash0", ms_load_u32(raw + l->hmap_seed), "the seed of its hashes",
			true);
	ms_inspect_word(i, "buckets", ms_load_u64(raw + l->hmap_buckets), "the array", true);
	ms_inspect_word(i, "oldbuckets", old,
			old ? "the array that entries are moved out of" : "no growth is under way",
			true);
	ms_inspect_word(i, "nevacuate", ms_load_u64(raw + l->hmap_nevacuate),
			old ? "old buckets below it were moved" : "of the last growth", false);
	ms_inspect_word(i, "extra", ms_load_u64(raw + l->hmap_extra),
			"what keeps overflow buckets alive", true);
}

// --- Arrays. ---

/** Hold an array to being one object of the right size. */
static void array_check(struct ms_classic_look *k, enum ms_classic_array which, unsigned log2)
{
	struct ms_inspection *i = k->i;
	enum ms_invariant_id id = which == MS_CLASSIC_OLD ? MS_INV_OLD_TABLE : MS_INV_TABLE;
	ms_addr start = k->arrays[which]->address;
	uint64_t units = ms_classic_buckets(log2);
	const struct ms_span *span;

	ms_invariant_ask(i, id);
	k->room[which] = (uint64_t)1 << log2;
	span = ms_inspect_object(i, start);
	if (which == MS_CLASSIC_NOW)
		ms_inspect_know_unit(i, span, units);
	if (i->report->row.where == MS_WHERE_STACK && !span)
		return; // Its one bucket lies in the frame.
	if (!span && ms_inspect_lacks_span(i, start)) {
		ms_invariant_unknown(i, id, ms_inspect_no_span);
		if (units > k->room[which])
			k->room[which] = units;
		return;
	}
	if (!span) {
		ms_invariant_break(i, id, "0x%" PRIx64 " is not where a heap object begins", start);
		return;
	}
	if (!i->unit_bytes) {
		ms_invariant_unknown(i, id, "the size of a bucket is not known");
		return;
	}
	if (ms_go_alloc_bytes(i->layout, units * i->unit_bytes, i->has_pointers) !=
	    span->elem_bytes) {
		ms_invariant_break(i, id,
				   "its object has %" PRIu64 " bytes, not those of %" PRIu64
				   " buckets of %u",
				   span->elem_bytes, units, i->unit_bytes);
		return;
	}
	if (units > k->room[which]) // makeBucketArray rounds up.
		k->room[which] =
		    (span->elem_bytes - ms_span_header_bytes(i->layout, span)) / i->unit_bytes;
}

static void tags_moved(struct ms_classic_look *k, uint64_t unit)
{
	struct ms_inspect_array *a = k->arrays[MS_CLASSIC_OLD];

	a->bits[unit] |= MS_UNIT_MOVED;
	a->moved++;
}

void ms_classic_take_tags(struct ms_classic_look *k, enum ms_classic_array which, uint64_t unit,
			  const uint8_t *tags)
{
	struct ms_inspection *i = k->i;
	struct ms_inspect_array *a = k->arrays[which];
	bool ended = a->bits[unit] & ENDED;
	unsigned entries = 0;

	for (unsigned s = 0; s < MS_CLASSIC_SLOTS; s++) {
		uint8_t tag = tags[s];

		if (tag == MS_CLASSIC_TAG_EMPTY_REST) {
			ended = true;
			continue;
		}
		if (tag > MS_CLASSIC_TAG_EMPTY_ONE && tag < MS_CLASSIC_TAG_MIN) {
			ms_invariant_break(i, MS_INV_TAGS,
					   "slot %u of %sbucket %" PRIu64 " has the tag %u of a "
					   "moved entry",
					   s, ms_classic_array_name(which), unit, tag);
			continue;
		}
		if (ended)
			ms_invariant_break(i, MS_INV_TAGS,
					   "slot %u of %sbucket %" PRIu64 " lies behind the mark "
					   "that ends its chain",
					   s, ms_classic_array_name(which), unit);
		if (tag == MS_CLASSIC_TAG_EMPTY_ONE) {
			i->report->deleted++;
			continue;
		}
		i->report->tags[tag]++;
		entries++;
	}
	if (ended)
		a->bits[unit] |= ENDED;
	a->entries += entries;
	a->fills[unit] = (uint16_t)ms_min_u64(a->fills[unit] + entries, UINT16_MAX);
}

bool ms_classic_add_link(struct ms_classic_look *k, enum ms_classic_array which, uint64_t unit,
			 ms_addr addr)
{
	return !addr || ms_vec_push(&k->next, { addr, unit, which });
}

static struct ms_error *bucket_take(struct ms_classic_look *k, enum ms_classic_array which,
				    uint64_t unit, const uint8_t *bytes, uint32_t size)
{
	ms_addr link =
	    size > MS_INSPECT_TAG_BYTES ? ms_load_u64(bytes + size - MS_INSPECT_LINK_BYTES) : 0;

	ms_inspect_mix(k->i, ms_load_u64(bytes));
	k->arrays[which]->chains[unit] = 1;
	if (which == MS_CLASSIC_OLD && ms_classic_bucket_evacuated(bytes)) {
		tags_moved(k, unit);
		return NULL;
	}
	ms_inspect_mix(k->i, link);
	ms_classic_take_tags(k, which, unit, bytes);
	return ms_classic_add_link(k, which, unit, link) ? NULL : ms_error_no_memory();
}

/** Read one step of an array; a page that cannot be read leaves its buckets unknown. */
static struct ms_error *step_take(struct ms_classic_look *k, enum ms_classic_array which,
				  uint64_t first, uint64_t count, uint32_t unit_bytes, uint8_t *buf)
{
	struct ms_inspect_array *a = k->arrays[which];
	struct ms_error *err = ms_target_read(k->i->rt->target, a->address + first * unit_bytes,
					      buf, (size_t)(count * unit_bytes));

	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		k->is_whole = false;
		ms_inspect_unread(k->i, "part of its table cannot be read");
		return NULL;
	}
	for (uint64_t n = 0; n < count && !err; n++)
		err = bucket_take(k, which, first + n, buf + n * unit_bytes, unit_bytes);
	return err;
}

static struct ms_error *array_read(struct ms_classic_look *k, enum ms_classic_array which)
{
	struct ms_inspect_array *a = k->arrays[which];
	uint32_t unit = k->i->unit_bytes ? k->i->unit_bytes : MS_INSPECT_TAG_BYTES;
	MS_AUTO_FREE uint8_t *buf = malloc(STEP_BYTES);
	uint64_t at_once = STEP_BYTES / unit;
	struct ms_error *err = NULL;

	if (!buf)
		return ms_error_no_memory();
	for (uint64_t u = 0; u < a->units && !err && !ms_inspect_stopped(k->i); u += at_once)
		err = step_take(k, which, u, ms_min_u64(at_once, a->units - u), unit, buf);
	return err;
}

// --- What holds of all of it. ---

static void count_check(struct ms_classic_look *k)
{
	struct ms_inspection *i = k->i;
	uint64_t found = k->arrays[MS_CLASSIC_NOW]->entries + k->arrays[MS_CLASSIC_OLD]->entries;

	ms_invariant_ask(i, MS_INV_COUNT);
	if (found != k->m.count)
		ms_invariant_break(i, MS_INV_COUNT,
				   "%" PRIu64 " entries are in the table, and the header counts "
				   "%" PRIu64,
				   found, k->m.count);
	if (k->m.bucket_log2 >= MS_CLASSIC_NOVERFLOW_EXACT)
		return;
	ms_invariant_ask(i, MS_INV_OVERFLOW_COUNT);
	if (k->arrays[MS_CLASSIC_NOW]->overflow != k->m.noverflow)
		ms_invariant_break(i, MS_INV_OVERFLOW_COUNT,
				   "%" PRIu64 " are in chains, and the header counts %u",
				   k->arrays[MS_CLASSIC_NOW]->overflow, k->m.noverflow);
}

static void frontier_check(struct ms_classic_look *k)
{
	struct ms_inspection *i = k->i;
	const struct ms_inspect_array *old = k->arrays[MS_CLASSIC_OLD],
				      *now = k->arrays[MS_CLASSIC_NOW];

	ms_invariant_ask(i, MS_INV_FRONTIER);
	for (uint64_t u = 0; u < k->m.nevacuate && u < old->units; u++) {
		if (!(old->bits[u] & MS_UNIT_MOVED))
			ms_invariant_break(i, MS_INV_FRONTIER,
					   "old bucket %" PRIu64 " lies below the frontier and was "
					   "not moved",
					   u);
	}
	for (uint64_t u = 0; u < now->units; u++) {
		uint64_t from = u & (old->units - 1);

		if (now->fills[u] && !(old->bits[from] & MS_UNIT_MOVED))
			ms_invariant_break(i, MS_INV_FRONTIER,
					   "bucket %" PRIu64 " has entries, and old bucket %" PRIu64
					   " was not moved",
					   u, from);
	}
}

static void chains_count(struct ms_inspect_report *r)
{
	for (uint64_t u = 0; u < r->now.units; u++) {
		uint16_t chain = r->now.chains[u];

		r->chains[ms_min_u64(chain, MS_INSPECT_CHAINS - 1)]++;
		r->longest = ms_max_u64(r->longest, chain);
	}
}

static void unknown_all(struct ms_classic_look *k, const char *why)
{
	static const enum ms_invariant_id ids[] = { MS_INV_TAGS, MS_INV_COUNT, MS_INV_CHAIN_CYCLE,
						    MS_INV_OVERFLOW };

	for (size_t n = 0; n < MS_ARRAY_SIZE(ids); n++)
		ms_invariant_unknown(k->i, ids[n], why);
}

static void judge(struct ms_classic_look *k)
{
	struct ms_inspect_report *r = k->i->report;

	r->is_read = k->is_whole && !k->i->is_cut;
	if (!r->is_read) {
		unknown_all(k, r->unread_why ? r->unread_why : "the look was cut short");
		k->arrays[MS_CLASSIC_NOW]->overflow = k->arrays[MS_CLASSIC_OLD]->overflow =
		    MS_UNKNOWN;
		return;
	}
	count_check(k);
	r->row.overflow_buckets = k->arrays[MS_CLASSIC_NOW]->overflow;
	if (k->m.oldbuckets)
		frontier_check(k);
	ms_inspect_count_fills(r);
	chains_count(r);
	ms_inspect_evenness_classic(k->i);
}

// --- The whole. ---

static void stage_tell(struct ms_classic_look *k)
{
	struct ms_inspect_report *r = k->i->report;

	r->frontier = k->m.oldbuckets ? k->m.nevacuate : 0;
	r->stage = !k->m.oldbuckets ? MS_STAGE_NONE
		   : k->m.same_size ? MS_STAGE_SAME_SIZE
				    : MS_STAGE_DOUBLING;
}

/** What the header says now, in place of what it said to the census. */
static void row_renew(struct ms_classic_look *k)
{
	struct ms_map_row *row = &k->i->report->row;
	uint64_t old = ms_classic_old_buckets(&k->m);

	ms_inspect_renew_row(k->i, k->m.count, (uint64_t)MS_CLASSIC_SLOTS << k->m.bucket_log2);
	row->grow_at = ms_classic_grow_at(k->i->layout, k->m.bucket_log2);
	row->growing = old != 0;
	if (old)
		row->growth =
		    (struct ms_map_growth){ old * MS_CLASSIC_SLOTS, row->capacity,
					    (double)k->m.nevacuate / (double)old, k->m.same_size };
}

static struct ms_error *arrays_init(struct ms_classic_look *k)
{
	struct ms_error *err = ms_inspect_array_init(k->arrays[MS_CLASSIC_NOW], k->m.buckets,
						     (uint64_t)1 << k->m.bucket_log2);

	if (!err && k->m.oldbuckets)
		err = ms_inspect_array_init(k->arrays[MS_CLASSIC_OLD], k->m.oldbuckets,
					    ms_classic_old_buckets(&k->m));
	return err;
}

/** The table, as far as it can be read: one bucket without a link may do without its size. */
static struct ms_error *table_read(struct ms_classic_look *k)
{
	struct ms_inspection *i = k->i;
	struct ms_error *err;

	array_check(k, MS_CLASSIC_NOW, k->m.bucket_log2);
	if (k->m.oldbuckets)
		array_check(k, MS_CLASSIC_OLD,
			    k->m.same_size ? k->m.bucket_log2 : k->m.bucket_log2 - 1u);
	if (!i->unit_bytes && k->m.bucket_log2) {
		ms_inspect_unread(i, "its type is not known, and so not how long its buckets are");
		unknown_all(k, i->report->unread_why);
		return NULL;
	}
	ms_invariant_ask(i, MS_INV_TAGS);
	err = array_read(k, MS_CLASSIC_NOW);
	if (!err && k->m.oldbuckets)
		err = array_read(k, MS_CLASSIC_OLD);
	if (!err)
		err = ms_classic_follow_chains(k);
	if (!err)
		judge(k);
	return err || i->options->unit == MS_UNKNOWN ? err : ms_classic_look_at_unit(k);
}

struct ms_error *ms_inspect_classic(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	struct ms_classic_look k = { .i = i, .arrays = { &r->now, &r->old }, .is_whole = true };
	struct ms_error *err;

	words_tell(i);
	i->is_writing = (i->raw[i->layout->hmap_flags] & ~FLAGS_ALL) == 0 &&
			(i->raw[i->layout->hmap_flags] & WRITING);
	switch (ms_classic_parse(i->layout, i->raw, &k.m)) {
	case MS_CLASSIC_NOT:
		ms_invariant_break(i, MS_INV_HEADER, "no Go program leaves such a header");
		ms_inspect_unread(i, "its header is not one of a map");
		return NULL;
	case MS_CLASSIC_NEVER_WRITTEN:
		r->stage = MS_STAGE_NEVER_WRITTEN;
		ms_inspect_unread(i, "it was never written to, and has no table yet");
		return NULL;
	case MS_CLASSIC_MAP:
		break;
	}
	stage_tell(&k);
	row_renew(&k);
	if (k.m.bucket_log2 > UNITS_LOG2_MAX) {
		ms_inspect_unread(i, "its table is larger than is read");
		return NULL;
	}
	err = arrays_init(&k);
	if (!err)
		err = table_read(&k);
	ms_vec_free(&k.links);
	ms_vec_free(&k.next);
	ms_number_map_deinit(&k.seen);
	return err;
}
