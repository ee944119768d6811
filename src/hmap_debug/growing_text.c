// growing_text.c - texts that grow, and names made plain.
#include "hmap_debug/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool have_room(struct hd_text *t, size_t more)
{
	size_t room = t->room ? t->room : 4096;
	char *bytes;

	if (t->failed || more < t->room - t->size)
		return !t->failed;
	while (room - t->size <= more)
		room *= 2;
	bytes = realloc(t->bytes, room);
	if (!bytes) {
		t->failed = true;
		return false;
	}
	t->bytes = bytes;
	t->room = room;
	return true;
}

void hd_put_bytes(struct hd_text *t, const void *bytes, size_t size)
{
	if (!have_room(t, size))
		return;
	memcpy(t->bytes + t->size, bytes, size);
	t->size += size;
	t->bytes[t->size] = '\0';
}

void hd_put(struct hd_text *t, const char *format, ...)
{
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (size < 0 || !have_room(t, (size_t)size))
		return;
	va_start(args, format);
	(void)vsnprintf(t->bytes + t->size, t->room - t->size, format, args);
	va_end(args);
	t->size += (size_t)size;
}

void hd_plain(const char *name, char *ret, size_t size)
{
	size_t used = 0;

	for (; name && *name && used + 1 < size; name++) {
		unsigned char byte = (unsigned char)*name;

		ret[used++] = byte < ' ' || byte == 0x7f ? '?' : (char)byte;
	}
	ret[used] = '\0';
}
