// golden.c - goldens are whole files in git, so that a change of output is a diff to review.
#include "tests/support/golden.h"

#include "base/cleanup.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

static char *golden_path(const char *name)
{
	MS_AUTO_FREE char *relative = NULL;

	if (asprintf(&relative, "tests/golden/%s", name) < 0)
		ms_test_fail(__FILE__, __LINE__, "out of memory");
	return ms_test_path(relative);
}

static void golden_write(const char *path, const char *text, size_t size)
{
	MS_AUTO_FCLOSE FILE *out = fopen(path, "w");

	if (!out || fwrite(text, 1, size, out) != size || fflush(out) != 0)
		ms_test_fail(__FILE__, __LINE__, "cannot write %s", path);
}

/** The whole file, or NULL when there is none. */
static char *file_read(const char *path, size_t *ret_size)
{
	MS_AUTO_FCLOSE FILE *in = fopen(path, "r");
	MS_AUTO_FREE char *text = NULL;
	long size;

	if (!in)
		return NULL;
	if (fseek(in, 0, SEEK_END) != 0 || (size = ftell(in)) < 0 || fseek(in, 0, SEEK_SET) != 0)
		ms_test_fail(__FILE__, __LINE__, "cannot read %s", path);
	text = calloc(1, (size_t)size + 1);
	if (!text || fread(text, 1, (size_t)size, in) != (size_t)size)
		ms_test_fail(__FILE__, __LINE__, "cannot read %s", path);
	*ret_size = (size_t)size;
	return MS_STEAL(text);
}

char *ms_golden_read(const char *name, size_t *ret_size)
{
	MS_AUTO_FREE char *path = golden_path(name);
	char *text = file_read(path, ret_size);

	if (!text)
		ms_test_fail(__FILE__, __LINE__, "there is no tests/golden/%s", name);
	return text;
}

static size_t line_size(const char *text, size_t size)
{
	const char *end = memchr(text, '\n', size);

	return end ? (size_t)(end - text) : size;
}

void ms_golden_check(const char *file, int line, const char *text, size_t size, const char *name)
{
	MS_AUTO_FREE char *path = golden_path(name);
	MS_AUTO_FREE char *want = NULL;
	size_t want_size = 0;
	size_t start = 0;
	unsigned number = 1;

	if (getenv("MS_ACCEPT")) {
		golden_write(path, text, size);
		return;
	}
	want = file_read(path, &want_size);
	if (!want)
		ms_test_fail(file, line, "there is no tests/golden/%s; `make accept` makes it",
			     name);
	if (want_size == size && memcmp(want, text, size) == 0)
		return;
	for (size_t i = 0; i < size && i < want_size && text[i] == want[i]; i++) {
		if (text[i] == '\n') {
			start = i + 1;
			number++;
		}
	}
	ms_test_fail(file, line, "tests/golden/%s:%u differs: got\n%.*s\nwant\n%.*s", name, number,
		     (int)line_size(text + start, size - start), text + start,
		     (int)line_size(want + start, want_size - start), want + start);
}
