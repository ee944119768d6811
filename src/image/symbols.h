// symbols.h - the variables of an executable that was not stripped of its symbol table.
//
// Go's linker writes one symbol for each package-level variable, with address and size, and keeps
// them when only debug information is left out (-ldflags=-w).
#pragma once

#include "image/elf_file.h"

struct ms_symbol {
	uint64_t vaddr, bytes;
	const char *name; // In the names.
};

struct ms_symbols {
	struct ms_symbol *items; // Sorted by address.
	size_t count, capacity;
	char *names;
};

/** The data symbols of the target's executable; none when it has no symbol table. */
MS_MUST_USE struct ms_error *ms_symbols_load(struct ms_target *t, struct ms_symbols *ret_symbols);

/** The variable that holds @p vaddr, or NULL. */
const struct ms_symbol *ms_symbols_find(const struct ms_symbols *symbols, uint64_t vaddr);

void ms_symbols_deinit(struct ms_symbols *symbols);
