// finding.c - a finding in sentences: entries, table, clock, growths, evacuation.
#include "render/finding.h"

#include "render/human.h"

#include <math.h>

enum { CLASSIC_BUCKET_SLOTS = 8 };

static void line_entries(const struct ms_finding *f, double window_s, struct ms_sink *line)
{
	struct ms_human a, b, c;

	if (f->entries_before == MS_UNKNOWN)
		ms_sink_printf(line, "%s entries, new since the first look",
			       ms_human_count(&a, f->map.entries));
	else if (f->entries_before == f->map.entries)
		ms_sink_printf(line, "%s entries, as many as %s before",
			       ms_human_count(&a, f->map.entries), ms_human_seconds(&c, window_s));
	else
		ms_sink_printf(line, "from %s to %s entries in %s",
			       ms_human_count(&a, f->entries_before),
			       ms_human_count(&b, f->map.entries), ms_human_seconds(&c, window_s));
	if (isfinite(f->entries_per_s) && f->entries_before != f->map.entries)
		ms_sink_printf(line, ": %s entries/s", ms_human_rate(&a, f->entries_per_s));
	if (f->verdict == MS_VERDICT_SAWTOOTH)
		ms_sink_printf(line, "; between %s and %s in %s looks",
			       ms_human_count(&a, f->entries_low),
			       ms_human_count(&b, f->entries_high), ms_human_count(&c, f->polls));
}

static void line_table(const struct ms_finding *f, struct ms_sink *line)
{
	double load = ms_map_row_load(&f->map);
	struct ms_human a, b;

	ms_sink_printf(line, "table %s", ms_human_bytes(&a, f->map.total_bytes));
	if (isfinite(f->bytes_per_min) && fabs(f->bytes_per_min) >= 1)
		ms_sink_printf(line, " (%s/min)", ms_human_bytes_change(&a, f->bytes_per_min));
	ms_sink_printf(line, ", load %s", ms_human_percent(&a, load));
	if (f->map.kind == MS_MAP_CLASSIC && isfinite(load))
		ms_sink_printf(line, " (%s/8)", ms_human_rate(&a, load * CLASSIC_BUCKET_SLOTS));
	ms_sink_printf(line, " of %s slots, slack %s", ms_human_count(&a, f->map.capacity),
		       ms_human_bytes(&b, f->map.slack_bytes));
}

static void line_clock(const struct ms_finding *f, struct ms_sink *line)
{
	struct ms_clock clock = ms_finding_clock(f);
	struct ms_human a;

	if (clock.next_growth_entries == MS_UNKNOWN || f->verdict != MS_VERDICT_GROWING)
		return;
	ms_sink_printf(line, "next growth at %s entries", ms_human_count(&a, f->map.grow_at));
	if (isfinite(clock.next_growth_s))
		ms_sink_printf(line, ", in about %s at this rate",
			       ms_human_ahead(&a, clock.next_growth_s));
}

static void line_growths(const struct ms_finding *f, struct ms_sink *line)
{
	struct ms_human a, b;

	if (f->growths_seen == 0 || f->growths_seen == MS_UNKNOWN)
		return;
	ms_sink_printf(line, "grew at least %s %s, seen in %s looks",
		       ms_human_count(&a, f->growths_seen), f->growths_seen == 1 ? "time" : "times",
		       ms_human_count(&b, f->polls));
}

static void line_evacuation(const struct ms_finding *f, struct ms_sink *line)
{
	const struct ms_map_growth *growth = &f->map.growth;
	uint64_t buckets = growth->from / CLASSIC_BUCKET_SLOTS;
	struct ms_human a, b;

	if (!f->map.growing || f->map.kind != MS_MAP_CLASSIC)
		return;
	ms_sink_printf(line, "evacuating %s of %s buckets%s",
		       ms_human_percent(&a, growth->progress),
		       ms_human_count(&b, growth->from == MS_UNKNOWN ? MS_UNKNOWN : buckets),
		       growth->same_size ? " into an array of the same size" : "");
}

void ms_finding_line(const struct ms_finding *finding, double window_s, unsigned index,
		     struct ms_sink *line)
{
	switch (index) {
	case 0:
		line_entries(finding, window_s, line);
		break;
	case 1:
		line_table(finding, line);
		break;
	case 2:
		line_clock(finding, line);
		break;
	case 3:
		line_growths(finding, line);
		break;
	case 4:
		line_evacuation(finding, line);
		break;
	}
}
