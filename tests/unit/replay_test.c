// A recording is a file from anywhere: cut, damaged or made up, it is refused with one sentence.
//
// The checksum catches every accident.  What a checksum does not catch is tested by files that
// carry a right one: the bytes are changed and the checksum is made anew.
#include "target/replay.h"

#include "base/cleanup.h"
#include "target/record_format.h"
#include "tests/support/fake_process.h"
#include "tests/support/test.h"

#include <zlib.h>

static const struct ms_record_info info = { .release = "go1.99.1", .note = "small" };

struct bytes {
	char *at;
	size_t size;
};

/** A few pages of all kinds: stored, zero, shared with the executable. */
static struct bytes small_recording(void)
{
	static struct fake_process p;
	struct ms_target *record = NULL;
	struct bytes bytes = { 0 };
	FILE *out = open_memstream(&bytes.at, &bytes.size);
	uint8_t buf[0x2000];

	fake_process_init(&p);
	CHECK_OK(ms_record_create(&p.fake.target, &record));
	CHECK_OK(ms_target_read(record, FAKE_CONST + 0xf00, buf, 0x1200));
	CHECK_OK(ms_target_read(record, FAKE_HEAP + 0x1700, buf, 0x2000));
	CHECK_OK(ms_target_read(record, FAKE_STACK + 0x1c00, buf, 0x40));
	CHECK_OK(ms_record_write(record, &info, out));
	fclose(out);
	ms_target_destroy(record);
	fake_process_deinit(&p);
	return bytes;
}

/** Open and, if that works, read everything that the recording says it has. */
static struct ms_error *open_and_read(const void *bytes, size_t size)
{
	struct ms_target *t = NULL;
	struct ms_regions regions = { 0 };
	struct ms_error *err = ms_replay_open_bytes(bytes, size, "file", &t);
	uint8_t buf[0x2000];

	if (err)
		return err;
	CHECK_OK(ms_target_regions(t, &regions));
	for (size_t i = 0; i < regions.count; i++) {
		for (unsigned page = 0; page < 80; page++) {
			struct ms_read read = { regions.items[i].start + page * 4096ull, buf,
						4096 + page, 77 };

			CHECK_OK(ms_target_read_many(t, &read, 1));
			CHECK(read.status == MS_READ_OK || read.status == MS_READ_FAULT);
		}
	}
	ms_regions_deinit(&regions);
	ms_error_free(ms_target_exe_read(t, 0x2000, buf, sizeof(buf)));
	ms_target_destroy(t);
	return NULL;
}

static void check_refused(const void *bytes, size_t size)
{
	MS_AUTO_ERROR struct ms_error *err = open_and_read(bytes, size);

	CHECK(err != NULL);
	CHECK(strncmp(ms_error_message(err), "file: ", 6) == 0);
	CHECK(strlen(ms_error_message(err)) > 12);
	CHECK(strchr(ms_error_message(err), '\n') == NULL);
	CHECK(ms_error_code(err) == MS_ERR_BAD_DATA || ms_error_code(err) == MS_ERR_LIMIT ||
	      ms_error_code(err) == MS_ERR_UNSUPPORTED);
}

/** Make the checksum fit the bytes before it. */
static void seal(struct bytes bytes)
{
	size_t at = bytes.size - MS_RECORD_CRC_SIZE;

	ms_store_u32(bytes.at + at, (uint32_t)crc32_z(0, (uint8_t *)bytes.at, at));
}

MS_TEST(replay_refuses_every_prefix_of_a_recording)
{
	struct bytes bytes = small_recording();

	CHECK(bytes.size > 1000);
	CHECK_OK(open_and_read(bytes.at, bytes.size));
	for (size_t size = 0; size < bytes.size; size++) {
		char *cut = malloc(size ? size : 1); // Of its own, so that a read past it is seen.

		memcpy(cut, bytes.at, size);
		check_refused(cut, size);
		free(cut);
	}
	free(bytes.at);
}

MS_TEST(replay_refuses_every_flipped_bit)
{
	struct bytes bytes = small_recording();

	for (size_t bit = 0; bit < bytes.size * 8; bit++) {
		bytes.at[bit / 8] = (char)(bytes.at[bit / 8] ^ (1 << (bit % 8)));
		check_refused(bytes.at, bytes.size);
		bytes.at[bit / 8] = (char)(bytes.at[bit / 8] ^ (1 << (bit % 8)));
	}
	free(bytes.at);
}

MS_TEST(replay_survives_flipped_bits_under_a_right_checksum)
{
	struct bytes bytes = small_recording();
	size_t refused = 0, opened = 0;

	for (size_t bit = 0; bit < bytes.size * 8; bit += bit < 4096 ? 1 : 5) {
		struct ms_error *err;

		bytes.at[bit / 8] = (char)(bytes.at[bit / 8] ^ (1 << (bit % 8)));
		seal(bytes);
		err = open_and_read(bytes.at, bytes.size);
		refused += err != NULL;
		opened += err == NULL; // A character of the note, for one.
		ms_error_free(err);
		bytes.at[bit / 8] = (char)(bytes.at[bit / 8] ^ (1 << (bit % 8)));
	}
	CHECK(refused > 1000);
	CHECK(opened > 10);
	free(bytes.at);
}

// --- Files made up item by item. ---

enum { MADE_MAX = 1 << 16 };

struct made {
	uint8_t bytes[MADE_MAX];
	size_t size;
};

struct item {
	uint64_t a, b, c;
	uint32_t d, e;
};

static void made_start(struct made *m, uint64_t exe_size, const char *header)
{
	memset(m, 0, sizeof(*m));
	memcpy(m->bytes, MS_RECORD_MAGIC, MS_RECORD_MAGIC_SIZE);
	ms_store_u32(m->bytes + 8, MS_RECORD_VERSION);
	ms_store_u32(m->bytes + 12, (uint32_t)strlen(header));
	ms_store_u64(m->bytes + 16, exe_size);
	memcpy(m->bytes + MS_RECORD_FIXED_SIZE, header, strlen(header));
	m->size = MS_RECORD_FIXED_SIZE + strlen(header);
}

static uint8_t *made_chunk_head(struct made *m, uint32_t kind, uint32_t count, uint32_t raw_size)
{
	uint8_t *at = m->bytes + m->size;

	ms_store_u32(at, kind);
	ms_store_u32(at + 4, count);
	ms_store_u32(at + 8, raw_size);
	m->size += MS_RECORD_CHUNK_SIZE;
	return at;
}

/** A chunk of @p count items followed by @p extra bytes of 0x5a. */
static void made_chunk(struct made *m, uint32_t kind, const struct item *items, uint32_t count,
		       size_t extra)
{
	uint8_t raw[4096];
	uLongf packed = MADE_MAX - 64 - m->size;
	uint8_t *head =
	    made_chunk_head(m, kind, count, (uint32_t)(count * MS_RECORD_ITEM_SIZE + extra));

	for (uint32_t i = 0; i < count; i++) {
		uint8_t *item = raw + (size_t)i * MS_RECORD_ITEM_SIZE;

		ms_store_u64(item, items[i].a);
		ms_store_u64(item + 8, items[i].b);
		ms_store_u64(item + 16, items[i].c);
		ms_store_u32(item + 24, items[i].d);
		ms_store_u32(item + 28, items[i].e);
	}
	memset(raw + (size_t)count * MS_RECORD_ITEM_SIZE, 0x5a, extra);
	CHECK_EQ(
	    compress(m->bytes + m->size, &packed, raw, (uLong)count * MS_RECORD_ITEM_SIZE + extra),
	    Z_OK);
	ms_store_u32(head + 12, (uint32_t)packed);
	m->size += packed;
}

static void made_end(struct made *m)
{
	uint8_t *head = made_chunk_head(m, MS_RECORD_END, 0, 0);

	ms_store_u32(head + 12, MS_RECORD_CRC_SIZE);
	ms_store_u32(m->bytes + m->size, (uint32_t)crc32_z(0, m->bytes, m->size));
	m->size += MS_RECORD_CRC_SIZE;
}

static void check_made_refused(const struct made *m, enum ms_error_code code, const char *why)
{
	struct ms_error *err = open_and_read(m->bytes, m->size);

	CHECK(err != NULL);
	CHECK_CONTAINS(ms_error_message(err), why);
	CHECK_ERR(err, code);
}

MS_TEST(replay_opens_a_file_made_by_the_book)
{
	const struct item region = { 0x10000, 0x13000, 0, MS_REGION_ANON, MS_PROT_READ };
	const struct item exe = { 16, 8, 0, MS_RECORD_BYTES, 0 };
	const struct item memory[] = { { 0x10000, 8, 0, MS_RECORD_BYTES, 0 },
				       { 0x10008, 6, 17, MS_RECORD_SAME, 0 },
				       { 0x1000e, 0x100, 0, MS_RECORD_ZEROS, 0 } };
	static struct made m;
	struct ms_target *t = NULL;
	uint8_t buf[32];

	made_start(&m, 100, "release: go1.2\nfuture: key\n");
	made_chunk(&m, MS_RECORD_REGIONS, &region, 1, 0);
	made_chunk(&m, MS_RECORD_EXE, &exe, 1, 8);
	made_chunk(&m, MS_RECORD_MEMORY, memory, 3, 8);
	made_end(&m);
	CHECK_OK(ms_replay_open_bytes(m.bytes, m.size, "made", &t));
	CHECK_STR(ms_replay_info(t)->release, "go1.2");
	CHECK_OK(ms_target_read(t, 0x10000, buf, 20));
	for (size_t i = 0; i < 20; i++)
		CHECK_EQ(buf[i], i < 14 ? 0x5a : 0);
	CHECK_ERR(ms_target_read(t, 0x1010e, buf, 1), MS_ERR_FAULT);
	ms_target_destroy(t);
}

MS_TEST(replay_refuses_impossible_ranges)
{
	const struct {
		uint32_t kind;
		size_t extra;
		const char *why;
		struct item items[2];
	} cases[] = {
		{ MS_RECORD_REGIONS, 0, "impossible shape", { { 0x2000, 0x1000, 0, 0, 1 } } },
		{ MS_RECORD_REGIONS, 0, "impossible shape", { { 0x1001, 0x2000, 0, 0, 1 } } },
		{ MS_RECORD_REGIONS, 0, "impossible shape", { { 0x1000, 0x2fff, 0, 0, 1 } } },
		{ MS_RECORD_REGIONS,
		  0,
		  "impossible shape",
		  { { 0x1000, 0x2000, UINT64_MAX - 0xfff, 1, 1 } } },
		{ MS_RECORD_REGIONS, 0, "unknown kind", { { 0x1000, 0x2000, 0, 4, 1 } } },
		{ MS_RECORD_REGIONS, 0, "unknown kind", { { 0x1000, 0x2000, 0, 0, 8 } } },
		{ MS_RECORD_REGIONS,
		  0,
		  "impossible shape",
		  { { 0x1000, 0x3000, 0, 0, 1 }, { 0x2000, 0x4000, 0, 0, 1 } } },
		{ MS_RECORD_REGIONS, 4, "belong to nothing", { { 0x1000, 0x2000, 0, 0, 1 } } },
		{ MS_RECORD_MEMORY, 0, "impossible shape", { { 0x1000, 0, 0, 1, 0 } } },
		{ MS_RECORD_MEMORY, 0, "impossible shape", { { UINT64_MAX, 2, 0, 1, 0 } } },
		{ MS_RECORD_MEMORY, 0, "impossible shape", { { 1, UINT64_MAX, 0, 1, 0 } } },
		{ MS_RECORD_MEMORY,
		  0,
		  "impossible shape",
		  { { 0x1000, 9, 0, 1, 0 }, { 0x1008, 9, 0, 1, 0 } } },
		{ MS_RECORD_MEMORY, 0, "without a source", { { 0x1000, 8, 0, 3, 0 } } },
		{ MS_RECORD_MEMORY, 8, "longer than its chunk", { { 0x1000, 9, 0, 0, 0 } } },
		{ MS_RECORD_MEMORY, 8, "belong to nothing", { { 0x1000, 7, 0, 0, 0 } } },
		{ MS_RECORD_MEMORY,
		  0,
		  "longer than its chunk",
		  { { 0x1000, 0xffffffffff, 0, 0, 0 } } },
		{ MS_RECORD_MEMORY, 0, "not there", { { 0x1000, 8, 0, 2, 0 } } },
		{ MS_RECORD_MEMORY, 0, "not there", { { 0x1000, 8, UINT64_MAX - 3, 2, 0 } } },
		{ MS_RECORD_EXE, 0, "end of the executable", { { 60, 5, 0, 1, 0 } } },
		{ MS_RECORD_EXE, 0, "without a source", { { 0, 4, 0, 2, 0 } } },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		static struct made m;

		made_start(&m, 64, "");
		made_chunk(&m, cases[i].kind, cases[i].items, cases[i].items[1].a ? 2 : 1,
			   cases[i].extra);
		made_end(&m);
		check_made_refused(&m, MS_ERR_BAD_DATA, cases[i].why);
	}
}

MS_TEST(replay_refuses_memory_that_reaches_past_the_recorded_executable)
{
	const struct item exe[] = { { 0, 8, 0, MS_RECORD_ZEROS, 0 },
				    { 9, 8, 0, MS_RECORD_ZEROS, 0 } };
	struct item memory = { 0x1000, 8, 0, MS_RECORD_SAME, 0 };
	static struct made m;

	for (uint64_t size = 8; size < 12; size++) {
		memory.b = size;
		made_start(&m, 64, "");
		made_chunk(&m, MS_RECORD_EXE, exe, 2, 0);
		made_chunk(&m, MS_RECORD_MEMORY, &memory, 1, 0);
		made_end(&m);
		if (size == 8)
			CHECK_OK(open_and_read(m.bytes, m.size));
		else
			check_made_refused(&m, MS_ERR_BAD_DATA, "not there");
	}
}

MS_TEST(replay_refuses_lying_chunks)
{
	const struct item range = { 0x1000, 8, 0, MS_RECORD_ZEROS, 0 };
	const struct {
		size_t at; // Offset in the chunk's head.
		uint32_t value;
		const char *why;
	} cases[] = {
		{ 0, 0, "unexpected kind" },
		{ 0, 9, "unexpected kind" },
		{ 0, MS_RECORD_END, "unexpected kind" },
		{ 4, 0, "number of items" },
		{ 4, MS_RECORD_CHUNK_ITEMS_MAX + 1, "number of items" },
		{ 4, UINT32_MAX, "number of items" },
		{ 4, 2, "impossible size" },
		{ 8, 0, "impossible size" },
		{ 8, UINT32_MAX, "impossible size" },
		{ 8, 33, "does not unpack" },
		{ 8, 32 + MS_RECORD_CHUNK_BYTES_MAX, "does not unpack" },
		{ 12, UINT32_MAX, "longer than the file" },
		{ 12, 0, "damaged" }, // What is behind is taken for a chunk.
		{ 12, 3, "damaged" },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		static struct made m;

		made_start(&m, 64, "");
		made_chunk(&m, MS_RECORD_MEMORY, &range, 1, 0);
		ms_store_u32(m.bytes + MS_RECORD_FIXED_SIZE + cases[i].at, cases[i].value);
		made_end(&m);
		check_made_refused(&m, MS_ERR_BAD_DATA, cases[i].why);
	}
}

MS_TEST(replay_refuses_chunks_out_of_order)
{
	const struct item range = { 0x1000, 8, 0, MS_RECORD_ZEROS, 0 };
	const struct item region = { 0x1000, 0x2000, 0, 0, 1 };
	static struct made m;

	made_start(&m, 64, "");
	made_chunk(&m, MS_RECORD_MEMORY, &range, 1, 0);
	made_chunk(&m, MS_RECORD_REGIONS, &region, 1, 0);
	made_end(&m);
	check_made_refused(&m, MS_ERR_BAD_DATA, "unexpected kind");
}

MS_TEST(replay_refuses_bad_headers)
{
	static struct made m;

	made_start(&m, 64, "release: go1.2");
	made_end(&m);
	check_made_refused(&m, MS_ERR_BAD_DATA, "without an end");
	made_start(&m, 64, "release: \x1b[2J\n");
	made_end(&m);
	check_made_refused(&m, MS_ERR_BAD_DATA, "control characters");
	made_start(&m, MS_RECORD_EXE_MAX + 1, "");
	made_end(&m);
	check_made_refused(&m, MS_ERR_LIMIT, "too large");
	made_start(&m, 64, "");
	ms_store_u32(m.bytes + 12, UINT32_MAX);
	made_end(&m);
	check_made_refused(&m, MS_ERR_BAD_DATA, "header is too long");
	made_start(&m, 64, "");
	ms_store_u32(m.bytes + 8, MS_RECORD_VERSION + 1);
	made_end(&m);
	check_made_refused(&m, MS_ERR_UNSUPPORTED, "version 2");
}

MS_TEST(replay_refuses_what_unpacks_without_end)
{
	enum { RAW = MS_RECORD_ITEM_SIZE + MS_RECORD_CHUNK_BYTES_MAX, CHUNKS = 1100 };
	uint8_t *raw = calloc(1, RAW);
	struct bytes bytes = { 0 };
	uLongf packed = compressBound(RAW);
	uint8_t *chunk = malloc(packed);
	static struct made m;
	FILE *out = open_memstream(&bytes.at, &bytes.size);

	made_start(&m, 64, "");
	fwrite(m.bytes, 1, m.size, out);
	ms_store_u64(raw + 8, MS_RECORD_CHUNK_BYTES_MAX);
	for (uint64_t i = 0; i < CHUNKS; i++) {
		uint8_t head[MS_RECORD_CHUNK_SIZE] = { MS_RECORD_MEMORY, 0, 0, 0, 1 };

		ms_store_u64(raw, i * MS_RECORD_CHUNK_BYTES_MAX);
		packed = compressBound(RAW);
		CHECK_EQ(compress2(chunk, &packed, raw, RAW, 1), Z_OK);
		ms_store_u32(head + 8, RAW);
		ms_store_u32(head + 12, (uint32_t)packed);
		fwrite(head, 1, sizeof(head), out);
		fwrite(chunk, 1, packed, out);
	}
	m.size = 0;
	made_end(&m);
	fwrite(m.bytes, 1, m.size, out);
	fclose(out);
	seal(bytes);
	CHECK(bytes.size < 16 << 20);
	CHECK_ERR(open_and_read(bytes.at, bytes.size), MS_ERR_LIMIT);
	free(bytes.at);
	free(chunk);
	free(raw);
}

MS_TEST(replay_says_which_file_it_could_not_open)
{
	struct ms_target *t = NULL;
	struct ms_error *err = ms_replay_open("no-such-recording", &t);

	CHECK(err != NULL);
	CHECK_CONTAINS(ms_error_message(err), "could not open no-such-recording");
	CHECK_ERR(err, MS_ERR_IO);
	CHECK_ERR(ms_replay_open("/", &t), MS_ERR_IO);
	CHECK(t == NULL);
}
