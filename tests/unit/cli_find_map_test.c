// Goal: a map is found by its address, by its owner as it is, and by its owner as a page prints it;
// several are listed, none says what to type.
// Method: a census of a few rows.
#include "cli/find_map.h"
#include "tests/support/test.h"

static struct ms_map_row rows[] = {
	{ .address = 0x1000, .owner = "main.orders", .entries = 5, .total_bytes = 100 },
	{ .address = 0x2000, .owner = "main.shards[]", .entries = 1, .total_bytes = 50 },
	{ .address = 0x3000,
	  .owner = "main.shards[]",
	  .type = "map[string]int",
	  .entries = 2,
	  .total_bytes = 90 },
	{ .address = 0x4000,
	  .owner = "example.org/shop/session.Registry.byConn <- example.org/shop.registry" },
	{ .address = 0x5000, .owner = "main.a\x1b" },
	{ .address = 0x6000 },
};

static const struct ms_census_report census = { .target = { .pid = 77 },
						.maps = rows,
						.map_count = MS_ARRAY_SIZE(rows) };

static void finds(const char *word, ms_addr address)
{
	const struct ms_map_row *row = NULL;

	CHECK_OK(ms_find_map(&census, word, &row));
	CHECK_EQ(row->address, address);
	CHECK_EQ(ms_find_map_count(&census, word), 1);
}

static void refuses(const char *word, const char *says, size_t count)
{
	const struct ms_map_row *row = NULL;
	struct ms_error *err = ms_find_map(&census, word, &row);

	CHECK(err != NULL);
	CHECK_EQ(ms_error_code(err), MS_ERR_USAGE);
	if (!strstr(ms_error_message(err), says))
		ms_test_fail(__FILE__, __LINE__, "%s", ms_error_message(err));
	CHECK(row == NULL);
	CHECK_EQ(ms_find_map_count(&census, word), count);
	ms_error_free(err);
}

MS_TEST(find_map_by_address)
{
	finds("0x6000", 0x6000);
	refuses("0x6008", "there is no map at 0x6008 in process 77", 0);
	refuses("0x", "no map of process 77 is called 0x", 0);
}

MS_TEST(find_map_by_owner)
{
	finds("main.orders", 0x1000);
	finds("example.org/shop/session.Registry.byConn <- example.org/shop.registry", 0x4000);
	finds("main.a\\x1b", 0x5000);
	refuses("main.order", "type: mapscope maps 77 --all", 0);
	refuses("orders", "no map of process 77", 0);
}

MS_TEST(find_map_by_owner_as_a_narrow_page_has_it)
{
	finds("…/session.Registry.byConn", 0x4000);
	finds("...stry.byConn", 0x4000);
	finds("…/shop.registry", 0x4000);
	refuses("…", "no map of process 77", 0);
	refuses("…/session", "no map of process 77", 0);
}

MS_TEST(find_map_lists_several_by_size)
{
	refuses("main.shards[]",
		"2 maps are called main.shards[]; type one address of\n"
		"  0x3000 with 2 entries, map[string]int\n"
		"  0x2000 with 1 entries, of unknown type",
		2);
}
