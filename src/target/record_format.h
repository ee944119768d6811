// record_format.h - the numbers of the recording format, for its writer and its reader.
//
// docs/formats/recording.md says what they mean.  All integers are little-endian.
#pragma once

#include "base/types.h"

#define MS_RECORD_MAGIC "\x89MSREC\r\n"

enum {
	MS_RECORD_VERSION = 1,
	MS_RECORD_MAGIC_SIZE = 8,
	MS_RECORD_FIXED_SIZE = 24, // Magic, version, header size, executable size.
	MS_RECORD_CHUNK_SIZE = 16, // Kind, count, raw size, packed size.
	MS_RECORD_ITEM_SIZE = 32,
	MS_RECORD_CRC_SIZE = 4,
	MS_RECORD_PAGE = 4096,
};

/** Bounds that both sides keep; a file beyond one of them is refused. */
enum {
	MS_RECORD_HEADER_MAX = 64 << 10,     // Bytes of header text.
	MS_RECORD_VALUE_MAX = 4 << 10,       // Bytes of one value in it.
	MS_RECORD_CHUNK_ITEMS_MAX = 16384,   // Items of one chunk.
	MS_RECORD_CHUNK_BYTES_MAX = 1 << 20, // Bytes behind the items of one chunk.
	MS_RECORD_REGIONS_MAX = 1 << 17,     // Linux allows a process 65,530 by default.
	MS_RECORD_RANGES_MAX = 1 << 23,      // Items of memory and executable together.
	MS_RECORD_BYTES_MAX = 1 << 30,       // Unpacked bytes in one recording.
	MS_RECORD_FILE_MAX = 1 << 30,        // Bytes of the file.
};

/** Bytes of the executable a recording can describe; most of them are never stored. */
#define MS_RECORD_EXE_MAX ((uint64_t)1 << 34)

enum ms_record_chunk {
	MS_RECORD_REGIONS = 1,
	MS_RECORD_EXE = 2,
	MS_RECORD_MEMORY = 3,
	MS_RECORD_END = 4,
};

/** Where the bytes of one range are. */
enum ms_record_source {
	MS_RECORD_BYTES = 0, // In the chunk, behind its items.
	MS_RECORD_ZEROS = 1, // Nowhere: they are all zero.
	MS_RECORD_SAME = 2,  // In the executable, at the item's file offset.
};

static inline void ms_store_u32(void *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void ms_store_u64(void *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}
