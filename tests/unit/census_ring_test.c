// Goal: a ring holds the latest censuses within its bound, whatever was written over; a writer that
// was killed at any moment leaves what can be read; what is no ring is refused with a sentence.
// Method: rings in a temporary file, with censuses of random maps, which do not pack; then copies
// that stop in the middle of an addition, damaged lists, and files of other kinds.
#include "base/cleanup.h"
#include "base/vec.h"
#include "snapshot/census_ring.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BOUND = MS_RING_BYTES_MIN, LARGE = 12000, SMALL = 3 };

static const uint64_t second_ns = 1000000000;

/** A census of @p count maps that are like no other. */
static struct ms_bytes random_census(size_t count)
{
	struct ms_owner_row owner = { .owner = "main.cache", .maps = count };
	struct ms_census_report report = { .owners = &owner,
					   .owner_count = 1,
					   .map_count = count,
					   .coverage = { .read = count } };
	struct ms_bytes file = { 0 };
	uint64_t random = 1;

	report.maps = calloc(count, sizeof(*report.maps));
	CHECK(report.maps != NULL);
	for (size_t i = 0; i < count; i++) {
		random = random * 6364136223846793005 + 1442695040888963407;
		report.maps[i].address = random;
	}
	CHECK_OK(ms_snapshot_pack(&report, MS_SNAPSHOT_MAPS, 1, &file));
	free(report.maps);
	return file;
}

static void temporary(char path[64])
{
	int fd;

	snprintf(path, 64, "/tmp/mapscope-ring-XXXXXX");
	fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
}

static uint64_t size_of(const char *path)
{
	struct stat found;

	CHECK(stat(path, &found) == 0);
	return (uint64_t)found.st_size;
}

static void add(struct ms_ring *ring, const struct ms_bytes *file, uint64_t taken_ns)
{
	const struct ms_ring_entry entry = { .taken_ns = taken_ns, .pid = 7, .start_ticks = 9 };

	CHECK_OK(ms_ring_add(ring, file, &entry, 0));
}

/** Every census that the ring names can be read, and they are in order. */
static void all_are_there(const char *path, size_t at_least, uint64_t last_ns)
{
	struct ms_ring ring;

	CHECK_OK(ms_ring_open_read(path, &ring));
	CHECK(ring.count >= at_least);
	for (size_t i = 0; i < ring.count; i++) {
		struct ms_snapshot s;

		CHECK_OK(ms_ring_get(&ring, i, &s));
		CHECK(s.all_maps);
		CHECK(i == 0 || ring.entries[i - 1].taken_ns < ring.entries[i].taken_ns);
		ms_census_report_deinit(&s.census);
	}
	CHECK_EQ(ring.entries[ring.count - 1].taken_ns, last_ns);
	ms_ring_close(&ring);
}

MS_TEST(ring_writes_over_the_oldest_and_keeps_its_bound)
{
	struct ms_bytes large = random_census(LARGE), small = random_census(SMALL);
	struct ms_ring ring;
	char path[64];

	CHECK(large.count > BOUND / 16 && large.count < BOUND / 6);
	temporary(path);
	CHECK_OK(ms_ring_open(path, BOUND, &ring));
	for (uint64_t i = 1; i <= 60; i++) {
		add(&ring, i % 3 ? &large : &small, i);
		CHECK(size_of(path) <= BOUND);
		all_are_there(path, (size_t)ms_min_u64(i, 6), i);
	}
	ms_ring_close(&ring);
	unlink(path);
	free(large.items);
	free(small.items);
}

MS_TEST(ring_goes_on_where_an_earlier_writer_ended)
{
	struct ms_bytes small = random_census(SMALL);
	struct ms_ring ring, second;
	char path[64];
	struct ms_error *err;

	temporary(path);
	CHECK_OK(ms_ring_open(path, BOUND, &ring));
	add(&ring, &small, 1);
	err = ms_ring_open(path, BOUND, &second);
	CHECK(err != NULL);
	CHECK_CONTAINS(ms_error_message(err), "another mapscope watch writes it");
	CHECK_ERR(err, MS_ERR_IO);
	ms_ring_close(&ring);
	err = ms_ring_open(path, 2 * BOUND, &ring);
	CHECK(err != NULL);
	CHECK_CONTAINS(ms_error_message(err), "type --ring-size 1048576, or another file");
	CHECK_ERR(err, MS_ERR_IO);
	CHECK_OK(ms_ring_open(path, BOUND, &ring));
	add(&ring, &small, 2);
	CHECK_EQ(ring.count, 2);
	ms_ring_close(&ring);
	all_are_there(path, 2, 2);
	unlink(path);
	free(small.items);
}

MS_TEST(ring_lets_go_of_what_is_too_old_and_of_what_it_cannot_list)
{
	struct ms_bytes small = random_census(SMALL);
	struct ms_ring_entry entry = { .taken_ns = 50 };
	struct ms_ring ring;
	char path[64];

	temporary(path);
	CHECK_OK(ms_ring_open(path, BOUND, &ring));
	for (uint64_t i = 1; i <= MS_RING_ENTRIES_MAX + 5; i++)
		add(&ring, &small, i);
	CHECK_EQ(ring.count, MS_RING_ENTRIES_MAX);
	CHECK_EQ(ring.entries[0].taken_ns, 6);
	entry.taken_ns = MS_RING_ENTRIES_MAX + 6;
	CHECK_OK(ms_ring_add(&ring, &small, &entry, MS_RING_ENTRIES_MAX));
	CHECK_EQ(ring.count, 7);
	CHECK_EQ(ms_ring_first_of_last(&ring), 6); // The others are of another process.
	ms_ring_close(&ring);
	unlink(path);
	free(small.items);
}

MS_TEST(ring_refuses_a_census_that_is_larger_than_it)
{
	struct ms_bytes huge = random_census(20 * LARGE);
	const struct ms_ring_entry entry = { .taken_ns = 1 };
	struct ms_ring ring;
	char path[64];

	temporary(path);
	CHECK_OK(ms_ring_open(path, BOUND, &ring));
	CHECK_ERR(ms_ring_add(&ring, &huge, &entry, 0), MS_ERR_LIMIT);
	CHECK_EQ(size_of(path), MS_RING_LIST_BYTES * 2);
	ms_ring_close(&ring);
	unlink(path);
	free(huge.items);
}

static char *contents(const char *path, size_t *ret_size)
{
	MS_AUTO_FCLOSE FILE *in = fopen(path, "re");
	char *bytes;

	*ret_size = (size_t)size_of(path);
	bytes = malloc(*ret_size);
	CHECK(in && bytes && fread(bytes, 1, *ret_size, in) == *ret_size);
	return bytes;
}

static void replace(const char *path, const void *bytes, size_t size)
{
	MS_AUTO_FCLOSE FILE *out = fopen(path, "we");

	CHECK(out && fwrite(bytes, 1, size, out) == size);
}

/** Killed with the snapshot there and the list not, or only some of it. */
MS_TEST(ring_of_a_killed_writer_can_be_read)
{
	struct ms_bytes large = random_census(LARGE);
	char path[64], torn[64];
	struct ms_ring ring;

	temporary(path);
	temporary(torn);
	CHECK_OK(ms_ring_open(path, BOUND, &ring));
	for (uint64_t i = 1; i <= 30; i++) {
		MS_AUTO_FREE char *before = NULL;
		MS_AUTO_FREE char *after = NULL;
		size_t size_before, size_after;
		uint64_t lists = MS_RING_LIST_BYTES, newest;

		add(&ring, &large, 2 * i - 1);
		before = contents(path, &size_before);
		add(&ring, &large, 2 * i);
		after = contents(path, &size_after);
		newest = ring.generation % 2 * lists;
		memcpy(after + newest, before + newest, lists);
		replace(torn, after, size_after);
		all_are_there(torn, 1, 2 * i - 1);
		memset(after + newest, 0x55, 100);
		replace(torn, after, size_after);
		all_are_there(torn, 1, 2 * i - 1);
	}
	ms_ring_close(&ring);
	unlink(path);
	unlink(torn);
	free(large.items);
}

static void open_says(const char *path, const char *sentence)
{
	struct ms_ring ring;
	struct ms_error *err = ms_ring_open_read(path, &ring);

	CHECK(err != NULL);
	CHECK_CONTAINS(ms_error_message(err), sentence);
	CHECK_ERR(err, MS_ERR_IO);
	CHECK_EQ(ring.fd, -1);
}

MS_TEST(ring_that_is_damaged_says_so)
{
	struct ms_bytes small = random_census(SMALL);
	MS_AUTO_FREE char *bytes = NULL;
	struct ms_snapshot s;
	struct ms_ring ring;
	char path[64];
	size_t size;

	temporary(path);
	open_says(path, "it is no ring that mapscope watch wrote");
	CHECK_OK(ms_ring_open(path, BOUND, &ring));
	add(&ring, &small, 1);
	ms_ring_close(&ring);
	bytes = contents(path, &size);
	for (size_t at = 0; at < 2 * MS_RING_LIST_BYTES; at += MS_RING_LIST_BYTES)
		bytes[at + 30] ^= 1;
	replace(path, bytes, size);
	open_says(path, "neither of its lists is whole");
	for (size_t at = 0; at < 2 * MS_RING_LIST_BYTES; at += MS_RING_LIST_BYTES) {
		bytes[at + 30] ^= 1;
		bytes[at + 8] = 9;
	}
	replace(path, bytes, size);
	open_says(path, "ring of version 9, of a later mapscope");
	for (size_t at = 0; at < 2 * MS_RING_LIST_BYTES; at += MS_RING_LIST_BYTES)
		bytes[at + 8] = 1;
	bytes[size - 1] ^= 1;
	replace(path, bytes, size);
	CHECK_OK(ms_ring_open_read(path, &ring));
	CHECK_ERR(ms_ring_get(&ring, 0, &s), MS_ERR_IO);
	ms_ring_close(&ring);
	replace(path, bytes, size - 1);
	CHECK_OK(ms_ring_open_read(path, &ring));
	CHECK_ERR(ms_ring_get(&ring, 0, &s), MS_ERR_IO);
	ms_ring_close(&ring);
	unlink(path);
	open_says(path, "could not open");
	free(small.items);
}

MS_TEST(ring_finds_the_census_nearest_to_a_time)
{
	struct ms_ring ring = { .fd = -1, .count = 4 };

	for (size_t i = 0; i < 4; i++)
		ring.entries[i].taken_ns = (100 + 10 * i) * second_ns;
	CHECK_EQ(ms_ring_find(&ring, 0), 3);
	CHECK_EQ(ms_ring_find(&ring, 4), 3);
	CHECK_EQ(ms_ring_find(&ring, 11), 2);
	CHECK_EQ(ms_ring_find(&ring, 19), 1);
	CHECK_EQ(ms_ring_find(&ring, 1e6), 0);
	CHECK_EQ(ms_ring_first_of_last(&ring), 0);
}
