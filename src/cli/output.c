// output.c - the only place where results are printed.
//
// A file is written beside its destination under another name and then renamed, so that a reader
// of the destination sees the old file or the whole new one.  What is no ordinary file (a pipe, a
// device) is written directly.
#include "cli/output.h"

#include "base/cleanup.h"
#include "cli/privileges.h"
#include "cli/terminal.h"
#include "render/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static struct ms_error *render(const struct ms_options *o, const struct ms_page *page,
			       enum ms_format format, const struct ms_text_style *style,
			       struct ms_sink *sink)
{
	if (format == MS_FORMAT_TEXT)
		return page->text(page->report, o, style, sink);
	if (!page->documents[format])
		return ms_error_new(MS_ERR_INTERNAL, "the form %s is missing",
				    ms_format_name(format));
	return page->documents[format](page->report, o, sink);
}

struct ms_error *ms_output_forgive_closed(struct ms_error *err, const struct ms_sink *sink)
{
	if (!err || sink->failed_errno != EPIPE)
		return err;
	ms_error_free(err);
	return NULL;
}

static struct ms_error *print_page(const struct ms_options *o, const struct ms_page *page)
{
	FILE *stream = page->stream ? page->stream : stdout;
	struct ms_text_style style = ms_terminal_style(stream, o);
	struct ms_sink sink;
	struct ms_error *err;

	ms_sink_init_file(&sink, stream);
	err = ms_output_forgive_closed(render(o, page, o->format, &style, &sink), &sink);
	ms_sink_deinit(&sink);
	return err ? ms_error_wrap(err, stream == stdout ? "stdout" : "stderr") : NULL;
}

/** Render into @p fd, which is closed in any case. */
static struct ms_error *render_into(const struct ms_options *o, const struct ms_page *page,
				    const struct ms_output_file *out, int fd)
{
	const struct ms_text_style style = { 0, MS_COLOR_OFF, MS_CHARSET_UNICODE };
	FILE *file = fdopen(fd, "w");
	struct ms_sink sink;
	struct ms_error *err;

	if (!file) {
		close(fd);
		return ms_error_no_memory();
	}
	ms_sink_init_file(&sink, file);
	err = render(o, page, out->format, &style, &sink);
	ms_sink_deinit(&sink);
	if (fclose(file) != 0 && !err)
		err = ms_error_errno(MS_ERR_IO, errno, "could not write");
	return err ? ms_error_wrap(err, "%s", out->path) : NULL;
}

static bool is_special(const char *path)
{
	struct stat found;

	return stat(path, &found) == 0 && !S_ISREG(found.st_mode);
}

static struct ms_error *error_create(const char *path)
{
	return ms_error_errno(MS_ERR_IO, errno, "could not create %s", path);
}

static struct ms_error *write_special(const struct ms_options *o, const struct ms_page *page,
				      const struct ms_output_file *out)
{
	int fd;

	ms_privileges_write_begin();
	fd = open(out->path, O_WRONLY | O_CLOEXEC);
	ms_privileges_write_end();
	return fd < 0 ? error_create(out->path) : render_into(o, page, out, fd);
}

/** The mode a new file gets here. */
static mode_t new_file_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

static int temporary_open(char *path)
{
	int fd;

	ms_privileges_write_begin();
	fd = mkostemp(path, O_CLOEXEC);
	ms_privileges_write_end();
	return fd;
}

static bool put_in_place(const char *temporary, const char *path)
{
	bool is_there;

	ms_privileges_write_begin();
	is_there = rename(temporary, path) == 0;
	ms_privileges_write_end();
	return is_there;
}

static void take_away(const char *temporary)
{
	ms_privileges_write_begin();
	(void)unlink(temporary);
	ms_privileges_write_end();
}

static struct ms_error *write_file(const struct ms_options *o, const struct ms_page *page,
				   const struct ms_output_file *out)
{
	MS_AUTO_FREE char *real = realpath(out->path, NULL); // Where a link leads to.
	const char *path = real ? real : out->path;
	MS_AUTO_FREE char *temporary = NULL;
	struct ms_error *err;
	int fd;

	if (is_special(out->path))
		return write_special(o, page, out);
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return ms_error_no_memory();
	fd = temporary_open(temporary);
	if (fd < 0)
		return error_create(out->path);
	if (fchmod(fd, new_file_mode()) != 0) {
		err = error_create(out->path);
		close(fd);
	} else {
		err = render_into(o, page, out, fd);
	}
	if (!err && !put_in_place(temporary, path))
		err = error_create(out->path);
	if (err)
		take_away(temporary);
	return err;
}

struct ms_error *ms_output_check(const struct ms_options *o)
{
	if (ms_format_is_binary(o->format) && isatty(STDOUT_FILENO))
		return ms_error_new(MS_ERR_USAGE,
				    "%s is not for a terminal; type > FILE behind the command",
				    ms_format_name(o->format));
	for (size_t i = 0; i < o->file_count; i++) {
		const char *path = o->files[i].path;
		const char *slash = strrchr(path, '/');
		size_t size = slash ? (size_t)(slash - path) + 1 : 0;
		MS_AUTO_FREE char *folder = size ? strndup(path, size) : strdup(".");
		struct stat found;

		if (!folder)
			return ms_error_no_memory();
		if (stat(path, &found) == 0 && S_ISDIR(found.st_mode))
			errno = EISDIR;
		else if (access(is_special(path) ? path : folder, W_OK) == 0)
			continue;
		return error_create(path);
	}
	return NULL;
}

struct ms_error *ms_output_write(const struct ms_options *o, const struct ms_page *page)
{
	struct ms_error *first = page->is_printed ? NULL : print_page(o, page);

	for (size_t i = 0; i < o->file_count; i++) {
		struct ms_error *err = write_file(o, page, &o->files[i]);

		if (first)
			ms_error_free(err);
		else
			first = err;
	}
	return first;
}

static void say(const char *before, const char *sentence)
{
	struct ms_sink sink;

	ms_sink_init_file(&sink, stderr);
	ms_sink_puts(&sink, before);
	ms_replace_text(&sink, sentence, MS_REPLACE_UNSAFE);
	ms_sink_puts(&sink, "\n");
	ms_error_free(ms_sink_finish(&sink)); // There is nowhere left to say so.
	ms_sink_deinit(&sink);
}

void ms_output_say(const char *sentence)
{
	say("mapscope: ", sentence);
}

void ms_output_say_partial(const char *reason)
{
	say("mapscope: the result is partial: ", reason);
}
