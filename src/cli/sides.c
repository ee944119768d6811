// sides.c - what a file is follows from its first bytes, not from its name.
#include "cli/sides.h"

#include "base/cleanup.h"
#include "cli/quantity.h"
#include "render/human.h"

#include <errno.h>
#include <sys/stat.h>

/** Open a file to read; *ret_is_ring says what it is. */
static struct ms_error *open_file(const char *path, FILE **ret_file, bool *ret_is_ring)
{
	MS_AUTO_FCLOSE FILE *in = fopen(path, "re");
	struct stat found = { 0 };
	char head[8];
	size_t size;

	if (in && fstat(fileno(in), &found) == 0 && S_ISDIR(found.st_mode)) {
		errno = EISDIR;
		return ms_error_errno(MS_ERR_IO, errno, "could not read %s", path);
	}
	if (!in)
		return ms_error_errno(MS_ERR_IO, errno, "could not open %s", path);
	if (S_ISREG(found.st_mode)) { // A pipe cannot be read twice, and is no ring.
		size = fread(head, 1, sizeof(head), in);
		*ret_is_ring = ms_ring_is_ring(head, size);
		rewind(in);
	} else {
		*ret_is_ring = false;
	}
	*ret_file = MS_STEAL(in);
	return NULL;
}

static struct ms_error *error_empty(void)
{
	return ms_error_new(MS_ERR_IO, "no census is in it yet");
}

static struct ms_error *read_ring(const char *path, double ago_s, struct ms_snapshot *ret_side)
{
	struct ms_ring ring;
	struct ms_error *err = ms_ring_open_read(path, &ring);

	if (err)
		return err;
	if (!ring.count)
		err = error_empty();
	else
		err = ms_ring_get(&ring, ms_ring_find(&ring, ago_s), ret_side);
	ms_ring_close(&ring);
	return err ? ms_error_wrap(err, "%s", path) : NULL;
}

/** Take "@-TIME" off the end of a name that is no file as it stands; false when there is none. */
static bool split_time(const char *name, char **ret_path, double *ret_ago_s)
{
	const char *at = strrchr(name, '@');

	if (!at || at[1] != '-' || access(name, F_OK) == 0 || !ms_duration_parse(at + 2, ret_ago_s))
		return false;
	*ret_path = strndup(name, (size_t)(at - name));
	return *ret_path;
}

struct ms_error *ms_side_read(const char *name, struct ms_snapshot *ret_side)
{
	MS_AUTO_FCLOSE FILE *in = NULL;
	MS_AUTO_FREE char *cut = NULL;
	double ago_s = 0;
	bool is_timed = split_time(name, &cut, &ago_s), is_ring;
	const char *path = is_timed ? cut : name;
	struct ms_error *err = open_file(path, &in, &is_ring);

	if (err)
		return err;
	if (is_ring)
		return read_ring(path, ago_s, ret_side);
	if (is_timed)
		return ms_error_new(MS_ERR_USAGE, "%s holds one census; type it without %s", path,
				    name + strlen(path));
	err = ms_snapshot_read(in, ret_side);
	return err ? ms_error_wrap(err, "%s", path) : NULL;
}

struct ms_error *ms_ring_sides_read(const struct ms_ring *ring, const char *path,
				    struct ms_ring_sides *ret_sides)
{
	struct ms_ring_sides s = { 0 };
	struct ms_error *err;
	struct ms_human ago;
	size_t first;

	if (!ring->count)
		return ms_error_wrap(error_empty(), "%s", path);
	first = ms_ring_first_of_last(ring);
	err = ms_ring_get(ring, first, &s.sides[0]);
	if (!err)
		err = ms_ring_get(ring, ring->count - 1, &s.sides[1]);
	if (err) {
		ms_census_report_deinit(&s.sides[0].census);
		return ms_error_wrap(err, "%s", path);
	}
	s.apart_s = ((double)s.sides[1].taken_ns - (double)s.sides[0].taken_ns) / 1e9;
	snprintf(s.names[0], sizeof(s.names[0]), "census %zu of %.200s, %s before", first + 1, path,
		 ms_human_ahead(&ago, s.apart_s));
	snprintf(s.names[1], sizeof(s.names[1]), "census %zu of %.200s", ring->count, path);
	*ret_sides = s;
	return NULL;
}

struct ms_error *ms_ring_file_sides(const char *path, struct ms_ring_sides *ret_sides)
{
	MS_AUTO_FCLOSE FILE *in = NULL;
	struct ms_ring ring;
	bool is_ring;
	struct ms_error *err = open_file(path, &in, &is_ring);

	if (err)
		return err;
	if (!is_ring)
		return ms_error_new(MS_ERR_USAGE,
				    "%s is no ring, so there is one census; type mapscope diff A B",
				    path);
	err = ms_ring_open_read(path, &ring);
	if (err)
		return err;
	err = ms_ring_sides_read(&ring, path, ret_sides);
	ms_ring_close(&ring);
	return err;
}
