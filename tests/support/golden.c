// golden.c - the first line that differs is shown with its number, both ways.
#include "tests/support/golden.h"

#include "base/cleanup.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

static char *read_all(const char *path, size_t *ret_size)
{
	MS_AUTO_FCLOSE FILE *file = fopen(path, "rb");
	char *text = NULL;
	size_t size = 0;
	FILE *copy;
	int c;

	if (!file)
		return NULL;
	copy = open_memstream(&text, &size);
	CHECK(copy != NULL);
	while ((c = getc(file)) != EOF)
		putc(c, copy);
	CHECK(fclose(copy) == 0);
	*ret_size = size;
	return text;
}

static void accept(const char *path, const char *text, size_t size)
{
	MS_AUTO_FCLOSE FILE *file = fopen(path, "wb");

	if (!file || fwrite(text, 1, size, file) != size)
		ms_test_fail(__FILE__, __LINE__, "could not write %s", path);
}

/** Print line @p number of @p text. */
static void show_line(const char *label, const char *text, size_t size, size_t number)
{
	const char *end = text + size;

	for (size_t line = 1; line < number && text < end; line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		text = newline ? newline + 1 : end;
	}
	printf("%s line %zu: ", label, number);
	for (; text < end && *text != '\n'; text++)
		putchar(*text == '\x1b' ? '^' : *text);
	putchar('\n');
}

void ms_golden_check(const char *relative, const char *text, size_t size)
{
	MS_AUTO_FREE char *path = ms_test_path(relative);
	MS_AUTO_FREE char *golden = NULL;
	const char *accept_mode = getenv("MS_ACCEPT");
	size_t golden_size = 0;
	size_t line = 1;

	if (accept_mode && *accept_mode == '1') {
		accept(path, text, size);
		return;
	}
	golden = read_all(path, &golden_size);
	if (!golden)
		ms_test_fail(__FILE__, __LINE__, "%s is missing; MS_ACCEPT=1 writes it", relative);
	if (size == golden_size && memcmp(text, golden, size) == 0)
		return;
	for (size_t i = 0; i < size && i < golden_size && text[i] == golden[i]; i++)
		line += text[i] == '\n';
	show_line("golden  ", golden, golden_size, line);
	show_line("produced", text, size, line);
	ms_test_fail(__FILE__, __LINE__, "%s differs; MS_ACCEPT=1 accepts", relative);
}
