// snapshot_file.c - the header, and what it protects.
//
// Version and sizes come before the checksum of the header, so that a file of a later version is
// named as such whatever else it has.  A size is believed only as far as the bytes that are there
// could unpack to it.
#include "snapshot/snapshot_file.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <zlib.h>

static const uint8_t magic[MS_SNAPSHOT_MAGIC_BYTES] = { 0x89, 'M', 'S', 'N', 'A', 'P', '\r', '\n' };

enum {
	VERSION = 1,
	DEFLATE_RATIO_MAX = 1040, // It packs no tighter than 1 to 1,032.
	LEVEL = 6,
};

/** Where the fields of the header are. */
enum {
	AT_VERSION = 8,
	AT_TAKEN = 16,
	AT_PACKED = 24,
	AT_UNPACKED = 32,
	AT_CHECKSUM = 40,
	AT_HEADER_CHECKSUM = 44,
};

static uint32_t checksum(const void *bytes, size_t size)
{
	return (uint32_t)crc32_z(0, bytes, size);
}

static void store_u32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void store_u64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void header_write(uint8_t *file, uint64_t taken_ns, size_t packed, size_t unpacked)
{
	memset(file, 0, MS_SNAPSHOT_HEADER_BYTES);
	memcpy(file, magic, sizeof(magic));
	store_u32(file + AT_VERSION, VERSION);
	store_u64(file + AT_TAKEN, taken_ns);
	store_u64(file + AT_PACKED, packed);
	store_u64(file + AT_UNPACKED, unpacked);
	store_u32(file + AT_CHECKSUM, checksum(file + MS_SNAPSHOT_HEADER_BYTES, packed));
	store_u32(file + AT_HEADER_CHECKSUM, checksum(file, AT_HEADER_CHECKSUM));
}

struct ms_error *ms_snapshot_pack(const struct ms_census_report *report, enum ms_snapshot_rows rows,
				  uint64_t taken_ns, struct ms_bytes *ret_file)
{
	struct ms_bytes columns = { 0 }, file = { 0 };
	struct ms_error *err = ms_snapshot_columns_write(report, rows, &columns);
	uLongf packed = compressBound(columns.count);

	if (!err && columns.count > MS_SNAPSHOT_BYTES_MAX)
		err = ms_error_new(MS_ERR_LIMIT, "the census is too large for a snapshot");
	if (!err && !ms_vec_reserve(&file, MS_SNAPSHOT_HEADER_BYTES + packed))
		err = ms_error_no_memory();
	if (!err && compress2(file.items + MS_SNAPSHOT_HEADER_BYTES, &packed, columns.items,
			      columns.count, LEVEL) != Z_OK)
		err = ms_error_no_memory(); // Room there was enough.
	if (!err) {
		header_write(file.items, taken_ns, packed, columns.count);
		file.count = MS_SNAPSHOT_HEADER_BYTES + packed;
		*ret_file = file;
	} else {
		ms_vec_free(&file);
	}
	ms_vec_free(&columns);
	return err;
}

bool ms_snapshot_is_packed(const void *bytes, size_t size)
{
	return size >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

/** Everything that can be known without unpacking. */
static struct ms_error *header_check(const uint8_t *file, size_t size)
{
	uint64_t packed, unpacked;
	uint32_t version;

	if (!ms_snapshot_is_packed(file, size) || size < MS_SNAPSHOT_HEADER_BYTES)
		return ms_error_new(MS_ERR_IO, "it is no snapshot, or cut short");
	version = ms_load_u32(file + AT_VERSION);
	if (version > VERSION)
		return ms_error_new(MS_ERR_IO,
				    "it is a snapshot of version %u, of a later mapscope; this one "
				    "reads version %d",
				    version, VERSION);
	if (checksum(file, AT_HEADER_CHECKSUM) != ms_load_u32(file + AT_HEADER_CHECKSUM))
		return ms_error_new(MS_ERR_IO, "its header is damaged");
	packed = ms_load_u64(file + AT_PACKED);
	unpacked = ms_load_u64(file + AT_UNPACKED);
	if (packed != size - MS_SNAPSHOT_HEADER_BYTES)
		return ms_error_new(MS_ERR_IO, "it has %zu bytes and should have %llu", size,
				    (unsigned long long)packed + MS_SNAPSHOT_HEADER_BYTES);
	if (version < VERSION || unpacked > MS_SNAPSHOT_BYTES_MAX ||
	    unpacked / DEFLATE_RATIO_MAX > packed)
		return ms_error_new(MS_ERR_IO, "its header makes no sense");
	if (checksum(file + MS_SNAPSHOT_HEADER_BYTES, (size_t)packed) !=
	    ms_load_u32(file + AT_CHECKSUM))
		return ms_error_new(MS_ERR_IO, "it is damaged: its checksum is another");
	return NULL;
}

struct ms_error *ms_snapshot_unpack(const void *bytes, size_t size,
				    struct ms_snapshot *ret_snapshot)
{
	struct ms_snapshot s = { 0 };
	const uint8_t *file = bytes;
	struct ms_error *err = header_check(file, size);
	MS_AUTO_FREE uint8_t *columns = NULL;
	uLongf unpacked;

	if (err)
		return err;
	unpacked = ms_load_u64(file + AT_UNPACKED);
	columns = malloc(unpacked + 1);
	if (!columns)
		return ms_error_no_memory();
	if (uncompress(columns, &unpacked, file + MS_SNAPSHOT_HEADER_BYTES,
		       size - MS_SNAPSHOT_HEADER_BYTES) != Z_OK ||
	    unpacked != ms_load_u64(file + AT_UNPACKED))
		return ms_error_new(MS_ERR_IO, "it is damaged: it cannot be unpacked");
	err = ms_snapshot_columns_read(columns, unpacked, &s.census);
	if (err)
		return err;
	s.taken_ns = ms_load_u64(file + AT_TAKEN);
	s.all_maps = s.census.map_count == s.census.coverage.read;
	err = s.all_maps ? ms_census_sum_owners(&s.census) : NULL; // Which map is which owner's.
	if (err) {
		ms_census_report_deinit(&s.census);
		return err;
	}
	*ret_snapshot = s;
	return NULL;
}
