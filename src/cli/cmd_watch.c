// cmd_watch.c - `mapscope watch`: a flight recorder.
//
// Between censuses nothing is kept but the ring's list: the process is opened anew for each one,
// and what that took is given back to the kernel.  What is looked at four times a second is cheap:
// two numbers of /proc, one of the group.
//
// A census that is wanted for a reason is written as a file of its own beside the ring, one for
// each reason, the latest one: whatever happens how often, they are a handful.
#include "cli/cmd.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "cli/fail_ifs.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/privileges.h"
#include "cli/proc_file.h"
#include "cli/sides.h"
#include "cli/take_census.h"
#include "render/human.h"
#include "target/memory_pressure.h"

#include <malloc.h>
#include <math.h>

static const double TICK_S = 0.25;
static const double PRESSURE_QUIET_S = 60; // Between two dumps for pressure.
static const double CALM_SHARE = 0.95;     // Of the mark: below it, reaching it is news again.

enum reason { NO_REASON, AT_RSS, PRESSURE, REQUEST, FAIL_IF };

static const char *const reason_names[] = {
	[AT_RSS] = "at-rss",
	[PRESSURE] = "pressure",
	[REQUEST] = "signal",
	[FAIL_IF] = "fail-if",
};

struct watching {
	const struct ms_options *options;
	const char *path; // Of the ring.
	double started, until, due;
	pid_t pid;
	uint64_t start_ticks;
	struct ms_ring ring;
	struct ms_cgroup_limit group;
	struct ms_memory_pressure pressure;
	uint64_t mark_bytes;   // Of --at-rss; MS_UNKNOWN without it.
	uint64_t kills;        // Of its group, when it began.
	bool is_above;         // The mark was passed, and that has been dumped.
	double pressure_quiet; // Until when pressure is no news.
	bool is_gone;
	bool has_census; // One of this process, since it began.
	enum ms_exit_code code;
};

static void say(const char *format, ...) MS_PRINTF(1, 2);

static void say(const char *format, ...)
{
	MS_AUTO_FREE char *line = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&line, format, ap) < 0)
		line = NULL;
	va_end(ap);
	if (line)
		ms_output_say(line);
}

// --- A dump. ---

static struct ms_error *page_msnap(const void *report, const struct ms_options *o,
				   struct ms_sink *sink)
{
	const struct ms_bytes *file = report;

	(void)o;
	ms_sink_write(sink, file->items, file->count);
	return ms_sink_finish(sink);
}

/** FILE-WHY.msnap beside FILE.mring. */
static char *dump_path(const struct watching *w, enum reason reason)
{
	size_t stem = strlen(w->path) - strlen(".mring");
	char *path;

	return asprintf(&path, "%.*s-%s.msnap", (int)stem, w->path, reason_names[reason]) < 0
		   ? NULL
		   : path;
}

/** What led to it, as the beginning of a sentence. */
static void say_reason(const struct watching *w, enum reason reason, const char *path)
{
	uint64_t rss = ms_memory_resident(w->pid, "");
	const char *why = reason == PRESSURE  ? "its cgroup runs short of memory"
			  : reason == REQUEST ? "asked for by SIGUSR1"
					      : "a --fail-if holds";
	struct ms_human resident, mark;

	ms_human_bytes(&resident, rss);
	if (reason == AT_RSS)
		say("its memory reached %s (RSS %s): wrote %s",
		    ms_human_bytes(&mark, w->mark_bytes), resident.text, path);
	else
		say("%s (RSS %s): wrote %s", why, resident.text, path);
}

/** The owner with the most bytes, where there is nothing to compare with. */
static void say_largest(const struct ms_census_report *census)
{
	const struct ms_owner_row *row = census->owners;
	struct ms_human bytes;

	if (census->owner_count)
		say("the first census; most has %s %s: %s",
		    row->owner ? row->owner : "owner unknown", row->type ? row->type : "",
		    ms_human_bytes(&bytes, row->total_bytes));
}

/** The first and the last census of this process in the ring, and what lies between them. */
struct growth {
	struct ms_ring_sides ring;
	struct ms_diff_report diff;
};

static void growth_deinit(struct growth *g)
{
	ms_diff_report_deinit(&g->diff);
	for (unsigned i = 0; i < 2; i++)
		ms_census_report_deinit(&g->ring.sides[i].census);
}

static struct ms_error *growth_read(const struct watching *w, struct growth *ret_growth)
{
	struct growth g = { 0 };
	struct ms_error *err = ms_ring_sides_read(&w->ring, w->path, &g.ring);
	const struct ms_snapshot *sides = g.ring.sides;

	if (err)
		return err;
	const struct ms_diff_input inputs[] = {
		{ g.ring.names[0], &sides[0].census, false, sides[0].all_maps },
		{ g.ring.names[1], &sides[1].census, false, sides[1].all_maps },
	};
	err = ms_diff_make(&inputs[0], &inputs[1], &g.diff);
	if (err)
		growth_deinit(&g);
	else
		*ret_growth = g;
	return err;
}

static struct ms_error *say_growth(const struct watching *w)
{
	struct growth g;
	struct ms_sink sink;
	struct ms_error *err = growth_read(w, &g);

	if (err)
		return err;
	if (!(g.ring.apart_s > 0)) {
		say_largest(&g.ring.sides[1].census);
	} else {
		ms_sink_init_memory(&sink);
		err = ms_render_growth_line(&g.diff, g.ring.apart_s, &sink);
		if (!err && ms_sink_text(&sink))
			ms_output_say(ms_sink_text(&sink));
		ms_sink_deinit(&sink);
	}
	growth_deinit(&g);
	return err;
}

static struct ms_error *dump(struct watching *w, enum reason reason, const struct ms_bytes *file)
{
	MS_AUTO_FREE char *path = dump_path(w, reason);
	const struct ms_page page = { .documents = { [MS_FORMAT_MSNAP] = page_msnap },
				      .report = file,
				      .is_printed = true };
	struct ms_options o = *w->options;
	struct ms_error *err;

	if (!path)
		return ms_error_no_memory();
	o.files[0] = (struct ms_output_file){ path, MS_FORMAT_MSNAP };
	o.file_count = 1;
	err = ms_output_write(&o, &page);
	if (err)
		return err;
	say_reason(w, reason, path);
	return w->has_census ? say_growth(w) : NULL;
}

// --- A census. ---

static struct ms_error *add_to_ring(struct watching *w, const struct ms_census_report *census,
				    uint64_t now_ns, const struct ms_bytes *file)
{
	const struct ms_options *o = w->options;
	const struct ms_ring_entry entry = { .taken_ns = now_ns,
					     .pid = (uint64_t)w->pid,
					     .start_ticks = w->start_ticks };
	uint64_t reach_ns = (uint64_t)(o->watch.ring_s * 1e9);
	uint64_t oldest_ns = now_ns > reach_ns ? now_ns - reach_ns : 0;
	double each = (double)w->ring.data_bytes / (o->watch.ring_s / o->every_s + 2);
	struct ms_bytes owners = { 0 };
	struct ms_error *err;

	if ((double)file->count <= each)
		return ms_ring_add(&w->ring, file, &entry, oldest_ns);
	err = ms_snapshot_pack(census, MS_SNAPSHOT_OWNERS, now_ns, &owners);
	if (!err)
		err = ms_ring_add(&w->ring, &owners, &entry, oldest_ns);
	free(owners.items);
	return err;
}

/** Into the ring, and into a file of its own where there is a reason or a --fail-if holds. */
static struct ms_error *keep(struct watching *w, enum reason reason,
			     const struct ms_census_report *census)
{
	uint64_t now_ns = ms_clock_wall_ns();
	struct ms_bytes file = { 0 };
	struct ms_error *err = ms_snapshot_pack(census, MS_SNAPSHOT_MAPS, now_ns, &file);

	// What was broken off says less than the census before it; better than no dump it is.
	if (!err && !(census->partial && (w->is_gone || ms_interrupted()))) {
		err = add_to_ring(w, census, now_ns, &file);
		w->has_census = w->has_census || !err;
	}
	if (!err)
		err = ms_fail_ifs_check(w->options, census->owners, census->owner_count, NULL,
					&w->code);
	if (!err && w->code == MS_EXIT_BUDGET)
		reason = FAIL_IF;
	if (!err && reason)
		err = dump(w, reason, &file);
	free(file.items);
	return err;
}

static bool is_gone(const struct watching *w)
{
	struct ms_proc_text stat;
	const char *name_end;

	if (ms_proc_start_ticks(w->pid) != w->start_ticks || !ms_proc_text(w->pid, "stat", &stat))
		return true;
	name_end = memrchr(stat.bytes, ')', stat.size);
	return !name_end || name_end[1] != ' ' || strchr("ZX", name_end[2]);
}

/** Whether an error of a census is no reason to end: a table that moved, or the process is gone. */
static bool can_go_on(struct watching *w, const struct ms_error *err)
{
	w->is_gone = w->is_gone || is_gone(w);
	return w->has_census && (w->is_gone || ms_error_is_unreadable(err));
}

static struct ms_error *look(struct watching *w, enum reason reason)
{
	struct ms_options o = *w->options;
	struct ms_census_report census;
	struct ms_session s;
	struct ms_error *err;

	o.pid = w->pid;
	o.name = NULL;
	err = ms_session_find(&s, &o, ms_clock_now());
	if (!err)
		err = ms_session_open(&s);
	if (!err)
		err = ms_take_census(&s, MS_TAKE_MAPS, &census);
	ms_session_deinit(&s);
	w->due = ms_clock_now() + o.every_s;
	if (err && can_go_on(w, err)) {
		if (!w->is_gone)
			say("no census this time: %s", ms_error_message(err));
		ms_error_free(err);
		malloc_trim(0);
		return NULL;
	}
	if (err)
		return err;
	w->is_gone = census.partial && is_gone(w);
	err = keep(w, reason, &census);
	ms_census_report_deinit(&census);
	malloc_trim(0);
	return err;
}

// --- Between censuses. ---

/** Whether the mark was passed since it was last below it. */
static bool passes_mark(struct watching *w)
{
	uint64_t used, rss;

	if (w->mark_bytes == MS_UNKNOWN)
		return false;
	rss = ms_memory_resident(w->pid, "");
	used = ms_cgroup_limit_used(&w->group, w->mark_bytes);
	if (!(w->options->watch.at_rss_share > 0) || used == MS_UNKNOWN)
		used = 0; // Bytes that were typed are of the process.
	if (rss != MS_UNKNOWN)
		used = ms_max_u64(used, rss);
	if ((double)used < CALM_SHARE * (double)w->mark_bytes)
		w->is_above = false;
	if (w->is_above || used < w->mark_bytes)
		return false;
	w->is_above = true;
	return true;
}

static enum reason reason_now(struct watching *w)
{
	double now = ms_clock_now();

	if (passes_mark(w))
		return AT_RSS;
	if (ms_interrupt_take_request())
		return REQUEST;
	if (!ms_memory_pressure_told(&w->pressure) || now < w->pressure_quiet)
		return NO_REASON;
	w->pressure_quiet = now + PRESSURE_QUIET_S;
	return PRESSURE;
}

static struct ms_error *tick(struct watching *w)
{
	double now = ms_clock_now();
	enum reason reason;

	w->is_gone = is_gone(w);
	if (w->is_gone)
		return NULL;
	reason = reason_now(w);
	if (reason || now >= w->due)
		return look(w, reason);
	ms_interrupt_sleep(fmin(now + TICK_S, fmin(w->due, w->until)));
	return NULL;
}

/** What is said once, when the first census is there. */
static void say_begun(const struct watching *w)
{
	const struct ms_options *o = w->options;
	struct ms_human every, reach, size, mark;

	if (o->quiet)
		return;
	say("watching process %d: a census every %s, those of %s in %s (%s at most)", (int)w->pid,
	    ms_human_ahead(&every, o->every_s), ms_human_ahead(&reach, o->watch.ring_s), w->path,
	    ms_human_bytes(&size, o->watch.ring_bytes));
	if (w->mark_bytes != MS_UNKNOWN)
		say("a dump at %s of %s%s", ms_human_bytes(&mark, w->mark_bytes),
		    o->watch.at_rss_share > 0 ? "its cgroup" : "RSS",
		    w->pressure.fd >= 0 ? ", and under memory pressure" : "");
	else if (w->pressure.fd >= 0)
		say("a dump under memory pressure");
}

// --- The end. ---

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	const struct growth *g = report;
	struct ms_error *err =
	    ms_render_census_text(&g->ring.sides[1].census, &o->view, style, sink);

	if (err || !(g->ring.apart_s > 0))
		return err;
	ms_sink_puts(sink, "\n");
	return ms_render_diff_text(&g->diff, &o->view, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	const struct growth *g = report;

	return ms_render_diff_json(&g->diff, &o->view, sink);
}

static struct ms_error *page_csv(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	const struct growth *g = report;

	return ms_render_diff_csv(&g->diff, &o->view, sink);
}

/** Print what the last census has and what grew over the ring, and write the files but the ring. */
static struct ms_error *show(const struct watching *w, const struct growth *g)
{
	struct ms_row_filter filter MS_CLEANUP(ms_row_filter_deinit) = { 0 };
	const struct ms_page page = {
		.text = page_text,
		.documents = { [MS_FORMAT_JSON] = page_json, [MS_FORMAT_CSV] = page_csv },
		.report = g
	};
	struct ms_options o = *w->options;
	struct ms_error *err = ms_row_filter_init(&filter, o.owner, o.type);

	if (err)
		return err;
	o.view.filter = &filter;
	o.file_count = 0;
	for (size_t i = 0; i < w->options->file_count; i++) {
		if (w->options->files[i].format != MS_FORMAT_MRING)
			o.files[o.file_count++] = w->options->files[i];
	}
	return ms_output_write(&o, &page);
}

static struct ms_error *finish(const struct watching *w)
{
	const struct ms_session own = { .started = w->started };
	struct growth g;
	struct ms_error *err = growth_read(w, &g);

	if (err)
		return err;
	ms_session_account(&own, &g.diff.cost);
	g.diff.cost.gc_cycle = MS_UNKNOWN;
	g.diff.cost.gc_age_s = NAN;
	err = show(w, &g);
	growth_deinit(&g);
	return err;
}

static void say_gone(const struct watching *w)
{
	uint64_t kills = ms_cgroup_limit_kills(&w->group);
	bool was_killed = kills != MS_UNKNOWN && w->kills != MS_UNKNOWN && kills > w->kills;
	double last_ns = (double)w->ring.entries[w->ring.count - 1].taken_ns;
	struct ms_human count, ago;

	say("process %d went away%s; %s keeps %s %s, the last %s before", (int)w->pid,
	    was_killed ? ": the kernel killed something in its cgroup for memory" : "", w->path,
	    ms_human_count(&count, w->ring.count), w->ring.count == 1 ? "census" : "censuses",
	    ms_human_ahead(&ago, ((double)ms_clock_wall_ns() - last_ns) / 1e9));
}

// --- The whole. ---

/** From the words of --at-rss to bytes. */
static struct ms_error *set_mark(struct watching *w)
{
	const struct ms_options *o = w->options;

	w->mark_bytes = o->watch.at_rss_bytes ? o->watch.at_rss_bytes : MS_UNKNOWN;
	if (!(o->watch.at_rss_share > 0))
		return NULL;
	if (w->group.limit_bytes == MS_UNKNOWN)
		return ms_error_new(MS_ERR_USAGE,
				    "process %d is in no cgroup with a memory limit; type --at-rss "
				    "with bytes, like --at-rss 2GB",
				    (int)w->pid);
	w->mark_bytes = (uint64_t)(o->watch.at_rss_share * (double)w->group.limit_bytes);
	return NULL;
}

static struct ms_error *watch(struct watching *w)
{
	struct ms_error *err = set_mark(w);

	if (!err) {
		ms_privileges_write_begin();
		err = ms_ring_open(w->path, w->options->watch.ring_bytes, &w->ring);
		ms_privileges_write_end();
	}
	if (!err)
		err = look(w, NO_REASON);
	if (!err && !w->is_gone)
		say_begun(w);
	while (!err && !w->is_gone && w->code == MS_EXIT_DONE && !ms_interrupted() &&
	       ms_clock_now() < w->until)
		err = tick(w);
	if (err)
		return err;
	if (!w->has_census && !w->is_gone && ms_interrupted()) {
		ms_output_say("it was stopped before its first census");
		w->code = MS_EXIT_PARTIAL;
		return NULL;
	}
	if (!w->has_census)
		return ms_error_new(MS_ERR_GONE, "process %d went away before its first census",
				    (int)w->pid);
	if (w->is_gone && w->code == MS_EXIT_DONE)
		w->code = MS_EXIT_GONE;
	if (w->is_gone)
		say_gone(w);
	return finish(w);
}

static const char *ring_path(const struct ms_options *o)
{
	size_t i = 0;

	while (o->files[i].format != MS_FORMAT_MRING) // options.c saw to it that there is one.
		i++;
	return o->files[i].path;
}

struct ms_error *ms_cmd_watch(const struct ms_options *o, double started,
			      enum ms_exit_code *ret_exit)
{
	struct watching w = { .options = o,
			      .path = ring_path(o),
			      .started = started,
			      .until = started + o->seconds,
			      .ring = { .fd = -1 } };
	struct ms_session s;
	struct ms_error *err = ms_fail_ifs_are_of_census(o);

	if (!err)
		err = ms_session_find(&s, o, started);
	if (err)
		return err;
	ms_interrupt_catch_request();
	w.pid = s.pid;
	w.start_ticks = ms_proc_start_ticks(s.pid);
	w.group = ms_cgroup_limit_find(s.pid, "");
	w.kills = ms_cgroup_limit_kills(&w.group);
	w.pressure = ms_memory_pressure_listen(&w.group);
	err = watch(&w);
	ms_memory_pressure_close(&w.pressure);
	ms_cgroup_limit_deinit(&w.group);
	ms_ring_close(&w.ring);
	*ret_exit = w.code;
	return err;
}
