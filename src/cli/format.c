// format.c - one row for each form.  A format's first ending is the one that is offered.
#include "cli/format.h"

#include "base/types.h"

#include <string.h>

struct format_row {
	const char *name;
	const char *endings[3];
	bool is_binary;
};

static const struct format_row rows[MS_FORMAT_COUNT_] = {
	[MS_FORMAT_TEXT] = { "text", { ".txt" }, false },
	[MS_FORMAT_JSON] = { "json", { ".json" }, false },
	[MS_FORMAT_CSV] = { "csv", { ".csv" }, false },
	[MS_FORMAT_MAPTRACE] = { "maptrace", { ".maptrace" }, false },
	[MS_FORMAT_CHROME] = { "chrome",
			       { ".chrome.json", ".trace.json", ".perfetto-trace" },
			       false },
	[MS_FORMAT_PPROF] = { "pprof", { ".pb.gz", ".pprof", ".pprof.gz" }, true },
	[MS_FORMAT_FOLDED] = { "folded", { ".folded" }, false },
	[MS_FORMAT_SVG] = { "svg", { ".svg" }, false },
	[MS_FORMAT_HTML] = { "html", { ".html", ".htm" }, false },
	[MS_FORMAT_MSNAP] = { "msnap", { ".msnap" }, true },
	[MS_FORMAT_MRING] = { "mring", { ".mring" }, true },
};

const char *ms_format_name(enum ms_format format)
{
	return rows[format].name;
}

bool ms_format_is_binary(enum ms_format format)
{
	return rows[format].is_binary;
}

bool ms_format_of_name(const char *name, enum ms_format *ret_format)
{
	for (size_t i = 0; i < MS_FORMAT_COUNT_; i++) {
		if (!strcmp(rows[i].name, name)) {
			*ret_format = (enum ms_format)i;
			return true;
		}
	}
	return false;
}

bool ms_format_of_path(const char *path, enum ms_format *ret_format)
{
	size_t size = strlen(path), longest = 0;

	for (size_t i = 0; i < MS_FORMAT_COUNT_; i++) {
		for (size_t k = 0; k < MS_ARRAY_SIZE(rows[i].endings); k++) {
			const char *ending = rows[i].endings[k];
			size_t taken = ending ? strlen(ending) : 0;

			if (taken <= longest || taken > size ||
			    strcmp(path + size - taken, ending) != 0)
				continue;
			longest = taken;
			*ret_format = (enum ms_format)i;
		}
	}
	return longest > 0;
}

/** Text comes last, as what is left when nothing else is wanted. */
static void list(unsigned bits, bool endings, struct ms_sink *sink)
{
	unsigned left = (unsigned)__builtin_popcount(bits);

	for (unsigned i = 1; i <= MS_FORMAT_COUNT_; i++) {
		const struct format_row *row = &rows[i % MS_FORMAT_COUNT_];

		if (!(bits >> i % MS_FORMAT_COUNT_ & 1))
			continue;
		left--;
		ms_sink_printf(sink, "%s%s", endings ? row->endings[0] : row->name,
			       left > 1 ? ", "
			       : left   ? " or "
					: "");
	}
}

void ms_format_list_names(unsigned bits, struct ms_sink *sink)
{
	list(bits & ~(1U << MS_FORMAT_MRING), false, sink); // It is a file, and never printed.
}

void ms_format_list_endings(unsigned bits, struct ms_sink *sink)
{
	list(bits, true, sink);
}
