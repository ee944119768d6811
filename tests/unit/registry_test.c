// Goal: libhmap's maps are found and read from outside as they are, and a registry that lies is
// refused. Method: maps of both engines in this very process, read through a process target by the
// note alone and held against what the maps say themselves; then planted registries in a fake
// target, whole and damaged in each of their members.
#include "registry/hmap_census.h"
#include "target/process.h"
#include "tests/support/fake_registry.h"
#include "tests/support/test.h"

#include "base/cleanup.h"

#include <hmap/hmap_typed.h>
#include <unistd.h>

HMAP_DEFINE(test_orders, uint64_t, uint64_t)

// --- This process. ---

struct self {
	struct ms_target *target;
	struct ms_c_symbols *symbols;
	struct ms_registries registries;
	struct ms_census_report census;
	struct ms_hmap_places places;
};

static void self_read(struct self *s)
{
	*s = (struct self){ 0 };
	CHECK_OK(ms_process_open(getpid(), NULL, &s->target));
	CHECK_OK(ms_c_symbols_open(s->target, &s->symbols));
	CHECK_OK(ms_registries_find(s->target, &s->registries));
	CHECK_OK(ms_hmap_census_add(&s->registries, s->symbols, &s->census, &s->places));
}

static void self_end(struct self *s)
{
	ms_census_report_deinit(&s->census);
	ms_hmap_places_deinit(&s->places);
	ms_c_symbols_close(s->symbols);
	ms_target_destroy(s->target);
}

static struct test_orders *orders_make(const char *name, enum hmap_engine engine, uint64_t entries)
{
	const struct hmap_options options = { .name = name, .engine = engine };
	struct test_orders *orders = NULL;

	CHECK_EQ(test_orders_create(&options, &orders), HMAP_OK);
	for (uint64_t i = 0; i < entries; i++)
		CHECK_EQ(test_orders_put(orders, i, i), HMAP_OK);
	return orders;
}

static void check_row(const struct self *s, const struct test_orders *orders, const char *owner)
{
	const struct ms_map_row *row = ms_census_row_at(&s->census, (uintptr_t)orders);
	struct hmap_stats stats;

	CHECK(row != NULL);
	CHECK_EQ(hmap_stats(&orders->map, HMAP_STATS_QUICK, &stats), HMAP_OK);
	CHECK_EQ(row->entries, stats.entries);
	CHECK_EQ(row->capacity, stats.slots);
	CHECK_EQ(row->total_bytes, stats.total_bytes);
	CHECK_EQ(row->live_bytes, stats.live_bytes);
	CHECK_EQ(row->slack_bytes, stats.slack_bytes);
	CHECK_EQ(row->overflow_buckets, stats.overflow);
	CHECK_EQ(row->growing, stats.pass != 0);
	CHECK_EQ(row->confidence, stats.slots ? MS_CONFIDENCE_VERIFIED : MS_CONFIDENCE_UNVERIFIED);
	CHECK_STR(row->type, "test_orders");
	CHECK_CONTAINS(row->owner, owner);
	if (stats.pass) {
		CHECK_EQ(row->growth.from, stats.pass_from);
		CHECK_EQ(row->growth.to, stats.pass_to);
		CHECK((uint64_t)(row->growth.progress * (double)stats.pass_of + 0.5) ==
		      stats.pass_done);
	} else if (stats.slots) {
		CHECK_EQ(row->grow_at, stats.grow_at);
	}
}

MS_TEST(registry_of_this_process_is_read_as_its_maps_are)
{
	enum { MANY = 300 };
	static struct test_orders *many[MANY];
	struct test_orders *named = orders_make("orders", HMAP_STEADY, 5000);
	struct test_orders *classic = orders_make(NULL, HMAP_CLASSIC, 5000);
	struct test_orders *empty = orders_make("empty", HMAP_STEADY, 0);
	struct test_orders *moving[] = { orders_make("moving", HMAP_STEADY, 20000),
					 orders_make("moving", HMAP_CLASSIC, 20000) };
	struct self self;

	for (size_t i = 0; i < MANY; i++)
		many[i] = orders_make("many", HMAP_STEADY, i % 40);
	for (size_t i = 0; i < MS_ARRAY_SIZE(moving); i++)
		CHECK_EQ(hmap_begin_pass(&moving[i]->map, HMAP_PASS_GROW), HMAP_OK);
	for (uint64_t i = 0; i < 50; i++) { // Some of the way.
		CHECK_EQ(test_orders_erase(moving[0], i), HMAP_OK);
		CHECK_EQ(test_orders_erase(moving[1], i), HMAP_OK);
	}
	self_read(&self);
	CHECK_EQ(self.registries.count, 1);
	check_row(&self, named, "orders");
	check_row(&self, classic, "orders_make registry_test.c:");
	check_row(&self, empty, "empty");
	check_row(&self, moving[0], "moving");
	check_row(&self, moving[1], "moving");
	for (size_t i = 0; i < MANY; i++)
		check_row(&self, many[i], "many");
	CHECK_EQ(self.census.map_count, self.census.coverage.read);
	CHECK_EQ(ms_coverage_skipped(&self.census.coverage), 0);
	CHECK(ms_hmap_place_of(&self.places, (uintptr_t)named)->created_at ==
	      (uintptr_t)hmap_created_at(&named->map));
	CHECK(ms_c_symbols_has_probe(self.symbols, self.registries.items[0].address, "hmap",
				     "grows"));
	CHECK(!ms_c_symbols_has_probe(self.symbols, self.registries.items[0].address, "hmap",
				      "grow"));
	CHECK(!ms_c_symbols_has_probe(self.symbols, 0, "hmap", "grows"));
	self_end(&self);
	for (size_t i = 0; i < MANY; i += 2)
		test_orders_destroy(many[i]);
	self_read(&self);
	CHECK(ms_census_row_at(&self.census, (uintptr_t)many[0]) == NULL);
	check_row(&self, many[1], "many");
	self_end(&self);
	for (size_t i = 1; i < MANY; i += 2)
		test_orders_destroy(many[i]);
	test_orders_destroy(named);
	test_orders_destroy(classic);
	test_orders_destroy(empty);
	test_orders_destroy(moving[0]);
	test_orders_destroy(moving[1]);
}

// --- Planted registries. ---

enum { MODULE = 0x400000, PLANTED = FAKE_REGISTRY_LISTED };

struct planted {
	struct fake_target fake;
	struct fake_registry r;
};

static void planted_init(struct planted *p)
{
	fake_registry_init(&p->r, MODULE);
	fake_target_init(&p->fake);
	fake_registry_map(&p->r, &p->fake);
}

static void planted_end(struct planted *p)
{
	fake_target_deinit(&p->fake);
}

/** How many rows it gives, of how many seen; -1: it was refused. */
static int planted_rows(struct planted *p, uint64_t *ret_skipped)
{
	struct ms_registries registries;
	struct ms_census_report census = { 0 };
	struct ms_hmap_places places = { 0 };
	int rows = -1;

	*ret_skipped = 0;
	CHECK_OK(ms_registries_find(&p->fake.target, &registries));
	if (registries.count) {
		CHECK_OK(ms_hmap_census_add(&registries, NULL, &census, &places));
		rows = (int)census.map_count;
		*ret_skipped = ms_coverage_skipped(&census.coverage);
	} else {
		CHECK_EQ(registries.refused, 1);
		CHECK(registries.refused_why != NULL);
	}
	ms_census_report_deinit(&census);
	ms_hmap_places_deinit(&places);
	return rows;
}

static struct planted planted;

MS_TEST(registry_that_is_planted_is_read)
{
	struct ms_registries registries;
	struct ms_census_report census = { 0 };
	struct ms_hmap_places places = { 0 };

	planted_init(&planted);
	CHECK_OK(ms_registries_find(&planted.fake.target, &registries));
	CHECK_EQ(registries.count, 1);
	CHECK_STR(registries.items[0].library, "9.8.7");
	CHECK_OK(ms_hmap_census_add(&registries, NULL, &census, &places));
	CHECK_EQ(census.map_count, PLANTED);
	CHECK_STR(census.maps[0].owner, "planted");
	CHECK_STR(census.maps[0].type, "map[8 bytes]16 bytes");
	CHECK_EQ(census.maps[0].capacity, 4 * 14);
	CHECK_EQ(census.maps[0].live_bytes, 20 * 25);
	ms_census_report_deinit(&census);
	ms_hmap_places_deinit(&places);
	planted_end(&planted);
}

/** A newer libhmap has members that we do not know, an older one lacks some of ours. */
MS_TEST(registry_of_another_version_is_read_as_far_as_it_is_known)
{
	uint64_t skipped;

	planted_init(&planted);
	planted.r.data.registry.size += 64;
	planted.r.data.registry.field_count += 16;
	CHECK_EQ(planted_rows(&planted, &skipped), PLANTED);
	planted.r.data.registry.size = offsetof(struct hmap_registry, fields) + 12 * 4;
	planted.r.data.registry.field_count = HMAP_FIELD_GROWTHS;
	planted.r.data.registry.size =
	    (uint32_t)(offsetof(struct hmap_registry, fields) + HMAP_FIELD_GROWTHS * 4);
	planted.r.data.registry.fields[HMAP_FIELD_PASS].size = 0;
	CHECK_EQ(planted_rows(&planted, &skipped), PLANTED);
	planted_end(&planted);
}

MS_TEST(registry_that_lies_is_refused)
{
	const struct {
		size_t at;
		uint32_t value;
	} lies[] = {
		{ offsetof(struct hmap_registry, cookie), 0x64616564 },
		{ offsetof(struct hmap_registry, version), 2 },
		{ offsetof(struct hmap_registry, size), 16 },
		{ offsetof(struct hmap_registry, size), 1 << 20 },
		{ offsetof(struct hmap_registry, group_slots), 0 },
		{ offsetof(struct hmap_registry, group_slots), 1 << 20 },
		{ offsetof(struct hmap_registry, leaf_count), 27 },
		{ offsetof(struct hmap_registry, field_count), 100000 },
		{ offsetof(struct hmap_registry, fields), 0x00030000 }, // Of 3 bytes.
		{ offsetof(struct hmap_registry, fields), 0x0008fff8 }, // Far away.
		{ offsetof(struct hmap_registry, fields), 0x00400000 }, // Of 64 bytes.
	};
	uint64_t skipped;

	for (size_t i = 0; i < MS_ARRAY_SIZE(lies); i++) {
		planted_init(&planted);
		memcpy((uint8_t *)&planted.r.data.registry + lies[i].at, &lies[i].value, 4);
		CHECK_EQ(planted_rows(&planted, &skipped), -1);
		planted_end(&planted);
	}
}

MS_TEST(maps_that_cannot_be_are_skipped_and_counted)
{
	const struct {
		enum hmap_field field;
		uint64_t value;
	} lies[] = {
		{ HMAP_FIELD_COUNT, UINT64_MAX - 1 },
		{ HMAP_FIELD_COUNT, 57 },
		{ HMAP_FIELD_GROUPS, 0 },
		{ HMAP_FIELD_GROUPS, (uint64_t)1 << 60 },
		{ HMAP_FIELD_PASS, 9 },
		{ HMAP_FIELD_PASS, HMAP_PASS_GROW }, // Without a smaller size.
		{ HMAP_FIELD_CLASSIC, 0x1234 },      // Nothing is mapped there.
	};
	uint64_t skipped;

	for (size_t i = 0; i < MS_ARRAY_SIZE(lies); i++) {
		planted_init(&planted);
		planted.r.maps[1][lies[i].field] = lies[i].value;
		CHECK_EQ(planted_rows(&planted, &skipped), PLANTED - 1);
		CHECK_EQ(skipped, 1);
		planted_end(&planted);
	}
}

MS_TEST(lists_with_holes_and_lies_are_read_to_their_end)
{
	uint64_t skipped;

	planted_init(&planted);
	planted.r.data.leaf[0] = 3;    // Free, and leads on.
	planted.r.data.leaf[1] = 0;    // Free.
	planted.r.data.leaf[2] = 0x18; // Nothing is there.
	CHECK_EQ(planted_rows(&planted, &skipped), 0);
	CHECK_EQ(skipped, 1);
	planted.r.data.registry.used = UINT64_MAX; // Only the first leaf is there.
	planted.r.data.leaf[0] = fake_registry_map_at(&planted.r, 0);
	planted.r.data.leaf[2] =
	    fake_registry_map_at(&planted.r, 0); // Twice in the list is one map.
	CHECK_EQ(planted_rows(&planted, &skipped), 1);
	CHECK(skipped > 1);
	planted_end(&planted);
}

/** A map that ends between the two looks at the list. */
static void free_a_map(void *arg, uint64_t index, const struct ms_read *read)
{
	struct planted *p = arg;

	(void)index;
	if (fake_registry_map_at(&p->r, 1) - read->addr < read->size)
		p->r.data.leaf[1] = 1;
}

MS_TEST(a_map_that_ends_while_it_is_read_is_no_row)
{
	uint64_t skipped;

	planted_init(&planted);
	fake_target_before_read(&planted.fake, free_a_map, &planted);
	CHECK_EQ(planted_rows(&planted, &skipped), PLANTED - 1);
	CHECK_EQ(skipped, 1);
	planted_end(&planted);
}
