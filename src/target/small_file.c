// small_file.c - the kernel writes these files, but some of their words are the target's (names of
// groups, of mounts), so that nothing is assumed of their form but lines.
#include "target/small_file.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>

char *ms_small_file_read(const char *path)
{
	MS_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	MS_AUTO_FREE char *text = NULL;
	size_t size = 0, capacity = 0;
	ssize_t n;

	if (fd < 0)
		return NULL;
	do {
		if (capacity - size < 2) {
			char *larger;

			capacity = capacity ? capacity * 2 : 4096;
			larger =
			    capacity > MS_SMALL_FILE_BYTES_MAX ? NULL : realloc(text, capacity);
			if (!larger)
				return NULL;
			text = larger;
		}
		n = read(fd, text + size, capacity - 1 - size);
		if (n < 0 && errno != EINTR)
			return NULL;
		size += n > 0 ? (size_t)n : 0;
	} while (n != 0);
	text[size] = '\0';
	return MS_STEAL(text);
}

/** Digits at @p text; what stands behind them goes to @p ret_end. */
static uint64_t number(const char *text, const char **ret_end)
{
	uint64_t value = 0;

	*ret_end = text;
	for (; isdigit((unsigned char)**ret_end); (*ret_end)++) {
		uint64_t digit = (uint64_t)(**ret_end - '0');

		if (value > (UINT64_MAX - 1 - digit) / 10)
			return MS_UNKNOWN;
		value = value * 10 + digit;
	}
	return *ret_end == text ? MS_UNKNOWN : value;
}

uint64_t ms_small_file_number(const char *path)
{
	MS_AUTO_FREE char *text = ms_small_file_read(path);
	const char *end;
	uint64_t value;

	if (!text)
		return MS_UNKNOWN;
	value = number(text, &end);
	return *end == '\0' || *end == '\n' ? value : MS_UNKNOWN;
}

uint64_t ms_text_number(const char *text, const char *key)
{
	size_t size = strlen(key);
	const char *end;

	while (text && (strncmp(text, key, size) != 0 || !isblank((unsigned char)text[size]))) {
		text = strchr(text, '\n');
		text += text != NULL;
	}
	if (!text)
		return MS_UNKNOWN;
	for (text += size; isblank((unsigned char)*text); text++)
		;
	return number(text, &end);
}
