// profile.c - see profile.h.
//
// A protobuf message may be written in pieces: a reader joins their lists.  So each sample is a
// profile of its own with one sample, and nothing but the tables that number things is held.
// A hash says where a string's number may stand and the strings are compared; where two share a
// hash, the later one is kept under the next number that is free.
#include "render/profile.h"

#include "base/hash.h"
#include "base/vec.h"
#include "render/escape.h"

#include <stdlib.h>

enum { DEFLATE_BYTES = 16 * 1024, GZIP = 16 };

static void deflate_bytes(struct ms_profile *p, const uint8_t *bytes, size_t size, int flush)
{
	unsigned char out[DEFLATE_BYTES];

	p->deflate.next_in = (Bytef *)bytes;
	p->deflate.avail_in = (uInt)size;
	do {
		p->deflate.next_out = out;
		p->deflate.avail_out = sizeof(out);
		(void)deflate(&p->deflate, flush); // It cannot fail with room before it.
		ms_sink_write(p->sink, out, sizeof(out) - p->deflate.avail_out);
	} while (p->deflate.avail_out == 0);
}

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes)
{
	static const size_t PART = 1 << 30;

	for (size_t part; size > 0; size -= part, bytes += part) {
		part = size < PART ? size : PART;
		deflate_bytes((struct ms_profile *)buffer, bytes, part, Z_NO_FLUSH);
	}
}

struct ms_error *ms_profile_begin(struct ms_profile *p, struct ms_sink *sink)
{
	*p = (struct ms_profile){ .base = { append }, .sink = sink };
	ms_sink_init_memory(&p->scratch);
	if (deflateInit2(&p->deflate, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP,
			 MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY) != Z_OK)
		return ms_error_no_memory();
	(void)ms_profile_text(p, "");
	return NULL;
}

void ms_profile_put(struct ms_profile *p, const Ms__Pprof__Profile *piece)
{
	(void)ms__pprof__profile__pack_to_buffer(piece, &p->base);
}

/** @p text with what no reader can show replaced; until the next one. */
static const char *readable(struct ms_profile *p, const char *text)
{
	if (!text || ms_text_kind(text) == MS_TEXT_PLAIN)
		return text ? text : "";
	p->scratch.size = 0;
	ms_replace_text(&p->scratch, text, MS_REPLACE_UNSAFE);
	text = ms_sink_text(&p->scratch);
	return text ? text : "";
}

static uint32_t add_text(struct ms_profile *p, const char *text, uint64_t key)
{
	Ms__Pprof__Profile piece = MS__PPROF__PROFILE__INIT;
	char *copy = ms_arena_strndup(&p->arena, text, strlen(text));

	if (!copy || !ms_vec_push(&p->texts, copy) ||
	    !ms_number_map_add(&p->text_numbers, key, (uint32_t)p->texts.count - 1)) {
		p->no_memory = true;
		return 0;
	}
	piece.n_string_table = 1;
	piece.string_table = &copy;
	ms_profile_put(p, &piece);
	return (uint32_t)p->texts.count - 1;
}

int64_t ms_profile_text(struct ms_profile *p, const char *text)
{
	uint64_t key;
	uint32_t *number;

	text = readable(p, text);
	for (key = ms_hash_text(text, strlen(text));; key++) {
		if (!key)
			continue;
		number = ms_number_map_find(&p->text_numbers, key);
		if (!number)
			return add_text(p, text, key);
		if (!strcmp(p->texts.items[*number], text))
			return *number;
	}
}

static uint64_t function_of(struct ms_profile *p, const struct ms_stack_call *call)
{
	Ms__Pprof__Profile piece = MS__PPROF__PROFILE__INIT;
	Ms__Pprof__Function function = MS__PPROF__FUNCTION__INIT, *list = &function;
	int64_t name = ms_profile_text(p, call->function && *call->function ? call->function : "?");
	int64_t file = ms_profile_text(p, call->file);
	uint64_t key = (uint64_t)name << 32 | (uint64_t)file;
	uint32_t *number = ms_number_map_find(&p->functions, key);

	if (number)
		return *number;
	if (!key || !ms_number_map_add(&p->functions, key, p->function_count + 1)) {
		p->no_memory = true; // No name is the empty one unless memory was short.
		return 1;
	}
	function.id = ++p->function_count;
	function.name_text = function.system_name_text = name;
	function.filename_text = file;
	piece.n_function = 1;
	piece.function = &list;
	ms_profile_put(p, &piece);
	return function.id;
}

/** Write a location whose number is the next. */
static void put_location(struct ms_profile *p, const struct ms_stack_call *calls, uint32_t count)
{
	Ms__Pprof__Profile piece = MS__PPROF__PROFILE__INIT;
	Ms__Pprof__Location location = MS__PPROF__LOCATION__INIT, *list = &location;
	Ms__Pprof__Line *lines = calloc(count, sizeof(*lines));
	Ms__Pprof__Line **line_list = calloc(count, sizeof(Ms__Pprof__Line *));

	for (uint32_t i = 0; i < count && lines && line_list; i++) {
		ms__pprof__line__init(&lines[i]);
		lines[i].function_id = function_of(p, &calls[i]);
		lines[i].line = calls[i].line;
		line_list[i] = &lines[i];
	}
	location.id = ++p->location_count;
	location.mapping_id = 1;
	location.address = calls[count - 1].pc;
	location.n_line = count;
	location.line = line_list;
	piece.n_location = 1;
	piece.location = &list;
	if (lines && line_list)
		ms_profile_put(p, &piece);
	else
		p->no_memory = true;
	free(lines);
	free(line_list);
}

uint64_t ms_profile_location(struct ms_profile *p, const struct ms_stack_call *calls,
			     uint32_t count)
{
	uint64_t key = calls[count - 1].pc;
	uint32_t *number;

	// Without an address: one call is told by function and line, several are not joined.
	if (!key && count == 1)
		key = UINT64_C(1) << 63 | function_of(p, calls) << 32 | calls->line;
	number = key ? ms_number_map_find(&p->locations, key) : NULL;
	if (number)
		return *number;
	put_location(p, calls, count);
	if (key && !ms_number_map_add(&p->locations, key, p->location_count))
		p->no_memory = true;
	return p->location_count;
}

struct ms_error *ms_profile_end(struct ms_profile *p)
{
	deflate_bytes(p, NULL, 0, Z_FINISH);
	(void)deflateEnd(&p->deflate);
	if (p->no_memory || ms_sink_failed(&p->scratch))
		ms_sink_fail_no_memory(p->sink);
	ms_sink_deinit(&p->scratch);
	ms_number_map_deinit(&p->text_numbers);
	ms_number_map_deinit(&p->functions);
	ms_number_map_deinit(&p->locations);
	ms_vec_free(&p->texts);
	ms_arena_deinit(&p->arena);
	return ms_sink_finish(p->sink);
}
