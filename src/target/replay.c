// replay.c - a recording as a target.
//
// A read is answered from sorted ranges.  One may be longer than a range: neighbours without a gap
// were cut only to be packed, so each range knows how far its neighbours reach.
#include "target/replay.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "target/replay_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

struct replay {
	struct ms_target target;
	struct ms_recording rec;
	int exe_fd;
};

static struct replay *replay_of(struct ms_target *t)
{
	return (struct replay *)t;
}

const struct ms_replay_range *ms_replay_find(const struct ms_replay_ranges *ranges, uint64_t at)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct ms_replay_range *r = &ranges->items[middle];

		if (at < r->start)
			high = middle;
		else if (at - r->start >= r->size)
			low = middle + 1;
		else
			return r;
	}
	return NULL;
}

bool ms_replay_holds(const struct ms_replay_ranges *ranges, uint64_t start, uint64_t size)
{
	const struct ms_replay_range *r = ms_replay_find(ranges, start);

	return r && size <= r->run_end - start;
}

static void copy_exe(const struct ms_recording *rec, uint64_t offset, uint8_t *buf, uint64_t size)
{
	const struct ms_replay_range *r = ms_replay_find(&rec->exe, offset);

	for (; size > 0; r++) {
		uint64_t at = offset - r->start;
		uint64_t part = ms_min_u64(size, r->size - at);

		if (r->source == MS_RECORD_BYTES)
			memcpy(buf, r->bytes + at, part);
		else
			memset(buf, 0, part);
		offset += part;
		buf += part;
		size -= part;
	}
}

static void copy_memory(const struct ms_recording *rec, ms_addr addr, uint8_t *buf, uint64_t size)
{
	const struct ms_replay_range *r = ms_replay_find(&rec->memory, addr);

	for (; size > 0; r++) {
		uint64_t at = addr - r->start;
		uint64_t part = ms_min_u64(size, r->size - at);

		if (r->source == MS_RECORD_BYTES)
			memcpy(buf, r->bytes + at, part);
		else if (r->source == MS_RECORD_SAME)
			copy_exe(rec, r->exe_offset + at, buf, part);
		else
			memset(buf, 0, part);
		addr += part;
		buf += part;
		size -= part;
	}
}

static struct ms_error *replay_read_many(struct ms_target *t, struct ms_read *reads, size_t count)
{
	const struct ms_recording *rec = &replay_of(t)->rec;

	t->cost.reads++;
	for (size_t i = 0; i < count; i++) {
		struct ms_read *read = &reads[i];

		read->status = MS_READ_FAULT;
		if (!ms_replay_holds(&rec->memory, read->addr, read->size))
			continue;
		copy_memory(rec, read->addr, read->buf, read->size);
		read->status = MS_READ_OK;
		t->cost.read_bytes += read->size;
	}
	return NULL;
}

static struct ms_error *replay_regions(struct ms_target *t, struct ms_regions *ret_regions)
{
	return ms_regions_copy(&replay_of(t)->rec.regions, ret_regions);
}

static struct ms_error *replay_exe_read(struct ms_target *t, uint64_t offset, void *buf,
					size_t size)
{
	const struct ms_recording *rec = &replay_of(t)->rec;

	if (size == 0)
		return NULL;
	if (!ms_replay_holds(&rec->exe, offset, size))
		return ms_error_new(MS_ERR_FAULT,
				    "%zu bytes of the executable at offset 0x%" PRIx64
				    " were not recorded",
				    size, offset);
	copy_exe(rec, offset, buf, size);
	return NULL;
}

static int replay_exe_fd(struct ms_target *t)
{
	return replay_of(t)->exe_fd;
}

static struct ms_error *replay_check(struct ms_target *t)
{
	(void)t;
	return NULL; // A file that was loaded does not go away.
}

static void replay_destroy(struct ms_target *t)
{
	struct replay *replay = replay_of(t);

	if (replay->exe_fd >= 0)
		close(replay->exe_fd);
	ms_recording_deinit(&replay->rec);
	free(replay);
}

static const struct ms_target_ops replay_ops = {
	.kind = "replay",
	.read_many = replay_read_many,
	.regions = replay_regions,
	.exe_read = replay_exe_read,
	.exe_fd = replay_exe_fd,
	.check = replay_check,
	.destroy = replay_destroy,
};

// --- Opening. ---

/** Lay the recorded parts of the executable out in a file without a name. */
static struct ms_error *make_exe(const struct ms_recording *rec, int *ret_fd)
{
	MS_AUTO_CLOSE int fd = memfd_create("recorded-exe", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)rec->exe_size) != 0)
		return ms_error_errno(MS_ERR_IO, errno, "could not make room for the executable");
	for (size_t i = 0; i < rec->exe.count; i++) {
		const struct ms_replay_range *r = &rec->exe.items[i];

		if (r->source != MS_RECORD_BYTES)
			continue;
		if (pwrite(fd, r->bytes, r->size, (off_t)r->start) != (ssize_t)r->size)
			return ms_error_errno(MS_ERR_IO, errno, "could not lay out the executable");
	}
	*ret_fd = fd;
	fd = -1;
	return NULL;
}

struct ms_error *ms_replay_open_bytes(const uint8_t *bytes, size_t size, const char *name,
				      struct ms_target **ret_target)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	struct ms_error *err;

	if (!replay)
		return ms_error_no_memory();
	replay->exe_fd = -1;
	replay->target.ops = &replay_ops;
	err = ms_recording_load(bytes, size, &replay->rec);
	if (!err)
		err = make_exe(&replay->rec, &replay->exe_fd);
	if (err) {
		replay_destroy(&replay->target);
		return ms_error_wrap(err, "%s", name);
	}
	replay->target.exe_size = replay->rec.exe_size;
	*ret_target = &replay->target;
	return NULL;
}

/** Read a whole file whose size may be a lie. */
static struct ms_error *read_file(FILE *file, const char *path, uint8_t **ret_bytes,
				  size_t *ret_size)
{
	enum { STEP = 1 << 16 };
	MS_AUTO_FREE uint8_t *bytes = NULL;
	size_t size = 0, capacity = 0, n;

	do {
		if (size > MS_RECORD_FILE_MAX)
			return ms_error_new(MS_ERR_LIMIT, "%s is over %d MiB long", path,
					    MS_RECORD_FILE_MAX >> 20);
		if (!ms_vec_reserve_raw((void **)&bytes, &capacity, size + STEP, 1))
			return ms_error_no_memory();
		n = fread(bytes + size, 1, STEP, file);
		size += n;
	} while (n > 0);
	if (ferror(file))
		return ms_error_errno(MS_ERR_IO, errno, "could not read %s", path);
	*ret_bytes = MS_STEAL(bytes);
	*ret_size = size;
	return NULL;
}

struct ms_error *ms_replay_open(const char *path, struct ms_target **ret_target)
{
	MS_AUTO_FCLOSE FILE *file = fopen(path, "rbe");
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct ms_error *err;
	size_t size = 0;

	if (!file)
		return ms_error_errno(MS_ERR_IO, errno, "could not open %s", path);
	err = read_file(file, path, &bytes, &size);
	return err ? err : ms_replay_open_bytes(bytes, size, path, ret_target);
}

const struct ms_record_info *ms_replay_info(const struct ms_target *replay)
{
	return &((const struct replay *)replay)->rec.info;
}
