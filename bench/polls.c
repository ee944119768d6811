// polls.c - what a trace without probes sees of a process, and what that costs.
//
//	polls PID [--migrations]
//
// It prints {"began_s": CLOCK_MONOTONIC} when it begins to look, goes on until its input ends, and
// then prints one line of JSON for each growth and each migration, and the figures.
#include "base/cleanup.h"
#include "census/census_run.h"
#include "target/process.h"
#include "trace/trace.h"
#include "walk/walk.h"

#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <sys/resource.h>
#include <time.h>

struct looking {
	double first;     // On the clock below; 0 until it was asked.
	double first_cpu; // Used until then.
	bool told;
};

static double cpu_used(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static double now(void *context)
{
	struct looking *looking = context;
	struct timespec t;
	double s;

	clock_gettime(CLOCK_MONOTONIC, &t);
	s = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	if (looking->first == 0) { // The trace asks when it begins.
		looking->first = s;
		looking->first_cpu = cpu_used();
	}
	return s;
}

/** Sleeps, but no longer than the input goes on. */
static void sleep_until(void *context, double when)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	double left = when - now(context);
	struct timespec wait = { 0 };

	if (left > 0) {
		left = fmin(left, 1);
		wait.tv_sec = (time_t)left;
		wait.tv_nsec = (long)((left - floor(left)) * 1e9);
	}
	(void)ppoll(&in, 1, &wait, NULL);
}

static bool stop(void *context)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	(void)context;
	return poll(&in, 1, 0) > 0;
}

/** The first time round, all maps were looked at once. */
static struct ms_error *added(void *context, const struct ms_trace_report *report)
{
	struct looking *looking = context;

	if (looking->told)
		return NULL;
	looking->told = true;
	printf("{\"began_s\": %.9f, \"followed\": %" PRIu64 "}\n", looking->first,
	       report->followed);
	fflush(stdout);
	return NULL;
}

static void print_number(const char *name, uint64_t value)
{
	if (value == MS_UNKNOWN)
		printf(", \"%s\": null", name);
	else
		printf(", \"%s\": %" PRIu64, name, value);
}

static void print_time(const char *name, double value)
{
	if (isnan(value))
		printf(", \"%s\": null", name);
	else
		printf(", \"%s\": %.9f", name, value);
}

static void print_event(const struct ms_growth_event *e)
{
	printf("{\"event\": %" PRIu64 ", \"map\": \"0x%" PRIx64 "\", \"kind\": \"%s\"", e->number,
	       e->map, ms_growth_event_kind_name(e->kind));
	printf(", \"type\": \"%s\"", e->type ? e->type : "?");
	print_time("time_s", e->time_s);
	print_time("earliest_s", e->earliest_s);
	print_number("from", e->from);
	print_number("to", e->to);
	print_number("from_bytes", e->from_bytes);
	print_number("to_bytes", e->to_bytes);
	print_number("entries", e->entries);
	print_number("capacity", e->capacity);
	print_time("duration_s", e->duration_s);
	print_time("duration_error_s", e->duration_error_s);
	print_number("together_bytes", e->together_bytes);
	printf(", \"gc_cycles\": %" PRIu32 ", \"one_of_several\": %s}\n", e->gc_cycles,
	       e->one_of_several ? "true" : "false");
}

static void print_migration(const struct ms_migration *m)
{
	printf("{\"migration\": \"0x%" PRIx64 "\"", m->map);
	print_time("time_s", m->time_s);
	print_number("moved", m->moved);
	print_number("of", m->of);
	print_number("bucket", m->bucket);
	print_number("to_x", m->to_x);
	print_number("to_y", m->to_y);
	print_number("keys_x", m->keys_x);
	print_number("keys_y", m->keys_y);
	printf(", \"at_least\": %s}\n", m->at_least ? "true" : "false");
}

static void print_report(const struct ms_trace_report *r, const struct ms_target *t,
			 const struct looking *looking)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	for (size_t i = 0; i < r->event_count; i++)
		print_event(&r->events[i]);
	for (size_t i = 0; i < r->migration_count; i++)
		print_migration(&r->migrations[i]);
	printf("{\"window_s\": %.3f, \"counted\": %" PRIu64 ", \"dropped\": %" PRIu64
	       ", \"followed\": %" PRIu64 ", \"not_followed\": %" PRIu64 ", \"polls\": %" PRIu64
	       ", \"to_small\": %" PRIu64 ", \"migrations_dropped\": %" PRIu64,
	       r->window_s, r->counted, r->dropped, r->followed, r->not_followed, r->polls,
	       r->to_small, r->migrations_dropped);
	printf(", \"migrations_unknown\": \"%s\", \"partial\": \"%s\"",
	       r->migrations_unknown ? r->migrations_unknown : "",
	       r->partial ? r->partial_reason : "");
	printf(", \"cpu_s\": %.3f, \"read_bytes\": %" PRIu64 ", \"own_peak_bytes\": %ld}\n",
	       cpu_used() - looking->first_cpu, t->cost.read_bytes, used.ru_maxrss * 1024);
}

/** Types and owners first, as a trace has them. */
static struct ms_error *look(struct ms_go_runtime *rt, const struct ms_trace_options *options,
			     struct ms_trace_report *ret_report)
{
	const struct ms_census_options plain = { 0 };
	const struct ms_walk_options walk = { 0 };
	struct ms_census_report census;
	struct ms_error *err = ms_census_run(rt, &plain, &census);

	if (err)
		return err;
	err = ms_walk_run(rt, &walk, &census);
	if (!err)
		err = ms_trace_run(rt, &census, options, ret_report);
	ms_census_report_deinit(&census);
	return err;
}

int main(int argc, char **argv)
{
	MS_AUTO_ERROR struct ms_error *err = NULL;
	long pid = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	struct looking looking = { 0 };
	const struct ms_trace_options options = {
		.seconds = INFINITY,
		.no_probes = true,
		.small_growths = true,
		.migrations = argc > 2,
		.stop = stop,
		.sleep_until = sleep_until,
		.now = now,
		.added = added,
		.context = &looking,
	};
	struct ms_trace_report report;
	struct ms_go_runtime *rt = NULL;
	struct ms_target *t = NULL;

	if (pid <= 0 || argc > 3 || (argc == 3 && strcmp(argv[2], "--migrations") != 0)) {
		fprintf(stderr, "usage: polls PID [--migrations]\n");
		return 1;
	}
	err = ms_process_open((pid_t)pid, NULL, &t);
	if (!err)
		err = ms_go_open(t, NULL, &rt);
	if (!err)
		err = look(rt, &options, &report);
	if (!err) {
		print_report(&report, t, &looking);
		ms_trace_report_deinit(&report);
	}
	ms_go_close(rt);
	ms_target_destroy(t);
	if (err)
		fprintf(stderr, "polls: %s\n", ms_error_message(err));
	return err ? 1 : 0;
}
