// dwarf_file.h - a binary's DWARF, opened so that damage is an error and nothing worse.
#pragma once

#include "base/error.h"
#include "base/types.h"
#include "image/debug_image.h"

#include <elfutils/libdw.h>
#include <libelf.h>

/** Zero-initialised is closed. */
struct ms_dwarf_file {
	int fd; // The caller's.
	Elf *elf;
	struct ms_debug_image image;
	Elf *sections; // In the image.
	Dwarf *dwarf;
	enum ms_arch arch;
};

/**
 * Open the DWARF of an ELF file for reading; @p fd stays the caller's and must outlive it.
 * UNSUPPORTED when there is none, LIMIT when it would unpack to too much.
 */
MS_MUST_USE struct ms_error *ms_dwarf_file_open(int fd, struct ms_dwarf_file *ret_file);
void ms_dwarf_file_close(struct ms_dwarf_file *file);

/** Read @p size bytes of initialised data at a link-time address. */
bool ms_dwarf_read_data(const struct ms_dwarf_file *file, uint64_t addr, void *buf, size_t size);

/** The member of a struct that is called @p name (of @p len bytes). */
bool ms_dwarf_find_member(Dwarf_Die *type, const char *name, size_t len, Dwarf_Die *ret_member);

/** The type of a member or variable, behind a bounded number of typedefs. */
bool ms_dwarf_type_of(Dwarf_Die *die, Dwarf_Die *ret_type);

/** The value of an attribute that is a number. */
bool ms_dwarf_number_of(Dwarf_Die *die, unsigned name, uint64_t *ret_number);

/** Follow "a.b.c" (@p len bytes) from a struct: the offset of c in it, and c's entry. */
bool ms_dwarf_follow(Dwarf_Die *type, const char *path, size_t len, uint64_t *ret_offset,
		     Dwarf_Die *ret_member);

/** Where a variable lies, when its location is one fixed address. */
bool ms_dwarf_address_of(Dwarf_Die *die, uint64_t *ret_addr);
