// inspect_reports.c - numbers that could be, and some that could not.
#include "tests/support/inspect_reports.h"

#include <math.h>

#define HOSTILE "a\x1b[31m\xff<b>&\"'\xe2\x80\xae\n"

enum { OLD = 64, GROUPS = 24, LOW = 64, BLOCKS = 84 };

static uint16_t old_fills[OLD], now_fills[2 * OLD], same_fills[OLD], group_fills[GROUPS];
static uint16_t block_fills[BLOCKS];
static uint16_t chains[2 * OLD];
static uint8_t old_bits[OLD], now_bits[2 * OLD];

static struct ms_invariant invariants[] = {
	{ "header", "the header's words fit each other", MS_INVARIANT_HOLDS, 0, NULL },
	{ "count", "the entries in the table are those that the header counts", MS_INVARIANT_BROKEN,
	  1, "411 entries are in the table, and the header counts 412" },
	{ "chain_cycle", "no chain comes back to itself or joins another", MS_INVARIANT_BROKEN, 3,
	  "the chain of bucket 12 comes back to itself at 0xc000353dc0" },
	{ "overflow", "every link leads to an overflow bucket", MS_INVARIANT_UNKNOWN, 0,
	  "a write is under way" },
};

static struct ms_invariant unsettled[] = {
	{ "count", "the entries in the table are those that the header counts",
	  MS_INVARIANT_UNKNOWN, 0, "it was written to during each look" },
};

static struct ms_invariant hostile[] = {
	{ "count", "the entries in the table are those that the header counts", MS_INVARIANT_BROKEN,
	  UINT64_MAX - 1, HOSTILE },
};

static struct ms_report_cost cost_of(void)
{
	return (struct ms_report_cost){ .wall_s = 0.12,
					.read_bytes = 3400000,
					.own_peak_bytes = 13000000,
					.gc_cycle = 7,
					.gc_age_s = 4 };
}

/** Old buckets 0 to 19 and each seventh were moved. */
static void arrays_fill(void)
{
	for (unsigned u = 0; u < OLD; u++) {
		bool moved = u < 20 || u % 7 == 0;

		old_bits[u] = moved ? MS_UNIT_MOVED : 0;
		old_fills[u] = moved ? 0 : (uint16_t)(4 + u % 6);
		now_fills[u] = moved ? (uint16_t)(2 + u % 3) : 0;
		now_fills[OLD + u] = moved ? (uint16_t)(u % 4) : 0;
		same_fills[u] = (uint16_t)(u % 9);
	}
	for (unsigned g = 0; g < GROUPS; g++)
		group_fills[g] = (uint16_t)(1 + g % 8);
}

struct ms_inspect_report ms_inspect_example_growing(void)
{
	arrays_fill();
	return (struct ms_inspect_report){
		.target = { .pid = 4711,
			    .start_ticks = 100,
			    .exe = "/srv/shop",
			    .go_version = "go1.23.12",
			    .experiments = "",
			    .arch = "amd64",
			    .layout_source = "table",
			    .proved = true },
		.cost = cost_of(),
		.row = { .address = 0xc00006a150,
			 .entries = 412,
			 .capacity = 1024,
			 .grow_at = 833,
			 .overflow_buckets = 2,
			 .deleted_slots = MS_UNKNOWN,
			 .live_bytes = 10300,
			 .total_bytes = 40000,
			 .slack_bytes = 29700,
			 .type = "map[uint64]string",
			 .key_type = "uint64",
			 .elem_type = "string",
			 .owner = "shop/orders.Book.byID <- shop.book",
			 .owners = 2,
			 .kind = MS_MAP_CLASSIC,
			 .type_source = MS_TYPE_WALK,
			 .growing = true,
			 .growth = { 512, 1024, 0.3125, false } },
		.words = { { "count", 412, "entries", false },
			   { "flags", 0, "nobody is in it", false },
			   { "B", 7, "2 to the power of this are its buckets", false },
			   { "hash0", 0x6c203aaf, "the seed of its hashes", true },
			   { "buckets", 0xc0004c0000, "the array", true } },
		.word_count = 5,
		.stage = MS_STAGE_DOUBLING,
		.frontier = 20,
		.now = { .address = 0xc0004c0000,
			 .units = 2 * OLD,
			 .overflow = 2,
			 .entries = 120,
			 .fills = now_fills,
			 .chains = chains,
			 .bits = now_bits },
		.old = { .address = 0xc0004b0000,
			 .units = OLD,
			 .overflow = 3,
			 .entries = 291,
			 .moved = 27,
			 .fills = old_fills,
			 .chains = chains,
			 .bits = old_bits },
		.deleted = 12,
		.layout = { .known = true,
			    .unit_bytes = 208,
			    .fields = { { "topbits", "uint8", 0, 1, 8, 1 },
					{ "keys", "uint64", 8, 8, 8, 8 },
					{ "elems", "string", 72, 16, 8, 16 },
					{ "overflow", "unsafe.Pointer", 200, 8, 1, 8 } },
			    .field_count = 4,
			    .padding_bytes = 0,
			    .table_padding = 0,
			    .tail_bytes = 768 },
		.fills = { 74, 7, 20, 12, 10, 4, 1 },
		.chains = { 0, 126, 2 },
		.longest = 2,
		.tags = { [5] = 40, [77] = 9, [200] = 30, [255] = 12 },
		.evenness = { { "entries per bucket", 64, 411, 60.5, 63, 11.2 },
			      { "tags", 251, 411, 991.25, 250, 22.4 } },
		.evenness_count = 2,
		.unit = { .asked = true,
			  .exists = true,
			  .index = 69,
			  .address = 0xc0004c3810,
			  .entries = 1,
			  .chain = 1,
			  .tags = { 0x40, 0, 0, 0, 0, 0, 0, 0 },
			  .tag_count = 8,
			  .has_old = true,
			  .old_index = 5,
			  .old_address = 0xc0004b0410,
			  .old_moved = true,
			  .moved_x = 4,
			  .moved_y = 1,
			  .twin = 69 },
		.keys = { .asked = true,
			  .known = true,
			  .sampled = 411,
			  .shortest = 1,
			  .longest = 9,
			  .lengths = { [1] = 1, [8] = 150, [9] = 260 },
			  .multiples_of_8 = 52,
			  .hashes = { 0x6c898bd5, 0x00e11bac },
			  .hash_count = 2 },
		.invariants = invariants,
		.invariant_count = MS_ARRAY_SIZE(invariants),
		.looks = 2,
		.settled = true,
		.is_read = true,
		.views = { { "the header", 0xc00006a150, 48, 1, NULL },
			   { "tags of the bucket", 0xc0004c3810, 8, 1, NULL },
			   { "its link to an overflow bucket", 0xc0004c38d8, 1, 8, NULL } },
		.view_count = 3,
	};
}

struct ms_inspect_report ms_inspect_example_same_size(void)
{
	struct ms_inspect_report r = ms_inspect_example_growing();

	r.stage = MS_STAGE_SAME_SIZE;
	r.now.units = OLD;
	r.now.fills = same_fills;
	r.row.growth.same_size = true;
	r.frontier = 60; // Near the right end of its row.
	r.unit = (struct ms_unit_look){ .asked = true, .index = 64 };
	r.invariant_count = 1;
	r.looks = 1;
	r.keys = (struct ms_key_patterns){ .asked = true,
					   .unknown_why = "only of texts and whole numbers "
							  "something is said" };
	return r;
}

static struct ms_inspect_table tables[] = {
	{ 0xc000201000, 0xc000300000, 0, 60, 128, 50, 2, 1 },
	{ 0xc000201020, 0xc000310000, 1, 30, 64, 26, 0, 1 },
};

struct ms_inspect_report ms_inspect_example_swiss(void)
{
	struct ms_inspect_report r = ms_inspect_example_growing();

	r.target.go_version = "go1.27.4";
	r.row.kind = MS_MAP_SWISS;
	r.row.type = "map[string]*shop.Order";
	r.row.entries = 90;
	r.row.capacity = 192;
	r.row.grow_at = MS_UNKNOWN;
	r.row.tables = 2;
	r.row.directory_depth = 1;
	r.row.growing = false;
	r.words[0] = (struct ms_header_word){ "used", 90, "entries", false };
	r.words[1] = (struct ms_header_word){ "dirLen", 2, "entries of the directory", false };
	r.word_count = 2;
	r.stage = MS_STAGE_NONE;
	r.frontier = 0;
	r.now = (struct ms_inspect_array){ .address = 0xc000200000,
					   .units = GROUPS,
					   .entries = 90,
					   .fills = group_fills,
					   .chains = chains,
					   .bits = now_bits };
	r.old = (struct ms_inspect_array){ 0 };
	r.directory = 2;
	r.deleted = 2;
	r.tables = tables;
	r.table_count = MS_ARRAY_SIZE(tables);
	r.layout.unit_bytes = 200;
	r.layout.fields[0] = (struct ms_unit_field){ "ctrl", "uint64", 0, 8, 1, 8 };
	r.layout.fields[1] = (struct ms_unit_field){ "key", "string", 8, 16, 8, 24 };
	r.layout.fields[2] = (struct ms_unit_field){ "elem", "*shop.Order", 24, 8, 8, 24 };
	r.layout.field_count = 3;
	r.unit = (struct ms_unit_look){ .asked = true,
					.exists = true,
					.index = 17,
					.address = 0xc0003100c8,
					.entries = 2,
					.chain = 1,
					.tags = { 1, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 },
					.tag_count = 8,
					.table = 1,
					.group = 1 };
	r.keys = (struct ms_key_patterns){ .asked = true,
					   .known = true,
					   .sampled = 90,
					   .are_texts = true,
					   .shortest = 12,
					   .longest = 36,
					   .lengths = { [4] = 30, [6] = 60 },
					   .hex = 60,
					   .others = 30,
					   .prefix_bytes = 8,
					   .classes = { { 0xf30b00b1, 60 }, { 0x6548ae1, 20 } },
					   .class_count = 2,
					   .hashes = { 0xcca05432 },
					   .hash_count = 1 };
	r.invariant_count = 1;
	r.looks = 1;
	return r;
}

struct ms_inspect_report ms_inspect_example_moving(void)
{
	struct ms_inspect_report r = ms_inspect_example_swiss();

	r.settled = false;
	r.looks = 12;
	r.unsettled_why = "it was written to during each look";
	r.invariants = unsettled;
	r.invariant_count = 1;
	r.unit.asked = r.keys.asked = false;
	r.partial = true;
	r.partial_reason = "the map was not looked at to its end";
	return r;
}

struct ms_inspect_report ms_inspect_example_hmap(void)
{
	const struct ms_inspect_report growing = ms_inspect_example_growing();
	struct ms_inspect_report r = { .target = growing.target,
				       .cost = growing.cost,
				       .row = growing.row };

	r.target.go_version = NULL;
	r.target.libhmap = "0.1.0";
	r.row.kind = MS_MAP_HMAP_STEADY;
	r.stage = MS_STAGE_DOUBLING;
	r.settled = true;
	r.unread_why = "its libhmap is older, and does not say where a table lies; in gdb, hmap "
		       "show and hmap chains of that libhmap open it";
	return r;
}

struct ms_inspect_report ms_inspect_example_steady(void)
{
	struct ms_inspect_report r = ms_inspect_example_hmap();

	for (unsigned b = 0; b < BLOCKS; b++)
		block_fills[b] =
		    (uint16_t)(b < BLOCKS - LOW || b >= LOW ? 12 + b % 9 : 30 + b % 29);
	r.row.type = "orders";
	r.row.key_type = "uint64_t";
	r.row.elem_type = "struct order";
	r.row.owner = "order_cache";
	r.row.type_source = MS_TYPE_REGISTRY;
	r.row.growth = (struct ms_map_growth){ 3584, 7168, 0.3125, false };
	r.unread_why = NULL;
	r.is_read = true;
	r.looks = 1;
	r.words[0] = (struct ms_header_word){ "count", 412, "entries", false };
	r.words[1] =
	    (struct ms_header_word){ "groups", 4 * BLOCKS, "in use; in a pass, its cursor", false };
	r.words[2] = (struct ms_header_word){ "tags", 0x7f3a40000000, "of its first group", true };
	r.word_count = 3;
	r.now = (struct ms_inspect_array){ .address = 0x7f3a40000000,
					   .units = BLOCKS,
					   .overflow = 5,
					   .entries = 412,
					   .fills = block_fills,
					   .chains = chains,
					   .bits = now_bits };
	r.pass = (struct ms_inspect_pass){ LOW, 2 * LOW, LOW, BLOCKS - LOW };
	r.frontier = BLOCKS - LOW;
	r.unit_slots = 56;
	r.displaced = 31;
	r.longest = 2;
	r.chains[0] = BLOCKS - 4;
	r.chains[1] = 3;
	r.chains[2] = 1;
	for (unsigned b = 0; b < BLOCKS; b++)
		r.fills[block_fills[b]]++;
	r.tags[8] = 4;
	r.tags[77] = 9;
	r.tags[255] = 12;
	r.evenness[0] = (struct ms_evenness){ "entries per block", LOW, 412, 60.5, 63, 11.2 };
	r.evenness_count = 1;
	r.layout = (struct ms_unit_layout){
		.known = true,
		.note = "slots lie apart from tags, and are counted on behind them",
		.unit_bytes = 1408,
		.fields = { { "tags", "uint8_t", 0, 14, 4, 16 },
			    { "filter", "uint8_t", 14, 1, 4, 16 },
			    { "count", "uint8_t", 15, 1, 4, 16 },
			    { "key", "uint64_t", 64, 8, 56, 24 },
			    { "value", "struct order", 72, 12, 56, 24 } },
		.field_count = 5,
		.padding_bytes = 224,
		.table_padding = 19000,
		.tail_bytes = MS_UNKNOWN
	};
	r.unit = (struct ms_unit_look){ .asked = true,
					.exists = true,
					.index = 7,
					.address = 0x7f3a400001c0,
					.entries = 19,
					.chain = 1,
					.tags = { 0x40, 0x51, 0x9, [55] = 1 },
					.tag_count = 56 };
	r.invariants = invariants;
	r.invariant_count = 1;
	r.views[0] = (struct ms_debug_view){
		.what = "the map", .address = 0x55e0c0de9ec0, .count = 54, .size = 8
	};
	r.views[1] = (struct ms_debug_view){
		.what = "tags of the block", .address = 0x7f3a400001c0, .count = 64, .size = 1
	};
	r.views[2] = (struct ms_debug_view){ .what = "the map as hmap_gdb.py shows it",
					     .address = 0x55e0c0de9ec0,
					     .command = "hmap show" };
	r.view_count = 3;
	return r;
}

struct ms_inspect_report ms_inspect_example_halving(void)
{
	struct ms_inspect_report r = ms_inspect_example_steady();

	r.stage = MS_STAGE_HALVING;
	r.pass = (struct ms_inspect_pass){ 2 * LOW, LOW, LOW, 2 * LOW - BLOCKS };
	r.frontier = BLOCKS - LOW;
	return r;
}

struct ms_inspect_report ms_inspect_example_tidied(void)
{
	struct ms_inspect_report r = ms_inspect_example_steady();

	r.stage = MS_STAGE_SAME_SIZE;
	r.now.units = LOW;
	r.pass = (struct ms_inspect_pass){ LOW, LOW, LOW, 50 };
	r.frontier = 50;
	r.unit = (struct ms_unit_look){ .asked = true, .index = 64 };
	return r;
}

struct ms_inspect_report ms_inspect_example_hostile(void)
{
	struct ms_inspect_report r = ms_inspect_example_growing();

	r.target.exe = r.target.go_version = HOSTILE;
	r.row.type = r.row.key_type = r.row.elem_type = r.row.owner = HOSTILE;
	r.row.entries = UINT64_MAX - 1;
	r.row.total_bytes = r.row.live_bytes = r.row.slack_bytes = MS_UNKNOWN;
	r.frontier = UINT64_MAX - 1;
	r.now.overflow = MS_UNKNOWN;
	r.layout.fields[1].name = r.layout.fields[1].type = HOSTILE;
	r.layout.fields[2].type = NULL;
	r.layout.fields[2].offset = UINT64_MAX;
	r.layout.table_padding = MS_UNKNOWN;
	r.evenness[0].chi_squared = NAN;
	r.keys.unreadable = UINT64_MAX - 1;
	r.invariants = hostile;
	r.invariant_count = 1;
	r.unread_why = HOSTILE;
	return r;
}
