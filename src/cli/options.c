// options.c - the command line, read against two tables.
//
// The table of verbs and the table of options are all there is: getopt's own tables, the checks of
// which option belongs to which verb and the help texts are made from them, so that none of these
// can disagree.  The first word that is no option is a verb (or the beginning of one) or a PID.
#include "cli/options.h"

#include "base/types.h"
#include "cli/quantity.h"
#include "report/fail_if.h"
#include "snapshot/census_ring.h"
#include "target/core.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double SECONDS_DEFAULT = 10, LOOKS_APART_S = 2, SECONDS_MIN = 0.1, SECONDS_MAX = 3600;
static const double RING_S_DEFAULT = 2 * 3600, WATCH_EVERY_S_DEFAULT = 5 * 60, EVERY_S_MIN = 0.5;
static const double TOP_EVERY_S_DEFAULT = 2;
static const uint64_t RING_BYTES_DEFAULT = 64000000;

enum { TOP_DEFAULT = 20 };

struct verb {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *details;
	unsigned formats; // Bits by ms_format.
};

static const char diagnose_details[] =
    "Two looks at every map and many at the largest in between, then one page: what\n"
    "grows and how fast, what holds room for entries that are gone, what is stable.\n"
    "mapscope PID alone means mapscope diagnose PID. Ctrl-C ends the window early and\n"
    "still prints.\n";

static const char maps_details[] =
    "One look at every map of the process: all maps of one owner and type are one row,\n"
    "with their entries, capacity, load, bytes in use, slack and growth.\n";

static const char inspect_details[] =
    "One map opened, of Go's or libhmap's: its header in words, how far its growth has\n"
    "come, its chains or probes, layout and padding, how even its hashes are, and whether\n"
    "all that is kept true of a map is. MAP is an owner as mapscope maps prints it, or an\n"
    "address. With --check the exit code is 7 when something is broken.\n";

static const char run_details[] =
    "Starts the command, as the user who called sudo where that is how mapscope was\n"
    "called, and looks at the maps of every Go program among it and its children until\n"
    "it ends. The page goes to stderr; the exit code is the command's own, or 10 when a\n"
    "budget is broken and the command ended with 0.\n";

static const char diff_details[] =
    "What grew between two censuses, by owner. A and B are snapshots (.msnap) or JSON\n"
    "documents that mapscope maps wrote, or PIDs, or a ring of mapscope watch at a time\n"
    "before its last census: FILE.mring@-30m. A ring alone: its first and its last one.\n";

static const char watch_details[] =
    "A flight recorder: a census now and then, the latest of them in a file of bounded\n"
    "size, FILE.mring, for mapscope diff. One more is taken and written beside it, as\n"
    "FILE-WHY.msnap, near a memory limit, under memory pressure, on SIGUSR1 and when a\n"
    "--fail-if holds, which ends it. When the process goes away, the ring stays.\n";

static const char top_details[] =
    "The maps of a process on one screen, looked at every 2 s: those that grow first,\n"
    "with their entries a second, bytes, slack, who waits for them and how far a growth\n"
    "has come. Keys sort, filter, freeze and open one; ? lists them. Into a pipe or a\n"
    "log: --batch. It takes less than a twentieth of a core.\n";

static const char heap_details[] =
    "Where the memory of the process is: size classes of the heap with what lives in\n"
    "them, then the parts - maps, other objects, garbage, free, stacks, the runtime,\n"
    "off-heap - that add up to what the kernel counts as resident.\n";

static const char goroutines_details[] =
    "All goroutines with their stacks, those that do the same as one: what they wait\n"
    "for and since when, where, and which go statement made them. Two looks, so that\n"
    "go statements whose goroutines only become more are told: leak suspects.\n";
static const char trace_details[] =
    "Every growth of a map as it happens: which map, from what size to what, by which\n"
    "goroutine and where in the source. Probes on the runtime's growth functions show\n"
    "them all; without the right to place them, polling shows some. Ctrl-C ends it.\n";

static const char doctor_details[] =
    "What of mapscope will and will not work on the process, and the one thing to\n"
    "change. The exit code is the one that maps would end with.\n";

static const struct verb verbs[MS_VERB_COUNT_] = {
	[MS_VERB_DIAGNOSE] = { "diagnose", "PID", "what grows and what holds slack, after 10 s",
			       diagnose_details, MS_FORMATS_DIAGNOSIS },
	[MS_VERB_MAPS] = { "maps", "PID", "every map, once: type, entries, capacity, load, bytes",
			   maps_details, MS_FORMATS_MAPS },
	[MS_VERB_INSPECT] = { "inspect", "PID MAP",
			      "one map opened: growth, chains, layout, checks", inspect_details,
			      MS_FORMATS_INSPECT },
	[MS_VERB_HEAP] = { "heap", "PID", "where its memory is: size classes, and parts of RSS",
			   heap_details, MS_FORMATS_TABLE },
	[MS_VERB_GOROUTINES] = { "goroutines", "PID",
				 "who waits for what, how long, and who made them",
				 goroutines_details, MS_FORMATS_TABLE | MS_FORMATS_STACKS },
	[MS_VERB_TRACE] = { "trace", "PID", "every growth as it happens, and where in the source",
			    trace_details, MS_FORMATS_TRACE },
	[MS_VERB_RUN] = { "run", "-- CMD", "start a program and watch its maps until it ends",
			  run_details, MS_FORMATS_TABLE },
	[MS_VERB_DIFF] = { "diff", "A B", "what grew between two censuses, by owner", diff_details,
			   MS_FORMATS_TABLE },
	[MS_VERB_WATCH] = { "watch", "PID", "a flight recorder: the latest censuses in one file",
			    watch_details, MS_FORMATS_WATCH },
	[MS_VERB_TOP] = { "top", "PID", "a live screen: what grows, how fast, who waits",
			  top_details, MS_FORMATS_DOCUMENT },
	[MS_VERB_DOCTOR] = { "doctor", "PID", "what will and will not work on it", doctor_details,
			     MS_FORMATS_DOCUMENT },
	[MS_VERB_HELP] = { "help", "VERB", "the options of one verb", NULL, 0 },
};

enum {
	FOR_DIAGNOSE = 1 << MS_VERB_DIAGNOSE,
	FOR_MAPS = 1 << MS_VERB_MAPS,
	FOR_INSPECT = 1 << MS_VERB_INSPECT,
	FOR_HEAP = 1 << MS_VERB_HEAP,
	FOR_GOROUTINES = 1 << MS_VERB_GOROUTINES,
	FOR_TRACE = 1 << MS_VERB_TRACE,
	FOR_DOCTOR = 1 << MS_VERB_DOCTOR,
	FOR_RUN = 1 << MS_VERB_RUN,
	FOR_DIFF = 1 << MS_VERB_DIFF,
	FOR_WATCH = 1 << MS_VERB_WATCH,
	FOR_TOP = 1 << MS_VERB_TOP,
	FOR_TARGETS = FOR_DIAGNOSE | FOR_MAPS | FOR_INSPECT | FOR_HEAP | FOR_GOROUTINES |
		      FOR_TRACE | FOR_DOCTOR | FOR_WATCH | FOR_TOP,
	FOR_TABLES = FOR_MAPS | FOR_RUN | FOR_DIFF | FOR_WATCH | FOR_TOP,
	FOR_PAGES = FOR_TARGETS | FOR_RUN | FOR_DIFF,
	FOR_CORES = FOR_DIAGNOSE | FOR_MAPS | FOR_INSPECT | FOR_HEAP | FOR_GOROUTINES,
	FOR_ALL = (1 << MS_VERB_COUNT_) - 1,
};

/** Options without a letter are known to getopt by these. */
enum {
	OPT_NAME = 256,
	OPT_EXE,
	OPT_SYSROOT,
	OPT_SECONDS,
	OPT_TOP,
	OPT_SORT,
	OPT_ALL,
	OPT_EXPAND,
	OPT_OWNER,
	OPT_TYPE,
	OPT_NO_OWNERS,
	OPT_BUDGET,
	OPT_FAIL_IF,
	OPT_RING,
	OPT_EVERY,
	OPT_RING_SIZE,
	OPT_AT_RSS,
	OPT_COUNT,
	OPT_BATCH,
	OPT_STUCK,
	OPT_ONCE,
	OPT_SCHED,
	OPT_BURST,
	OPT_NO_PROBES,
	OPT_SMALL,
	OPT_GCTRACE,
	OPT_MIGRATIONS,
	OPT_CREATIONS,
	OPT_CHECK,
	OPT_BUCKET,
	OPT_GDB,
	OPT_DLV,
	OPT_SHOW_KEYS,
	OPT_JSON,
	OPT_FORMAT,
	OPT_NO_COLOR,
	OPT_HELP,
	OPT_VERSION,
};

struct option_row {
	const char *name;
	int id; // Its letter where it has one.
	const char *argument;
	unsigned verbs;
	const char *help;
};

static const struct option_row rows[] = {
	{ "name", OPT_NAME, "REGEX", FOR_TARGETS,
	  "the one process of this command name, in place of a PID" },
	{ "pid", 'p', "PID", FOR_TARGETS, "the same as PID without an option" },
	{ "exe", OPT_EXE, "FILE", FOR_CORES | FOR_DIFF, "the program that a core file is of" },
	{ "sysroot", OPT_SYSROOT, "FOLDER", FOR_CORES | FOR_DIFF,
	  "where the paths in a core file begin" },
	{ "seconds", OPT_SECONDS, "N", FOR_DIAGNOSE | FOR_GOROUTINES | FOR_TRACE | FOR_WATCH,
	  "to the page (10), between looks at goroutines (2), of trace and watch (until Ctrl-C)" },
	{ "top", OPT_TOP, "N", FOR_TABLES | FOR_HEAP | FOR_GOROUTINES,
	  "show the first N rows (20)" },
	{ "sort", OPT_SORT, "KEY", FOR_MAPS | FOR_TOP,
	  "by bytes (of maps), growth (of top), entries, slack; load, maps; waiting" },
	{ "all", OPT_ALL, NULL, FOR_TABLES | FOR_HEAP | FOR_GOROUTINES, "show every row" },
	{ "expand", OPT_EXPAND, NULL, FOR_MAPS | FOR_GOROUTINES | FOR_TOP,
	  "each map or goroutine by itself, not those alike as one" },
	{ "owner", OPT_OWNER, "REGEX", FOR_TABLES, "only maps whose owner is like this" },
	{ "type", OPT_TYPE, "REGEX", FOR_TABLES, "only maps whose type is like this" },
	{ "no-owners", OPT_NO_OWNERS, NULL,
	  FOR_DIAGNOSE | FOR_MAPS | FOR_INSPECT | FOR_HEAP | FOR_TRACE | FOR_WATCH | FOR_TOP,
	  "the census alone, sooner: look for no types and owners" },
	{ "budget", OPT_BUDGET, "FILE", FOR_RUN, "limits on the maps of owners; see the man page" },
	{ "fail-if", OPT_FAIL_IF, "EXPR", FOR_DIAGNOSE | FOR_MAPS | FOR_WATCH,
	  "end with 10 when it holds: growth>100MB/min, slack>50%, ..." },
	{ "ring", OPT_RING, "TIME", FOR_WATCH, "how far back the ring reaches (2h)" },
	{ "every", OPT_EVERY, "TIME", FOR_WATCH | FOR_TOP | FOR_INSPECT,
	  "between two censuses of watch (5m), looks of top (2s); inspect again and again" },
	{ "count", OPT_COUNT, "N", FOR_TOP | FOR_INSPECT, "end after so many looks" },
	{ "batch", OPT_BATCH, NULL, FOR_TOP, "print one look after the other, for a log" },
	{ "ring-size", OPT_RING_SIZE, "BYTES", FOR_WATCH, "what its file never grows over (64MB)" },
	{ "at-rss", OPT_AT_RSS, "SIZE", FOR_WATCH,
	  "dump from here on: a share of the cgroup's limit (90%) or bytes (2GB)" },
	{ "stuck", OPT_STUCK, NULL, FOR_GOROUTINES, "only those that wait for over 5 minutes" },
	{ "once", OPT_ONCE, NULL, FOR_GOROUTINES, "one look, sooner: no leak suspects" },
	{ "burst", OPT_BURST, NULL, FOR_GOROUTINES,
	  "probe map writes for a moment, slowing them: who is in one together" },
	{ "sched", OPT_SCHED, NULL, FOR_GOROUTINES | FOR_TRACE,
	  "each P, what it runs, its queue; who takes whose place near a growth" },
	{ "no-probes", OPT_NO_PROBES, NULL, FOR_DIAGNOSE | FOR_TRACE,
	  "poll, and write nothing into its code" },
	{ "small", OPT_SMALL, NULL, FOR_TRACE, "show first groups of empty maps, too" },
	{ "gctrace", OPT_GCTRACE, NULL, FOR_TRACE, "for each collection, the runtime's own line" },
	{ "migrations", OPT_MIGRATIONS, NULL, FOR_TRACE,
	  "and where the entries of each old bucket went" },
	{ "creations", OPT_CREATIONS, NULL, FOR_TRACE,
	  "and maps being made: 12 microseconds each" },
	{ "check", OPT_CHECK, NULL, FOR_INSPECT, "end with 7 when an invariant is broken" },
	{ "bucket", OPT_BUCKET, "N", FOR_INSPECT,
	  "more of one bucket or group: has it moved, and where to" },
	{ "gdb", OPT_GDB, NULL, FOR_INSPECT, "the commands that show the same bytes in gdb" },
	{ "dlv", OPT_DLV, NULL, FOR_INSPECT, "and in Delve" },
	{ "show-keys", OPT_SHOW_KEYS, NULL, FOR_INSPECT,
	  "lengths and salted hashes of keys, never a key" },
	{ "json", OPT_JSON, NULL, FOR_PAGES, "print a JSON document: --format json" },
	{ "format", OPT_FORMAT, "NAME", FOR_PAGES, "print text (the default), json, csv, ..." },
	{ "output", 'o', "FILE", FOR_PAGES & ~FOR_TOP,
	  "write to FILE as well, as its name ends: .json, .csv, ..." },
	{ "no-color", OPT_NO_COLOR, NULL, FOR_PAGES, "no colours on a terminal, like NO_COLOR" },
	{ "quiet", 'q', NULL, FOR_PAGES, "no progress on a terminal" },
	{ "help", OPT_HELP, NULL, FOR_ALL, "this text" },
	{ "version", OPT_VERSION, NULL, FOR_ALL, "the version" },
};

static const char *const sort_names[] = {
	[MS_SORT_BYTES] = "bytes", [MS_SORT_ENTRIES] = "entries", [MS_SORT_SLACK] = "slack",
	[MS_SORT_LOAD] = "load",   [MS_SORT_MAPS] = "maps",
};

const char *ms_verb_name(enum ms_verb verb)
{
	return verbs[verb].name;
}

// --- Help. ---

static void help_option(const struct option_row *row, struct ms_sink *sink)
{
	char left[32];

	snprintf(left, sizeof(left), "%c%c%s--%s%s%s", row->id < 256 ? '-' : ' ',
		 row->id < 256 ? row->id : ' ', row->id < 256 ? ", " : "  ", row->name,
		 row->argument ? " " : "", row->argument ? row->argument : "");
	ms_sink_printf(sink, "  %-22s %s\n", left, row->help);
}

static void help_options(unsigned verb_bits, struct ms_sink *sink)
{
	ms_sink_puts(sink, "\nOptions:\n");
	for (size_t i = 0; i < MS_ARRAY_SIZE(rows); i++) {
		if (rows[i].verbs & verb_bits)
			help_option(&rows[i], sink);
	}
}

static void help_summary(struct ms_sink *sink)
{
	ms_sink_puts(sink, "mapscope: every map of a running Go process, which it never stops\n"
			   "\n"
			   "Usage:\n"
			   "  mapscope PID             the same as diagnose\n");
	for (size_t i = 0; i < MS_VERB_COUNT_; i++) {
		char left[32];

		if (!verbs[i].name)
			continue;
		snprintf(left, sizeof(left), "mapscope %s %s", verbs[i].name, verbs[i].arguments);
		ms_sink_printf(sink, "  %-24s %s\n", left, verbs[i].summary);
	}
	help_options(FOR_ALL, sink);
}

void ms_options_help(enum ms_verb topic, struct ms_sink *sink)
{
	if (topic == MS_VERB_HELP) {
		help_summary(sink);
		return;
	}
	ms_sink_printf(sink, "Usage: mapscope %s [OPTIONS] %s\n\n%s", verbs[topic].name,
		       verbs[topic].arguments, verbs[topic].details ? verbs[topic].details : "");
	help_options(1u << topic, sink);
	if (!verbs[topic].formats)
		return;
	ms_sink_puts(sink, "\nFormats: ");
	ms_format_list_names(verbs[topic].formats, sink);
	ms_sink_puts(sink, "\nFiles end in ");
	ms_format_list_endings(verbs[topic].formats, sink);
	ms_sink_puts(sink, "\n");
}

// --- Words. ---

static bool is_number(const char *text)
{
	return text[0] && text[strspn(text, "0123456789")] == '\0';
}

/** A file where a process should be named, and it is no core. */
static struct ms_error *refuse_file(const char *word)
{
	if (!strchr(word, '/') && access(word, F_OK) != 0)
		return NULL;
	if (access(word, R_OK) != 0)
		return ms_error_errno(MS_ERR_IO, errno, "could not open %s", word);
	return ms_error_new(MS_ERR_UNSUPPORTED,
			    "%s is no core file; type mapscope PID, or mapscope CORE", word);
}

static struct ms_error *parse_pid(const char *text, pid_t *ret_pid)
{
	long value;
	struct ms_error *err = is_number(text) ? NULL : refuse_file(text);

	if (err)
		return err;
	errno = 0;
	value = is_number(text) ? strtol(text, NULL, 10) : 0;
	if (errno || value < 1 || value > INT_MAX)
		return ms_error_new(MS_ERR_USAGE,
				    "%s is not a PID; type the number of a process, or --name NAME",
				    text);
	*ret_pid = (pid_t)value;
	return NULL;
}

static struct ms_error *parse_seconds(const char *text, enum ms_verb verb, double *ret_seconds)
{
	double most = verb == MS_VERB_WATCH ? MS_DURATION_S_MAX : SECONDS_MAX;
	char *end = NULL;
	double value = strspn(text, "0123456789.") == strlen(text) ? strtod(text, &end) : 0;

	if (!end || *end || end == text || value < SECONDS_MIN || value > most)
		return ms_error_new(MS_ERR_USAGE,
				    "--seconds %s cannot be meant; type a number from %g to %g",
				    text, SECONDS_MIN, most);
	*ret_seconds = value;
	return NULL;
}

static struct ms_error *parse_count(const char *option, const char *text, size_t *ret_count)
{
	unsigned long long value;

	errno = 0;
	value = is_number(text) ? strtoull(text, NULL, 10) : 0;
	if (errno || !value)
		return ms_error_new(MS_ERR_USAGE, "%s %s cannot be meant; type a number from 1%s",
				    option, text, strcmp(option, "--top") ? "" : ", or --all");
	*ret_count = (size_t)value;
	return NULL;
}

static struct ms_error *parse_bucket(const char *text, uint64_t *ret_unit)
{
	unsigned long long value;

	errno = 0;
	value = is_number(text) ? strtoull(text, NULL, 10) : 0;
	if (errno || !is_number(text) || value == MS_UNKNOWN)
		return ms_error_new(MS_ERR_USAGE,
				    "--bucket %s cannot be meant; type a number from 0", text);
	*ret_unit = value;
	return NULL;
}

static struct ms_error *parse_sort(const char *text, enum ms_verb verb, struct ms_options *o)
{
	bool is_top = verb == MS_VERB_TOP;
	size_t count = is_top ? MS_TOP_SORT_COUNT_ : MS_ARRAY_SIZE(sort_names), i = 0;

	while (i < count &&
	       strcmp(text, is_top ? ms_top_sort_name((enum ms_top_sort)i) : sort_names[i]) != 0)
		i++;
	if (i == count)
		return ms_error_new(MS_ERR_USAGE, "--sort %s is not known; type --sort %s", text,
				    is_top ? "growth, bytes, slack, waiting or entries"
					   : "bytes, entries, slack, load or maps");
	if (is_top)
		o->looks.sort = (enum ms_top_sort)i;
	else
		o->view.sort = (enum ms_sort_key)i;
	return NULL;
}

/** An ending that says nothing is told later, when it is known what the verb has. */
static struct ms_error *parse_file(const char *path, struct ms_options *o)
{
	enum ms_format format = MS_FORMAT_COUNT_;

	if (o->file_count == MS_OUTPUT_FILES_MAX)
		return ms_error_new(MS_ERR_USAGE, "-o can be given %d times",
				    (int)MS_OUTPUT_FILES_MAX);
	(void)ms_format_of_path(path, &format);
	o->files[o->file_count++] = (struct ms_output_file){ path, format };
	return NULL;
}

static struct ms_error *parse_format(const char *text, enum ms_format *ret_format)
{
	if (ms_format_of_name(text, ret_format))
		return NULL;
	return ms_error_new(MS_ERR_USAGE, "--format %s is not known; type --format text, json, ...",
			    text);
}

/** A regular expression is tried here, so that a wrong one ends the run before it begins. */
static struct ms_error *parse_pattern(const char *option, const char *text, const char **ret_text)
{
	struct ms_pattern pattern;
	struct ms_error *err = ms_pattern_init(&pattern, option, text);

	if (err)
		return err;
	ms_pattern_deinit(&pattern);
	*ret_text = text;
	return NULL;
}

/** Find a verb by its beginning; *ret_count says how many begin so. */
static enum ms_verb find_verb(const char *text, size_t *ret_count)
{
	size_t count = 0, found = MS_VERB_HELP;

	for (size_t i = 0; i < MS_VERB_COUNT_; i++) {
		if (!verbs[i].name || strncmp(verbs[i].name, text, strlen(text)) != 0)
			continue;
		found = i;
		count++;
	}
	*ret_count = count;
	return (enum ms_verb)found;
}

static struct ms_error *parse_verb(const char *text, enum ms_verb *ret_verb)
{
	size_t count;
	enum ms_verb found = find_verb(text, &count);
	struct ms_error *err;

	if (count > 1)
		return ms_error_new(MS_ERR_USAGE,
				    "%s is the beginning of several verbs; type more of it, or "
				    "mapscope --help for all",
				    text);
	if (count == 1) {
		*ret_verb = found;
		return NULL;
	}
	err = refuse_file(text);
	if (err)
		return err;
	return ms_error_new(
	    MS_ERR_USAGE,
	    "%s is neither a verb nor a PID; type mapscope --help for the verbs, or "
	    "mapscope --name %s for a process of this name",
	    text, text);
}

// --- Options. ---

/** Which options were given, for the checks after the last word. */
struct given {
	uint64_t rows; // A bit by index in rows.
	const char *pid, *seconds, *sort;
	int after_dashes; // Words behind --, -1 without it.
};

static const struct option_row *row_of(int id)
{
	for (size_t i = 0; i < MS_ARRAY_SIZE(rows); i++) {
		if (rows[i].id == id)
			return &rows[i];
	}
	return NULL;
}

static struct ms_error *parse_fail_if(const char *value, struct ms_options *o)
{
	struct ms_fail_if rule = { 0 };
	struct ms_error *err = ms_fail_if_parse(value, &rule);

	if (!err && o->fail_if_count == MS_FAIL_IFS_MAX)
		err =
		    ms_error_new(MS_ERR_USAGE, "--fail-if can be given %d times", MS_FAIL_IFS_MAX);
	if (!err)
		o->fail_ifs[o->fail_if_count++] = value;
	ms_fail_if_deinit(&rule);
	return err;
}

static struct ms_error *parse_time(const char *option, const char *text, double *ret_s)
{
	if (ms_duration_parse(text, ret_s) && *ret_s >= EVERY_S_MIN)
		return NULL;
	return ms_error_new(MS_ERR_USAGE,
			    "%s %s cannot be meant; type a time like 30s, 5m or 2h, from %g s on",
			    option, text, EVERY_S_MIN);
}

static struct ms_error *parse_ring_size(const char *text, uint64_t *ret_bytes)
{
	if (ms_bytes_parse(text, ret_bytes) && *ret_bytes >= MS_RING_BYTES_MIN &&
	    *ret_bytes <= MS_RING_BYTES_MAX)
		return NULL;
	return ms_error_new(MS_ERR_USAGE,
			    "--ring-size %s cannot be meant; type bytes like 64MB, from 1MiB on",
			    text);
}

static struct ms_error *parse_at_rss(const char *text, struct ms_options *o)
{
	char *end;
	double share = strtod(text, &end);

	if (!strcmp(end, "%") && share > 0 && share <= 100) {
		o->watch.at_rss_share = share / 100;
		return NULL;
	}
	if (ms_bytes_parse(text, &o->watch.at_rss_bytes) && o->watch.at_rss_bytes)
		return NULL;
	return ms_error_new(
	    MS_ERR_USAGE, "--at-rss %s cannot be meant; type a share like 90%%, or bytes like 2GB",
	    text);
}

static struct ms_error *take_option(int id, const char *value, struct ms_options *o,
				    struct given *given)
{
	given->rows |= UINT64_C(1) << (row_of(id) - rows);
	switch (id) {
	case OPT_NAME:
		o->name = value;
		return NULL;
	case 'p':
		given->pid = value;
		return NULL;
	case OPT_SECONDS:
		given->seconds = value; // Its bounds depend on the verb.
		return NULL;
	case OPT_TOP:
		return parse_count("--top", value, &o->view.top);
	case OPT_SORT:
		given->sort = value; // Its words, too.
		return NULL;
	case OPT_ALL:
		o->view.top = SIZE_MAX;
		return NULL;
	case OPT_NO_OWNERS:
		o->no_owners = true;
		return NULL;
	case OPT_EXPAND:
		o->view.rows = MS_ROWS_EXPANDED;
		return NULL;
	case OPT_EXE:
		o->exe = value;
		return NULL;
	case OPT_SYSROOT:
		o->sysroot = value;
		return NULL;
	case OPT_OWNER:
		return parse_pattern("--owner", value, &o->owner);
	case OPT_TYPE:
		return parse_pattern("--type", value, &o->type);
	case OPT_BUDGET:
		o->budget = value;
		return NULL;
	case OPT_FAIL_IF:
		return parse_fail_if(value, o);
	case OPT_RING:
		return parse_time("--ring", value, &o->watch.ring_s);
	case OPT_EVERY:
		return parse_time("--every", value, &o->every_s);
	case OPT_COUNT:
		return parse_count("--count", value, &o->looks.count);
	case OPT_BATCH:
		o->looks.batch = true;
		return NULL;
	case OPT_RING_SIZE:
		return parse_ring_size(value, &o->watch.ring_bytes);
	case OPT_AT_RSS:
		return parse_at_rss(value, o);
	case OPT_STUCK:
		o->stuck = true;
		return NULL;
	case OPT_ONCE:
		o->once = true;
		return NULL;
	case OPT_SCHED:
		o->sched = true;
		return NULL;
	case OPT_BURST:
		o->burst = true;
		return NULL;
	case OPT_NO_PROBES:
		o->no_probes = true;
		return NULL;
	case OPT_SMALL:
		o->small = true;
		return NULL;
	case OPT_GCTRACE:
		o->gctrace = true;
		return NULL;
	case OPT_MIGRATIONS:
		o->migrations = true;
		return NULL;
	case OPT_CREATIONS:
		o->creations = true;
		return NULL;
	case OPT_CHECK:
		o->check = true;
		return NULL;
	case OPT_BUCKET:
		return parse_bucket(value, &o->unit);
	case OPT_GDB:
		o->gdb = true;
		return NULL;
	case OPT_DLV:
		o->dlv = true;
		return NULL;
	case OPT_SHOW_KEYS:
		o->show_keys = true;
		return NULL;
	case OPT_JSON:
		o->format = MS_FORMAT_JSON;
		return NULL;
	case OPT_FORMAT:
		return parse_format(value, &o->format);
	case 'o':
		return parse_file(value, o);
	case OPT_NO_COLOR:
		o->no_color = true;
		return NULL;
	case 'q':
		o->quiet = true;
		return NULL;
	}
	return NULL;
}

/** getopt did not understand @p word; @p id is the option it belongs to, or 0. */
static struct ms_error *error_option(int result, int id, const char *word)
{
	const struct option_row *row = row_of(id);

	if (result == ':' && row)
		return ms_error_new(MS_ERR_USAGE, "%s lacks its value; type --%s %s", word,
				    row->name, row->argument);
	if (row)
		return ms_error_new(MS_ERR_USAGE, "--%s takes no value; type --%s alone", row->name,
				    row->name);
	if (id)
		return ms_error_new(MS_ERR_USAGE, "-%c is not an option; type mapscope --help", id);
	return ms_error_new(MS_ERR_USAGE,
			    "%s is not an option, or the beginning of several; type mapscope "
			    "--help",
			    word);
}

static struct ms_error *take_options(int argc, char **argv, struct ms_options *o,
				     struct given *given)
{
	struct option longs[MS_ARRAY_SIZE(rows) + 1] = { { 0 } };
	char shorts[2 * MS_ARRAY_SIZE(rows) + 3] = ":";
	size_t used = 1;
	int id;

	for (size_t i = 0; i < MS_ARRAY_SIZE(rows); i++) {
		int has = rows[i].argument ? required_argument : no_argument;

		longs[i] = (struct option){ rows[i].name, has, NULL, rows[i].id };
		if (rows[i].id >= 256)
			continue;
		shorts[used++] = (char)rows[i].id;
		if (rows[i].argument)
			shorts[used++] = ':';
	}
	shorts[used++] = 'h'; // A habit, not worth a line of help.
	opterr = 0;
	optind = 0;
	while ((id = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		struct ms_error *err;

		if (id == '?' || id == ':')
			return error_option(id, optopt, argv[optind - 1]);
		err = take_option(id == 'h' ? OPT_HELP : id, optarg, o, given);
		if (err)
			return err;
	}
	return NULL;
}

static bool was_given(const struct given *given, int id)
{
	return given->rows >> (row_of(id) - rows) & 1;
}

// --- The whole. ---

/** "X; let the name end in .json or .txt", or with names in place of endings. */
static struct ms_error *error_format(const struct ms_options *o, const struct ms_output_file *file)
{
	unsigned bits = verbs[o->verb].formats;
	struct ms_sink list;
	struct ms_error *err;
	const char *text;

	ms_sink_init_memory(&list);
	if (file)
		ms_format_list_endings(bits, &list);
	else
		ms_format_list_names(bits, &list);
	text = ms_sink_text(&list);
	if (!text)
		err = ms_error_no_memory();
	else if (!file)
		err = ms_error_new(MS_ERR_USAGE, "%s has no form %s; type --format %s",
				   verbs[o->verb].name, ms_format_name(o->format), text);
	else if (file->format == MS_FORMAT_COUNT_)
		err = ms_error_new(MS_ERR_USAGE,
				   "-o %s does not say which format; let the name end in %s",
				   file->path, text);
	else
		err = ms_error_new(MS_ERR_USAGE, "%s has no form %s for %s; let the name end in %s",
				   verbs[o->verb].name, ms_format_name(file->format), file->path,
				   text);
	ms_sink_deinit(&list);
	return err;
}

static struct ms_error *check_formats(const struct ms_options *o, const struct given *given)
{
	unsigned bits = verbs[o->verb].formats;

	if (was_given(given, OPT_JSON) && was_given(given, OPT_FORMAT))
		return ms_error_new(MS_ERR_USAGE, "--json is --format json; type one of them");
	if (!(bits >> o->format & 1))
		return error_format(o, NULL);
	for (size_t i = 0; i < o->file_count; i++) {
		if (!(bits >> o->files[i].format & 1))
			return error_format(o, &o->files[i]);
	}
	return NULL;
}

/** The one ring, and whether so many censuses fit it. */
static struct ms_error *check_watch(const struct ms_options *o)
{
	unsigned rings = 0;

	for (size_t i = 0; i < o->file_count; i++)
		rings += o->files[i].format == MS_FORMAT_MRING;
	if (rings != 1 || o->format == MS_FORMAT_MRING)
		return ms_error_new(MS_ERR_USAGE, "watch keeps its censuses in one file; type "
						  "mapscope watch PID -o FILE.mring");
	if (o->watch.ring_s / o->every_s > MS_RING_ENTRIES_MAX - 1)
		return ms_error_new(MS_ERR_USAGE,
				    "a ring has at most %d censuses; type a larger --every, or a "
				    "smaller --ring",
				    (int)MS_RING_ENTRIES_MAX);
	return NULL;
}

/** Every option given belongs to the verb, and none contradicts another. */
static struct ms_error *check_options(const struct ms_options *o, const struct given *given)
{
	struct ms_error *err;

	for (size_t i = 0; i < MS_ARRAY_SIZE(rows); i++) {
		if (given->rows >> i & 1 && !(rows[i].verbs & 1u << o->verb))
			return ms_error_new(MS_ERR_USAGE,
					    "--%s is not an option of %s; type mapscope help %s",
					    rows[i].name, verbs[o->verb].name, verbs[o->verb].name);
	}
	if (was_given(given, OPT_TOP) && was_given(given, OPT_ALL))
		return ms_error_new(MS_ERR_USAGE, "--top and --all contradict each other; type one "
						  "of them");
	if (was_given(given, OPT_SECONDS) && was_given(given, OPT_ONCE))
		return ms_error_new(MS_ERR_USAGE,
				    "--seconds and --once contradict each other; type "
				    "one of them");
	if (o->view.sort == MS_SORT_MAPS && o->view.rows == MS_ROWS_EXPANDED)
		return ms_error_new(MS_ERR_USAGE, "--sort maps counts the maps of a row, and "
						  "--expand makes it one; type one of them");
	if (o->verb == MS_VERB_INSPECT && o->every_s > 0 && (o->core || o->file_count))
		return ms_error_new(MS_ERR_USAGE,
				    "--every looks at a running map again and again, "
				    "which %s; type mapscope inspect without it",
				    o->core ? "a core has none of" : "a file has no room for");
	if (o->verb == MS_VERB_INSPECT && was_given(given, OPT_COUNT) && !(o->every_s > 0))
		return ms_error_new(MS_ERR_USAGE,
				    "--count counts looks; type --every TIME with it");
	err = check_formats(o, given);
	return err || o->verb != MS_VERB_WATCH ? err : check_watch(o);
}

static struct ms_error *take_help(int count, char **words, struct ms_options *o)
{
	size_t found = 1;

	o->topic = count ? find_verb(words[0], &found) : MS_VERB_HELP;
	if (found != 1)
		return ms_error_new(MS_ERR_USAGE,
				    "there is no help on %s; type mapscope --help for the verbs",
				    words[0]);
	return NULL;
}

/** Two words, each a file or a PID; or a ring alone. */
static struct ms_error *take_sides(int count, char **words, struct ms_options *o)
{
	if (count != 2 && (count != 1 || is_number(words[0])))
		return ms_error_new(MS_ERR_USAGE,
				    "diff compares two; type mapscope diff A B, each a file that "
				    "mapscope maps wrote or a PID; or diff FILE.mring");
	for (int i = 0; i < count; i++) {
		struct ms_error *err = NULL;

		o->sides[i].name = words[i];
		if (is_number(words[i]))
			err = parse_pid(words[i], &o->sides[i].pid);
		else
			o->sides[i].is_core = ms_core_is(words[i]);
		if (err)
			return err;
	}
	return NULL;
}

/** What stands behind -- is the command; before it, nothing is left but the verb. */
static struct ms_error *take_command(int count, char **words, struct ms_options *o,
				     const struct given *given)
{
	if (given->after_dashes != count || count == 0)
		return ms_error_new(MS_ERR_USAGE, "the command stands behind two dashes; type "
						  "mapscope run [OPTIONS] -- COMMAND");
	o->command = words;
	return NULL;
}

/** A core file without a verb, where its name is none. */
static bool is_core_alone(int count, const char *word)
{
	size_t found;

	(void)find_verb(word, &found);
	return count == 1 && found != 1 && ms_core_is(word);
}

/** A core file in place of a PID: what it can be asked. */
static struct ms_error *take_core(const char *path, struct ms_options *o)
{
	if (!(FOR_CORES & 1u << o->verb))
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "%s is a core file, and mapscope %s looks at what goes on in a "
				    "running process; type mapscope maps %s",
				    path, verbs[o->verb].name, path);
	o->core = path;
	return NULL;
}

/** The words that are no options: [VERB] [PID]. */
static struct ms_error *take_words(int count, char **words, struct ms_options *o,
				   const struct given *given)
{
	const char *pid = given->pid, *verb = "";
	struct ms_error *err;

	if (count && !is_number(words[0]) && !is_core_alone(count, words[0])) {
		err = parse_verb(words[0], &o->verb);
		if (err)
			return err;
		verb = verbs[o->verb].name;
		count--;
		words++;
	}
	if (o->verb == MS_VERB_HELP)
		return take_help(count, words, o);
	if (was_given(given, OPT_HELP)) {
		o->topic = o->verb;
		o->verb = MS_VERB_HELP;
		return NULL;
	}
	if (o->verb == MS_VERB_DIFF)
		return take_sides(count, words, o);
	if (o->verb == MS_VERB_RUN)
		return take_command(count, words, o, given);
	if (o->verb == MS_VERB_INSPECT) {
		if (!count || (count == 1 && !pid && !o->name && is_number(words[0])))
			return ms_error_new(MS_ERR_USAGE, "no map is named; type mapscope inspect "
							  "PID OWNER, or an address as 0x...");
		o->map = words[--count];
		if (count > 1 || (count && (pid || o->name)))
			return ms_error_new(MS_ERR_USAGE,
					    "inspect opens one map of one process, and %s and %s "
					    "would be two; an owner with spaces wants quotes",
					    words[count - 1], o->map);
	}
	if (count > 1 || (count && (pid || o->name)) || (pid && o->name))
		return ms_error_new(MS_ERR_USAGE,
				    "more than one process is named; type one PID or one --name");
	if (count)
		pid = words[0];
	if (pid && !is_number(pid) && ms_core_is(pid))
		return take_core(pid, o);
	if (pid && (o->exe || o->sysroot))
		return ms_error_new(MS_ERR_USAGE,
				    "--exe and --sysroot say where the program of a core file is, "
				    "and %s is none",
				    pid);
	if (pid)
		return parse_pid(pid, &o->pid);
	if (!o->name)
		return ms_error_new(
		    MS_ERR_USAGE,
		    "no process is named; type mapscope %s%sPID%s, or mapscope --help", verb,
		    verb[0] ? " " : "", o->map ? " MAP" : "");
	return NULL;
}

/** Counted before getopt puts the words in another order; -1 without dashes. */
static int words_after_dashes(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--"))
			return argc - i - 1;
	}
	return -1;
}

static double every_s_default(enum ms_verb verb)
{
	if (verb == MS_VERB_WATCH)
		return WATCH_EVERY_S_DEFAULT;
	return verb == MS_VERB_TOP ? TOP_EVERY_S_DEFAULT : 0;
}

struct ms_error *ms_options_parse(int argc, char **argv, struct ms_options *ret_options)
{
	struct ms_options o = {
		.verb = MS_VERB_DIAGNOSE,
		.seconds = SECONDS_DEFAULT,
		.unit = MS_UNKNOWN,
		.view = { .top = TOP_DEFAULT, .sort = MS_SORT_BYTES },
		.watch = { RING_S_DEFAULT, RING_BYTES_DEFAULT, 0, 0 },
	};
	struct given given = { .after_dashes = words_after_dashes(argc, argv) };
	struct ms_error *err = take_options(argc, argv, &o, &given);

	if (err)
		return err;
	if (was_given(&given, OPT_VERSION)) {
		o.verb = MS_VERB_VERSION;
	} else if (optind == argc && was_given(&given, OPT_HELP)) {
		o.verb = o.topic = MS_VERB_HELP;
	} else {
		err = take_words(argc - optind, argv + optind, &o, &given);
		if (!err && o.verb == MS_VERB_GOROUTINES && !was_given(&given, OPT_SECONDS))
			o.seconds = LOOKS_APART_S;
		if ((o.verb == MS_VERB_TRACE || o.verb == MS_VERB_WATCH) && !given.seconds)
			o.seconds = INFINITY;
		if (!was_given(&given, OPT_EVERY))
			o.every_s = every_s_default(o.verb);
		if (!err && given.sort)
			err = parse_sort(given.sort, o.verb, &o);
		if (!err && given.seconds)
			err = parse_seconds(given.seconds, o.verb, &o.seconds);
		if (!err && o.verb != MS_VERB_HELP)
			err = check_options(&o, &given);
	}
	if (err)
		return err;
	*ret_options = o;
	return NULL;
}
