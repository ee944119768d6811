// debug_image.h - the sections that DWARF entries are made of, unpacked, as an ELF file in memory.
//
// A reader of entries needs no lines, ranges, locations and frames, which are over half of the
// DWARF.  Each section has zeros behind it: libdw takes some names and numbers at a section's very
// end without asking whether all of them is there.
#pragma once

#include "base/error.h"
#include "base/types.h"

struct ms_debug_image {
	uint8_t *bytes;
	size_t size;
};

/**
 * Load the debug sections of a 64-bit little-endian ELF file, with plain reads.  UNSUPPORTED when
 * there are none or they are damaged, LIMIT when they would unpack to too much.
 */
MS_MUST_USE struct ms_error *ms_debug_image_load(int fd, struct ms_debug_image *ret_image);

void ms_debug_image_deinit(struct ms_debug_image *image);
