// snapshot_fields.c - the members of "mapscope.census/1" as a table.
//
// The reader knows objects, arrays and values; what they mean is here, so that a new member is one
// line.  A map's load is left out: it follows from entries and capacity.
#include "snapshot/snapshot_fields.h"

#include <math.h>
#include <string.h>

#define DOCUMENT(key, type, member)                                                                \
	{                                                                                          \
		SECTION_DOCUMENT, key, type, offsetof(struct ms_census_report, member)             \
	}
#define TARGET(key, type)                                                                          \
	{                                                                                          \
		SECTION_TARGET, #key, type, offsetof(struct ms_report_target, key)                 \
	}
#define COST(key, type)                                                                            \
	{                                                                                          \
		SECTION_COST, #key, type, offsetof(struct ms_report_cost, key)                     \
	}
#define COVERAGE(key)                                                                              \
	{                                                                                          \
		SECTION_COVERAGE, #key, FIELD_U64, offsetof(struct ms_coverage, key)               \
	}
#define MEMORY(key)                                                                                \
	{                                                                                          \
		SECTION_MEMORY, #key, FIELD_U64, offsetof(struct ms_census_report, key)            \
	}
#define OWNER(key, type)                                                                           \
	{                                                                                          \
		SECTION_OWNER, #key, type, offsetof(struct ms_owner_row, key)                      \
	}
#define MAP(key, type)                                                                             \
	{                                                                                          \
		SECTION_MAP, #key, type, offsetof(struct ms_map_row, key)                          \
	}
#define GROWTH(key, type)                                                                          \
	{                                                                                          \
		SECTION_GROWTH, #key, type, offsetof(struct ms_map_growth, key)                    \
	}

static const struct ms_snapshot_field fields[] = {
	DOCUMENT("schema", FIELD_SCHEMA, partial), // Goes nowhere.
	DOCUMENT("partial", FIELD_BOOL, partial),
	DOCUMENT("partial_reason", FIELD_TEXT, partial_reason),
	DOCUMENT("never_written", FIELD_U64, never_written),
	TARGET(pid, FIELD_U64),
	TARGET(start_ticks, FIELD_U64),
	TARGET(core, FIELD_TEXT),
	TARGET(exe, FIELD_TEXT),
	TARGET(go_version, FIELD_TEXT),
	TARGET(libhmap, FIELD_TEXT),
	TARGET(experiments, FIELD_TEXT),
	TARGET(arch, FIELD_TEXT),
	TARGET(layout_source, FIELD_TEXT),
	TARGET(stripped, FIELD_BOOL_OR_NULL),
	TARGET(symbols_unknown, FIELD_BOOL),
	TARGET(lacks_program, FIELD_BOOL),
	TARGET(proved, FIELD_BOOL),
	COST(wall_s, FIELD_DOUBLE),
	COST(read_bytes, FIELD_U64),
	COST(own_peak_bytes, FIELD_U64),
	COST(stops, FIELD_U64),
	COST(probes, FIELD_U64),
	COST(reads_retried, FIELD_U64),
	COST(reads_given_up, FIELD_U64),
	COST(gc_cycle, FIELD_U64),
	COST(gc_age_s, FIELD_DOUBLE),
	COVERAGE(seen),
	COVERAGE(read),
	COVERAGE(typed),
	COVERAGE(changed),
	MEMORY(rss_bytes),
	MEMORY(heap_bytes),
	OWNER(owner, FIELD_TEXT),
	OWNER(type, FIELD_TEXT),
	OWNER(maps, FIELD_U64),
	OWNER(entries, FIELD_U64),
	OWNER(capacity, FIELD_U64),
	OWNER(live_bytes, FIELD_U64),
	OWNER(total_bytes, FIELD_U64),
	OWNER(slack_bytes, FIELD_U64),
	OWNER(unknown_bytes_maps, FIELD_U64),
	OWNER(never_written, FIELD_U64),
	OWNER(growing, FIELD_U64),
	OWNER(kind, FIELD_KIND),
	MAP(address, FIELD_ADDRESS),
	MAP(kind, FIELD_KIND),
	MAP(type, FIELD_TEXT),
	MAP(key_type, FIELD_TEXT),
	MAP(elem_type, FIELD_TEXT),
	MAP(owner, FIELD_TEXT),
	MAP(owners, FIELD_U32),
	MAP(entries, FIELD_U64),
	MAP(capacity, FIELD_U64),
	MAP(grow_at, FIELD_U64),
	MAP(overflow_buckets, FIELD_U64),
	MAP(deleted_slots, FIELD_U64),
	MAP(tables, FIELD_U32),
	MAP(directory_depth, FIELD_U8),
	MAP(live_bytes, FIELD_U64),
	MAP(total_bytes, FIELD_U64),
	MAP(slack_bytes, FIELD_U64),
	MAP(growing, FIELD_BOOL),
	MAP(where, FIELD_WHERE),
	MAP(confidence, FIELD_CONFIDENCE),
	MAP(type_source, FIELD_TYPE_SOURCE),
	GROWTH(from, FIELD_U64),
	GROWTH(to, FIELD_U64),
	GROWTH(progress, FIELD_DOUBLE),
	GROWTH(same_size, FIELD_BOOL),
};

static const struct {
	enum ms_snapshot_section section;
	const char *key; // NULL: each element of the array.
	enum ms_snapshot_section child;
} children[] = {
	{ SECTION_DOCUMENT, "target", SECTION_TARGET },
	{ SECTION_DOCUMENT, "cost", SECTION_COST },
	{ SECTION_DOCUMENT, "coverage", SECTION_COVERAGE },
	{ SECTION_DOCUMENT, "memory", SECTION_MEMORY },
	{ SECTION_DOCUMENT, "filter", SECTION_FILTER },
	{ SECTION_DOCUMENT, "owners", SECTION_OWNERS },
	{ SECTION_DOCUMENT, "maps", SECTION_MAPS },
	{ SECTION_OWNERS, NULL, SECTION_OWNER },
	{ SECTION_MAPS, NULL, SECTION_MAP },
	{ SECTION_MAP, "growth", SECTION_GROWTH },
};

const char *ms_snapshot_word(enum ms_field_type type, unsigned value)
{
	switch (type) {
	case FIELD_KIND:
		return value <= MS_MAP_HMAP_CLASSIC ? ms_map_kind_name((enum ms_map_kind)value)
						    : NULL;
	case FIELD_WHERE:
		return value <= MS_WHERE_STACK ? ms_map_where_name((enum ms_map_where)value) : NULL;
	case FIELD_CONFIDENCE:
		return value <= MS_CONFIDENCE_UNVERIFIED
			   ? ms_confidence_name((enum ms_map_confidence)value)
			   : NULL;
	case FIELD_TYPE_SOURCE:
		return ms_type_source_name((enum ms_type_source)value);
	default:
		return NULL;
	}
}

bool ms_snapshot_word_value(enum ms_field_type type, const char *word, size_t size,
			    uint8_t *ret_value)
{
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		const char *known = ms_snapshot_word(type, i);

		if (known && strlen(known) == size && memcmp(known, word, size) == 0) {
			*ret_value = (uint8_t)i;
			return true;
		}
	}
	if (type != FIELD_TYPE_SOURCE)
		return false;
	*ret_value = MS_TYPE_NONE;
	return true;
}

void ms_snapshot_begin_report(struct ms_census_report *report)
{
	*report = (struct ms_census_report){ .never_written = MS_UNKNOWN,
					     .heap_bytes = MS_UNKNOWN,
					     .rss_bytes = MS_UNKNOWN };
	report->target.pid = report->target.start_ticks = MS_UNKNOWN;
	report->coverage.seen = report->coverage.read = MS_UNKNOWN;
	report->coverage.typed = report->coverage.changed = MS_UNKNOWN;
	report->cost.gc_cycle = MS_UNKNOWN;
	report->cost.gc_age_s = report->cost.wall_s = NAN;
}

struct ms_owner_row ms_snapshot_begin_owner(void)
{
	return (struct ms_owner_row){ .maps = MS_UNKNOWN,
				      .entries = MS_UNKNOWN,
				      .capacity = MS_UNKNOWN,
				      .live_bytes = MS_UNKNOWN,
				      .total_bytes = MS_UNKNOWN,
				      .slack_bytes = MS_UNKNOWN,
				      .unknown_bytes_maps = MS_UNKNOWN,
				      .never_written = MS_UNKNOWN,
				      .growing = MS_UNKNOWN,
				      .first_map = SIZE_MAX };
}

struct ms_map_row ms_snapshot_begin_map(void)
{
	return ms_map_row_unknown(0);
}

const struct ms_snapshot_field *ms_snapshot_field_at(size_t index)
{
	return index < MS_ARRAY_SIZE(fields) ? &fields[index] : NULL;
}

static bool is_called(const char *name, const char *key, size_t size)
{
	return strlen(name) == size && memcmp(name, key, size) == 0;
}

const struct ms_snapshot_field *ms_snapshot_field(enum ms_snapshot_section section, const char *key,
						  size_t size)
{
	for (size_t i = 0; i < MS_ARRAY_SIZE(fields); i++) {
		if (fields[i].section == section && is_called(fields[i].key, key, size))
			return &fields[i];
	}
	return NULL;
}

enum ms_snapshot_section ms_snapshot_child(enum ms_snapshot_section section, const char *key,
					   size_t size)
{
	for (size_t i = 0; i < MS_ARRAY_SIZE(children); i++) {
		if (children[i].section != section)
			continue;
		if (!children[i].key || (key && is_called(children[i].key, key, size)))
			return children[i].child;
	}
	return SECTION_IGNORED;
}
