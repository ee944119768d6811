// run_watch.c - when to look at which process of the tree.
//
// A process starts as a copy of its parent, becomes another program, and is a Go runtime that can
// be opened only some milliseconds later; so opening is tried again, at growing distances, and anew
// when the executable changes.  What is no Go program fails each time and is given up.
//
// What we may use is a share of one core, counted from the start.  A build starts one compiler a
// hundred times and then the one program that matters, so what is used is booked by executable, and
// the executable that cost least so far is next.  One that was hardly looked at has a credit beyond
// the share, because the first look is the dearest and comes before the program has done much.  A
// census that cost much is followed by a pause in proportion.
#include "cli/run_watch.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "cli/interrupt.h"
#include "cli/proc_file.h"
#include "cli/take_census.h"

#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const double SHARE = 0.05;       // Of one core.
static const double HEAD_START_S = 0.5; // Of processor time, for what lives shortly.
static const double CREDIT_S = 2; // Beyond the share, for programs looked at only once or twice;
static const double CREDIT_EACH_S = 1;    // and of that, for each of them.
static const double INTERVAL_S = 0.25;    // Between two looks at a process, at least.
static const double FIRST_RETRY_S = 0.02; // Doubled with each attempt to open.

enum { ATTEMPTS_MAX = 7, OPEN_MAX = 64, CREDIT_LOOKS = 3, NO_PROCESS = -1, NO_PROGRAM = -1 };

/** An executable, and what looking at its processes has cost. */
struct ms_run_program {
	dev_t device;
	ino_t inode;
	double spent_s; // Of processor time.
	uint64_t looks; // Complete ones.
};

/** One process of the tree. */
struct ms_run_target {
	pid_t pid;
	uint64_t start_ticks; // The pid may be given to another.
	ssize_t program;      // Index; NO_PROGRAM until it is another than ours.
	struct ms_options options;
	struct ms_session session;
	bool is_open, seen;
	unsigned attempts;
	double due;
	ssize_t process; // Index in the report, NO_PROCESS until it was opened.
};

struct target_vec {
	struct ms_run_target **items;
	size_t count, capacity;
};

static double cpu_now(void)
{
	struct rusage own = { 0 };

	getrusage(RUSAGE_SELF, &own);
	return (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
	       (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6;
}

/** Whether the share, or a new program's credit, allows to look at @p t. */
static bool may_look(const struct ms_run_watch *w, const struct ms_run_target *t, double left_s)
{
	const struct ms_run_program *p;

	if (left_s > 0 || t->program == NO_PROGRAM)
		return left_s > 0;
	p = &w->programs[t->program];
	return left_s > -CREDIT_S && p->looks < CREDIT_LOOKS && p->spent_s < CREDIT_EACH_S;
}

void ms_run_watch_init(struct ms_run_watch *w, const struct ms_options *options, double started,
		       struct ms_run_report *report)
{
	*w = (struct ms_run_watch){ .options = options, .started = started, .report = report };
}

static void target_close(struct ms_run_target *t)
{
	if (t->is_open)
		ms_session_deinit(&t->session);
	t->is_open = false;
}

static struct ms_run_target *find(const struct ms_run_watch *w, pid_t pid, uint64_t start_ticks)
{
	for (size_t i = 0; i < w->target_count; i++) {
		struct ms_run_target *t = w->targets[i];

		if (t->pid == pid && t->start_ticks == start_ticks)
			return t;
	}
	return NULL;
}

static struct ms_error *target_add(struct ms_run_watch *w, pid_t pid, uint64_t start_ticks)
{
	struct target_vec targets = { w->targets, w->target_count, w->target_capacity };
	struct ms_run_target *t = calloc(1, sizeof(*t));
	bool pushed = t && ms_vec_push(&targets, t);

	w->targets = targets.items;
	w->target_count = targets.count;
	w->target_capacity = targets.capacity;
	if (!pushed) {
		free(t);
		return ms_error_no_memory();
	}
	t->pid = pid;
	t->start_ticks = start_ticks;
	t->options = *w->options;
	t->options.pid = pid;
	t->options.name = NULL;
	t->options.quiet = true; // The terminal is the command's.
	t->process = NO_PROCESS;
	t->program = NO_PROGRAM;
	t->seen = true;
	w->report->processes_seen++;
	return NULL;
}

/** Forget those that are gone. */
static void sweep(struct ms_run_watch *w, double now)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->target_count; i++) {
		struct ms_run_target *t = w->targets[i];

		if (t->seen) {
			w->targets[kept++] = t;
			continue;
		}
		if (t->process != NO_PROCESS)
			w->report->processes[t->process].gone_s = now - w->started;
		target_close(t);
		free(t);
	}
	w->target_count = kept;
}

static struct ms_error *see_tree(struct ms_run_watch *w, double now)
{
	struct ms_error *err = ms_process_tree(getpid(), &w->tree);

	for (size_t i = 0; i < w->target_count; i++)
		w->targets[i]->seen = false;
	for (size_t i = 0; i < w->tree.count && !err; i++) {
		pid_t pid = w->tree.items[i];
		uint64_t start = ms_proc_start_ticks(pid);
		struct ms_run_target *t = find(w, pid, start);

		if (t)
			t->seen = true;
		else if (start != MS_UNKNOWN)
			err = target_add(w, pid, start);
	}
	if (!err)
		sweep(w, now);
	return err;
}

static ssize_t program_of(struct ms_run_watch *w, const struct stat *file)
{
	struct {
		struct ms_run_program *items;
		size_t count, capacity;
	} programs = { w->programs, w->program_count, w->program_capacity };
	const struct ms_run_program new = { .device = file->st_dev, .inode = file->st_ino };
	bool pushed;

	for (size_t i = 0; i < w->program_count; i++) {
		if (w->programs[i].device == new.device && w->programs[i].inode == new.inode)
			return (ssize_t)i;
	}
	pushed = ms_vec_push(&programs, new);
	w->programs = programs.items;
	w->program_count = programs.count;
	w->program_capacity = programs.capacity;
	return pushed ? (ssize_t)w->program_count - 1 : NO_PROGRAM;
}

/** Take note of the executable; false while it is our own, gone, or new a moment ago. */
static bool see_executable(struct ms_run_watch *w, struct ms_run_target *t)
{
	struct stat found, own;
	ssize_t program;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)t->pid);
	if (stat(path, &found) != 0)
		return false;
	if (stat("/proc/self/exe", &own) == 0 && found.st_dev == own.st_dev &&
	    found.st_ino == own.st_ino)
		return false;
	program = program_of(w, &found);
	if (program == t->program)
		return program != NO_PROGRAM;
	t->program = program;
	t->attempts = 0;
	return false;
}

static void note_open(struct ms_run_watch *w, struct ms_run_target *t)
{
	struct ms_arena scratch = { 0 };
	struct ms_report_target target;
	size_t index;
	struct ms_error *err = ms_session_describe(&t->session, &scratch, &target);

	if (!err)
		err = ms_run_add_process(w->report, &target, &index);
	if (!err)
		t->process = (ssize_t)index;
	ms_error_free(err); // It then has no row of its own, and its owners count all the same.
	ms_arena_deinit(&scratch);
}

static size_t open_count(const struct ms_run_watch *w)
{
	size_t count = 0;

	for (size_t i = 0; i < w->target_count; i++)
		count += w->targets[i]->is_open;
	return count;
}

static struct ms_error *try_open(struct ms_run_watch *w, struct ms_run_target *t, double now)
{
	struct ms_error *err;

	t->due = now + FIRST_RETRY_S;
	if (!see_executable(w, t) || open_count(w) >= OPEN_MAX)
		return NULL;
	if (t->attempts >= ATTEMPTS_MAX) {
		t->due = now + INTERVAL_S; // Only to see whether it becomes another program.
		return NULL;
	}
	err = ms_session_find(&t->session, &t->options, w->started);
	if (!err)
		err = ms_session_open(&t->session);
	if (!err) {
		t->is_open = true;
		t->due = now;
		w->report->cost.read_bytes += t->session.target->cost.read_bytes;
		if (t->process == NO_PROCESS)
			note_open(w, t);
		return NULL;
	}
	ms_session_deinit(&t->session);
	t->due = ms_clock_now() + FIRST_RETRY_S * (double)(1u << t->attempts++);
	if (ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	ms_error_free(err);
	return NULL;
}

static void note_cost(struct ms_run_report *r, const struct ms_report_cost *cost)
{
	r->cost.read_bytes += cost->read_bytes;
	r->cost.reads_retried += cost->reads_retried;
	r->cost.reads_given_up += cost->reads_given_up;
}

static struct ms_error *take_in(struct ms_run_watch *w, struct ms_run_target *t,
				const struct ms_census_report *census, double at_s)
{
	struct ms_owner_row sum = ms_census_totals(census);
	struct ms_run_report *r = w->report;
	struct ms_run_process *p = t->process == NO_PROCESS ? NULL : &r->processes[t->process];
	struct ms_error *err = ms_run_take(r, census, at_s);

	if (!err && r->budget)
		err = ms_budget_check(r->budget, census, at_s);
	r->censuses++;
	if (err || !p)
		return err;
	p->maps = sum.maps;
	p->entries = sum.entries;
	p->total_bytes = sum.total_bytes;
	p->slack_bytes = sum.slack_bytes;
	p->last_s = at_s;
	if (!p->censuses++ || sum.total_bytes > p->peak_bytes) {
		p->peak_bytes = sum.total_bytes;
		p->peak_s = at_s;
	}
	return NULL;
}

/** One census.  One that its process did not live to see the end of is left out. */
static struct ms_error *look(struct ms_run_watch *w, struct ms_run_target *t, double now)
{
	double cpu = cpu_now();
	struct ms_census_report census;
	struct ms_error *err = ms_take_census(&t->session, MS_TAKE_MAPS, &census);
	struct ms_error *gone = NULL;

	if (!err) {
		note_cost(w->report, &census.cost);
		gone = census.partial ? ms_target_check(t->session.target) : NULL;
		if (!gone) {
			err = take_in(w, t, &census, now - w->started);
			w->programs[t->program].looks++;
		}
		ms_census_report_deinit(&census);
	}
	t->due = ms_clock_now() + INTERVAL_S;
	if (w->programs[t->program].looks >= CREDIT_LOOKS)
		t->due = fmax(t->due, ms_clock_now() + (cpu_now() - cpu) / SHARE);
	if (!err && !gone)
		return NULL;
	target_close(t); // It ended, or became another program, which is tried as such.
	t->program = NO_PROGRAM;
	ms_error_free(gone);
	if (err && ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	ms_error_free(err);
	return NULL;
}

static double spent_on(const struct ms_run_watch *w, const struct ms_run_target *t)
{
	return t->program == NO_PROGRAM ? 0 : w->programs[t->program].spent_s;
}

/** Of those that are due, the one whose program cost least so far; NULL: none may be looked at. */
static struct ms_run_target *choose(const struct ms_run_watch *w, double now, double left_s)
{
	struct ms_run_target *best = NULL;

	for (size_t i = 0; i < w->target_count; i++) {
		struct ms_run_target *t = w->targets[i];

		if (t->due > now || !may_look(w, t, left_s))
			continue;
		if (!best || spent_on(w, t) < spent_on(w, best) ||
		    (spent_on(w, t) <= spent_on(w, best) && t->due < best->due))
			best = t;
	}
	return best;
}

/** Learn of the executables of those that are new: that costs next to nothing. */
static void see_executables(struct ms_run_watch *w, double now)
{
	for (size_t i = 0; i < w->target_count; i++) {
		struct ms_run_target *t = w->targets[i];

		if (t->program != NO_PROGRAM || t->due > now)
			continue;
		see_executable(w, t);
		t->due = now + FIRST_RETRY_S;
	}
}

struct ms_error *ms_run_watch_step(struct ms_run_watch *w)
{
	double now = ms_clock_now();
	struct ms_error *err = see_tree(w, now);
	bool looked = false;

	see_executables(w, now);
	while (!err && !looked) {
		double cpu = cpu_now();
		double left_s = HEAD_START_S + SHARE * (now - w->started) - cpu;
		struct ms_run_target *t = choose(w, now, left_s);
		ssize_t program = t ? t->program : NO_PROGRAM;

		if (!t)
			break;
		looked = t->is_open;
		err = looked ? look(w, t, now) : try_open(w, t, now);
		now = ms_clock_now();
		if (program != NO_PROGRAM)
			w->programs[program].spent_s += cpu_now() - cpu;
	}
	w->report->own_cpu_s = cpu_now();
	return err;
}

void ms_run_watch_deinit(struct ms_run_watch *w)
{
	for (size_t i = 0; i < w->target_count; i++) {
		target_close(w->targets[i]);
		free(w->targets[i]);
	}
	free(w->targets);
	free(w->programs);
	ms_vec_free(&w->tree);
	*w = (struct ms_run_watch){ 0 };
}
