// seed_hmap_tables.c - inputs for hmap_tables_fuzz.c: the maps as they are, then one lie each.
#include "tests/fuzz/hmap_tables.h"
#include "tests/fuzz/seed.h"

#include "hmap/classic_internal.h"
#include "hmap/space.h"

enum { CHAINS, GROWS, SEGMENTS, TIDIED, CLASSIC_CHAINS, CLASSIC_GROWS, UNBORN };
enum { OF_MAP, OF_CLASSIC, OF_TABLE, OF_OVERFLOW };
enum { BYTE, FOUR = 3, EIGHT = 7, FLIP = 8, ADDRESS = 16 + 7 };

#define PART(map, of) (4 * (map) + (of))
#define HEAD(member) offsetof(struct hmap, member)
#define CLASSIC(member) offsetof(struct hmap_classic, member)
#define RECORD(member) offsetof(struct hmap_classic_table, member)

enum { FIELDS = 4 * HMAP_TABLES_MAPS };

static const struct {
	const char *name;
	uint8_t failing_read, from_read, how, part;
	uint16_t offset;
	uint64_t value;
} seeds[] = {
	{ "as-it-is", 0, 0, 0, 0, 0, 0 },
	{ "older", 0, 0, FOUR, FIELDS, HMAP_FIELD_TAGS * 4, 0 },
	{ "no-group-bytes", 0, 0, FOUR, FIELDS, HMAP_FIELD_GROUP_BYTES * 4, 0 },
	{ "groups-wide", 0, 0, FOUR, FIELDS, HMAP_FIELD_GROUP_BYTES * 4, 2000 },
	{ "count", 0, 0, BYTE, PART(CHAINS, OF_MAP), HEAD(count), 9 },
	{ "groups-many", 0, 0, EIGHT, PART(CHAINS, OF_MAP), HEAD(groups), 1 << 20 },
	{ "mask", 0, 0, BYTE, PART(GROWS, OF_MAP), HEAD(mask), 5 },
	{ "low", 0, 0, BYTE, PART(GROWS, OF_MAP), HEAD(low), 4 },
	{ "pass", 0, 0, BYTE, PART(GROWS, OF_MAP), HEAD(pass), 9 },
	{ "pass-none", 0, 0, BYTE, PART(GROWS, OF_MAP), HEAD(pass), 0 },
	{ "ready", 0, 0, BYTE, PART(GROWS, OF_MAP), HEAD(ready), 0 },
	{ "slot-size", 0, 0, FOUR, PART(GROWS, OF_MAP), HEAD(shape.slot_size), 0 },
	{ "node-slots", 0, 0, FOUR, PART(CHAINS, OF_MAP), HEAD(shape.node_slots), 99 },
	{ "compacted", 0, 0, EIGHT, PART(TIDIED, OF_MAP), HEAD(compacted), 1 << 30 },
	{ "compacted-all", 0, 0, BYTE, PART(TIDIED, OF_MAP), HEAD(compacted), 8 },
	{ "segments", 0, 0, ADDRESS, PART(SEGMENTS, OF_MAP), HEAD(segments), 0 },
	{ "segment-gone", 0, 0, EIGHT, PART(SEGMENTS, OF_MAP), HEAD(segments), 0x1000 },
	{ "segment-shift", 0, 0, BYTE, PART(SEGMENTS, OF_MAP), HEAD(segment_shift), 99 },
	{ "tags-elsewhere", 0, 0, ADDRESS, PART(CHAINS, OF_MAP), HEAD(tags), 4 },
	{ "tags-gone", 0, 0, EIGHT, PART(CHAINS, OF_MAP), HEAD(tags), 0x1000 },
	{ "tag-flipped", 0, 0, BYTE | FLIP, PART(CHAINS, OF_TABLE), 3, 0xff },
	{ "link-nowhere", 0, 0, BYTE, PART(CHAINS, OF_TABLE), 2, 1 },
	{ "link-taken", 0, 0, BYTE, PART(CHAINS, OF_TABLE), 48 + 13, 9 },
	{ "slots-elsewhere", 0, 0, ADDRESS, PART(CHAINS, OF_MAP), HEAD(slots), 3 },
	{ "node-circle", 0, 0, ADDRESS, PART(CHAINS, OF_OVERFLOW), 16,
	  PART(CHAINS, OF_OVERFLOW) | 16 << 8 },
	{ "slab-circle", 0, 0, ADDRESS, PART(CHAINS, OF_OVERFLOW), 0, PART(CHAINS, OF_OVERFLOW) },
	{ "slab-size", 0, 0, EIGHT, PART(CHAINS, OF_OVERFLOW), 8, 1 << 20 },
	{ "nodes-used", 0, 0, BYTE, PART(CHAINS, OF_MAP), HEAD(nodes_used), 1 },
	{ "moves", 0, 60, BYTE, PART(CHAINS, OF_MAP), HEAD(count), 9 },
	{ "born", 0, 0, BYTE, PART(UNBORN, OF_MAP), HEAD(state), 0 },
	{ "engine", 0, 0, ADDRESS, PART(CHAINS, OF_MAP), HEAD(classic), PART(CLASSIC_CHAINS, 1) },
	{ "buckets-elsewhere", 0, 0, ADDRESS, PART(CLASSIC_CHAINS, OF_CLASSIC), CLASSIC(h.buckets),
	  3 },
	{ "bucket-size", 0, 0, FOUR, PART(CLASSIC_CHAINS, OF_CLASSIC), CLASSIC(bucketsize), 16 },
	{ "b", 0, 0, BYTE, PART(CLASSIC_CHAINS, OF_CLASSIC), CLASSIC(h.B), 60 },
	{ "record-b", 0, 0, BYTE, PART(CLASSIC_CHAINS, OF_OVERFLOW), RECORD(B), 1 },
	{ "record-gone", 0, 0, EIGHT, PART(CLASSIC_CHAINS, OF_CLASSIC), CLASSIC(now), 0x1000 },
	{ "pieces", 0, 0, ADDRESS, PART(CLASSIC_CHAINS, OF_OVERFLOW), RECORD(overflow.pieces), 0 },
	{ "tophash", 0, 0, BYTE, PART(CLASSIC_CHAINS, OF_TABLE), 0, 3 },
	{ "nevacuate", 0, 0, BYTE, PART(CLASSIC_GROWS, OF_CLASSIC), CLASSIC(h.nevacuate), 9 },
	{ "old-record", 0, 0, ADDRESS, PART(CLASSIC_GROWS, OF_CLASSIC), CLASSIC(old), 3 },
	{ "read-fails", 40, 0, 0, 0, 0, 0 },
	{ "later-read-fails", 70, 0, 0, 0, 0, 0 },
};

const char *seed_hmap_tables(struct seed *s, unsigned index)
{
	if (index >= MS_ARRAY_SIZE(seeds))
		return NULL;
	seed_number(s, seeds[index].failing_read, 1);
	seed_number(s, 3, 1);
	if (!index || seeds[index].failing_read)
		return seeds[index].name;
	seed_number(s, seeds[index].from_read, 1);
	seed_number(s, seeds[index].how, 1);
	seed_number(s, seeds[index].part, 1);
	seed_number(s, seeds[index].offset, 2);
	seed_number(s, seeds[index].value, 8);
	return seeds[index].name;
}
