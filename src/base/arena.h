// arena.h - one block of memory for names, types and report rows; freed once.
#pragma once

#include <stddef.h>

/** Zero-initialised is empty. */
struct ms_arena {
	struct ms_arena_chunk *head;
	size_t bytes; // Handed out so far.
};

/** Zeroed, 8-aligned memory that lives as long as the arena; NULL when memory is short. */
void *ms_arena_alloc(struct ms_arena *arena, size_t size);

/** A NUL-terminated copy of @p len bytes; NULL when memory is short. */
char *ms_arena_strndup(struct ms_arena *arena, const char *text, size_t len);

/** A formatted string in the arena; NULL when memory is short. */
char *ms_arena_printf(struct ms_arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void ms_arena_deinit(struct ms_arena *arena);
