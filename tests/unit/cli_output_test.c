// Goal: a file is there whole or not at all, whatever the rendering comes to.
// Method: pages made here, written into a directory of their own, which is
// looked at afterwards.
#include "base/cleanup.h"
#include "cli/output.h"
#include "tests/support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct ms_error *write_text(const void *report, const struct ms_options *o,
				   const struct ms_text_style *style, struct ms_sink *sink)
{
	(void)o;
	ms_sink_printf(sink, "text %s %u\n", (const char *)report, style->width);
	return ms_sink_finish(sink);
}

static struct ms_error *write_json(const void *report, const struct ms_options *o,
				   struct ms_sink *sink)
{
	(void)o;
	ms_sink_printf(sink, "json %s\n", (const char *)report);
	return ms_sink_finish(sink);
}

/** Fails after it has written something. */
static struct ms_error *write_and_fail(const void *report, const struct ms_options *o,
				       struct ms_sink *sink)
{
	(void)o;
	ms_sink_printf(sink, "csv %s\n", (const char *)report);
	ms_sink_fail_no_memory(sink);
	return ms_sink_finish(sink);
}

static const struct ms_page page = {
	.text = write_text,
	.documents = { [MS_FORMAT_JSON] = write_json, [MS_FORMAT_CSV] = write_and_fail },
	.report = "report",
};

/** Make an empty directory the current one. */
static void enter_scratch(void)
{
	char path[] = "/tmp/mapscope-test-XXXXXX";

	CHECK(mkdtemp(path) != NULL);
	CHECK(chdir(path) == 0);
}

/** What a file holds, up to 99 bytes. */
static const char *content(const char *path)
{
	static char text[100];
	MS_AUTO_CLOSE int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/** Files in the current directory; removes it and them. */
static size_t leave_scratch(void)
{
	DIR *here = opendir(".");
	MS_AUTO_FREE char *path = realpath(".", NULL);
	struct dirent *entry;
	size_t count = 0;

	CHECK(here != NULL);
	while ((entry = readdir(here))) {
		if (entry->d_name[0] == '.')
			continue;
		CHECK(unlink(entry->d_name) == 0);
		count++;
	}
	closedir(here);
	CHECK(path && rmdir(path) == 0);
	return count;
}

MS_TEST(output_writes_each_file_in_its_format)
{
	struct ms_options o = { .files = { { "a.json", MS_FORMAT_JSON },
					   { "b.txt", MS_FORMAT_TEXT } },
				.file_count = 2 };
	struct stat found;

	enter_scratch();
	umask(022);
	CHECK_OK(ms_output_check(&o));
	CHECK_OK(ms_output_write(&o, &page));
	CHECK_STR(content("a.json"), "json report\n");
	CHECK_STR(content("b.txt"), "text report 0\n");
	CHECK(stat("a.json", &found) == 0);
	CHECK_EQ(found.st_mode & 0777, 0644);
	CHECK_EQ(leave_scratch(), 2);
}

MS_TEST(output_replaces_a_file_that_a_link_leads_to)
{
	struct ms_options o = { .files = { { "link.json", MS_FORMAT_JSON } }, .file_count = 1 };
	struct stat found;

	enter_scratch();
	close(open("real.json", O_CREAT | O_WRONLY, 0644));
	CHECK(symlink("real.json", "link.json") == 0);
	CHECK_OK(ms_output_write(&o, &page));
	CHECK(lstat("link.json", &found) == 0 && S_ISLNK(found.st_mode));
	CHECK_STR(content("real.json"), "json report\n");
	CHECK_EQ(leave_scratch(), 2);
}

MS_TEST(output_leaves_the_old_file_when_the_new_one_fails)
{
	struct ms_options good = { .files = { { "a.csv", MS_FORMAT_JSON } }, .file_count = 1 };
	struct ms_options bad = { .files = { { "a.csv", MS_FORMAT_CSV },
					     { "b.json", MS_FORMAT_JSON } },
				  .file_count = 2 };

	enter_scratch();
	CHECK_OK(ms_output_write(&good, &page));
	CHECK_ERR(ms_output_write(&bad, &page), MS_ERR_NO_MEMORY);
	CHECK_STR(content("a.csv"), "json report\n");
	CHECK_STR(content("b.json"),
		  "json report\n"); // The others are still written.
	CHECK_EQ(leave_scratch(), 2);
}

MS_TEST(output_goes_into_what_is_no_file)
{
	struct ms_options o = { .files = { { "pipe.json", MS_FORMAT_JSON } }, .file_count = 1 };
	char got[32] = "";
	int fd;

	enter_scratch();
	CHECK(mkfifo("pipe.json", 0600) == 0);
	fd = open("pipe.json", O_RDWR | O_NONBLOCK);
	CHECK(fd >= 0);
	CHECK_OK(ms_output_check(&o));
	CHECK_OK(ms_output_write(&o, &page));
	CHECK_EQ(read(fd, got, sizeof(got) - 1), 12);
	CHECK_STR(got, "json report\n");
	close(fd);
	CHECK_EQ(leave_scratch(), 1);
}

MS_TEST(output_check_knows_what_cannot_be_written)
{
	static const char *const paths[] = { "missing/a.json", "folder.json" };

	enter_scratch();
	CHECK(mkdir("folder.json", 0755) == 0);
	for (size_t i = 0; i < MS_ARRAY_SIZE(paths); i++) {
		struct ms_options o = { .files = { { paths[i], MS_FORMAT_JSON } },
					.file_count = 1 };

		CHECK_ERR(ms_output_check(&o), MS_ERR_IO);
	}
	CHECK(rmdir("folder.json") == 0);
	CHECK_EQ(leave_scratch(), 0);
}
