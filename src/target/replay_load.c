// replay_load.c - taking a recording apart.
//
// The checksum is looked at first, so that a cut or damaged file is told from a wrong one.  It
// proves nothing about who wrote the file: everything behind it is checked as if there were none.
#include "base/cleanup.h"
#include "base/vec.h"
#include "target/replay_internal.h"

#include <inttypes.h>
#include <zlib.h>

struct chunk {
	uint32_t kind, count, raw_size, packed_size;
	const uint8_t *packed;
};

/** What is left to be parsed. */
struct cursor {
	const uint8_t *at, *end;
};

struct load {
	struct ms_recording *rec;
	uint32_t kind;          // Of the last chunk: they come in order.
	uint64_t bytes_of_kind; // What its chunks unpack to so far.
};

static struct ms_error *damaged(const char *what)
{
	return ms_error_new(MS_ERR_BAD_DATA, "the recording is damaged: %s", what);
}

static size_t left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

// --- The frame: magic, version, checksum. ---

static struct ms_error *check_frame(const uint8_t *bytes, size_t size)
{
	enum { END_SIZE = MS_RECORD_CHUNK_SIZE + MS_RECORD_CRC_SIZE };
	const uint8_t *end;

	if (size < MS_RECORD_MAGIC_SIZE ||
	    memcmp(bytes, MS_RECORD_MAGIC, MS_RECORD_MAGIC_SIZE) != 0)
		return ms_error_new(MS_ERR_BAD_DATA, "not a recording");
	if (size < MS_RECORD_FIXED_SIZE)
		return ms_error_new(MS_ERR_BAD_DATA, "the recording is cut off in its header");
	if (ms_load_u32(bytes + 8) != MS_RECORD_VERSION)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "the recording has format version %" PRIu32
				    "; this tool reads version %d",
				    ms_load_u32(bytes + 8), MS_RECORD_VERSION);
	if (size < MS_RECORD_FIXED_SIZE + END_SIZE)
		return ms_error_new(MS_ERR_BAD_DATA, "the recording is cut off");
	end = bytes + size - END_SIZE;
	if (ms_load_u32(end) != MS_RECORD_END || ms_load_u32(end + 4) != 0 ||
	    ms_load_u32(end + 8) != 0 || ms_load_u32(end + 12) != MS_RECORD_CRC_SIZE)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "the recording is cut off: it has no end mark");
	if (ms_load_u32(end + 16) != crc32_z(0, bytes, size - MS_RECORD_CRC_SIZE))
		return damaged("its checksum does not match");
	return NULL;
}

// --- The header text. ---

static struct ms_error *parse_line(struct ms_recording *rec, const char *line, size_t len)
{
	const struct {
		const char *key;
		const char **value;
	} known[] = {
		{ "release: ", &rec->info.release }, { "command: ", &rec->info.command },
		{ "date: ", &rec->info.date },       { "arch: ", &rec->info.arch },
		{ "note: ", &rec->info.note },
	};

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return damaged("its header holds control characters");
	}
	for (size_t i = 0; i < MS_ARRAY_SIZE(known); i++) {
		size_t skip = strlen(known[i].key);

		if (len < skip || memcmp(line, known[i].key, skip) != 0)
			continue;
		if (len - skip > MS_RECORD_VALUE_MAX)
			return damaged("a line of its header is too long");
		*known[i].value = ms_arena_strndup(&rec->arena, line + skip, len - skip);
		return *known[i].value ? NULL : ms_error_no_memory();
	}
	return NULL; // A key of a later release.
}

static struct ms_error *parse_header(struct ms_recording *rec, struct cursor *c)
{
	uint32_t size = ms_load_u32(c->at + 12);
	const char *text, *end;

	rec->exe_size = ms_load_u64(c->at + 16);
	c->at += MS_RECORD_FIXED_SIZE;
	if (size > MS_RECORD_HEADER_MAX || size > left(c))
		return damaged("its header is too long");
	if (rec->exe_size > MS_RECORD_EXE_MAX)
		return ms_error_new(MS_ERR_LIMIT, "the recording's executable is too large");
	text = (const char *)c->at;
	c->at += size;
	for (end = text + size; text < end;) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		struct ms_error *err;

		if (!stop)
			return damaged("its header has a line without an end");
		err = parse_line(rec, text, (size_t)(stop - text));
		if (err)
			return err;
		text = stop + 1;
	}
	return NULL;
}

// --- Chunks. ---

static struct ms_error *take_chunk(struct cursor *c, struct chunk *ret_chunk)
{
	struct chunk chunk;

	if (left(c) < MS_RECORD_CHUNK_SIZE)
		return damaged("a chunk is cut off");
	chunk.kind = ms_load_u32(c->at);
	chunk.count = ms_load_u32(c->at + 4);
	chunk.raw_size = ms_load_u32(c->at + 8);
	chunk.packed_size = ms_load_u32(c->at + 12);
	c->at += MS_RECORD_CHUNK_SIZE;
	if (chunk.packed_size > left(c))
		return damaged("a chunk is longer than the file");
	chunk.packed = c->at;
	c->at += chunk.packed_size;
	*ret_chunk = chunk;
	return NULL;
}

static struct ms_error *check_chunk(struct load *load, const struct chunk *chunk)
{
	uint64_t items = (uint64_t)chunk->count * MS_RECORD_ITEM_SIZE;

	if (chunk->kind < MS_RECORD_REGIONS || chunk->kind > MS_RECORD_MEMORY ||
	    chunk->kind < load->kind)
		return damaged("a chunk of unexpected kind");
	if (chunk->count == 0 || chunk->count > MS_RECORD_CHUNK_ITEMS_MAX)
		return damaged("a chunk with an impossible number of items");
	if (chunk->raw_size < items || chunk->raw_size - items > MS_RECORD_CHUNK_BYTES_MAX)
		return damaged("a chunk of impossible size");
	if (chunk->kind != load->kind)
		load->bytes_of_kind = 0;
	load->kind = chunk->kind;
	load->bytes_of_kind += chunk->raw_size;
	if (load->bytes_of_kind > MS_RECORD_BYTES_MAX)
		return ms_error_new(MS_ERR_LIMIT, "the recording unpacks to over %d MiB",
				    MS_RECORD_BYTES_MAX >> 20);
	return NULL;
}

static struct ms_error *unpack(const struct chunk *chunk, uint8_t **ret_raw)
{
	MS_AUTO_FREE uint8_t *raw = malloc(chunk->raw_size);
	uLongf size = chunk->raw_size;

	if (!raw)
		return ms_error_no_memory();
	if (uncompress(raw, &size, chunk->packed, chunk->packed_size) != Z_OK ||
	    size != chunk->raw_size)
		return damaged("a chunk does not unpack");
	*ret_raw = MS_STEAL(raw);
	return NULL;
}

static struct ms_error *take_region(struct ms_regions *regions, const uint8_t *item)
{
	struct ms_region region = {
		.start = ms_load_u64(item),
		.end = ms_load_u64(item + 8),
		.file_offset = ms_load_u64(item + 16),
		.kind = ms_load_u32(item + 24),
		.prot = ms_load_u32(item + 28),
	};
	uint64_t last = regions->count ? regions->items[regions->count - 1].end : 0;

	if (region.start >= region.end || region.start < last || region.start % MS_RECORD_PAGE ||
	    region.end % MS_RECORD_PAGE || region.file_offset % MS_RECORD_PAGE ||
	    region.file_offset > UINT64_MAX - (region.end - region.start))
		return damaged("a mapping of impossible shape");
	if (region.kind > MS_REGION_LIBRARY ||
	    region.prot > (MS_PROT_READ | MS_PROT_WRITE | MS_PROT_EXEC))
		return damaged("a mapping of unknown kind");
	if (regions->count >= MS_RECORD_REGIONS_MAX)
		return ms_error_new(MS_ERR_LIMIT, "the recording has over %d mappings",
				    MS_RECORD_REGIONS_MAX);
	return ms_vec_push(regions, region) ? NULL : ms_error_no_memory();
}

/** One item of memory or of the executable; *bytes moves over what it takes of [bytes, end). */
static struct ms_error *take_range(const struct load *load, const uint8_t *item,
				   struct cursor *bytes)
{
	struct ms_recording *rec = load->rec;
	bool is_exe = load->kind == MS_RECORD_EXE;
	struct ms_replay_ranges *ranges = is_exe ? &rec->exe : &rec->memory;
	const struct ms_replay_range *last =
	    ranges->count ? &ranges->items[ranges->count - 1] : NULL;
	struct ms_replay_range range = {
		.start = ms_load_u64(item),
		.size = ms_load_u64(item + 8),
		.exe_offset = ms_load_u64(item + 16),
		.bytes = bytes->at,
		.source = ms_load_u32(item + 24),
	};

	if (range.size == 0 || range.start > INT64_MAX || range.size > INT64_MAX - range.start ||
	    (last && range.start < last->start + last->size))
		return damaged("a range of impossible shape");
	if (range.source > (is_exe ? MS_RECORD_ZEROS : MS_RECORD_SAME))
		return damaged("a range without a source");
	if (is_exe && range.start + range.size > rec->exe_size)
		return damaged("a range behind the end of the executable");
	if (range.source == MS_RECORD_BYTES) {
		if (range.size > left(bytes))
			return damaged("a range longer than its chunk");
		bytes->at += range.size;
	}
	if (ranges->count >= MS_RECORD_RANGES_MAX)
		return ms_error_new(MS_ERR_LIMIT, "the recording has over %d ranges",
				    MS_RECORD_RANGES_MAX);
	return ms_vec_push(ranges, range) ? NULL : ms_error_no_memory();
}

static struct ms_error *take_items(struct load *load, const struct chunk *chunk, const uint8_t *raw)
{
	struct cursor bytes = { raw + (size_t)chunk->count * MS_RECORD_ITEM_SIZE,
				raw + chunk->raw_size };
	struct ms_error *err = NULL;

	for (uint32_t i = 0; !err && i < chunk->count; i++) {
		const uint8_t *item = raw + (size_t)i * MS_RECORD_ITEM_SIZE;

		err = chunk->kind == MS_RECORD_REGIONS ? take_region(&load->rec->regions, item)
						       : take_range(load, item, &bytes);
	}
	if (!err && left(&bytes))
		err = damaged("a chunk with bytes that belong to nothing");
	return err;
}

static struct ms_error *load_chunk(struct load *load, const struct chunk *chunk)
{
	struct ms_recording *rec = load->rec;
	MS_AUTO_FREE uint8_t *raw = NULL;
	struct ms_error *err = unpack(chunk, &raw);

	load->kind = chunk->kind;
	if (!err)
		err = take_items(load, chunk, raw);
	if (err)
		return err;
	if (!ms_vec_push(&rec->blocks, raw)) // The ranges point into it.
		return ms_error_no_memory();
	raw = NULL;
	return NULL;
}

// --- The whole. ---

static void find_runs(struct ms_replay_ranges *ranges)
{
	for (size_t i = ranges->count; i-- > 0;) {
		struct ms_replay_range *r = &ranges->items[i];

		r->run_end = r->start + r->size;
		if (i + 1 < ranges->count && ranges->items[i + 1].start == r->run_end)
			r->run_end = ranges->items[i + 1].run_end;
	}
}

static struct ms_error *check_same(const struct ms_recording *rec)
{
	for (size_t i = 0; i < rec->memory.count; i++) {
		const struct ms_replay_range *r = &rec->memory.items[i];

		if (r->source == MS_RECORD_SAME &&
		    !ms_replay_holds(&rec->exe, r->exe_offset, r->size))
			return damaged(
			    "memory leans on bytes of the executable that are not there");
	}
	return NULL;
}

/** Take every chunk's head, so that nothing is unpacked of a file that says too much. */
static struct ms_error *check_chunks(struct load *load, struct cursor c)
{
	while (left(&c)) {
		struct chunk chunk = { 0 };
		struct ms_error *err = take_chunk(&c, &chunk);

		if (!err)
			err = check_chunk(load, &chunk);
		if (err)
			return err;
	}
	return NULL;
}

static struct ms_error *load_chunks(struct load *load, struct cursor c)
{
	while (left(&c)) {
		struct chunk chunk = { 0 };
		struct ms_error *err = take_chunk(&c, &chunk);

		if (!err)
			err = load_chunk(load, &chunk);
		if (err)
			return err;
	}
	return NULL;
}

struct ms_error *ms_recording_load(const uint8_t *bytes, size_t size, struct ms_recording *rec)
{
	struct load load = { .rec = rec };
	struct cursor c = { bytes, bytes + size };
	struct ms_error *err = check_frame(bytes, size);

	if (err)
		return err;
	c.end -= MS_RECORD_CHUNK_SIZE + MS_RECORD_CRC_SIZE;
	err = parse_header(rec, &c);
	if (!err)
		err = check_chunks(&load, c);
	if (!err)
		err = load_chunks(&load, c);
	if (err)
		return err;
	find_runs(&rec->exe);
	find_runs(&rec->memory);
	return check_same(rec);
}

void ms_recording_deinit(struct ms_recording *rec)
{
	for (size_t i = 0; i < rec->blocks.count; i++)
		free(rec->blocks.items[i]);
	ms_vec_free(&rec->blocks);
	ms_vec_free(&rec->exe);
	ms_vec_free(&rec->memory);
	ms_regions_deinit(&rec->regions);
	ms_arena_deinit(&rec->arena);
}
