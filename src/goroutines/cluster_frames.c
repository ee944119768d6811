// cluster_frames.c - names folded, and the distance of two short lists of them.
#include "goroutines/cluster_frames.h"

#include <string.h>

enum { NAMES_OF_ONE_CHANGE = 4 };

/** Bytes of @p name without one suffix of the compiler's; all of them when it has none. */
static size_t without_suffix(const char *name, size_t size)
{
	static const char *const suffixes[] = { "-fm",   ".abi0",      ".abiinternal", ".cold",
						".part", ".constprop", ".isra",        ".llvm" };
	size_t end = size;

	while (end && name[end - 1] >= '0' && name[end - 1] <= '9')
		end--;
	if (end == size || !end || name[end - 1] != '.')
		end = size; // No ".0" behind it.
	else
		end--;
	for (size_t i = 0; i < MS_ARRAY_SIZE(suffixes); i++) {
		size_t length = strlen(suffixes[i]);

		if (end > length && !memcmp(name + end - length, suffixes[i], length))
			return end - length;
		if (size > length && !memcmp(name + size - length, suffixes[i], length))
			return size - length;
	}
	return size;
}

size_t ms_frame_fold(const char *name, char *buf, size_t size)
{
	size_t end = strlen(name), length = 0, depth = 0, shorter;

	while ((shorter = without_suffix(name, end)) < end)
		end = shorter;
	for (size_t i = 0; i < end; i++) {
		const char *text = name + i;
		size_t count = 1;

		if (name[i] == '[' && !depth && memchr(text, ']', end - i)) {
			depth = 1;
			text = "[...]";
			count = 5;
		} else if (depth) {
			depth += name[i] == '[';
			depth -= name[i] == ']';
			count = 0;
		}
		for (size_t k = 0; k < count; k++, length++) {
			if (length + 1 < size)
				buf[length] = text[k];
		}
	}
	if (size)
		buf[length < size ? length : size - 1] = '\0';
	return length;
}

unsigned ms_frames_distance(const struct ms_cluster_frames *a, const struct ms_cluster_frames *b)
{
	unsigned row[MS_CLUSTER_FRAMES + 1];

	for (uint32_t k = 0; k <= b->count; k++)
		row[k] = k;
	for (uint32_t i = 0; i < a->count; i++) {
		unsigned corner = row[0];

		row[0] = i + 1;
		for (uint32_t k = 0; k < b->count; k++) {
			unsigned change = corner + (a->names[i] != b->names[k]);
			unsigned least = row[k] < row[k + 1] ? row[k] + 1 : row[k + 1] + 1;

			corner = row[k + 1];
			row[k + 1] = change < least ? change : least;
		}
	}
	return row[b->count];
}

bool ms_frames_are_near(const struct ms_cluster_frames *a, const struct ms_cluster_frames *b)
{
	uint32_t longer = a->count > b->count ? a->count : b->count;

	return a->own == b->own && ms_frames_distance(a, b) <= longer / NAMES_OF_ONE_CHANGE;
}
