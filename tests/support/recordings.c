// recordings.c - the recordings under tests/golden/recordings/, and what is true of each.
#include "tests/support/recordings.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "target/replay.h"
#include "tests/support/test.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER "tests/golden/recordings"
#define ENDING ".msrec"

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

void recordings_list(struct recording_names *ret_names)
{
	MS_AUTO_FREE char *path = ms_test_path(FOLDER);
	DIR *folder = opendir(path);
	struct dirent *entry;

	CHECK(folder != NULL);
	ret_names->count = 0;
	while ((entry = readdir(folder))) {
		size_t len = strlen(entry->d_name);
		size_t stem = len - strlen(ENDING);

		if (len <= strlen(ENDING) || strcmp(entry->d_name + stem, ENDING) != 0)
			continue;
		CHECK(ret_names->count < RECORDINGS_MAX && stem < RECORDING_NAME_MAX);
		memcpy(ret_names->items[ret_names->count], entry->d_name, stem);
		ret_names->items[ret_names->count++][stem] = '\0';
	}
	closedir(folder);
	CHECK(ret_names->count > 0);
	qsort(ret_names->items, ret_names->count, sizeof(ret_names->items[0]), by_name);
}

static char *recording_path(const char *name, const char *ending)
{
	MS_AUTO_FREE char *relative = NULL;

	CHECK(asprintf(&relative, FOLDER "/%s%s", name, ending) > 0);
	return ms_test_path(relative);
}

struct ms_target *recording_open(const char *name)
{
	MS_AUTO_FREE char *path = recording_path(name, ENDING);
	struct ms_target *target = NULL;

	CHECK_OK(ms_replay_open(path, &target));
	return target;
}

// --- The program's own lines. ---

/** What stands behind "key": in @p line, or NULL. */
static const char *field(const char *line, const char *key)
{
	char quoted[32];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(line, quoted);
	return at ? at + strlen(quoted) : NULL;
}

static uint64_t field_number(const char *line, const char *key)
{
	const char *at = field(line, key);

	return at ? strtoull(at, NULL, 10) : 0;
}

static bool field_is(const char *line, const char *key, const char *value)
{
	const char *at = field(line, key);

	return at && strncmp(at, value, strlen(value)) == 0;
}

static void field_text(const char *line, const char *key, char *ret_text, size_t size)
{
	const char *at = field(line, key);
	size_t len;

	CHECK(at != NULL && *at == '"');
	len = strcspn(++at, "\"");
	CHECK(len < size);
	memcpy(ret_text, at, len);
	ret_text[len] = '\0';
}

static struct truth_map parse_map(const char *line)
{
	char address[32];
	struct truth_map map = {
		.entries = field_number(line, "len"),
		.capacity = field_number(line, "capacity"),
		.is_swiss = field_is(line, "kind", "\"swiss\""),
		.on_stack = field_is(line, "where", "\"stack\""),
		.never_written = field_is(line, "state", "\"never_written\""),
		.growing = field_is(line, "growing", "true"),
		.same_size = field_is(line, "same_size", "true"),
		.bucket_log2 = field_number(line, "b"),
		.overflow_buckets = field_number(line, "noverflow"),
		.evacuated = field_number(line, "nevacuate"),
		.grows_from = field_number(line, "from"),
		.tables = field_number(line, "tables"),
		.deleted_slots = field_number(line, "deleted"),
		.depth = field_number(line, "depth"),
	};

	field_text(line, "address", address, sizeof(address));
	map.address = strtoull(address, NULL, 16);
	field_text(line, "type", map.type, sizeof(map.type));
	return map;
}

void truth_load(const char *name, struct truth *ret_truth)
{
	MS_AUTO_FREE char *maps_path = recording_path(name, ".truth.json");
	MS_AUTO_FREE char *decoys_path = recording_path(name, ".decoys.txt");
	MS_AUTO_FCLOSE FILE *maps = fopen(maps_path, "r");
	MS_AUTO_FCLOSE FILE *decoys = fopen(decoys_path, "r");
	char line[4096];

	CHECK(maps != NULL && decoys != NULL);
	*ret_truth = (struct truth){ 0 };
	while (fgets(line, sizeof(line), maps)) {
		if (field(line, "address"))
			CHECK(ms_vec_push(&ret_truth->maps, parse_map(line)));
	}
	while (fgets(line, sizeof(line), decoys))
		CHECK(ms_vec_push(&ret_truth->decoys,
				  { strtoull(line, NULL, 16), strstr(line, " empty\n") != NULL }));
	CHECK(ret_truth->maps.count > 0 && ret_truth->decoys.count > 0);
}

void truth_deinit(struct truth *truth)
{
	ms_vec_free(&truth->maps);
	ms_vec_free(&truth->decoys);
}

// --- A census held against them. ---

static void census_take(const char *name, bool lacks_program, struct recorded_census *c)
{
	const struct ms_census_options options = { 0 };

	printf("%s\n", name); // Shown when a check fails.
	*c = (struct recorded_census){ .name = name, .target = recording_open(name) };
	truth_load(name, &c->truth);
	c->target->lacks_program = lacks_program;
	CHECK_OK(ms_go_open(c->target, NULL, &c->rt));
	CHECK_OK(ms_census_run(c->rt, &options, &c->report));
}

static void census_drop(struct recorded_census *c)
{
	ms_census_report_deinit(&c->report);
	ms_go_close(c->rt);
	ms_target_destroy(c->target);
	truth_deinit(&c->truth);
}

static void on_each(bool lacks_program, recorded_census_fn check, void *context)
{
	struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++) {
		struct recorded_census census;

		census_take(names.items[i], lacks_program, &census);
		check(&census, context);
		census_drop(&census);
	}
}

void on_each_census(recorded_census_fn check, void *context)
{
	on_each(false, check, context);
}

void on_each_census_without_program(recorded_census_fn check, void *context)
{
	on_each(true, check, context);
}

const struct ms_map_row *census_row(const struct ms_census_report *report, ms_addr address)
{
	size_t low = 0, high = report->map_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (report->maps[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < report->map_count && report->maps[low].address == address ? &report->maps[low]
									       : NULL;
}

static void check_classic(const struct truth_map *truth, const struct ms_map_row *row)
{
	CHECK_EQ(row->growing, truth->growing);
	// From 2^16 buckets on the runtime itself only estimates; what grows may be unknown.
	if (truth->bucket_log2 < 16 && (!truth->growing || row->overflow_buckets != MS_UNKNOWN))
		CHECK_EQ(row->overflow_buckets, truth->overflow_buckets);
	if (!truth->growing)
		return;
	CHECK_EQ(row->growth.from, truth->grows_from);
	CHECK_EQ(row->growth.to, truth->capacity);
	CHECK_EQ(row->growth.same_size, truth->same_size);
	CHECK(fabs(row->growth.progress -
		   (double)truth->evacuated / ((double)truth->grows_from / 8)) < 0.001);
}

void check_row(const struct truth_map *truth, const struct ms_map_row *row)
{
	CHECK_EQ(row->entries, truth->entries);
	CHECK_EQ(row->kind, truth->is_swiss ? MS_MAP_SWISS : MS_MAP_CLASSIC);
	CHECK_EQ(row->where, truth->on_stack ? MS_WHERE_STACK : MS_WHERE_HEAP);
	if (row->type)
		CHECK_STR(row->type, truth->type);
	if (truth->never_written) {
		CHECK_EQ(row->confidence, MS_CONFIDENCE_UNVERIFIED);
		return;
	}
	CHECK_EQ(row->confidence, MS_CONFIDENCE_VERIFIED);
	CHECK_EQ(row->capacity, truth->capacity);
	if (!truth->is_swiss) {
		check_classic(truth, row);
		return;
	}
	CHECK_EQ(row->tables, truth->tables);
	CHECK_EQ(row->deleted_slots, truth->deleted_slots);
	CHECK_EQ(row->directory_depth, truth->depth);
}
