// Goal: a core file is a target like any other; what it lacks is told, what it lies about is
// refused. Method: a program and its core made byte by byte, whole, without the program, with
// another one, cut off at every byte, and with bytes changed.
#include "target/core.h"
#include "tests/support/fake_core.h"
#include "tests/unit/target_contract.h"

#include <unistd.h>

static struct fake_core f;

static struct ms_target *open_it(const struct ms_core_options *options)
{
	struct ms_target *t = NULL;

	CHECK_OK(ms_core_open(f.core_path, options, &t));
	return t;
}

static void refuse(const struct ms_core_options *options, enum ms_error_code code,
		   const char *words)
{
	struct ms_target *t = NULL;
	struct ms_error *err = ms_core_open(f.core_path, options, &t);

	CHECK_EQ(ms_error_code(err), code);
	CHECK(strstr(ms_error_message(err), words) != NULL);
	ms_error_free(err);
}

MS_TEST(a_core_is_a_target)
{
	struct target_facts facts = { .addr = FAKE_CORE_HEAP,
				      .size = 2 * FAKE_CORE_PAGE,
				      .bad = FAKE_CORE_FREE,
				      .exe_offset = FAKE_CORE_PAGE + 100 };
	const struct ms_core_info *info;
	const struct ms_thread_state *threads;
	struct ms_target *t;
	size_t count;

	fake_core_init(&f, NULL);
	facts.bytes = f.core + 2 * FAKE_CORE_PAGE;
	facts.exe = f.exe + facts.exe_offset;
	facts.exe_bytes = 500;
	CHECK(ms_core_is(f.core_path) && !ms_core_is(f.exe_path) && !ms_core_is("/no/such/file"));
	t = open_it(NULL);
	check_target_contract(t, &facts);
	info = ms_core_info(t);
	CHECK_EQ(info->exe_is, MS_CORE_EXE_CHECKED);
	CHECK_STR(info->exe, f.exe_path);
	CHECK_STR(info->file->name, "service");
	CHECK(info->file->pid == FAKE_CORE_PID && info->file->missing_bytes == 0);
	threads = ms_target_threads(t, &count);
	CHECK_EQ(count, 1);
	CHECK(threads->id == FAKE_CORE_THREAD && threads->signal == FAKE_CORE_SIGNAL);
	CHECK(threads->pc == FAKE_CORE_EXE + 0x900 && threads->sp == FAKE_CORE_HEAP + 0x80 &&
	      threads->bp == FAKE_CORE_HEAP + 0x100);
	ms_target_destroy(t);
	fake_core_deinit(&f);
}

MS_TEST(what_its_writer_left_out_comes_from_the_program)
{
	uint8_t bytes[FAKE_CORE_PAGE];
	struct ms_target *t;

	fake_core_init(&f, NULL);
	t = open_it(NULL);
	CHECK_OK(ms_target_read(t, FAKE_CORE_EXE + FAKE_CORE_PAGE / 2, bytes, sizeof(bytes)));
	CHECK(memcmp(bytes, f.exe + FAKE_CORE_PAGE / 2, sizeof(bytes)) == 0);
	CHECK_ERR(ms_target_read(t, FAKE_CORE_HOLE, bytes, 1), MS_ERR_FAULT);
	CHECK_ERR(ms_target_read(t, FAKE_CORE_EXE + 2 * FAKE_CORE_PAGE - 1, bytes, 2),
		  MS_ERR_FAULT);
	CHECK_ERR(ms_target_read(t, FAKE_CORE_HEAP + 2 * FAKE_CORE_PAGE - 1, bytes, 2),
		  MS_ERR_FAULT);
	ms_target_destroy(t);
	fake_core_deinit(&f);
}

MS_TEST(the_program_is_the_one_that_the_core_is_of)
{
	struct ms_target *t;

	fake_core_init(&f, "/no/such/program");
	refuse(NULL, MS_ERR_UNSUPPORTED, "--exe FILE");
	refuse(&(struct ms_core_options){ .exe = "/no/such/file" }, MS_ERR_IO, "/no/such/file");
	t = open_it(&(struct ms_core_options){ .exe = f.exe_path });
	CHECK_EQ(ms_core_info(t)->exe_is, MS_CORE_EXE_CHECKED);
	ms_target_destroy(t);
	f.exe[512 + 12 + 4] ^= 1; // Its build id.
	fake_core_write(&f);
	refuse(&(struct ms_core_options){ .exe = f.exe_path }, MS_ERR_UNSUPPORTED, "build id");
	fake_core_deinit(&f);
	fake_core_init(&f, NULL);
	f.exe[512 + 12 + 4] ^= 1;
	fake_core_write(&f);
	refuse(NULL, MS_ERR_UNSUPPORTED, "another program");
	fake_core_deinit(&f);
}

/** What a core had of the program's memory may have been written to: its file has something else.
 */
MS_TEST(what_a_cut_took_does_not_come_from_the_program)
{
	uint8_t bytes[64];
	struct ms_target *t;

	fake_core_init(&f, NULL);
	fake_core_leave_nothing_out(&f);
	CHECK(ftruncate(f.core_fd, (off_t)(f.core_bytes - sizeof(bytes))) == 0);
	t = open_it(NULL);
	CHECK(t->is_cut);
	CHECK_EQ(ms_core_info(t)->file->missing_bytes, sizeof(bytes));
	CHECK_OK(ms_target_read(t, FAKE_CORE_EXE + FAKE_CORE_PAGE, bytes, sizeof(bytes)));
	CHECK_ERR(ms_target_read(t, FAKE_CORE_EXE + 2 * FAKE_CORE_PAGE - sizeof(bytes), bytes, 1),
		  MS_ERR_FAULT);
	ms_target_destroy(t);
	fake_core_deinit(&f);
	fake_core_init(&f, NULL);
	t = open_it(NULL);
	CHECK(!t->is_cut);
	ms_target_destroy(t);
	fake_core_deinit(&f);
}

/** As dlv writes them: every page is there. */
MS_TEST(a_core_that_left_nothing_out_has_its_program_in_it)
{
	uint8_t bytes[64];
	struct ms_target *t;

	fake_core_init(&f, "/no/such/program");
	fake_core_leave_nothing_out(&f);
	t = open_it(NULL);
	CHECK_EQ(ms_core_info(t)->exe_is, MS_CORE_EXE_OF_MEMORY);
	CHECK_OK(ms_target_exe_read(t, FAKE_CORE_PAGE + 7, bytes, sizeof(bytes)));
	CHECK(memcmp(bytes, f.exe + FAKE_CORE_PAGE + 7, sizeof(bytes)) == 0);
	ms_target_destroy(t);
	fake_core_deinit(&f);
}

/** As the kernel writes them: clean pages of the program are not there, its data are. */
MS_TEST(a_core_without_its_program_has_headers_and_data)
{
	uint8_t bytes[64];
	struct ms_target *t;

	fake_core_init(&f, "/no/such/program");
	fake_core_add_data(&f);
	t = open_it(NULL);
	CHECK_EQ(ms_core_info(t)->exe_is, MS_CORE_EXE_MISSING);
	CHECK(t->lacks_program && strstr(ms_core_info(t)->missing_why, "--exe FILE"));
	CHECK_EQ(t->exe_size, 3 * FAKE_CORE_PAGE);
	CHECK_OK(ms_target_exe_read(t, 2 * FAKE_CORE_PAGE + 7, bytes, sizeof(bytes)));
	CHECK(memcmp(bytes, f.core + 2 * FAKE_CORE_PAGE + 7, sizeof(bytes)) == 0);
	CHECK_ERR(ms_target_exe_read(t, FAKE_CORE_PAGE, bytes, 1), MS_ERR_FAULT);
	CHECK_ERR(ms_target_exe_read(t, 2 * FAKE_CORE_PAGE - 1, bytes, 2), MS_ERR_FAULT);
	CHECK_ERR(ms_target_exe_read(t, 3 * FAKE_CORE_PAGE - 1, bytes, 2), MS_ERR_FAULT);
	CHECK_ERR(ms_target_read(t, FAKE_CORE_EXE + FAKE_CORE_PAGE, bytes, 1), MS_ERR_FAULT);
	ms_target_destroy(t);
	fake_core_deinit(&f);
}

MS_TEST(a_program_that_the_core_does_not_name_is_placed_by_its_headers)
{
	const struct ms_core_options given = { .exe = f.exe_path };
	struct ms_regions regions;
	struct ms_target *t;
	uint8_t there[16];

	fake_core_init(&f, "/no/such/program");
	fake_core_as_qemu(&f);
	refuse(NULL, MS_ERR_UNSUPPORTED, "--exe");
	t = open_it(&given);
	CHECK_EQ(ms_core_info(t)->exe_is, MS_CORE_EXE_CHECKED);
	CHECK_OK(ms_target_regions(t, &regions));
	CHECK(regions.items[0].start == FAKE_CORE_EXE && regions.items[0].kind == MS_REGION_EXE &&
	      regions.items[1].kind == MS_REGION_EXE &&
	      regions.items[1].file_offset == FAKE_CORE_PAGE);
	CHECK_OK(ms_target_read(t, FAKE_CORE_EXE + 600, there, sizeof(there)));
	CHECK(!memcmp(there, f.exe + 600, sizeof(there)));
	ms_regions_deinit(&regions);
	ms_target_destroy(t);
	f.exe[FAKE_CORE_PAGE + 9] ^= 1;
	fake_core_write(&f);
	refuse(&given, MS_ERR_UNSUPPORTED, "another one");
	f.exe[FAKE_CORE_PAGE + 9] ^= 1;
	f.exe[24] ^= 1; // Its entry is not where the kernel said that it was.
	fake_core_write(&f);
	refuse(&given, MS_ERR_UNSUPPORTED, "another one");
	fake_core_deinit(&f);
}

MS_TEST(a_core_that_was_cut_off_says_what_is_missing)
{
	uint8_t byte;

	fake_core_init(&f, NULL);
	for (size_t size = f.core_bytes; size-- > 0;) {
		struct ms_target *t = NULL;
		struct ms_error *err;

		CHECK_EQ(ftruncate(f.core_fd, (off_t)size), 0);
		err = ms_core_open(f.core_path, &(struct ms_core_options){ .exe = f.exe_path }, &t);
		if (!err && size >= FAKE_CORE_PAGE) {
			CHECK_EQ(ms_core_info(t)->file->missing_bytes, f.core_bytes - size);
			CHECK_ERR(
			    ms_target_read(t, FAKE_CORE_HEAP + 2 * FAKE_CORE_PAGE - 1, &byte, 1),
			    MS_ERR_FAULT);
		}
		if (!err)
			ms_target_destroy(t);
		ms_error_free(err);
	}
	fake_core_deinit(&f);
}

MS_TEST(bytes_of_its_tables_may_be_anything)
{
	uint8_t buf[256];

	fake_core_init(&f, NULL);
	for (size_t at = 0; at < 2048; at++) {
		static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };

		for (size_t i = 0; i < MS_ARRAY_SIZE(values); i++) {
			struct ms_regions regions = { 0 };
			struct ms_target *t = NULL;
			uint8_t was = f.core[at];
			struct ms_error *err;

			CHECK_EQ(pwrite(f.core_fd, &values[i], 1, (off_t)at), 1);
			err = ms_core_open(f.core_path, NULL, &t);
			if (!err) {
				CHECK_OK(ms_target_regions(t, &regions));
				for (size_t k = 0; k < regions.count; k++)
					ms_error_free(ms_target_read(t, regions.items[k].end - 128,
								     buf, sizeof(buf)));
				ms_regions_deinit(&regions);
				ms_target_destroy(t);
			}
			ms_error_free(err);
			CHECK_EQ(pwrite(f.core_fd, &was, 1, (off_t)at), 1);
		}
	}
	fake_core_deinit(&f);
}
