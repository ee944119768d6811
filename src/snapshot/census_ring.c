// census_ring.c - snapshots one behind the other, round and round, and a list of those that count.
//
//	list, list	two places for one list; the one with the higher generation counts
//	data		snapshots; one that does not fit before the end begins at the start again
//
// Before a snapshot is written over older ones, a list without these is written; when it is there,
// one that has it.  A list never goes over the one that counts, so whenever the writer is killed,
// one of the two is whole, and every census in it, too.
#include "snapshot/census_ring.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const uint8_t magic[8] = { 0x89, 'M', 'S', 'R', 'I', 'N', 'G', '\n' };

enum {
	VERSION = 1,
	AT_VERSION = 8,
	AT_COUNT = 12,
	AT_GENERATION = 16,
	AT_DATA_BYTES = 24,
	AT_CHECKSUM = 32,
	LIST_HEADER_BYTES = 40,
	ENTRY_BYTES = 40,
	DATA_AT = MS_RING_LISTS * MS_RING_LIST_BYTES,
};

_Static_assert(LIST_HEADER_BYTES + MS_RING_ENTRIES_MAX * ENTRY_BYTES <= MS_RING_LIST_BYTES,
	       "a full list fits its place");
_Static_assert(sizeof(struct ms_ring_entry) == ENTRY_BYTES, "an entry is written as it is");

static struct ms_error *read_at(int fd, void *bytes, size_t size, uint64_t at)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)bytes + done, size - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ms_error_errno(MS_ERR_IO, errno, "could not be read");
		if (n == 0)
			return ms_error_new(MS_ERR_IO, "it is cut short");
		done += (size_t)n;
	}
	return NULL;
}

static struct ms_error *write_at(int fd, const void *bytes, size_t size, uint64_t at)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pwrite(fd, (const char *)bytes + done, size - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ms_error_errno(MS_ERR_IO, n ? errno : EIO, "could not be written");
		done += (size_t)n;
	}
	return NULL;
}

// --- The list. ---

/** Of the list up to the last entry, its own place taken as 0. */
static uint32_t list_checksum(const uint8_t *list, size_t count)
{
	static const uint8_t nothing[4] = { 0 };
	uLong sum = crc32_z(0, list, AT_CHECKSUM);

	sum = crc32_z(sum, nothing, sizeof(nothing));
	return (uint32_t)crc32_z(sum, list + AT_CHECKSUM + sizeof(nothing),
				 LIST_HEADER_BYTES - AT_CHECKSUM - sizeof(nothing) +
				     count * ENTRY_BYTES);
}

static struct ms_error *list_write(struct ms_ring *r)
{
	MS_AUTO_FREE uint8_t *list = calloc(1, MS_RING_LIST_BYTES);
	uint32_t version = VERSION, count = (uint32_t)r->count, sum;

	if (!list)
		return ms_error_no_memory();
	r->generation++;
	memcpy(list, magic, sizeof(magic));
	memcpy(list + AT_VERSION, &version, sizeof(version));
	memcpy(list + AT_COUNT, &count, sizeof(count));
	memcpy(list + AT_GENERATION, &r->generation, sizeof(r->generation));
	memcpy(list + AT_DATA_BYTES, &r->data_bytes, sizeof(r->data_bytes));
	memcpy(list + LIST_HEADER_BYTES, r->entries, r->count * ENTRY_BYTES);
	sum = list_checksum(list, r->count);
	memcpy(list + AT_CHECKSUM, &sum, sizeof(sum));
	return write_at(r->fd, list, MS_RING_LIST_BYTES,
			r->generation % MS_RING_LISTS * MS_RING_LIST_BYTES);
}

static bool entries_make_sense(const struct ms_ring *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct ms_ring_entry *e = &r->entries[i];

		if (e->size < MS_SNAPSHOT_HEADER_BYTES ||
		    !ms_range_holds(0, r->data_bytes, e->offset, e->size))
			return false;
	}
	return true;
}

/** Take over a list; false when it is not whole. */
static bool list_parse(const uint8_t *list, struct ms_ring *r)
{
	size_t count = ms_load_u32(list + AT_COUNT);

	if (memcmp(list, magic, sizeof(magic)) != 0 || ms_load_u32(list + AT_VERSION) != VERSION ||
	    count > MS_RING_ENTRIES_MAX ||
	    list_checksum(list, count) != ms_load_u32(list + AT_CHECKSUM))
		return false;
	r->generation = ms_load_u64(list + AT_GENERATION);
	r->data_bytes = ms_load_u64(list + AT_DATA_BYTES);
	r->count = count;
	memcpy(r->entries, list + LIST_HEADER_BYTES, count * ENTRY_BYTES);
	return r->data_bytes <= MS_RING_BYTES_MAX && entries_make_sense(r);
}

bool ms_ring_is_ring(const void *bytes, size_t size)
{
	return size >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

/** The list that counts. */
static struct ms_error *lists_read(struct ms_ring *r)
{
	MS_AUTO_FREE uint8_t *lists = calloc(1, DATA_AT);
	MS_AUTO_FREE struct ms_ring *one = malloc(sizeof(*one));
	bool is_ring = false, found = false;
	uint32_t version = 0;
	ssize_t size;

	if (!lists || !one)
		return ms_error_no_memory();
	size = pread(r->fd, lists, DATA_AT, 0); // The second may be missing.
	if (size < 0)
		return ms_error_errno(MS_ERR_IO, errno, "could not be read");
	for (unsigned i = 0; i < MS_RING_LISTS; i++) {
		const uint8_t *list = lists + i * MS_RING_LIST_BYTES;

		if (!ms_ring_is_ring(list, sizeof(magic)))
			continue;
		is_ring = true;
		version = (uint32_t)ms_max_u64(version, ms_load_u32(list + AT_VERSION));
		if (!list_parse(list, one) || (found && one->generation < r->generation))
			continue;
		found = true;
		one->fd = r->fd;
		*r = *one;
	}
	if (found)
		return NULL;
	if (is_ring && version > VERSION)
		return ms_error_new(MS_ERR_IO,
				    "it is a ring of version %u, of a later mapscope; this one "
				    "reads version %d",
				    version, VERSION);
	return ms_error_new(MS_ERR_IO, is_ring ? "it is damaged: neither of its lists is whole"
					       : "it is no ring that mapscope watch wrote");
}

// --- Opening. ---

static struct ms_error *open_or_create(struct ms_ring *r, uint64_t bytes)
{
	struct ms_error *err;
	struct stat found;

	if (flock(r->fd, LOCK_EX | LOCK_NB) != 0)
		return ms_error_new(MS_ERR_IO, "another mapscope watch writes it");
	if (fstat(r->fd, &found) != 0 || !S_ISREG(found.st_mode))
		return ms_error_new(MS_ERR_IO, "it is no ordinary file");
	if (found.st_size == 0) {
		r->data_bytes = bytes - DATA_AT;
		return list_write(r);
	}
	err = lists_read(r);
	if (!err && r->data_bytes != bytes - DATA_AT)
		err = ms_error_new(MS_ERR_IO,
				   "it was made with another bound, of %llu bytes; type "
				   "--ring-size %llu, or another file",
				   (unsigned long long)r->data_bytes + DATA_AT,
				   (unsigned long long)r->data_bytes + DATA_AT);
	return err;
}

/** @p err of a ring at @p path, which is closed. */
static struct ms_error *failed(struct ms_ring *r, struct ms_error *err, const char *path)
{
	ms_ring_close(r);
	return ms_error_wrap(err, "%s", path);
}

struct ms_error *ms_ring_open(const char *path, uint64_t bytes, struct ms_ring *ret_ring)
{
	struct ms_error *err;

	*ret_ring =
	    (struct ms_ring){ .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666) };
	if (ret_ring->fd < 0)
		return ms_error_errno(MS_ERR_IO, errno, "could not create %s", path);
	err = open_or_create(ret_ring, bytes);
	return err ? failed(ret_ring, err, path) : NULL;
}

struct ms_error *ms_ring_open_read(const char *path, struct ms_ring *ret_ring)
{
	struct ms_error *err;

	*ret_ring = (struct ms_ring){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) };
	if (ret_ring->fd < 0)
		return ms_error_errno(MS_ERR_IO, errno, "could not open %s", path);
	err = lists_read(ret_ring);
	return err ? failed(ret_ring, err, path) : NULL;
}

void ms_ring_close(struct ms_ring *ring)
{
	if (ring->fd >= 0)
		close(ring->fd);
	ring->fd = -1;
	ring->count = 0;
}

// --- Censuses. ---

/** Drop the first entries that are too old or in the way of [offset, offset + size). */
static bool evict(struct ms_ring *r, uint64_t offset, uint64_t size, uint64_t oldest_ns)
{
	size_t dropped = 0;

	for (size_t i = 0; i < r->count; i++) {
		const struct ms_ring_entry *e = &r->entries[i];

		if (e->taken_ns < oldest_ns || i + MS_RING_ENTRIES_MAX <= r->count ||
		    (e->offset < offset + size && offset < e->offset + e->size))
			dropped = i + 1;
	}
	r->count -= dropped;
	memmove(r->entries, r->entries + dropped, r->count * sizeof(r->entries[0]));
	return dropped > 0;
}

struct ms_error *ms_ring_add(struct ms_ring *r, const struct ms_bytes *file,
			     const struct ms_ring_entry *entry, uint64_t oldest_ns)
{
	const struct ms_ring_entry *last = r->count ? &r->entries[r->count - 1] : NULL;
	struct ms_ring_entry new = *entry;
	struct ms_error *err = NULL;

	if (file->count > r->data_bytes)
		return ms_error_new(MS_ERR_LIMIT,
				    "a census takes %zu bytes, and the ring has %llu; type "
				    "--ring-size with more",
				    file->count, (unsigned long long)r->data_bytes);
	new.offset = last ? last->offset + last->size : 0;
	new.size = file->count;
	if (!ms_range_holds(0, r->data_bytes, new.offset, new.size))
		new.offset = 0;
	if (evict(r, new.offset, new.size, oldest_ns))
		err = list_write(r);
	if (!err)
		err = write_at(r->fd, file->items, file->count, DATA_AT + new.offset);
	if (err)
		return err;
	r->entries[r->count++] = new;
	return list_write(r);
}

struct ms_error *ms_ring_get(const struct ms_ring *r, size_t index,
			     struct ms_snapshot *ret_snapshot)
{
	const struct ms_ring_entry *e = &r->entries[index];
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct ms_error *err;
	struct stat found;

	if (fstat(r->fd, &found) != 0 ||
	    !ms_range_holds(0, (uint64_t)found.st_size, DATA_AT + e->offset, e->size))
		return ms_error_new(MS_ERR_IO, "it is cut short");
	bytes = malloc(e->size);
	if (!bytes)
		return ms_error_no_memory();
	err = read_at(r->fd, bytes, e->size, DATA_AT + e->offset);
	if (!err)
		err = ms_snapshot_unpack(bytes, e->size, ret_snapshot);
	return err ? ms_error_wrap(err, "census %zu of %zu", index + 1, r->count) : NULL;
}

size_t ms_ring_first_of_last(const struct ms_ring *r)
{
	const struct ms_ring_entry *last = &r->entries[r->count - 1];
	size_t i = r->count - 1;

	while (i > 0 && r->entries[i - 1].pid == last->pid &&
	       r->entries[i - 1].start_ticks == last->start_ticks)
		i--;
	return i;
}

size_t ms_ring_find(const struct ms_ring *r, double ago_s)
{
	double last = (double)r->entries[r->count - 1].taken_ns;
	double best_off = INFINITY;
	size_t best = r->count - 1;

	for (size_t i = r->count; i-- > 0;) {
		double off = fabs(last - (double)r->entries[i].taken_ns - ago_s * 1e9);

		if (off < best_off) {
			best_off = off;
			best = i;
		}
	}
	return best;
}
