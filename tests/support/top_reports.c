// top_reports.c - the words and numbers are made up; what they are like is not.
#include "tests/support/top_reports.h"

#include <math.h>

static struct ms_top_row rows[] = {
	{ .owner = "session.Registry.byConn <- main.registry",
	  .type = "map[uint64]*session.Conn",
	  .address = 0xc000010000,
	  .maps = 1,
	  .entries = 1234567,
	  .capacity = 2097152,
	  .total_bytes = 310000000,
	  .slack_bytes = 120000000,
	  .load = 0.58,
	  .per_s = 18240.4,
	  .growing = 1,
	  .progress = 0.62,
	  .waiting = 412,
	  .history = { 900000, 950000, 1000000, 1050000, 1100000, 1150000, 1200000, 1234567 },
	  .history_count = 8 },
	{ .owner = "main.Shop.carts",
	  .type = "map[string][]main.Item",
	  .address = 0xc000020000,
	  .maps = 41230,
	  .entries = 412300,
	  .capacity = 659680,
	  .total_bytes = 96000000,
	  .slack_bytes = 35000000,
	  .load = 0.62,
	  .per_s = 12.4,
	  .growing = 3,
	  .progress = 0.1,
	  .history = { 400000, 400000, 412300 },
	  .history_count = 3 },
	{ .owner = "main.limits",
	  .type = "map[string]int",
	  .address = 0xc000030000,
	  .maps = 1,
	  .entries = 12,
	  .capacity = 16,
	  .total_bytes = 512,
	  .slack_bytes = 60,
	  .load = 0.75,
	  .progress = NAN,
	  .history = { 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12 },
	  .history_count = 16 },
	{ .address = 0xc000040000,
	  .maps = 7,
	  .entries = 3,
	  .lost = 2,
	  .capacity = MS_UNKNOWN,
	  .total_bytes = MS_UNKNOWN,
	  .slack_bytes = MS_UNKNOWN,
	  .load = NAN,
	  .per_s = -250000,
	  .progress = NAN,
	  .waiting = MS_UNKNOWN,
	  .history = { 9, 3 },
	  .history_count = 2 },
};

static const struct ms_report_target target = { .pid = 4182,
						.start_ticks = 99,
						.exe = "/usr/local/bin/sessions",
						.go_version = "go1.23.12",
						.experiments = "",
						.arch = "amd64",
						.layout_source = "table",
						.proved = true };

struct ms_top_report ms_example_top(void)
{
	return (struct ms_top_report){
		.target = target,
		.cost = { .wall_s = 31.5,
			  .read_bytes = 34000000,
			  .own_peak_bytes = 9300000,
			  .gc_cycle = 42,
			  .gc_age_s = 3 },
		.look = 8,
		.per_s_s = 10,
		.census_age_s = 12,
		.rss_bytes = 1912602624,
		.maps = 41239,
		.entries = 1646882,
		.lost = 2,
		.growing = 4,
		.seen = 41241,
		.read = 41239,
		.skipped = 2,
		.gc = { .cycles = 42,
			.age_s = 3.2,
			.live_bytes = 368000000,
			.goal_bytes = 400000000 },
		.rows = rows,
		.row_count = MS_ARRAY_SIZE(rows),
		.rows_passed = MS_ARRAY_SIZE(rows),
	};
}

struct ms_top_report ms_example_top_unknown(void)
{
	struct ms_top_report r = ms_example_top();

	r.look = 1;
	r.per_s_s = NAN;
	r.rss_bytes = MS_UNKNOWN;
	r.lost = 0;
	r.gc = (struct ms_top_gc){ .unknown = "the runtime's own figures were not found",
				   .age_s = NAN,
				   .live_bytes = MS_UNKNOWN,
				   .goal_bytes = MS_UNKNOWN };
	r.waiting_unknown = "goroutines cannot be read";
	r.target.proved = false;
	r.expanded = true;
	r.sort = MS_TOP_WAITING;
	r.rows = &rows[3];
	r.row_count = 1;
	r.partial = true;
	r.partial_reason = "it was stopped before its time";
	return r;
}

struct ms_top_report ms_example_top_hostile(void)
{
	static struct ms_top_row hostile[] = {
		{ .owner = "a\x1b[2Jb\nc \xe2\x80\xae \xff",
		  .type = "map[\x07]\t",
		  .address = 1,
		  .maps = 2,
		  .entries = 1,
		  .load = NAN,
		  .per_s = NAN,
		  .progress = NAN,
		  .waiting = MS_UNKNOWN },
	};
	struct ms_top_report r = ms_example_top();

	r.target.exe = "/x/\x1b]0;owned\x07";
	r.partial = true;
	r.partial_reason = "\x1b[1m";
	r.rows = hostile;
	r.row_count = 1;
	return r;
}
