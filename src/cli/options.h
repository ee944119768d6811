// options.h - what was asked for: the command line as data.
#pragma once

#include "cli/format.h"
#include "render/render.h"
#include "report/top.h"

#include <sys/types.h>

enum ms_verb {
	MS_VERB_DIAGNOSE,
	MS_VERB_MAPS,
	MS_VERB_INSPECT,
	MS_VERB_HEAP,
	MS_VERB_GOROUTINES,
	MS_VERB_TRACE,
	MS_VERB_RUN,
	MS_VERB_DIFF,
	MS_VERB_WATCH,
	MS_VERB_TOP,
	MS_VERB_DOCTOR,
	MS_VERB_HELP,
	MS_VERB_VERSION,
	MS_VERB_COUNT_,
};

enum { MS_OUTPUT_FILES_MAX = 16, MS_FAIL_IFS_MAX = 16 };

struct ms_output_file {
	const char *path;
	enum ms_format format;
};

struct ms_options {
	enum ms_verb verb;
	enum ms_verb topic;         // Of MS_VERB_HELP; MS_VERB_HELP itself for the summary.
	pid_t pid;                  // 0 when a name or a core file was given.
	const char *core;           // A core file in place of a process, or NULL.
	const char *exe, *sysroot;  // Where the program of a core file is, or NULL.
	const char *name;           // As it was typed: a name, or a regular expression of several.
	double seconds;             // From the command to the page, for a verb that watches.
	double every_s;             // Between two censuses of watch, or looks; 0: one look.
	struct ms_census_view view; // Its filter is made from the next two by the verb.
	const char *owner, *type;   // Regular expressions that have been tried, or NULL.
	struct {
		const char *name; // As it was typed: the file, where pid is 0; NULL: a ring's.
		bool is_core;     // That file is a core.
		pid_t pid;
	} sides[2]; // Of diff.
	struct {
		double ring_s; // How far back it reaches.
		uint64_t ring_bytes;
		double at_rss_share;   // Of the limit; 0: not asked for.
		uint64_t at_rss_bytes; // 0: not asked for.
	} watch;
	struct {
		uint64_t count; // Looks; 0: until it is ended.
		enum ms_top_sort sort;
		bool batch;
	} looks;                               // Of top and inspect.
	const char *map;                       // Of inspect: an owner, or an address.
	uint64_t unit;                         // Of inspect: a bucket or group; MS_UNKNOWN.
	char **command;                        // Of run: ends with NULL.
	const char *budget;                    // Of run: the file, or NULL.
	const char *fail_ifs[MS_FAIL_IFS_MAX]; // Conditions that have been tried.
	size_t fail_if_count;
	enum ms_format format; // Of the page on stdout.
	bool no_owners;        // No walk: the census alone.
	bool stuck;            // Of goroutines: only those that wait for over five minutes.
	bool once;             // Of goroutines: one look.
	bool burst;            // Of goroutines: probe the writes of one map for a moment.
	bool sched;            // The scheduler's tables, too; of a trace, switches.
	bool no_probes;        // Of trace: poll.
	bool small;            // Of trace: first groups of empty maps, too.
	bool gctrace;          // Of trace: the runtime's own line for each collection.
	bool migrations;       // Of trace: old buckets, too.
	bool creations;        // Of trace: maps being made, too.
	bool check;            // Of inspect: a broken invariant is told by the exit code.
	bool gdb, dlv;         // Of inspect: the commands of these debuggers.
	bool show_keys;        // Of inspect: what keys look like.
	bool no_color;
	bool quiet;
	struct ms_output_file files[MS_OUTPUT_FILES_MAX];
	size_t file_count;
};

/**
 * Read the command line.  USAGE with one sentence that says what to type; UNSUPPORTED where a file
 * that is no core stands in the place of a PID.  Strings point into @p argv.
 */
MS_MUST_USE struct ms_error *ms_options_parse(int argc, char **argv,
					      struct ms_options *ret_options);

const char *ms_verb_name(enum ms_verb verb);

/** The help on one verb, or the summary for MS_VERB_HELP. */
void ms_options_help(enum ms_verb topic, struct ms_sink *sink);
