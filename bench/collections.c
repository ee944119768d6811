// collections.c - what a trace says of a process's collections, and what looking costs.
//
//	collections PID [--lines]
//
// Says "watching" when it is, and stops when its standard input ends.  Then a line for each cycle,
// with --lines as the runtime would print it; and the figures:
//
//	cycle 7 start 1.203 end 1.205 pause_ns 35184 sweep_ns 33369 mark_ns 1815 assist_ns 0 ...
//	heap live 4194304 goal 8388608 samples 812
//	cycles 12 pause_ns 401211 window_s 8.1 cpu_s 0.02 read_bytes 302210
#include "base/cleanup.h"
#include "target/process.h"
#include "trace/trace.h"

#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <sys/resource.h>
#include <time.h>

struct watcher {
	bool said, ended;
	double cpu_before;
};

static double cpu_now(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double now(void *context)
{
	struct timespec t;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_until(void *context, double when)
{
	struct watcher *w = context;
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	double left = when - now(NULL);
	struct timespec wait = { 1, 0 };
	char byte;

	if (left < 1)
		wait = (struct timespec){ 0, left > 0 ? (long)(left * 1e9) : 0 };
	if (ppoll(&input, 1, &wait, NULL) > 0 && read(STDIN_FILENO, &byte, 1) == 0)
		w->ended = true;
}

static bool stop(void *context)
{
	return ((const struct watcher *)context)->ended;
}

static struct ms_error *added(void *context, const struct ms_trace_report *report)
{
	struct watcher *w = context;

	(void)report;
	if (w->said)
		return NULL;
	w->said = true;
	w->cpu_before = cpu_now();
	printf("watching\n");
	fflush(stdout);
	return NULL;
}

static int64_t ns(double seconds)
{
	return isnan(seconds) ? -1 : llround(seconds * 1e9);
}

static void print_cycle(const struct ms_gc_cycle *c)
{
	printf("cycle %" PRIu64 " start %.9f end %.9f pause_ns %" PRId64 " sweep_ns %" PRId64
	       " mark_ns %" PRId64 " assist_ns %" PRId64 " background_ns %" PRId64
	       " idle_ns %" PRId64,
	       c->number, c->start_s, c->end_s, ns(c->pause_s), ns(c->pause_sweep_s),
	       ns(c->pause_mark_s), ns(c->assist_s), ns(c->background_s), ns(c->idle_s));
	printf(" heap_start %" PRId64 " heap_end %" PRId64 " heap_marked %" PRId64 " goal %" PRId64
	       " procs %u forced %d forced_known %d\n",
	       (int64_t)c->heap_start_bytes, (int64_t)c->heap_end_bytes,
	       (int64_t)c->heap_marked_bytes, (int64_t)c->goal_bytes, c->procs, c->is_forced,
	       c->is_forced_known);
}

static void print_report(const struct ms_trace_report *r, double cpu_s, uint64_t read_bytes)
{
	for (size_t i = 0; i < r->cycle_count; i++) {
		if (r->cycles[i].gctrace)
			printf("%s\n", r->cycles[i].gctrace);
		else
			print_cycle(&r->cycles[i]);
	}
	if (r->heap_count)
		printf("heap live %" PRId64 " goal %" PRId64 " samples %zu\n",
		       (int64_t)r->heap[r->heap_count - 1].live_bytes,
		       (int64_t)r->heap[r->heap_count - 1].goal_bytes, r->heap_count);
	if (r->gc_unknown)
		printf("unknown %s\n", r->gc_unknown);
	printf("cycles %" PRIu64 " pause_ns %" PRId64
	       " window_s %.6f cpu_s %.6f read_bytes %" PRIu64 "\n",
	       r->gc_cycles, ns(r->gc_pause_s), r->window_s, cpu_s, read_bytes);
}

int main(int argc, char **argv)
{
	MS_AUTO_ERROR struct ms_error *err = NULL;
	long pid = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	struct watcher w = { 0 };
	const struct ms_trace_options options = {
		.seconds = INFINITY,
		.no_probes = true,
		.gctrace = argc > 2,
		.stop = stop,
		.sleep_until = sleep_until,
		.now = now,
		.added = added,
		.context = &w,
	};
	struct ms_trace_report report = { 0 };
	struct ms_go_runtime *rt = NULL;
	struct ms_target *t = NULL;

	if (pid <= 0 || argc > 3 || (argc == 3 && strcmp(argv[2], "--lines") != 0)) {
		fprintf(stderr, "usage: collections PID [--lines]\n");
		return 1;
	}
	err = ms_process_open((pid_t)pid, NULL, &t);
	if (!err)
		err = ms_go_open(t, NULL, &rt);
	if (!err)
		err = ms_trace_run(rt, NULL, &options, &report);
	if (!err)
		print_report(&report, cpu_now() - w.cpu_before, t->cost.read_bytes);
	ms_trace_report_deinit(&report);
	ms_go_close(rt);
	ms_target_destroy(t);
	if (err)
		fprintf(stderr, "collections: %s\n", ms_error_message(err));
	return err ? 1 : 0;
}
