// classic.c - what runtime/map.go (Go 1.18 to 1.23) keeps true of an hmap at rest and in growth.
//
//	count      <= 8 when B is 0, else <= 6.5 * 2^B (6 in Go 1.21) and the one that starts one;
//	           a growth that keeps the size lets writes pass that, each moving an old bucket
//	flags      iterator 1, oldIterator 2, hashWriting 4, sameSizeGrow 8
//	nevacuate  while growing: old buckets done; after a growth it keeps its last value, which is
//	           the number of old buckets; 0 before the first
//	oldbuckets != buckets; both aligned
#include "maps/classic.h"

enum {
	BUCKET_LOG2_MAX = 40,
	FLAG_SAME_SIZE = 8,
	FLAGS_MAX = 15,
	OVERFLOW_LOG2_MAX = 13, // From here on a uint16 holds less than the bound.
	SEED_MIN = 4096,        // Of all seeds one in a million is smaller, of small integers each.
};

static bool pointer_is_sane(ms_addr p)
{
	return !(p & 7) && p < (ms_addr)1 << 57;
}

uint64_t ms_classic_old_buckets(const struct ms_classic_map *m)
{
	if (!m->oldbuckets)
		return 0;
	return (uint64_t)1 << (m->same_size ? m->bucket_log2 : m->bucket_log2 - 1);
}

uint64_t ms_classic_grow_at(const struct ms_go_layout *l, unsigned bucket_log2)
{
	uint64_t buckets = (uint64_t)1 << bucket_log2;

	return bucket_log2 == 0 ? MS_CLASSIC_SLOTS + 1
				: ms_classic_load_twice(l) * (buckets / 2) + 1;
}

static bool evacuation_is_sane(const struct ms_classic_map *m)
{
	uint64_t buckets = (uint64_t)1 << m->bucket_log2;

	if (m->oldbuckets)
		return m->oldbuckets != m->buckets && (m->same_size || m->bucket_log2 > 0) &&
		       m->nevacuate <= ms_classic_old_buckets(m);
	return m->nevacuate == 0 || m->nevacuate == buckets || m->nevacuate == buckets / 2;
}

static uint64_t most_entries(const struct ms_go_layout *l, const struct ms_classic_map *m)
{
	uint64_t most = ms_classic_grow_at(l, m->bucket_log2);

	return m->same_size && m->oldbuckets ? most + ((uint64_t)1 << m->bucket_log2) : most;
}

/**
 * A write that finds 2^B overflow buckets (or an estimate of 2^15) starts a growth.  What a growth
 * leaves behind can be more, but not several times as many.
 */
static uint64_t most_overflow(const struct ms_classic_map *m)
{
	return m->bucket_log2 < OVERFLOW_LOG2_MAX ? (uint64_t)8 << m->bucket_log2 : UINT16_MAX;
}

enum ms_classic_header ms_classic_parse(const struct ms_go_layout *l, const uint8_t *raw,
					struct ms_classic_map *ret_map)
{
	uint8_t flags = raw[l->hmap_flags];
	struct ms_classic_map m = {
		.count = ms_load_u64(raw + l->hmap_count),
		.buckets = ms_load_u64(raw + l->hmap_buckets),
		.oldbuckets = ms_load_u64(raw + l->hmap_oldbuckets),
		.extra = ms_load_u64(raw + l->hmap_extra),
		.nevacuate = ms_load_u64(raw + l->hmap_nevacuate),
		.seed = ms_load_u32(raw + l->hmap_seed),
		.noverflow = ms_load_u16(raw + l->hmap_noverflow),
		.bucket_log2 = raw[l->hmap_bucket_log2],
		.same_size = flags & FLAG_SAME_SIZE,
	};

	if (flags > FLAGS_MAX || m.bucket_log2 > BUCKET_LOG2_MAX || !pointer_is_sane(m.buckets) ||
	    !pointer_is_sane(m.oldbuckets) || !pointer_is_sane(m.extra) ||
	    m.count > most_entries(l, &m) || m.noverflow > most_overflow(&m) ||
	    m.seed < (m.count ? 1 : SEED_MIN))
		return MS_CLASSIC_NOT;
	*ret_map = m;
	if (!m.buckets)
		return m.count || m.bucket_log2 || m.oldbuckets || m.extra || m.nevacuate ||
			       m.noverflow || flags
			   ? MS_CLASSIC_NOT
			   : MS_CLASSIC_NEVER_WRITTEN;
	return evacuation_is_sane(&m) ? MS_CLASSIC_MAP : MS_CLASSIC_NOT;
}

/** The top bit of each byte of @p tags that is at least @p least, 1 to 128. */
static uint64_t bytes_from(uint64_t tags, uint64_t least)
{
	const uint64_t ones = 0x0101010101010101, tops = ones << 7;

	return (((tags & ~tops) + (128 - least) * ones) | tags) & tops;
}

/** All eight tags at once, the first in the lowest byte: a census looks at millions of buckets. */
int ms_classic_bucket_entries(const uint8_t tags[8])
{
	uint64_t word = ms_load_u64(tags);
	uint64_t filled = bytes_from(word, MS_CLASSIC_TAG_MIN);
	uint64_t used = bytes_from(word, MS_CLASSIC_TAG_EMPTY_REST + 1);
	uint64_t used_bytes = (used << 1) - (used >> 7); // 0xff for each.

	if (filled != bytes_from(word, MS_CLASSIC_TAG_EMPTY_ONE + 1))
		return -1; // A tag in between: an evacuated slot's.
	if (used_bytes & (used_bytes + 1))
		return -1; // Something behind emptyRest.
	return (int)((filled >> 7) * 0x0101010101010101 >> 56);
}

bool ms_classic_bucket_evacuated(const uint8_t tags[8])
{
	for (unsigned i = 0; i < MS_CLASSIC_SLOTS; i++) {
		if (tags[i] <= MS_CLASSIC_TAG_EMPTY_ONE || tags[i] >= MS_CLASSIC_TAG_MIN)
			return false;
	}
	return true;
}
