// format.h - the forms a result can have, by name and by the ending of a file's name.
//
// To add one: 1. a value here and its row in format.c; 2. the bit at each verb that has it in
// options.c; 3. the renderer in the verb's struct ms_page.
#pragma once

#include "render/sink.h"

/** The form of a page or file. */
enum ms_format {
	MS_FORMAT_TEXT,
	MS_FORMAT_JSON,
	MS_FORMAT_CSV,
	MS_FORMAT_MAPTRACE, // A line for each growth, in fixed words.
	MS_FORMAT_CHROME,   // Trace events: Perfetto, chrome://tracing.
	MS_FORMAT_PPROF,    // A gzipped profile.proto.
	MS_FORMAT_FOLDED,   // Stacks with their counts, a line each.
	MS_FORMAT_SVG,      // A flame graph; of one map, its table.
	MS_FORMAT_HTML,     // One file for a browser.
	MS_FORMAT_MSNAP,    // A census to compare with: docs/snapshot-format.md.
	MS_FORMAT_MRING,    // The latest of many: a file that `mapscope watch` keeps.
	MS_FORMAT_COUNT_,
};

/** Bits by format. */
enum {
	MS_FORMATS_DOCUMENT = 1 << MS_FORMAT_TEXT | 1 << MS_FORMAT_JSON,
	MS_FORMATS_TABLE = MS_FORMATS_DOCUMENT | 1 << MS_FORMAT_CSV,
	MS_FORMATS_INSPECT = MS_FORMATS_DOCUMENT | 1 << MS_FORMAT_SVG,
	MS_FORMATS_STACKS = 1 << MS_FORMAT_FOLDED | 1 << MS_FORMAT_SVG,
	MS_FORMATS_CENSUS = MS_FORMATS_TABLE | 1 << MS_FORMAT_PPROF,
	MS_FORMATS_MAPS = MS_FORMATS_CENSUS | 1 << MS_FORMAT_MSNAP,
	MS_FORMATS_WATCH = MS_FORMATS_TABLE | 1 << MS_FORMAT_MRING,
	MS_FORMATS_DIAGNOSIS =
	    MS_FORMATS_CENSUS | MS_FORMATS_STACKS | 1 << MS_FORMAT_CHROME | 1 << MS_FORMAT_HTML,
	MS_FORMATS_TRACE = MS_FORMATS_TABLE | MS_FORMATS_STACKS | 1 << MS_FORMAT_MAPTRACE |
			   1 << MS_FORMAT_CHROME | 1 << MS_FORMAT_PPROF,
};

const char *ms_format_name(enum ms_format format);

/** False when no format is called so. */
bool ms_format_of_name(const char *name, enum ms_format *ret_format);

/** By the longest ending that fits; false when the name ends in none. */
bool ms_format_of_path(const char *path, enum ms_format *ret_format);

/** It is not for a terminal. */
bool ms_format_is_binary(enum ms_format format);

/** "json, csv or text" of the formats in @p bits that can be printed. */
void ms_format_list_names(unsigned bits, struct ms_sink *sink);

/** ".json, .csv or .txt" */
void ms_format_list_endings(unsigned bits, struct ms_sink *sink);
