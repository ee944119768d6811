// pclntab.h - Go's table of functions, found without symbols.
#pragma once

#include "image/elf_file.h"

/** The header's magic number separates families of releases (internal/abi/symtab.go). */
enum ms_pclntab_family {
	MS_PCLNTAB_1_18, // 0xfffffff0: 1.18 and 1.19.
	MS_PCLNTAB_1_20, // 0xfffffff1: from 1.20.
	MS_PCLNTAB_OLD,  // 0xfffffffa, 0xfffffffb: before 1.18.
};

struct ms_pclntab {
	enum ms_pclntab_family family;
	uint64_t vaddr, offset;
	uint64_t functions;    // Number of entries.
	uint64_t names_offset; // Of the name table, from the start of the pclntab.
	uint64_t names_bytes;  // Up to the table behind it.
};

/** UNSUPPORTED when the file has none: not a Go program, or damaged. */
MS_MUST_USE struct ms_error *ms_pclntab_find(struct ms_target *t, const struct ms_elf *elf,
					     struct ms_pclntab *ret_tab);

/** Whether a function of exactly this name is in the program. */
MS_MUST_USE struct ms_error *ms_pclntab_has_function(struct ms_target *t,
						     const struct ms_pclntab *tab, const char *name,
						     bool *ret_has);
