// record_write.c - the file of a recording.
//
// Memory is cut into pages; each is zeros, or what the executable has there, or bytes of its own.
// Runs of the same kind become items, items are gathered into chunks, and a chunk is compressed as
// one: small enough to be unpacked under a bound, large enough for scattered 48-byte reads to
// share a dictionary.
#include "base/cleanup.h"
#include "base/vec.h"
#include "target/record_format.h"
#include "target/record_internal.h"

#include <errno.h>
#include <zlib.h>

/** One item to be: a run of memory or of the file whose bytes come from one place. */
struct run {
	uint64_t start, size;
	uint64_t exe_offset;
	const uint8_t *bytes;
	enum ms_record_source source;
};

struct run_vec {
	struct run *items;
	size_t count, capacity;
};

struct byte_vec {
	uint8_t *items;
	size_t count, capacity;
};

struct writer {
	FILE *out;
	uint32_t crc;
	uint64_t written;
	enum ms_record_chunk kind; // Of the chunk being filled.
	uint32_t item_count;
	struct byte_vec items, bytes;
};

static struct ms_error *emit(struct writer *w, const void *bytes, size_t size)
{
	w->written += size;
	if (w->written > MS_RECORD_FILE_MAX)
		return ms_error_new(MS_ERR_LIMIT, "the recording would be over %d MiB long",
				    MS_RECORD_FILE_MAX >> 20);
	w->crc = (uint32_t)crc32(w->crc, bytes, (uInt)size);
	if (fwrite(bytes, 1, size, w->out) != size)
		return ms_error_errno(MS_ERR_IO, errno, "could not write the recording");
	return NULL;
}

static bool append(struct byte_vec *v, const void *bytes, size_t size)
{
	if (!ms_vec_reserve(v, v->count + size))
		return false;
	if (size)
		memcpy(v->items + v->count, bytes, size);
	v->count += size;
	return true;
}

static struct ms_error *emit_chunk_head(struct writer *w, uint32_t kind, uint32_t count,
					uint32_t raw_size, uint32_t packed_size)
{
	uint8_t head[MS_RECORD_CHUNK_SIZE];

	ms_store_u32(head, kind);
	ms_store_u32(head + 4, count);
	ms_store_u32(head + 8, raw_size);
	ms_store_u32(head + 12, packed_size);
	return emit(w, head, sizeof(head));
}

/** Write the chunk that was being filled and start the next. */
static struct ms_error *flush(struct writer *w)
{
	uLong raw_size = w->items.count + w->bytes.count;
	uLongf packed_size = compressBound(raw_size);
	MS_AUTO_FREE uint8_t *packed = malloc(packed_size);
	struct ms_error *err;

	if (w->item_count == 0)
		return NULL;
	if (!packed || !append(&w->items, w->bytes.items, w->bytes.count) ||
	    compress2(packed, &packed_size, w->items.items, raw_size, Z_BEST_COMPRESSION) != Z_OK)
		return ms_error_no_memory();
	err = emit_chunk_head(w, w->kind, w->item_count, (uint32_t)raw_size, (uint32_t)packed_size);
	if (!err)
		err = emit(w, packed, packed_size);
	w->item_count = 0;
	w->items.count = w->bytes.count = 0;
	return err;
}

/** Add one item with its bytes to the chunk being filled; flushes it when it is full. */
static struct ms_error *add_item(struct writer *w, enum ms_record_chunk kind,
				 const uint8_t item[MS_RECORD_ITEM_SIZE], const uint8_t *bytes,
				 size_t size)
{
	struct ms_error *err = NULL;

	if (w->kind != kind || w->item_count == MS_RECORD_CHUNK_ITEMS_MAX ||
	    w->bytes.count + size > MS_RECORD_CHUNK_BYTES_MAX)
		err = flush(w);
	w->kind = kind;
	if (err)
		return err;
	if (!append(&w->items, item, MS_RECORD_ITEM_SIZE) || !append(&w->bytes, bytes, size))
		return ms_error_no_memory();
	w->item_count++;
	return NULL;
}

static struct ms_error *add_run(struct writer *w, enum ms_record_chunk kind, const struct run *run)
{
	uint64_t done = 0;

	while (done < run->size) {
		bool stored = run->source == MS_RECORD_BYTES;
		uint64_t part = run->size - done;
		uint8_t item[MS_RECORD_ITEM_SIZE] = { 0 };
		struct ms_error *err;

		if (stored)
			part = ms_min_u64(part, MS_RECORD_CHUNK_BYTES_MAX);
		ms_store_u64(item, run->start + done);
		ms_store_u64(item + 8, part);
		ms_store_u64(item + 16, run->source == MS_RECORD_SAME ? run->exe_offset + done : 0);
		ms_store_u32(item + 24, run->source);
		err = add_item(w, kind, item, stored ? run->bytes + done : NULL, stored ? part : 0);
		if (err)
			return err;
		done += part;
	}
	return NULL;
}

// --- Cutting ranges into runs. ---

static bool is_zero(const uint8_t *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/** True when a whole page at @p addr is what the file has there; the file's bytes are kept. */
static bool is_file_page(struct ms_record *r, ms_addr addr, const uint8_t *bytes,
			 uint64_t *ret_offset)
{
	const struct ms_region *region = ms_regions_find(&r->regions, addr);
	uint8_t file[MS_RECORD_PAGE];
	uint64_t offset;
	struct ms_error *err;

	if (!region || region->kind != MS_REGION_EXE)
		return false;
	offset = region->file_offset + (addr - region->start);
	if (!ms_range_holds(0, r->target.exe_size, offset, sizeof(file)))
		return false;
	err = ms_target_exe_read(r->inner, offset, file, sizeof(file));
	if (err || memcmp(file, bytes, sizeof(file)) != 0) {
		ms_error_free(err); // Then the bytes themselves are stored.
		return false;
	}
	err = ms_record_pieces_add(&r->exe, offset, file, sizeof(file));
	if (err) {
		ms_error_free(err);
		return false;
	}
	*ret_offset = offset;
	return true;
}

static bool continues(const struct run *last, const struct run *next)
{
	if (last->source != next->source || last->start + last->size != next->start)
		return false;
	return last->source != MS_RECORD_SAME || last->exe_offset + last->size == next->exe_offset;
}

/** Cut @p range at page boundaries and append its runs.  @p r is NULL for ranges of the file. */
static struct ms_error *cut(struct ms_record *r, const struct ms_record_piece *range,
			    struct run_vec *runs)
{
	for (uint64_t at = 0; at < range->size;) {
		uint64_t start = range->start + at;
		uint64_t size =
		    ms_min_u64(range->size - at, MS_RECORD_PAGE - start % MS_RECORD_PAGE);
		struct run run = { .start = start, .size = size, .source = MS_RECORD_BYTES };

		run.bytes = range->bytes ? range->bytes + at : NULL;
		if (!run.bytes || is_zero(run.bytes, size))
			run.source = MS_RECORD_ZEROS;
		else if (r && size == MS_RECORD_PAGE &&
			 is_file_page(r, start, run.bytes, &run.exe_offset))
			run.source = MS_RECORD_SAME;
		if (runs->count && continues(&runs->items[runs->count - 1], &run))
			runs->items[runs->count - 1].size += size;
		else if (runs->count >= MS_RECORD_RANGES_MAX)
			return ms_error_new(MS_ERR_LIMIT, "a recording holds at most %d ranges",
					    MS_RECORD_RANGES_MAX);
		else if (!ms_vec_push(runs, run))
			return ms_error_no_memory();
		at += size;
	}
	return NULL;
}

static struct ms_error *cut_all(struct ms_record *r, struct ms_record_pieces *pieces,
				struct run_vec *runs)
{
	struct ms_error *err = ms_record_pieces_merge(pieces);

	for (size_t i = 0; !err && i < pieces->count; i++)
		err = cut(r, &pieces->items[i], runs);
	return err;
}

// --- The parts of the file. ---

static bool add_line(struct byte_vec *text, const char *key, const char *value)
{
	size_t len;
	size_t at;

	if (!value)
		return true;
	len = strnlen(value, MS_RECORD_VALUE_MAX);
	if (!append(text, key, strlen(key)) || !append(text, ": ", 2))
		return false;
	at = text->count;
	if (!append(text, value, len) || !append(text, "\n", 1))
		return false;
	for (; at + 1 < text->count; at++) {
		if (text->items[at] < 0x20 || text->items[at] == 0x7f)
			text->items[at] = ' ';
	}
	return true;
}

static struct ms_error *emit_head(struct writer *w, const struct ms_record *r,
				  const struct ms_record_info *info)
{
	MS_AUTO_FREE uint8_t *owned = NULL;
	uint8_t fixed[MS_RECORD_FIXED_SIZE];
	struct byte_vec text = { 0 };
	bool ok = add_line(&text, "release", info->release) &&
		  add_line(&text, "command", info->command) &&
		  add_line(&text, "date", info->date) && add_line(&text, "arch", info->arch) &&
		  add_line(&text, "note", info->note);
	struct ms_error *err;

	owned = text.items;
	if (!ok)
		return ms_error_no_memory();
	memcpy(fixed, MS_RECORD_MAGIC, MS_RECORD_MAGIC_SIZE);
	ms_store_u32(fixed + 8, MS_RECORD_VERSION);
	ms_store_u32(fixed + 12, (uint32_t)text.count);
	ms_store_u64(fixed + 16, r->target.exe_size);
	err = emit(w, fixed, sizeof(fixed));
	return err || !text.count ? err : emit(w, text.items, text.count);
}

static struct ms_error *emit_regions(struct writer *w, const struct ms_regions *regions)
{
	if (regions->count > MS_RECORD_REGIONS_MAX)
		return ms_error_new(MS_ERR_LIMIT, "a recording holds at most %d mappings",
				    MS_RECORD_REGIONS_MAX);
	for (size_t i = 0; i < regions->count; i++) {
		const struct ms_region *region = &regions->items[i];
		uint8_t item[MS_RECORD_ITEM_SIZE];
		struct ms_error *err;

		ms_store_u64(item, region->start);
		ms_store_u64(item + 8, region->end);
		ms_store_u64(item + 16, region->file_offset);
		ms_store_u32(item + 24, region->kind);
		ms_store_u32(item + 28, region->prot);
		err = add_item(w, MS_RECORD_REGIONS, item, NULL, 0);
		if (err)
			return err;
	}
	return flush(w);
}

static struct ms_error *emit_runs(struct writer *w, enum ms_record_chunk kind,
				  const struct run_vec *runs)
{
	for (size_t i = 0; i < runs->count; i++) {
		struct ms_error *err = add_run(w, kind, &runs->items[i]);

		if (err)
			return err;
	}
	return flush(w);
}

static struct ms_error *emit_end(struct writer *w)
{
	uint8_t crc[MS_RECORD_CRC_SIZE];
	struct ms_error *err = emit_chunk_head(w, MS_RECORD_END, 0, 0, sizeof(crc));

	if (err)
		return err;
	ms_store_u32(crc, w->crc);
	err = emit(w, crc, sizeof(crc));
	if (!err && fflush(w->out) != 0)
		err = ms_error_errno(MS_ERR_IO, errno, "could not write the recording");
	return err;
}

struct ms_error *ms_record_write(struct ms_target *record, const struct ms_record_info *info,
				 FILE *out)
{
	struct ms_record *r = ms_record_of(record);
	struct writer w = { .out = out, .kind = MS_RECORD_REGIONS };
	struct run_vec memory = { 0 }, exe = { 0 };
	MS_CLEANUP(ms_regions_deinit) struct ms_regions asked = { 0 };
	struct ms_error *err = NULL;

	if (!r->regions.count)
		err = ms_target_regions(record, &asked);
	if (!err)
		err = cut_all(r, &r->memory, &memory);
	if (!err) // Behind the memory, whose pages may have come to lean on the file.
		err = cut_all(NULL, &r->exe, &exe);
	if (!err)
		err = emit_head(&w, r, info);
	if (!err)
		err = emit_regions(&w, &r->regions);
	if (!err)
		err = emit_runs(&w, MS_RECORD_EXE, &exe);
	if (!err)
		err = emit_runs(&w, MS_RECORD_MEMORY, &memory);
	if (!err)
		err = emit_end(&w);
	ms_vec_free(&memory);
	ms_vec_free(&exe);
	ms_vec_free(&w.items);
	ms_vec_free(&w.bytes);
	return err;
}
