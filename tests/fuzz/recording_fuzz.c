// Recordings.  Their checksum would end nearly every input at the door, and their chunks are
// packed, so the bytes are put in order first:
//
//	first byte even:  a recording as it is, with its checksum made right
//	first byte odd:   2 bytes header text size, 4 bytes executable size, the text, then chunks:
//	                  1 byte kind, 2 bytes items, 2 bytes raw size, 1 byte by which the raw
//	                  size is a lie, the raw bytes
#include "target/replay.h"

#include "target/record_format.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

#include <zlib.h>

enum { END_BYTES = MS_RECORD_CHUNK_SIZE + MS_RECORD_CRC_SIZE };

struct file {
	uint8_t *bytes;
	size_t size;
};

static uint8_t *grow(struct file *f, size_t size)
{
	f->bytes = realloc(f->bytes, f->size + size + 1);
	FUZZ_CHECK(f->bytes);
	f->size += size;
	return f->bytes + f->size - size;
}

static void chunk_pack(struct file *f, struct fuzz_input *in)
{
	uint32_t kind = (uint32_t)fuzz_number(in, 1), count = (uint32_t)fuzz_number(in, 2);
	size_t size = (size_t)fuzz_number(in, 2);
	uint32_t lie = (uint32_t)fuzz_number(in, 1);
	struct fuzz_input raw = fuzz_part(in, size);
	uLongf packed = compressBound((uLong)raw.left);
	size_t before = f->size;
	uint8_t *at = grow(f, MS_RECORD_CHUNK_SIZE + packed);

	ms_store_u32(at, kind);
	ms_store_u32(at + 4, count);
	ms_store_u32(at + 8, (uint32_t)raw.left + lie);
	FUZZ_CHECK(compress2(at + MS_RECORD_CHUNK_SIZE, &packed, raw.at, (uLong)raw.left, 1) ==
		   Z_OK);
	ms_store_u32(at + 12, (uint32_t)packed);
	f->size = before + MS_RECORD_CHUNK_SIZE + packed;
}

static void make(struct file *f, struct fuzz_input *in)
{
	size_t text_size = (size_t)fuzz_number(in, 2);
	uint64_t exe_size = fuzz_number(in, 4);
	struct fuzz_input text = fuzz_part(in, text_size);
	uint8_t *at = grow(f, MS_RECORD_FIXED_SIZE);

	memcpy(at, MS_RECORD_MAGIC, MS_RECORD_MAGIC_SIZE);
	ms_store_u32(at + 8, MS_RECORD_VERSION);
	ms_store_u32(at + 12, (uint32_t)text.left);
	ms_store_u64(at + 16, exe_size);
	memcpy(grow(f, text.left), text.at, text.left);
	while (in->left)
		chunk_pack(f, in);
	at = grow(f, END_BYTES);
	memset(at, 0, END_BYTES);
	ms_store_u32(at, MS_RECORD_END);
	ms_store_u32(at + 12, MS_RECORD_CRC_SIZE);
}

static void sum(struct file *f)
{
	size_t size = f->size - MS_RECORD_CRC_SIZE;

	if (f->size >= MS_RECORD_CRC_SIZE)
		ms_store_u32(f->bytes + size, (uint32_t)crc32_z(0, f->bytes, size));
}

static void read_at(struct ms_target *t, ms_addr addr, size_t size)
{
	uint8_t *buf = malloc(size);

	FUZZ_CHECK(buf);
	fuzz_worked(ms_target_read(t, addr, buf, size));
	fuzz_worked(ms_target_exe_read(t, addr, buf, size));
	free(buf);
}

static void use(struct ms_target *t)
{
	struct ms_regions regions;

	FUZZ_CHECK(fuzz_worked(ms_target_check(t)));
	FUZZ_CHECK(ms_target_exe_fd(t) >= 0 && t->exe_size <= MS_RECORD_EXE_MAX);
	FUZZ_CHECK(ms_replay_info(t) != NULL);
	if (!fuzz_worked(ms_target_regions(t, &regions)))
		return;
	for (size_t i = 0; i < regions.count && i < 64; i++) {
		const struct ms_region *r = &regions.items[i];

		FUZZ_CHECK(r->start < r->end);
		read_at(t, r->start, 64);
		read_at(t, r->start + 1, 8192);
		read_at(t, r->end - 8, 8);
		read_at(t, r->end - 8, 16);
		read_at(t, r->file_offset, 512);
	}
	ms_regions_deinit(&regions);
}

MS_FUZZ_TARGET(recording)
{
	struct fuzz_input in = { data, size };
	struct file f = { 0 };
	struct ms_target *t;

	if (fuzz_number(&in, 1) & 1) {
		make(&f, &in);
	} else {
		uint8_t *at = grow(&f, in.left);

		if (in.left)
			memcpy(at, in.at, in.left);
	}
	sum(&f);
	if (fuzz_worked(ms_replay_open_bytes(f.bytes, f.size, "fuzz", &t))) {
		use(t);
		ms_target_destroy(t);
	}
	free(f.bytes);
}
