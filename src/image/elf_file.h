// elf_file.h - the executable's ELF file: architecture, segments, the sections we ask for by name.
#pragma once

#include "target/target.h"

enum { MS_ELF_SEGMENTS_MAX = 32, MS_ELF_SECTIONS_MAX = 4096 };

/** More of one executable is never looked through: Go addresses its image with 32 bits, signed. */
#define MS_ELF_IMAGE_BYTES_MAX ((uint64_t)2 << 30)

struct ms_elf_segment {
	uint64_t vaddr, offset, file_bytes, mem_bytes;
	unsigned prot; // Bits of ms_region_prot.
};

struct ms_elf_section {
	uint64_t vaddr, offset, bytes;
};

struct ms_elf {
	enum ms_arch arch;
	bool is_pie;
	bool has_symbols; // A symbol table: not stripped of it.
	bool has_dwarf;
	uint64_t entry;
	ms_addr bias; // Runtime address minus vaddr; 0 until ms_elf_place.
	struct ms_elf_segment segments[MS_ELF_SEGMENTS_MAX]; // PT_LOAD only.
	size_t segment_count;
};

/** Parse the target's executable (libelf).  UNSUPPORTED for anything but a 64-bit ELF program. */
MS_MUST_USE struct ms_error *ms_elf_open(struct ms_target *t, struct ms_elf *ret_elf);

/** Find where the executable was loaded.  UNSUPPORTED when no mapping fits a segment. */
MS_MUST_USE struct ms_error *ms_elf_place(struct ms_elf *elf, const struct ms_regions *regions);

/** A section by name; false when there is none (stripped of section headers, or not made). */
bool ms_elf_section_find(struct ms_target *t, const char *name, struct ms_elf_section *ret_section);

/** The file offset of @p vaddr when @p size bytes from there on are in the file. */
bool ms_elf_offset_of(const struct ms_elf *elf, uint64_t vaddr, uint64_t size,
		      uint64_t *ret_offset);
