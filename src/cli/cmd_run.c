// cmd_run.c - `mapscope run -- CMD`: a command under observation, and its budget.
//
// The command has our terminal and our process group: what is typed there reaches it by itself, and
// nothing is ever sent to it.  Ctrl-C is therefore no reason for us to end: the command decides,
// and the page follows when it has ended.  The page goes to stderr, because stdout is the
// command's.
#include "cli/cmd.h"

#include "base/cleanup.h"
#include "cli/child.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/proc_file.h"
#include "cli/run_watch.h"
#include "cli/session.h"

#include <errno.h>
#include <math.h>
#include <sys/wait.h>

static const double STEP_S = 0.01; // How soon the end of the command is seen.
static const double TREE_S = 0.05; // Between two looks at the process tree.

enum { BUDGET_BYTES_MAX = 1 << 20 };

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	return ms_render_run_text(report, &o->view, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	return ms_render_run_json(report, &o->view, sink);
}

static struct ms_error *page_csv(const void *report, const struct ms_options *o,
				 struct ms_sink *sink)
{
	return ms_render_run_csv(report, &o->view, sink);
}

static struct ms_error *read_budget(const char *path, struct ms_budget *ret_budget)
{
	MS_AUTO_FCLOSE FILE *in = fopen(path, "re");
	MS_AUTO_FREE char *text = malloc(BUDGET_BYTES_MAX + 1);
	size_t size;

	if (!in)
		return ms_error_errno(MS_ERR_IO, errno, "could not open %s", path);
	if (!text)
		return ms_error_no_memory();
	size = fread(text, 1, BUDGET_BYTES_MAX + 1, in);
	if (ferror(in))
		return ms_error_errno(MS_ERR_IO, errno, "could not read %s", path);
	if (size > BUDGET_BYTES_MAX)
		return ms_error_new(MS_ERR_USAGE, "%s is larger than a budget can be: %d bytes",
				    path, (int)BUDGET_BYTES_MAX);
	return ms_budget_parse(text, size, path, ret_budget);
}

/** The command's words with spaces between. */
static const char *join_words(struct ms_arena *arena, char **words)
{
	const char *joined = ms_arena_printf(arena, "%s", words[0]);

	for (size_t i = 1; words[i] && joined; i++)
		joined = ms_arena_printf(arena, "%s %s", joined, words[i]);
	return joined;
}

/** Watch until the command ends, or until we are told to end. */
static struct ms_error *watch_command(struct ms_child *child, struct ms_run_watch *watch)
{
	struct ms_error *err = NULL;
	double next = 0;

	while (!err && !child->ended && !ms_interrupted()) {
		if (ms_clock_now() >= next) {
			err = ms_run_watch_step(watch);
			next = ms_clock_now() + TREE_S;
		}
		ms_interrupt_sleep(ms_clock_now() + STEP_S);
		ms_child_poll(child);
	}
	return err;
}

static void note_end(const struct ms_child *child, double started, struct ms_run_report *r)
{
	r->ran_s = ms_clock_now() - started;
	r->exit_code = -1;
	if (!child->ended) {
		r->partial = true;
		r->partial_reason = "mapscope was told to end while the command ran";
	} else if (WIFSIGNALED(child->status)) {
		r->exit_signal = WTERMSIG(child->status);
	} else {
		r->exit_code = WEXITSTATUS(child->status);
	}
}

static struct ms_error *show(const struct ms_options *typed, const struct ms_run_report *report)
{
	struct ms_row_filter filter MS_CLEANUP(ms_row_filter_deinit) = { 0 };
	struct ms_options o = *typed;
	const struct ms_page page = {
		.text = page_text,
		.documents = { [MS_FORMAT_JSON] = page_json, [MS_FORMAT_CSV] = page_csv },
		.report = report,
		.stream = stderr
	};
	struct ms_error *err = ms_row_filter_init(&filter, o.owner, o.type);

	if (err)
		return err;
	o.view.filter = &filter;
	return ms_output_write(&o, &page);
}

/** The command's own code, unless it ended well and something of ours did not. */
static enum ms_exit_code exit_code(const struct ms_run_report *r)
{
	if (r->exit_signal)
		return (enum ms_exit_code)(MS_EXIT_SIGNAL + r->exit_signal);
	if (r->exit_code > 0)
		return (enum ms_exit_code)r->exit_code;
	if (r->partial)
		return MS_EXIT_PARTIAL;
	return r->budget && ms_budget_broken(r->budget) ? MS_EXIT_BUDGET : MS_EXIT_DONE;
}

/** The command runs: watch it, print, and let its own code win over an error of ours. */
static struct ms_error *observe(const struct ms_options *o, double started, struct ms_child *child,
				struct ms_run_report *r, enum ms_exit_code *ret_exit)
{
	const struct ms_session own = { .started = started };
	struct ms_run_watch watch;
	struct ms_error *err;

	ms_run_watch_init(&watch, o, started, r);
	err = watch_command(child, &watch);
	while (!child->ended && !ms_interrupted()) { // Watching failed: the command goes on.
		ms_interrupt_sleep(ms_clock_now() + STEP_S);
		ms_child_poll(child);
	}
	ms_run_watch_deinit(&watch);
	note_end(child, started, r);
	ms_run_sort(r);
	ms_session_account(&own, &r->cost);
	if (!err)
		err = show(o, r);
	*ret_exit = exit_code(r);
	if (!err || *ret_exit == MS_EXIT_DONE)
		return err;
	ms_output_say(ms_error_message(err));
	ms_error_free(err);
	return NULL;
}

static struct ms_error *run(const struct ms_options *o, double started, struct ms_budget *budget,
			    enum ms_exit_code *ret_exit)
{
	struct ms_run_report r = { .budget = budget,
				   .cost = { .gc_cycle = MS_UNKNOWN, .gc_age_s = NAN } };
	struct ms_child child = { 0 };
	struct ms_error *err;

	r.command = join_words(&r.arena, o->command);
	err = r.command ? NULL : ms_error_no_memory();
	ms_interrupt_leave_to_child();
	if (!err)
		err = ms_child_start(o->command, &child);
	if (err && ms_error_code(err) == MS_ERR_IO) {
		ms_output_say(ms_error_message(err));
		ms_error_free(err);
		err = NULL;
		*ret_exit = MS_EXIT_UNSTARTED;
	} else if (!err) {
		r.target.pid = (uint64_t)child.pid;
		r.target.start_ticks = ms_proc_start_ticks(child.pid);
		err = observe(o, started, &child, &r, ret_exit);
	}
	ms_run_report_deinit(&r);
	return err;
}

struct ms_error *ms_cmd_run(const struct ms_options *o, double started, enum ms_exit_code *ret_exit)
{
	struct ms_budget budget = { 0 };
	struct ms_error *err = o->budget ? read_budget(o->budget, &budget) : NULL;

	if (!err)
		err = run(o, started, o->budget ? &budget : NULL, ret_exit);
	ms_budget_deinit(&budget);
	return err;
}
