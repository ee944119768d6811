// snapshot_fields.h - which member of a document goes where.
#pragma once

#include "snapshot/snapshot.h"

/** A kind of object or array in a document; what is not known is SECTION_IGNORED with all in it. */
enum ms_snapshot_section {
	SECTION_IGNORED,
	SECTION_DOCUMENT,
	SECTION_TARGET,
	SECTION_COST,
	SECTION_COVERAGE,
	SECTION_MEMORY,
	SECTION_FILTER,
	SECTION_OWNERS, // Array of SECTION_OWNER.
	SECTION_OWNER,
	SECTION_MAPS, // Array of SECTION_MAP.
	SECTION_MAP,
	SECTION_GROWTH,
};

enum ms_field_type {
	FIELD_SCHEMA,
	FIELD_U64,
	FIELD_U32,
	FIELD_U8,
	FIELD_DOUBLE,
	FIELD_BOOL,
	FIELD_BOOL_OR_NULL, // Null leaves it false; another field says that it is not known.
	FIELD_TEXT,
	FIELD_ADDRESS,
	FIELD_KIND,
	FIELD_WHERE,
	FIELD_CONFIDENCE,
	FIELD_TYPE_SOURCE,
};

struct ms_snapshot_field {
	enum ms_snapshot_section section;
	const char *key;
	enum ms_field_type type;
	size_t offset; // In the struct that the section fills.
};

/** What a field of this type is a word of: the name of @p value, or NULL where there is none. */
const char *ms_snapshot_word(enum ms_field_type type, unsigned value);

/**
 * The value whose name @p word is.  False when none is; of a FIELD_TYPE_SOURCE every word is taken,
 * because a new one is no reason to refuse.
 */
bool ms_snapshot_word_value(enum ms_field_type type, const char *word, size_t size,
			    uint8_t *ret_value);

/** What is known of a census, an owner and a map before anything is read. */
void ms_snapshot_begin_report(struct ms_census_report *report);
struct ms_owner_row ms_snapshot_begin_owner(void);
struct ms_map_row ms_snapshot_begin_map(void);

/** The row of the table of fields at @p index; NULL behind the last. */
const struct ms_snapshot_field *ms_snapshot_field_at(size_t index);

/** The field of @p section that is called so, or NULL. */
const struct ms_snapshot_field *ms_snapshot_field(enum ms_snapshot_section section, const char *key,
						  size_t size);

/** The section that opens under @p key, SECTION_IGNORED for what is not known. */
enum ms_snapshot_section ms_snapshot_child(enum ms_snapshot_section section, const char *key,
					   size_t size);
