// What goes into a recording comes out of it: byte for byte, and nothing besides.
#include "target/record.h"

#include "target/record_pieces.h"
#include "target/replay.h"
#include "tests/support/fake_process.h"
#include "tests/unit/target_contract.h"

static const struct ms_record_info info = {
	.release = "go1.99.1",
	.command = "service -v\n--flag",
	.date = "2001-02-03",
	.arch = "amd64",
	.note = "made by a test",
};

struct bytes {
	char *at;
	size_t size;
};

static struct bytes written(struct ms_target *record, const struct ms_record_info *about)
{
	struct bytes bytes = { 0 };
	FILE *out = open_memstream(&bytes.at, &bytes.size);

	CHECK(out != NULL);
	CHECK_OK(ms_record_write(record, about, out));
	CHECK_EQ(fclose(out), 0);
	return bytes;
}

static struct ms_target *replayed(struct bytes bytes)
{
	struct ms_target *t = NULL;

	CHECK_OK(ms_replay_open_bytes((uint8_t *)bytes.at, bytes.size, "test", &t));
	return t;
}

static struct bytes full_recording(struct fake_process *p)
{
	struct ms_target *record = NULL;
	struct bytes bytes;

	CHECK_OK(ms_record_create(&p->fake.target, &record));
	CHECK_OK(ms_record_everything(record));
	bytes = written(record, &info);
	ms_target_destroy(record);
	return bytes;
}

MS_TEST(record_wrapper_keeps_the_contract)
{
	static struct fake_process p;
	struct ms_target *record = NULL;
	struct target_facts facts;

	fake_process_init(&p);
	facts = (struct target_facts){
		.addr = FAKE_HEAP,
		.bytes = p.heap,
		.size = 0x1800,
		.bad = FAKE_DEVICE,
		.exe = p.exe,
		.exe_bytes = 64,
	};
	CHECK_OK(ms_record_create(&p.fake.target, &record));
	check_target_contract(record, &facts);
	ms_target_destroy(record);
	fake_process_deinit(&p);
}

MS_TEST(replay_of_everything_keeps_the_contract)
{
	static struct fake_process p;
	struct target_facts facts;
	struct ms_target *replay;
	struct bytes bytes;

	fake_process_init(&p);
	bytes = full_recording(&p);
	replay = replayed(bytes);
	facts = (struct target_facts){
		.addr = FAKE_HEAP,
		.bytes = p.heap,
		.size = FAKE_HEAP_BYTES,
		.bad = FAKE_DEVICE,
		.exe_offset = 0x2000,
		.exe = p.exe + 0x2000,
		.exe_bytes = 0x3000,
	};
	check_target_contract(replay, &facts);
	ms_target_destroy(replay);
	free(bytes.at);
	fake_process_deinit(&p);
}

MS_TEST(replay_says_what_was_recorded)
{
	static struct fake_process p;
	const struct ms_record_info *got;
	struct ms_target *replay;
	struct bytes bytes;

	fake_process_init(&p);
	bytes = full_recording(&p);
	replay = replayed(bytes);
	got = ms_replay_info(replay);
	CHECK_STR(got->release, "go1.99.1");
	CHECK_STR(got->command, "service -v --flag"); // A line of its own it shall not make.
	CHECK_STR(got->date, "2001-02-03");
	CHECK_STR(got->arch, "amd64");
	CHECK_STR(got->note, "made by a test");
	CHECK_EQ(replay->exe_size, FAKE_EXE_BYTES);
	CHECK_EQ(replay->pid, 0);
	ms_target_destroy(replay);
	free(bytes.at);
	fake_process_deinit(&p);
}

/** Read [start, end) byte by byte from both: what the live one gives the recording gives too. */
static void check_same(struct ms_target *live, struct ms_target *replay, ms_addr start, ms_addr end)
{
	for (ms_addr at = start; at < end; at++) {
		uint8_t want = 0, got = 0;

		CHECK_OK(ms_target_read(live, at, &want, 1));
		CHECK_OK(ms_target_read(replay, at, &got, 1));
		CHECK_EQ(got, want);
	}
}

MS_TEST(full_recording_holds_all_but_code_and_devices)
{
	static struct fake_process p;
	struct ms_regions live = { 0 }, recorded = { 0 };
	struct ms_target *replay;
	struct bytes bytes;
	uint8_t buf[0x3000];

	fake_process_init(&p);
	bytes = full_recording(&p);
	replay = replayed(bytes);
	check_same(&p.fake.target, replay, FAKE_CONST, FAKE_DATA + 0x1000);
	check_same(&p.fake.target, replay, FAKE_STACK, FAKE_STACK + FAKE_STACK_BYTES);
	CHECK_OK(ms_target_read(replay, FAKE_CONST, buf, sizeof(buf))); // Across two mappings.
	CHECK(memcmp(buf + 0x2000, p.data, 0x1000) == 0);
	CHECK_ERR(ms_target_read(replay, FAKE_CODE, buf, 1), MS_ERR_FAULT);
	CHECK_ERR(ms_target_read(replay, FAKE_DEVICE, buf, 1), MS_ERR_FAULT);
	CHECK_ERR(ms_target_exe_read(replay, 0, buf, 16), MS_ERR_FAULT);
	CHECK_OK(ms_target_regions(&p.fake.target, &live));
	CHECK_OK(ms_target_regions(replay, &recorded));
	CHECK_EQ(recorded.count, live.count);
	CHECK(memcmp(recorded.items, live.items, live.count * sizeof(*live.items)) == 0);
	ms_regions_deinit(&live);
	ms_regions_deinit(&recorded);
	ms_target_destroy(replay);
	free(bytes.at);
	fake_process_deinit(&p);
}

MS_TEST(full_recording_packs_what_is_there_twice_or_zero)
{
	static struct fake_process p;
	struct bytes bytes;

	fake_process_init(&p);
	bytes = full_recording(&p);
	// Noise: constants 0x1e00, data of the file 0x1000 and in memory 0x1000, heap 0x2800, stack
	// 0x400.
	CHECK(bytes.size > 0x6000);
	CHECK(bytes.size < 0x7400);
	free(bytes.at);
	fake_process_deinit(&p);
}

MS_TEST(recording_holds_what_was_read_and_no_more)
{
	static struct fake_process p;
	struct ms_target *record = NULL, *replay;
	struct bytes bytes;
	uint8_t buf[64];

	fake_process_init(&p);
	CHECK_OK(ms_record_create(&p.fake.target, &record));
	CHECK_OK(ms_target_read(record, FAKE_HEAP + 100, buf, 48));
	CHECK_OK(ms_target_read(record, FAKE_HEAP + 148, buf, 12)); // Touches the one before.
	CHECK_OK(ms_target_read(record, FAKE_HEAP + 130, buf, 40)); // Overlaps both.
	CHECK_OK(ms_target_exe_read(record, 64, buf, 10));
	bytes = written(record, &info);
	replay = replayed(bytes);
	check_same(&p.fake.target, replay, FAKE_HEAP + 100, FAKE_HEAP + 170);
	CHECK_OK(ms_target_read(replay, FAKE_HEAP + 100, buf, 64));
	CHECK(memcmp(buf, p.heap + 100, 64) == 0);
	CHECK_ERR(ms_target_read(replay, FAKE_HEAP + 99, buf, 2), MS_ERR_FAULT);
	CHECK_ERR(ms_target_read(replay, FAKE_HEAP + 169, buf, 2), MS_ERR_FAULT);
	CHECK_OK(ms_target_exe_read(replay, 64, buf, 10));
	CHECK(memcmp(buf, p.exe + 64, 10) == 0);
	CHECK_ERR(ms_target_exe_read(replay, 64, buf, 11), MS_ERR_FAULT);
	ms_target_destroy(replay);
	ms_target_destroy(record);
	free(bytes.at);
	fake_process_deinit(&p);
}

MS_TEST(recording_keeps_the_last_of_several_looks)
{
	uint8_t memory[64] = { 0 }, buf[64];
	struct ms_target *record = NULL, *replay;
	struct fake_target fake;
	struct bytes bytes;

	fake_target_init(&fake);
	fake_target_map(&fake, 0x10000, memory, sizeof(memory), MS_REGION_ANON, MS_PROT_READ);
	CHECK_OK(ms_record_create(&fake.target, &record));
	memset(memory, 1, sizeof(memory));
	CHECK_OK(ms_target_read(record, 0x10000, buf, 64));
	memset(memory, 2, sizeof(memory));
	CHECK_OK(ms_target_read(record, 0x10010, buf, 16));
	memset(memory, 0, sizeof(memory));
	CHECK_OK(ms_target_read(record, 0x10018, buf, 16));
	bytes = written(record, &info);
	replay = replayed(bytes);
	CHECK_OK(ms_target_read(replay, 0x10000, buf, 64));
	for (size_t i = 0; i < 64; i++)
		CHECK_EQ(buf[i], i >= 24 && i < 40 ? 0 : i >= 16 && i < 24 ? 2 : 1);
	ms_target_destroy(replay);
	ms_target_destroy(record);
	free(bytes.at);
	fake_target_deinit(&fake);
}

MS_TEST(swapped_pages_are_left_out_of_a_full_recording)
{
	static struct fake_process p;
	struct ms_target *record = NULL, *replay;
	struct bytes bytes;
	uint8_t byte;

	fake_process_init(&p);
	fake_target_unmap(&p.fake, FAKE_STACK);
	fake_target_map(&p.fake, FAKE_STACK, p.stack, 0x1100, MS_REGION_ANON, MS_PROT_READ);
	CHECK_OK(ms_record_create(&p.fake.target, &record));
	CHECK_OK(ms_record_everything(record)); // The second page is not there as a whole.
	bytes = written(record, &info);
	replay = replayed(bytes);
	CHECK_OK(ms_target_read(replay, FAKE_STACK + 0xfff, &byte, 1));
	CHECK_ERR(ms_target_read(replay, FAKE_STACK + 0x1000, &byte, 1), MS_ERR_FAULT);
	ms_target_destroy(replay);
	ms_target_destroy(record);
	free(bytes.at);
	fake_process_deinit(&p);
}

MS_TEST(recording_is_the_same_bytes_every_time)
{
	static struct fake_process p;
	struct bytes first, second;

	fake_process_init(&p);
	first = full_recording(&p);
	second = full_recording(&p);
	CHECK_EQ(first.size, second.size);
	CHECK(memcmp(first.at, second.at, first.size) == 0);
	free(first.at);
	free(second.at);
	fake_process_deinit(&p);
}

MS_TEST(recording_of_nothing_and_without_words_opens)
{
	const struct ms_record_info silent = { 0 };
	struct ms_target *record = NULL, *replay;
	struct fake_target fake;
	struct ms_regions regions;
	struct bytes bytes;

	fake_target_init(&fake);
	CHECK_OK(ms_record_create(&fake.target, &record));
	bytes = written(record, &silent);
	replay = replayed(bytes);
	CHECK(ms_replay_info(replay)->release == NULL);
	CHECK(ms_replay_info(replay)->note == NULL);
	CHECK_OK(ms_target_regions(replay, &regions));
	CHECK_EQ(regions.count, 0);
	ms_regions_deinit(&regions);
	ms_target_destroy(replay);
	ms_target_destroy(record);
	free(bytes.at);
	fake_target_deinit(&fake);
}

MS_TEST(recording_of_a_huge_process_is_refused)
{
	struct ms_target *record = NULL;
	struct fake_target fake;

	fake_target_init(&fake);
	fake_target_map(&fake, 1ull << 32, NULL, MS_RECORD_FULL_MAX + 4096, MS_REGION_ANON,
			MS_PROT_READ);
	CHECK_OK(ms_record_create(&fake.target, &record));
	CHECK_ERR(ms_record_everything(record), MS_ERR_LIMIT);
	ms_target_destroy(record);
	fake_target_deinit(&fake);
}

MS_TEST(record_passes_on_that_its_target_is_gone)
{
	static struct fake_process p;
	struct ms_target *record = NULL;

	fake_process_init(&p);
	fake_target_gone_after(&p.fake, 1);
	CHECK_OK(ms_record_create(&p.fake.target, &record));
	CHECK_ERR(ms_record_everything(record), MS_ERR_GONE);
	CHECK_ERR(ms_target_check(record), MS_ERR_GONE);
	ms_target_destroy(record);
	fake_process_deinit(&p);
}

MS_TEST(record_write_says_that_the_disk_is_full)
{
	static struct fake_process p;
	struct ms_target *record = NULL;
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		SKIP("no /dev/full");
	fake_process_init(&p);
	CHECK_OK(ms_record_create(&p.fake.target, &record));
	CHECK_OK(ms_record_everything(record));
	CHECK_ERR(ms_record_write(record, &info, full), MS_ERR_IO);
	fclose(full);
	ms_target_destroy(record);
	fake_process_deinit(&p);
}

MS_TEST(record_pieces_merge_like_a_plain_array)
{
	enum { SIZE = 300, PIECES = 60 };

	for (unsigned round = 0; round < 200; round++) {
		struct ms_record_pieces pieces = { 0 };
		uint8_t bytes[SIZE] = { 0 };
		bool seen[SIZE] = { 0 };
		size_t held = 0;

		for (unsigned i = 0; i < PIECES; i++) {
			uint8_t look[20];
			size_t start = ms_test_random() % (SIZE - sizeof(look));
			size_t size = 1 + ms_test_random() % (i % 7 ? 4 : sizeof(look));

			memset(look, (int)(ms_test_random() % 4), sizeof(look));
			CHECK_OK(ms_record_pieces_add(&pieces, start, look, size));
			memcpy(bytes + start, look, size);
			memset(seen + start, 1, size);
		}
		CHECK_OK(ms_record_pieces_merge(&pieces));
		for (size_t i = 0; i < pieces.count; i++) {
			const struct ms_record_piece *r = &pieces.items[i];

			CHECK(i == 0 || r[-1].start + r[-1].size < r->start);
			for (size_t k = 0; k < r->size; k++) {
				CHECK(seen[r->start + k]);
				CHECK_EQ(r->bytes ? r->bytes[k] : 0, bytes[r->start + k]);
			}
			held += r->size;
		}
		for (size_t i = 0; i < SIZE; i++)
			held -= seen[i];
		CHECK_EQ(held, 0);
		ms_record_pieces_deinit(&pieces);
	}
}
