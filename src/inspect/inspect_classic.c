// inspect_classic.c - a classic map's arrays, bucket by bucket, and its chains level by level.
//
//	old   [mmmm|mmm.|....]     m: moved; what is left waits
//	                 ^ frontier (nevacuate)
//	now   [xxxx|xxx |    |yyyy|yyy |    ]
//
// Whose map it is, Go's or libhmap's, is the source's matter: how memory is held to account.
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

static const char *name_of(const struct ms_classic_look *k, enum ms_classic_array which)
{
	return k->c.unit_names[which];
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

/** Hold an array to its memory. */
static struct ms_error *array_check(struct ms_classic_look *k, enum ms_classic_array which,
				    unsigned log2)
{
	ms_invariant_ask(k->c.i, which == MS_CLASSIC_OLD ? MS_INV_OLD_TABLE : MS_INV_TABLE);
	k->room[which] = (uint64_t)1 << log2;
	return k->source->array_check(k, which, log2);
}

/** Among the buckets behind an array that are kept for overflow. */
static bool in_tail(const struct ms_classic_look *k, const struct ms_chain_link *link)
{
	const struct ms_inspect_array *a = k->c.arrays[link->which];
	ms_addr first = a->address + a->units * k->c.i->unit_bytes;
	uint64_t offset = link->addr - first;

	return link->addr >= first && offset % k->c.i->unit_bytes == 0 &&
	       offset / k->c.i->unit_bytes < k->room[link->which] - a->units;
}

static bool leads_to_bucket(const struct ms_chains *c, const struct ms_chain_link *link)
{
	const struct ms_classic_look *k = (const struct ms_classic_look *)c;

	return !(link->addr & 7) && (in_tail(k, link) || k->source->is_bucket(k, link));
}

static void tags_moved(struct ms_classic_look *k, uint64_t unit)
{
	struct ms_inspect_array *a = k->c.arrays[MS_CLASSIC_OLD];

	a->bits[unit] |= MS_UNIT_MOVED;
	a->moved++;
}

static void take_tags(struct ms_classic_look *k, enum ms_classic_array which, uint64_t unit,
		      const uint8_t *tags)
{
	struct ms_inspection *i = k->c.i;
	struct ms_inspect_array *a = k->c.arrays[which];
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
					   "slot %u of %s %" PRIu64 " has the tag %u of a "
					   "moved entry",
					   s, name_of(k, which), unit, tag);
			continue;
		}
		if (ended)
			ms_invariant_break(i, MS_INV_TAGS,
					   "slot %u of %s %" PRIu64 " lies behind the mark that "
					   "ends its chain",
					   s, name_of(k, which), unit);
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

static void take_overflow(struct ms_chains *c, const struct ms_chain_link *link,
			  const uint8_t *tags)
{
	take_tags((struct ms_classic_look *)c, (enum ms_classic_array)link->which, link->unit,
		  tags);
}

static struct ms_error *bucket_take(struct ms_classic_look *k, enum ms_classic_array which,
				    uint64_t unit, const uint8_t *bytes, uint32_t size)
{
	ms_addr link =
	    size > MS_INSPECT_TAG_BYTES ? ms_load_u64(bytes + size - MS_INSPECT_LINK_BYTES) : 0;

	ms_inspect_mix(k->c.i, ms_load_u64(bytes));
	k->c.arrays[which]->chains[unit] = 1;
	if (which == MS_CLASSIC_OLD && ms_classic_bucket_evacuated(bytes)) {
		tags_moved(k, unit);
		return NULL;
	}
	ms_inspect_mix(k->c.i, link);
	take_tags(k, which, unit, bytes);
	return ms_chains_add(&k->c, which, unit, link) ? NULL : ms_error_no_memory();
}

/** Read one step of an array; a page that cannot be read leaves its buckets unknown. */
static struct ms_error *step_take(struct ms_classic_look *k, enum ms_classic_array which,
				  uint64_t first, uint64_t count, uint32_t unit_bytes, uint8_t *buf)
{
	struct ms_inspect_array *a = k->c.arrays[which];
	struct ms_error *err = ms_target_read(k->c.i->target, a->address + first * unit_bytes, buf,
					      (size_t)(count * unit_bytes));

	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		k->c.is_whole = false;
		ms_inspect_unread(k->c.i, "part of its table cannot be read");
		return NULL;
	}
	for (uint64_t n = 0; n < count && !err; n++)
		err = bucket_take(k, which, first + n, buf + n * unit_bytes, unit_bytes);
	return err;
}

static struct ms_error *array_read(struct ms_classic_look *k, enum ms_classic_array which)
{
	struct ms_inspect_array *a = k->c.arrays[which];
	uint32_t unit = k->c.i->unit_bytes ? k->c.i->unit_bytes : MS_INSPECT_TAG_BYTES;
	MS_AUTO_FREE uint8_t *buf = malloc(STEP_BYTES);
	uint64_t at_once = STEP_BYTES / unit;
	struct ms_error *err = NULL;

	if (!buf)
		return ms_error_no_memory();
	for (uint64_t u = 0; u < a->units && !err && !ms_inspect_stopped(k->c.i); u += at_once)
		err = step_take(k, which, u, ms_min_u64(at_once, a->units - u), unit, buf);
	return err;
}

// --- What holds of all of it. ---

static void count_check(struct ms_classic_look *k)
{
	struct ms_inspection *i = k->c.i;
	uint64_t found =
	    k->c.arrays[MS_CLASSIC_NOW]->entries + k->c.arrays[MS_CLASSIC_OLD]->entries;

	ms_invariant_ask(i, MS_INV_COUNT);
	if (found != k->m.count)
		ms_invariant_break(i, MS_INV_COUNT,
				   "%" PRIu64 " entries are in the table, and the header counts "
				   "%" PRIu64,
				   found, k->m.count);
	if (k->m.bucket_log2 >= MS_CLASSIC_NOVERFLOW_EXACT || k->m.noverflow == UINT16_MAX)
		return;
	ms_invariant_ask(i, MS_INV_OVERFLOW_COUNT);
	if (k->c.arrays[MS_CLASSIC_NOW]->overflow != k->m.noverflow)
		ms_invariant_break(i, MS_INV_OVERFLOW_COUNT,
				   "%" PRIu64 " are in chains, and the header counts %u",
				   k->c.arrays[MS_CLASSIC_NOW]->overflow, k->m.noverflow);
}

static void frontier_check(struct ms_classic_look *k)
{
	struct ms_inspection *i = k->c.i;
	const struct ms_inspect_array *old = k->c.arrays[MS_CLASSIC_OLD],
				      *now = k->c.arrays[MS_CLASSIC_NOW];

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

static void unknown_all(struct ms_classic_look *k, const char *why)
{
	static const enum ms_invariant_id ids[] = { MS_INV_TAGS, MS_INV_COUNT, MS_INV_CHAIN_CYCLE,
						    MS_INV_OVERFLOW };

	for (size_t n = 0; n < MS_ARRAY_SIZE(ids); n++)
		ms_invariant_unknown(k->c.i, ids[n], why);
}

static void judge(struct ms_classic_look *k)
{
	struct ms_inspect_report *r = k->c.i->report;

	r->is_read = k->c.is_whole && !k->c.i->is_cut;
	if (!r->is_read) {
		unknown_all(k, r->unread_why ? r->unread_why : "the look was cut short");
		k->c.arrays[MS_CLASSIC_NOW]->overflow = k->c.arrays[MS_CLASSIC_OLD]->overflow =
		    MS_UNKNOWN;
		return;
	}
	count_check(k);
	r->row.overflow_buckets = k->c.arrays[MS_CLASSIC_NOW]->overflow;
	if (k->m.oldbuckets)
		frontier_check(k);
	ms_inspect_count_fills(r);
	ms_inspect_count_chains(r);
	ms_inspect_evenness_units(k->c.i, MS_CLASSIC_TAG_MIN, MS_CLASSIC_TAG_MIN);
}

// --- The whole. ---

static void stage_tell(struct ms_classic_look *k)
{
	struct ms_inspect_report *r = k->c.i->report;

	r->frontier = k->m.oldbuckets ? k->m.nevacuate : 0;
	r->stage = !k->m.oldbuckets ? MS_STAGE_NONE
		   : k->m.same_size ? MS_STAGE_SAME_SIZE
				    : MS_STAGE_DOUBLING;
}

static struct ms_error *arrays_init(struct ms_classic_look *k)
{
	struct ms_error *err = ms_inspect_array_init(k->c.arrays[MS_CLASSIC_NOW], k->m.buckets,
						     (uint64_t)1 << k->m.bucket_log2);

	if (!err && k->m.oldbuckets)
		err = ms_inspect_array_init(k->c.arrays[MS_CLASSIC_OLD], k->m.oldbuckets,
					    ms_classic_old_buckets(&k->m));
	return err;
}

/** The table, as far as it can be read: one bucket without a link may do without its size. */
static struct ms_error *table_read(struct ms_classic_look *k)
{
	struct ms_inspection *i = k->c.i;
	struct ms_error *err = array_check(k, MS_CLASSIC_NOW, k->m.bucket_log2);

	if (!err && k->m.oldbuckets)
		err = array_check(k, MS_CLASSIC_OLD,
				  k->m.same_size ? k->m.bucket_log2 : k->m.bucket_log2 - 1u);
	if (err)
		return err;
	if (!i->unit_bytes && k->m.bucket_log2)
		ms_inspect_unread(i, "its type is not known, and so not how long its buckets are");
	if (i->report->unread_why) {
		unknown_all(k, i->report->unread_why);
		return NULL;
	}
	ms_invariant_ask(i, MS_INV_TAGS);
	err = array_read(k, MS_CLASSIC_NOW);
	if (!err && k->m.oldbuckets)
		err = array_read(k, MS_CLASSIC_OLD);
	k->c.next_at = i->unit_bytes - MS_INSPECT_LINK_BYTES;
	if (!err)
		err = ms_chains_follow(&k->c);
	if (!err)
		judge(k);
	return err || i->options->unit == MS_UNKNOWN ? err : ms_classic_look_at_unit(k);
}

struct ms_error *ms_inspect_classic(struct ms_inspection *i, const struct ms_classic_source *source)
{
	struct ms_inspect_report *r = i->report;
	struct ms_classic_look k = { .c = { .i = i,
					    .arrays = { &r->now, &r->old },
					    .unit_names = { "bucket", "old bucket" },
					    .name = "bucket",
					    .take = take_overflow,
					    .leads = leads_to_bucket,
					    .is_whole = true },
				     .source = source };
	struct ms_error *err;

	words_tell(i);
	i->is_writing = (i->raw[i->layout->hmap_flags] & ~FLAGS_ALL) == 0 &&
			(i->raw[i->layout->hmap_flags] & WRITING);
	switch (source->parse(i, &k.m)) {
	case MS_CLASSIC_NOT:
		ms_invariant_break(i, MS_INV_HEADER, "no %s leaves such a header", source->name);
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
	source->row_renew(&k);
	if (k.m.bucket_log2 > UNITS_LOG2_MAX) {
		ms_inspect_unread(i, "its table is larger than is read");
		return NULL;
	}
	err = arrays_init(&k);
	if (!err)
		err = table_read(&k);
	ms_chains_deinit(&k.c);
	return err;
}
