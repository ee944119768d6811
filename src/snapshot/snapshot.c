// snapshot.c - from the tokens of a document to the rows of a census.
//
// yajl hands out tokens; a stack of sections says where in the document they stand, and the table
// of fields where they go.  The rows of a long list are pushed one by one when their object closes,
// so what is held is the result and one row.
//
// Texts of neighbouring rows are the same more often than not and are then kept once.
#include "snapshot/snapshot.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "snapshot/snapshot_fields.h"
#include "snapshot/snapshot_file.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <yajl/yajl_parse.h>

#define EXPECTED "mapscope.census/1"

enum {
	DEPTH_MAX = 16,            // A census has five levels; later ones may have more.
	TOKEN_BYTES_MAX = 1 << 20, // No type of a Go program is so long.
	MAPS_MAX = 1 << 26,
	OWNERS_MAX = 1 << 24,
	NUMBER_MAX = 32,
	PIECE_BYTES = 1 << 16,
};

struct map_vec {
	struct ms_map_row *items;
	size_t count, capacity;
};

struct owner_vec {
	struct ms_owner_row *items;
	size_t count, capacity;
};

struct ms_snapshot_reader {
	yajl_handle parser;
	struct ms_census_report report;
	struct map_vec maps;
	struct owner_vec owners;
	struct ms_map_row map, last_map; // The row being read; the last one, for its texts.
	struct ms_owner_row owner, last_owner;
	enum ms_snapshot_section sections[DEPTH_MAX];
	size_t depth;
	enum ms_snapshot_section child;        // What would open under the last key.
	const struct ms_snapshot_field *field; // Of the last key; NULL: passed over.
	uint64_t taken;                        // Bytes of the pieces before this one.
	uint64_t since_token;                  // Bytes fed since the last token.
	struct ms_error *error;                // Of a callback, until the parser gives it back.
	bool has_schema, has_owners, has_maps, filtered;
};

/** Keep the first error; the parser stops.  Always 0. */
static int refuse(struct ms_snapshot_reader *r, struct ms_error *err)
{
	if (r->error)
		ms_error_free(err);
	else
		r->error = err;
	return 0;
}

static int refuse_value(struct ms_snapshot_reader *r, const char *what)
{
	return refuse(r, ms_error_new(MS_ERR_IO, "%s is not %s", r->field->key, what));
}

static enum ms_snapshot_section section(const struct ms_snapshot_reader *r)
{
	return r->depth ? r->sections[r->depth - 1] : SECTION_IGNORED;
}

/** The struct that the fields of a section are in. */
static char *base_of(struct ms_snapshot_reader *r, enum ms_snapshot_section in)
{
	switch (in) {
	case SECTION_TARGET:
		return (char *)&r->report.target;
	case SECTION_COST:
		return (char *)&r->report.cost;
	case SECTION_COVERAGE:
		return (char *)&r->report.coverage;
	case SECTION_OWNER:
		return (char *)&r->owner;
	case SECTION_MAP:
		return (char *)&r->map;
	case SECTION_GROWTH:
		return (char *)&r->map.growth;
	default:
		return (char *)&r->report;
	}
}

static void *place_of(struct ms_snapshot_reader *r)
{
	return base_of(r, r->field->section) + r->field->offset;
}

/** The text of the same field in the row before, or NULL. */
static const char *last_text(struct ms_snapshot_reader *r)
{
	const char *last = NULL;

	if (r->field->section == SECTION_MAP)
		memcpy(&last, (char *)&r->last_map + r->field->offset, sizeof(last));
	else if (r->field->section == SECTION_OWNER)
		memcpy(&last, (char *)&r->last_owner + r->field->offset, sizeof(last));
	return last;
}

static int take_text(struct ms_snapshot_reader *r, const char *text, size_t size)
{
	const char *kept = last_text(r);

	if (memchr(text, '\0', size))
		return refuse_value(r, "a text: it holds a zero byte");
	if (!kept || strlen(kept) != size || memcmp(kept, text, size) != 0)
		kept = ms_arena_strndup(&r->report.arena, text, size);
	if (!kept)
		return refuse(r, ms_error_no_memory());
	memcpy(place_of(r), &kept, sizeof(kept));
	return 1;
}

static int take_schema(struct ms_snapshot_reader *r, const char *text, size_t size)
{
	r->has_schema = size == strlen(EXPECTED) && memcmp(text, EXPECTED, size) == 0;
	if (r->has_schema)
		return 1;
	return refuse(r, ms_error_new(MS_ERR_IO,
				      "its schema is %.*s, and " EXPECTED " is expected: what "
				      "mapscope maps --json writes",
				      (int)ms_min_u64(size, 60), text));
}

static int take_address(struct ms_snapshot_reader *r, const char *text, size_t size)
{
	char digits[NUMBER_MAX] = "";
	unsigned long long value;
	char *end;

	if (size < 3 || size > 18 || memcmp(text, "0x", 2) != 0)
		return refuse_value(r, "an address like \"0xc000010030\"");
	memcpy(digits, text + 2, size - 2);
	if (strspn(digits, "0123456789abcdef") != size - 2)
		return refuse_value(r, "an address like \"0xc000010030\"");
	value = strtoull(digits, &end, 16);
	*(ms_addr *)place_of(r) = value;
	return 1;
}

/** A value that is one of a few words. */
static int take_word(struct ms_snapshot_reader *r, const char *text, size_t size)
{
	if (ms_snapshot_word_value(r->field->type, text, size, place_of(r)))
		return 1;
	return refuse_value(r, "one of the words that are known");
}

static int on_string(void *context, const unsigned char *bytes, size_t size)
{
	struct ms_snapshot_reader *r = context;
	const char *text = (const char *)bytes;

	r->since_token = 0;
	if (!r->field)
		return 1;
	switch (r->field->type) {
	case FIELD_SCHEMA:
		return take_schema(r, text, size);
	case FIELD_TEXT:
		return take_text(r, text, size);
	case FIELD_ADDRESS:
		return take_address(r, text, size);
	case FIELD_KIND:
	case FIELD_WHERE:
	case FIELD_CONFIDENCE:
	case FIELD_TYPE_SOURCE:
		return take_word(r, text, size);
	case FIELD_BOOL:
	case FIELD_BOOL_OR_NULL:
		return refuse_value(r, "true or false");
	default:
		return refuse_value(r, "a number");
	}
}

static int take_whole(struct ms_snapshot_reader *r, const char *digits, uint64_t limit)
{
	unsigned long long value;

	errno = 0;
	value = strspn(digits, "0123456789") == strlen(digits) ? strtoull(digits, NULL, 10)
							       : ULLONG_MAX;
	if (errno || value > limit)
		return refuse_value(r, "a whole number within its bounds");
	if (r->field->type == FIELD_U64)
		*(uint64_t *)place_of(r) = value;
	else if (r->field->type == FIELD_U32)
		*(uint32_t *)place_of(r) = (uint32_t)value;
	else
		*(uint8_t *)place_of(r) = (uint8_t)value;
	return 1;
}

static int on_number(void *context, const char *text, size_t size)
{
	struct ms_snapshot_reader *r = context;
	char digits[NUMBER_MAX] = "";

	r->since_token = 0;
	if (!r->field)
		return 1;
	if (size >= sizeof(digits))
		return refuse_value(r, "a number of ordinary length");
	memcpy(digits, text, size);
	switch (r->field->type) {
	case FIELD_U64:
		return take_whole(r, digits, MS_UNKNOWN - 1);
	case FIELD_U32:
		return take_whole(r, digits, UINT32_MAX);
	case FIELD_U8:
		return take_whole(r, digits, UINT8_MAX);
	case FIELD_DOUBLE:
		*(double *)place_of(r) = strtod(digits, NULL);
		return 1;
	case FIELD_BOOL:
	case FIELD_BOOL_OR_NULL:
		return refuse_value(r, "true or false");
	default:
		return refuse_value(r, "a text");
	}
}

static int on_null(void *context)
{
	struct ms_snapshot_reader *r = context;

	r->since_token = 0;
	if (!r->field)
		return 1;
	switch (r->field->type) {
	case FIELD_U64:
		*(uint64_t *)place_of(r) = MS_UNKNOWN;
		return 1;
	case FIELD_DOUBLE:
		*(double *)place_of(r) = NAN;
		return 1;
	case FIELD_U32: // A count that this kind of map does not have.
	case FIELD_U8:
	case FIELD_TEXT: // NULL as the row began.
	case FIELD_TYPE_SOURCE:
	case FIELD_BOOL_OR_NULL:
		return 1;
	default:
		return refuse_value(r, "known, and it has to be");
	}
}

static int on_boolean(void *context, int value)
{
	struct ms_snapshot_reader *r = context;

	r->since_token = 0;
	if (!r->field)
		return 1;
	if (r->field->type != FIELD_BOOL && r->field->type != FIELD_BOOL_OR_NULL)
		return refuse_value(r, r->field->type == FIELD_TEXT ? "a text" : "a number");
	*(bool *)place_of(r) = value != 0;
	return 1;
}

static int on_key(void *context, const unsigned char *bytes, size_t size)
{
	struct ms_snapshot_reader *r = context;
	const char *key = (const char *)bytes;

	r->since_token = 0;
	r->field = ms_snapshot_field(section(r), key, size);
	r->child = ms_snapshot_child(section(r), key, size);
	if (!r->has_schema && !(r->field && r->field->type == FIELD_SCHEMA))
		return refuse(r, ms_error_new(MS_ERR_IO, "its first member is not a schema, and "
							 "\"" EXPECTED "\" is expected"));
	return 1;
}

static void begin_row(struct ms_snapshot_reader *r, enum ms_snapshot_section opened)
{
	if (opened == SECTION_OWNER)
		r->owner = ms_snapshot_begin_owner();
	else if (opened == SECTION_MAP)
		r->map = ms_snapshot_begin_map();
}

static int open_section(struct ms_snapshot_reader *r, enum ms_snapshot_section opened)
{
	r->since_token = 0;
	if (r->field)
		return refuse_value(r, "a single value");
	if (r->depth == DEPTH_MAX)
		return refuse(r, ms_error_new(MS_ERR_IO, "it is nested deeper than %d levels",
					      (int)DEPTH_MAX));
	begin_row(r, opened);
	r->has_owners = r->has_owners || opened == SECTION_OWNERS;
	r->has_maps = r->has_maps || opened == SECTION_MAPS;
	r->filtered = r->filtered || opened == SECTION_FILTER;
	r->sections[r->depth++] = opened;
	r->child = ms_snapshot_child(opened, NULL, 0);
	return 1;
}

static bool is_list(enum ms_snapshot_section in)
{
	return in == SECTION_OWNERS || in == SECTION_MAPS;
}

static int on_open_object(void *context)
{
	struct ms_snapshot_reader *r = context;
	enum ms_snapshot_section opened = r->depth ? r->child : SECTION_DOCUMENT;

	if (is_list(opened))
		return refuse(r, ms_error_new(MS_ERR_IO, "owners and maps have to be lists"));
	return open_section(r, opened);
}

static int on_open_array(void *context)
{
	struct ms_snapshot_reader *r = context;

	if (r->depth == 0)
		return refuse(r, ms_error_new(MS_ERR_IO, "it is no object with a schema"));
	return open_section(r, is_list(r->child) ? r->child : SECTION_IGNORED);
}

static int close_section(struct ms_snapshot_reader *r)
{
	enum ms_snapshot_section closed = section(r);

	r->since_token = 0;
	r->depth--;
	r->field = NULL;
	r->child = ms_snapshot_child(section(r), NULL, 0);
	if (closed == SECTION_OWNER) {
		if (r->owners.count >= OWNERS_MAX)
			return refuse(r, ms_error_new(MS_ERR_IO, "it has more than %d owners",
						      (int)OWNERS_MAX));
		r->last_owner = r->owner;
		if (!ms_vec_push(&r->owners, r->owner))
			return refuse(r, ms_error_no_memory());
	} else if (closed == SECTION_MAP) {
		if (r->maps.count >= MAPS_MAX)
			return refuse(
			    r, ms_error_new(MS_ERR_IO, "it has more than %d maps", (int)MAPS_MAX));
		r->last_map = r->map;
		if (!ms_vec_push(&r->maps, r->map))
			return refuse(r, ms_error_no_memory());
	}
	return 1;
}

static int on_close(void *context)
{
	return close_section(context);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_open_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_close,
	.yajl_start_array = on_open_array,
	.yajl_end_array = on_close,
};

struct ms_snapshot_reader *ms_snapshot_reader_create(void)
{
	struct ms_snapshot_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->parser = yajl_alloc(&callbacks, NULL, r);
	if (!r->parser) {
		free(r);
		return NULL;
	}
	ms_snapshot_begin_report(&r->report);
	return r;
}

/** What the parser stopped at, with the offset; the piece it happened in began at r->taken. */
static struct ms_error *stopped(struct ms_snapshot_reader *r)
{
	uint64_t at = r->taken + yajl_get_bytes_consumed(r->parser);
	struct ms_error *err = r->error;

	r->error = NULL;
	if (!err)
		err = ms_error_new(MS_ERR_IO, "this is no JSON");
	if (ms_error_code(err) != MS_ERR_IO)
		return err;
	return ms_error_wrap(err, "byte %llu", (unsigned long long)at);
}

struct ms_error *ms_snapshot_feed(struct ms_snapshot_reader *r, const void *bytes, size_t size)
{
	r->since_token += size;
	if (yajl_parse(r->parser, bytes, size) != yajl_status_ok)
		return stopped(r);
	r->taken += size;
	if (r->since_token > TOKEN_BYTES_MAX + (uint64_t)size)
		return ms_error_new(MS_ERR_IO, "byte %llu: a word is longer than %d bytes",
				    (unsigned long long)r->taken, (int)TOKEN_BYTES_MAX);
	return NULL;
}

struct ms_error *ms_snapshot_finish(struct ms_snapshot_reader *r, struct ms_snapshot *ret_snapshot)
{
	struct ms_snapshot s = { .filtered = r->filtered, .taken_ns = MS_UNKNOWN };

	if (yajl_complete_parse(r->parser) != yajl_status_ok)
		return r->error ? stopped(r)
				: ms_error_new(MS_ERR_IO,
					       "it ends at byte %llu, before the "
					       "document does",
					       (unsigned long long)r->taken);
	if (!r->has_schema || !r->has_owners || !r->has_maps)
		return ms_error_new(MS_ERR_IO, "it lacks %s, which " EXPECTED " has",
				    !r->has_schema   ? "a schema"
				    : !r->has_owners ? "owners"
						     : "maps");
	s.all_maps = r->maps.count == r->report.coverage.read;
	s.census = r->report;
	s.census.maps = MS_STEAL(r->maps.items);
	s.census.map_count = r->maps.count;
	s.census.owners = MS_STEAL(r->owners.items);
	s.census.owner_count = r->owners.count;
	r->report.arena = (struct ms_arena){ 0 };
	*ret_snapshot = s;
	return NULL;
}

void ms_snapshot_reader_destroy(struct ms_snapshot_reader *r)
{
	if (!r)
		return;
	yajl_free(r->parser);
	ms_error_free(r->error);
	ms_vec_free(&r->maps);
	ms_vec_free(&r->owners);
	ms_arena_deinit(&r->report.arena);
	free(r);
}

/** The rest of a file behind what was read of it. */
static struct ms_error *read_rest(FILE *in, struct ms_bytes *file)
{
	size_t size;

	do {
		if (file->count > MS_SNAPSHOT_BYTES_MAX)
			return ms_error_new(MS_ERR_IO, "it is longer than any snapshot");
		if (!ms_vec_reserve(file, file->count + PIECE_BYTES))
			return ms_error_no_memory();
		size = fread(file->items + file->count, 1, PIECE_BYTES, in);
		file->count += size;
	} while (size > 0);
	return NULL;
}

static struct ms_error *read_packed(FILE *in, const char *piece, size_t size,
				    struct ms_snapshot *ret_snapshot)
{
	struct ms_bytes file = { 0 };
	struct ms_error *err = NULL;

	if (!ms_vec_reserve(&file, size))
		return ms_error_no_memory();
	memcpy(file.items, piece, size);
	file.count = size;
	err = read_rest(in, &file);
	if (!err && ferror(in))
		err = ms_error_errno(MS_ERR_IO, errno, "could not be read");
	if (!err)
		err = ms_snapshot_unpack(file.items, file.count, ret_snapshot);
	ms_vec_free(&file);
	return err;
}

/** A document, of which the first piece has been read. */
static struct ms_error *read_document(FILE *in, char *piece, size_t size,
				      struct ms_snapshot *ret_snapshot)
{
	struct ms_snapshot_reader *r = ms_snapshot_reader_create();
	struct ms_error *err = r ? NULL : ms_error_no_memory();

	while (!err && size > 0) {
		err = ms_snapshot_feed(r, piece, size);
		size = err ? 0 : fread(piece, 1, PIECE_BYTES, in);
	}
	if (!err && ferror(in))
		err = ms_error_errno(MS_ERR_IO, errno, "could not be read");
	if (!err)
		err = ms_snapshot_finish(r, ret_snapshot);
	ms_snapshot_reader_destroy(r);
	return err;
}

struct ms_error *ms_snapshot_read(FILE *in, struct ms_snapshot *ret_snapshot)
{
	MS_AUTO_FREE char *piece = malloc(PIECE_BYTES);
	size_t size = piece ? fread(piece, 1, PIECE_BYTES, in) : 0;

	if (!piece)
		return ms_error_no_memory();
	return ms_snapshot_is_packed(piece, size) ? read_packed(in, piece, size, ret_snapshot)
						  : read_document(in, piece, size, ret_snapshot);
}
