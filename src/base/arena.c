// arena.c - a list of chunks, the newest first; large requests get a chunk of their own.
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 64 * 1024 };

struct ms_arena_chunk {
	struct ms_arena_chunk *next;
	size_t used, size;
	_Alignas(8) unsigned char bytes[];
};

void *ms_arena_alloc(struct ms_arena *arena, size_t size)
{
	struct ms_arena_chunk *chunk = arena->head;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + 7) & ~(size_t)7;
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->size = room;
		chunk->next = arena->head;
		arena->head = chunk;
	}
	p = chunk->bytes + chunk->used;
	chunk->used += size;
	arena->bytes += size;
	return p;
}

char *ms_arena_strndup(struct ms_arena *arena, const char *text, size_t len)
{
	char *copy = ms_arena_alloc(arena, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

char *ms_arena_printf(struct ms_arena *arena, const char *fmt, ...)
{
	char *text = NULL;
	char *copy;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return NULL;
	copy = ms_arena_strndup(arena, text, (size_t)len);
	free(text);
	return copy;
}

void ms_arena_deinit(struct ms_arena *arena)
{
	while (arena->head) {
		struct ms_arena_chunk *next = arena->head->next;

		free(arena->head);
		arena->head = next;
	}
	arena->bytes = 0;
}
