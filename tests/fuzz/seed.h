// seed.h - building the bytes of fuzz seeds.
#pragma once

#include "base/types.h"
#include "golang/layout.h"

enum { SEED_BYTES_MAX = 1 << 16 };

/** Bytes under construction; zero-initialised is empty.  Running out of room aborts. */
struct seed {
	size_t size;
	uint8_t bytes[SEED_BYTES_MAX];
};

/** Append the low @p size bytes of @p number. */
void seed_number(struct seed *s, uint64_t number, size_t size);
void seed_bytes(struct seed *s, const void *bytes, size_t size);
/** With or without its NUL, as the name says. */
void seed_text(struct seed *s, const char *text);
void seed_string(struct seed *s, const char *text);
/** Fill up with zeros to @p size, or to the next multiple of @p alignment. */
void seed_fill(struct seed *s, size_t size);
void seed_align(struct seed *s, size_t alignment);
/** Put a number over what is there already, filling up with zeros before it. */
void seed_number_at(struct seed *s, size_t at, uint64_t number, size_t size);

/** One section of an ELF file; one with an address gets a segment. */
struct seed_section {
	const char *name;
	uint64_t vaddr;
	const void *bytes;
	size_t size;
	uint32_t type, prot; // SHT_*, PF_*.
};

/** An ELF program; @p ehdr_type is ET_EXEC or ET_DYN. */
void seed_elf(struct seed *s, unsigned machine, unsigned ehdr_type,
	      const struct seed_section *sections, size_t count);

/** An ELF file whose DWARF tells @p layout; @p pick: which of several names for a type is used. */
void seed_dwarf(struct seed *s, const struct ms_go_layout *layout, unsigned pick);

/** The part of a walk's input behind the row: types, variables and objects of a program. */
void seed_walk(struct seed *s, const struct ms_go_layout *layout);

/** What the maps of seed_globals have as descriptors, counted from the types' start. */
enum { SEED_GLOBALS_KEY = 0x100, SEED_GLOBALS_ELEM = 0x140 };

/** With a variable of structs in structs that no reader should look through. */
enum { SEED_GLOBALS_TOWER = 0x100 };

/** An ELF file whose DWARF, of version 4 or 5, describes package-level variables. */
void seed_globals(struct seed *s, unsigned version);

/** Changes of a recording, as recorded.h takes them; another @p salt makes others. */
void seed_changes(struct seed *s, unsigned count, unsigned salt);

/** An input of the target growth_events; behind 32 events there are sums. */
void seed_events(struct seed *s, unsigned recording, unsigned count);

/** An input of the target cpu_records, with so many flipped bytes in each sample. */
void seed_samples(struct seed *s, unsigned recording, unsigned flips);

/** Input @p index of the target registry, and what it is called; NULL behind the last. */
const char *seed_registry(struct seed *s, unsigned index);

/** Likewise of the target hmap_tables. */
const char *seed_hmap_tables(struct seed *s, unsigned index);
