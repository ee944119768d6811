// Goal: what is typed is what is meant: verbs and their beginnings, options
// before and behind, numbers at their bounds.  (What cannot be meant:
// tests/golden/cases/cli_usage.sh.) Method: parse command lines made here and
// look at the struct.
#include "base/cleanup.h"
#include "cli/options.h"
#include "tests/support/test.h"

#include <math.h>

enum { WORDS_MAX = 16 };

/** Parse a command line of words between spaces. */
static struct ms_error *parse(const char *line, struct ms_options *ret_options)
{
	static char words[256]; // The options point into it; a test is a process of its own.
	char *argv[WORDS_MAX + 1] = { NULL };
	int argc = 0;

	snprintf(words, sizeof(words), "mapscope %s", line);
	for (char *p = words; p && argc < WORDS_MAX; argc++) {
		argv[argc] = strsep(&p, " ");
		if (!*argv[argc])
			break;
	}
	argv[argc] = NULL;
	return ms_options_parse(argc, argv, ret_options);
}

MS_TEST(options_of_a_pid_alone_are_the_defaults)
{
	struct ms_options o = { 0 };

	CHECK_OK(parse("4711", &o));
	CHECK_EQ(o.verb, MS_VERB_DIAGNOSE);
	CHECK_EQ(o.pid, 4711);
	CHECK(o.seconds == 10);
	CHECK_EQ(o.view.top, 20);
	CHECK_EQ(o.view.sort, MS_SORT_BYTES);
	CHECK_EQ(o.format, MS_FORMAT_TEXT);
	CHECK_EQ(o.file_count, 0);
	CHECK(!o.no_color && !o.quiet && !o.name);
}

MS_TEST(options_of_maps_are_read_wherever_they_stand)
{
	struct ms_options o = { 0 };

	CHECK_OK(
	    parse("--json maps --top 5 12 --sort=slack -q -o a.csv -o b.c.txt --no-color", &o));
	CHECK_EQ(o.verb, MS_VERB_MAPS);
	CHECK_EQ(o.pid, 12);
	CHECK_EQ(o.view.top, 5);
	CHECK_EQ(o.view.sort, MS_SORT_SLACK);
	CHECK_EQ(o.format, MS_FORMAT_JSON);
	CHECK_EQ(o.file_count, 2);
	CHECK_STR(o.files[0].path, "a.csv");
	CHECK_EQ(o.files[0].format, MS_FORMAT_CSV);
	CHECK_EQ(o.files[1].format, MS_FORMAT_TEXT);
	CHECK(o.no_color && o.quiet);
}

MS_TEST(options_all_is_no_limit)
{
	struct ms_options o = { 0 };

	CHECK_OK(parse("m 1 --all", &o));
	CHECK_EQ(o.verb, MS_VERB_MAPS);
	CHECK_EQ(o.view.top, SIZE_MAX);
}

MS_TEST(options_of_inspect_name_a_map)
{
	struct ms_options o;

	CHECK_OK(parse("inspect 1 main.orders", &o));
	CHECK_EQ(o.verb, MS_VERB_INSPECT);
	CHECK_EQ(o.pid, 1);
	CHECK_STR(o.map, "main.orders");
	CHECK_EQ(o.unit, MS_UNKNOWN);
	CHECK(!o.check && !o.gdb && !o.dlv && !o.show_keys);
	CHECK_OK(parse("i --name shop 0xc000 --check --bucket 7 --gdb --dlv --show-keys", &o));
	CHECK_STR(o.map, "0xc000");
	CHECK_STR(o.name, "shop");
	CHECK_EQ(o.unit, 7);
	CHECK(o.check && o.gdb && o.dlv && o.show_keys);
	CHECK_ERR(parse("inspect", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("inspect main.orders", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("inspect 1 a b", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("inspect 1 a --bucket -1", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("inspect 1 a --bucket x", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("inspect 1 a --top 3", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("maps 1 --check", &o), MS_ERR_USAGE);
}

MS_TEST(options_of_maps_choose_rows)
{
	struct ms_options o = { 0 };

	CHECK_OK(parse("maps 1", &o));
	CHECK_EQ(o.view.rows, MS_ROWS_GROUPED);
	CHECK(!o.owner && !o.type);
	CHECK_OK(parse("maps 1 --expand --owner ^main --type=int$ --sort load", &o));
	CHECK_EQ(o.view.rows, MS_ROWS_EXPANDED);
	CHECK_STR(o.owner, "^main");
	CHECK_STR(o.type, "int$");
	CHECK_OK(parse("maps 1 --sort maps", &o));
	CHECK_EQ(o.view.sort, MS_SORT_MAPS);
	CHECK_ERR(parse("maps 1 --sort maps --expand", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("maps 1 --owner a(b", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("maps 1 --type map[string", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("doctor 1 --type map", &o), MS_ERR_USAGE);
}

MS_TEST(options_verbs_may_be_cut_short)
{
	static const struct {
		const char *line;
		enum ms_verb verb;
	} cases[] = {
		{ "dia 1", MS_VERB_DIAGNOSE }, { "dif 1 2", MS_VERB_DIFF },
		{ "r -- a", MS_VERB_RUN },     { "do 1", MS_VERB_DOCTOR },
		{ "ma 1", MS_VERB_MAPS },      { "maps 1", MS_VERB_MAPS },
		{ "hel", MS_VERB_HELP },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct ms_options o = { 0 };

		CHECK_OK(parse(cases[i].line, &o));
		CHECK_EQ(o.verb, cases[i].verb);
	}
}

MS_TEST(options_of_diff_name_two_sides)
{
	struct ms_options o = { 0 };

	CHECK_OK(parse("diff a.json 12 --top 3", &o));
	CHECK_STR(o.sides[0].name, "a.json");
	CHECK_EQ(o.sides[0].pid, 0);
	CHECK_EQ(o.sides[1].pid, 12);
	CHECK_EQ(o.view.top, 3);
	CHECK_ERR(parse("diff 12", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("diff 1 2 3", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("diff 0 2", &o), MS_ERR_USAGE);
}

MS_TEST(options_of_run_end_at_the_dashes)
{
	struct ms_options o = { 0 };

	CHECK_OK(parse("run --json --budget b.txt -- go test -v --json", &o));
	CHECK_EQ(o.verb, MS_VERB_RUN);
	CHECK_STR(o.budget, "b.txt");
	CHECK_EQ(o.format, MS_FORMAT_JSON);
	CHECK_STR(o.command[0], "go");
	CHECK_STR(o.command[2], "-v");
	CHECK_STR(o.command[3], "--json");
	CHECK(o.command[4] == NULL);
	CHECK_OK(parse("run -- a -- b", &o));
	CHECK_STR(o.command[1], "--");
	CHECK_ERR(parse("run", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("run --", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("run go test", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("run go -- test", &o), MS_ERR_USAGE);
	CHECK_ERR(parse("run --sort load -- a", &o), MS_ERR_USAGE);
}

MS_TEST(options_a_process_has_three_spellings)
{
	struct ms_options o = { 0 };

	CHECK_OK(parse("maps --pid 99", &o));
	CHECK_EQ(o.pid, 99);
	CHECK_OK(parse("maps -p98", &o));
	CHECK_EQ(o.pid, 98);
	CHECK_OK(parse("--name api", &o));
	CHECK_EQ(o.pid, 0);
	CHECK_STR(o.name, "api");
	CHECK_EQ(o.verb, MS_VERB_DIAGNOSE);
}

MS_TEST(options_seconds_hold_their_bounds)
{
	static const struct {
		const char *line;
		double seconds; // 0: refused.
	} cases[] = {
		{ "1 --seconds 0.1", 0.1 },  { "1 --seconds 3600", 3600 },
		{ "1 --seconds 2.5", 2.5 },  { "1 --seconds 0.09", 0 },
		{ "1 --seconds 3600.1", 0 }, { "1 --seconds 1e2", 0 },
		{ "1 --seconds 1.2.3", 0 },  { "1 --seconds inf", 0 },
		{ "1 --seconds .", 0 },      { "1 --seconds=0x10", 0 },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct ms_options o = { 0 };

		if (cases[i].seconds > 0) {
			CHECK_OK(parse(cases[i].line, &o));
			CHECK(o.seconds == cases[i].seconds);
		} else {
			CHECK_ERR(parse(cases[i].line, &o), MS_ERR_USAGE);
		}
	}
}

MS_TEST(options_help_and_version_need_no_process)
{
	struct ms_options o = { 0 };

	CHECK_OK(parse("--help", &o));
	CHECK_EQ(o.verb, MS_VERB_HELP);
	CHECK_EQ(o.topic, MS_VERB_HELP);
	CHECK_OK(parse("maps --help", &o));
	CHECK_EQ(o.verb, MS_VERB_HELP);
	CHECK_EQ(o.topic, MS_VERB_MAPS);
	CHECK_OK(parse("help doc", &o));
	CHECK_EQ(o.topic, MS_VERB_DOCTOR);
	CHECK_OK(parse("--version", &o));
	CHECK_EQ(o.verb, MS_VERB_VERSION);
}

MS_TEST(options_are_untouched_by_a_failure)
{
	struct ms_options o = { .pid = 7 };

	CHECK_ERR(parse("maps --top 0 1", &o), MS_ERR_USAGE);
	CHECK_EQ(o.pid, 7);
}

MS_TEST(options_files_are_limited)
{
	struct ms_options o = { 0 };
	char *argv[2 + 2 * (MS_OUTPUT_FILES_MAX + 1) + 1] = { (char *)"mapscope", (char *)"1" };
	int argc = 2;

	for (int i = 0; i < MS_OUTPUT_FILES_MAX; i++) {
		argv[argc++] = (char *)"-o";
		argv[argc++] = (char *)"x.json";
	}
	CHECK_OK(ms_options_parse(argc, argv, &o));
	CHECK_EQ(o.file_count, MS_OUTPUT_FILES_MAX);
	argv[argc++] = (char *)"-o";
	argv[argc++] = (char *)"x.json";
	CHECK_ERR(ms_options_parse(argc, argv, &o), MS_ERR_USAGE);
}

MS_TEST(options_format_is_one_that_the_verb_has)
{
	static const struct {
		const char *line;
		const char *wrong; // NULL: accepted.
	} cases[] = {
		{ "maps 1 --format csv -o a.json -o b.csv -o c.txt", NULL },
		{ "maps 1 --format xml", "--format xml is not known" },
		{ "heap 1 --format pprof",
		  "heap has no form pprof; type --format json, csv or text" },
		{ "heap 1 -o a.pb.gz", "heap has no form pprof for a.pb.gz; let the name end in "
				       ".json, .csv or .txt" },
		{ "maps 1 -o a.chrome.json", "maps has no form chrome" },
		{ "maps 1 -o .svg.x", "-o .svg.x does not say which format" },
		{ "doctor 1 --format csv", "doctor has no form csv; type --format json or text" },
		{ "maps 1 --json --format csv", "--json is --format json" },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		struct ms_options o = { 0 };
		struct ms_error *err = parse(cases[i].line, &o);

		if (cases[i].wrong) {
			CHECK(err != NULL);
			CHECK_CONTAINS(ms_error_message(err), cases[i].wrong);
			CHECK_ERR(err, MS_ERR_USAGE);
		} else {
			CHECK_OK(err);
			CHECK_EQ(o.format, MS_FORMAT_CSV);
			CHECK_EQ(o.files[0].format, MS_FORMAT_JSON);
			CHECK_EQ(o.files[2].format, MS_FORMAT_TEXT);
		}
	}
}

MS_TEST(formats_are_told_by_the_longest_ending)
{
	static const struct {
		const char *path;
		enum ms_format format;
	} cases[] = {
		{ "a.json", MS_FORMAT_JSON },
		{ "a.chrome.json", MS_FORMAT_CHROME },
		{ "d.d/a.trace.json", MS_FORMAT_CHROME },
		{ "a.pprof", MS_FORMAT_PPROF },
		{ "a.pprof.gz", MS_FORMAT_PPROF },
		{ "a.pb.gz", MS_FORMAT_PPROF },
		{ "a.folded", MS_FORMAT_FOLDED },
		{ "a.svg", MS_FORMAT_SVG },
		{ "a.maptrace", MS_FORMAT_MAPTRACE },
		{ "a.gz", MS_FORMAT_COUNT_ },
		{ "json", MS_FORMAT_COUNT_ },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		enum ms_format format = MS_FORMAT_COUNT_;

		CHECK_EQ(ms_format_of_path(cases[i].path, &format),
			 cases[i].format != MS_FORMAT_COUNT_);
		CHECK_EQ(format, cases[i].format);
	}
}

MS_TEST(options_of_watch_are_times_and_sizes)
{
	struct ms_options o = { 0 };

	CHECK_OK(parse("watch 12 -o x.mring", &o));
	CHECK(isinf(o.seconds) && o.watch.ring_s == 7200 && o.every_s == 300);
	CHECK_EQ(o.watch.ring_bytes, 64000000);
	CHECK(!(o.watch.at_rss_share > 0) && !o.watch.at_rss_bytes);
	CHECK_OK(parse("watch 12 -o x.mring --ring 1.5h --every 30s --ring-size 2MiB --at-rss 90% "
		       "--seconds 86400",
		       &o));
	CHECK(o.watch.ring_s == 5400 && o.every_s == 30 && o.seconds == 86400);
	CHECK_EQ(o.watch.ring_bytes, 2 << 20);
	CHECK(o.watch.at_rss_share == 0.9);
	CHECK_OK(parse("watch 12 -o x.mring -o end.json --at-rss 2GB", &o));
	CHECK_EQ(o.watch.at_rss_bytes, 2000000000);
}

MS_TEST(options_of_diff_may_be_one_ring)
{
	struct ms_options o = { 0 };

	CHECK_OK(parse("diff x.mring", &o));
	CHECK_STR(o.sides[0].name, "x.mring");
	CHECK(!o.sides[1].name && !o.sides[0].pid);
}
