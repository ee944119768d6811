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

/** The field of @p section that is called so, or NULL. */
const struct ms_snapshot_field *ms_snapshot_field(enum ms_snapshot_section section, const char *key,
						  size_t size);

/** The section that opens under @p key, SECTION_IGNORED for what is not known. */
enum ms_snapshot_section ms_snapshot_child(enum ms_snapshot_section section, const char *key,
					   size_t size);
