// test.c - runs every registered test in a process of its own, some at a time, and counts.
//
// The child's output goes to an anonymous file that is shown only when the test failed.  The child
// leads a process group, so that what it started dies with it when its time is up.  The reason of
// a skip or a failure travels in a shared page, one for each that runs at once.  A child that
// passes leaves through exit(), which is where the leak checker looks.
#include "tests/support/test.h"

#include "base/cleanup.h"
#include "base/types.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_SKIPPED = 77,
	TIMEOUT_S = 180,
	JOBS_MAX = 64,
	STEP_MS = 10, // between two looks at children that have no pidfd
};

struct shared_page {
	char reason[512]; // why the test was skipped or failed
};

/** A place in which a test runs; without one, test is NULL. */
struct job {
	const struct ms_test *test;
	struct shared_page *page;
	pid_t pid;
	int pidfd; // -1 under valgrind, which knows no pidfd_open
	int output;
	uint64_t end_ms; // when its time is up
};

struct run {
	const char *filter;
	uint64_t seed;
	unsigned timeout_s;
	bool list, verbose;
	unsigned passed, failed, skipped;
	struct job jobs[JOBS_MAX];
	nfds_t job_count;
};

static struct ms_test *tests;
static struct shared_page *shared; // in a child, its job's
static uint64_t run_seed;
static uint64_t random_state;

void ms_test_register(struct ms_test *test)
{
	struct ms_test **at = &tests;

	while (*at && strcmp((*at)->name, test->name) < 0)
		at = &(*at)->next;
	test->next = *at;
	*at = test;
}

uint64_t ms_test_seed(void)
{
	return run_seed;
}

// splitmix64
uint64_t ms_test_random(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

char *ms_test_path(const char *relative)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", MS_TEST_ROOT, relative) < 0)
		ms_test_fail(__FILE__, __LINE__, "out of memory");
	return path;
}

void ms_test_fail(const char *file, int line, const char *fmt, ...)
{
	MS_AUTO_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	snprintf(shared->reason, sizeof(shared->reason), "%s:%d: %s", file, line,
		 text ? text : "out of memory");
	fflush(NULL);
	fprintf(stderr, "%s:%d: %s\n", file, line, text ? text : "out of memory");
	_exit(EXIT_FAILURE);
}

void ms_test_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shared->reason, sizeof(shared->reason), fmt, ap);
	va_end(ap);
	_exit(EXIT_SKIPPED);
}

static void int_show(struct ms_test_int v, char *buf, size_t size)
{
	snprintf(buf, size, "%s%" PRIu64 " (0x%" PRIx64 ")", v.minus ? "-" : "",
		 v.minus ? -v.bits : v.bits, v.bits);
}

void ms_test_check_eq(const char *file, int line, const char *expr, struct ms_test_int got,
		      struct ms_test_int want)
{
	char got_text[64], want_text[64];

	if (got.bits == want.bits && got.minus == want.minus)
		return;
	int_show(got, got_text, sizeof(got_text));
	int_show(want, want_text, sizeof(want_text));
	ms_test_fail(file, line, "%s is %s, want %s", expr, got_text, want_text);
}

void ms_test_check_str(const char *file, int line, const char *expr, const char *got,
		       const char *want)
{
	if (!got != !want || (got && strcmp(got, want) != 0))
		ms_test_fail(file, line, "%s is\n\t\"%s\", want\n\t\"%s\"", expr,
			     got ? got : "(null)", want ? want : "(null)");
}

void ms_test_check_contains(const char *file, int line, const char *expr, const char *haystack,
			    const char *needle)
{
	if (!haystack || !strstr(haystack, needle))
		ms_test_fail(file, line, "%s is\n\t\"%s\", want \"%s\" in it", expr,
			     haystack ? haystack : "(null)", needle);
}

void ms_test_check_ok(const char *file, int line, const char *expr, struct ms_error *err)
{
	if (err)
		ms_test_fail(file, line, "%s failed with code %d: %s", expr, ms_error_code(err),
			     ms_error_message(err));
}

void ms_test_check_err(const char *file, int line, const char *expr, struct ms_error *err,
		       enum ms_error_code code)
{
	if (!err)
		ms_test_fail(file, line, "%s worked, want error code %d", expr, code);
	if (ms_error_code(err) != code)
		ms_test_fail(file, line, "%s has code %d, want %d: %s", expr, ms_error_code(err),
			     code, ms_error_message(err));
	ms_error_free(err);
}

static uint64_t name_hash(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u; // FNV-1a

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return hash;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

__attribute__((noreturn)) static void child_run(const struct job *job)
{
	setpgid(0, 0);
	shared = job->page;
	if (dup2(job->output, STDOUT_FILENO) < 0 || dup2(job->output, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
	random_state = run_seed ^ name_hash(job->test->name);
	job->test->run();
	exit(EXIT_SUCCESS);
}

static void output_show(int output)
{
	char buf[4096];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(output, buf, sizeof(buf), at)) > 0) {
		fwrite(buf, 1, (size_t)n, stdout);
		at += n;
	}
}

static void failure_show(const struct run *run, const struct job *job, int status, bool timed_out)
{
	const char *reason = job->page->reason;
	const struct ms_test *test = job->test;

	printf("FAIL %s (%s)", test->name, test->file);
	if (timed_out)
		printf(": not done after %u s", run->timeout_s);
	else if (WIFSIGNALED(status))
		printf(": %s", strsignal(WTERMSIG(status)));
	else
		printf(": exit status %d", WEXITSTATUS(status));
	printf("%s%s\n", *reason ? ": " : "", reason);
	output_show(job->output);
	printf("  to repeat: --seed %" PRIu64 " --filter %s\n", run->seed, test->name);
}

/** Count what the test of a job has come to, say it, and free the job's place. */
static void job_end(struct run *run, struct job *job, bool timed_out)
{
	const struct ms_test *test = job->test;
	int status = 0;

	kill(-job->pid, SIGKILL); // Also what a finished test left behind.
	if (timed_out)
		kill(job->pid, SIGKILL);
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!timed_out && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) {
		run->passed++;
		if (run->verbose)
			printf("ok   %s (%.3f s)\n", test->name,
			       run->timeout_s - ((double)job->end_ms - (double)now_ms()) * 1e-3);
	} else if (!timed_out && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
		run->skipped++;
		printf("SKIP %s: %s\n", test->name, job->page->reason);
	} else {
		run->failed++;
		failure_show(run, job, status, timed_out);
	}
	fflush(stdout);
	close(job->output);
	if (job->pidfd >= 0)
		close(job->pidfd);
	job->test = NULL;
}

static bool has_ended(const struct job *job)
{
	siginfo_t ended = { 0 };

	return waitid(P_PID, (id_t)job->pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       ended.si_pid == job->pid;
}

/** Until a job's test ends or its time is up. */
static void jobs_wait(const struct run *run)
{
	struct pollfd ends[JOBS_MAX];
	uint64_t now = now_ms(), until = UINT64_MAX;

	for (nfds_t i = 0; i < run->job_count; i++) {
		const struct job *job = &run->jobs[i];

		ends[i] = (struct pollfd){ .fd = job->test ? job->pidfd : -1, .events = POLLIN };
		if (job->test)
			until = ms_min_u64(until, job->pidfd < 0 ? now + STEP_MS : job->end_ms);
	}
	if (until > now)
		(void)poll(ends, run->job_count, (int)ms_min_u64(until - now, INT_MAX));
}

/** A free place, or NULL; those whose test has ended or had its time become free. */
static struct job *job_free(struct run *run)
{
	struct job *found = NULL;

	for (nfds_t i = 0; i < run->job_count; i++) {
		struct job *job = &run->jobs[i];
		bool ended = job->test && has_ended(job);

		if (ended || (job->test && now_ms() >= job->end_ms))
			job_end(run, job, !ended);
		if (!job->test)
			found = job;
	}
	return found;
}

static bool is_idle(const struct run *run)
{
	for (nfds_t i = 0; i < run->job_count; i++)
		if (run->jobs[i].test)
			return false;
	return true;
}

/** Begin a test as soon as there is a place for it. */
static void test_start(struct run *run, const struct ms_test *test)
{
	struct job *job;

	while (!(job = job_free(run)))
		jobs_wait(run);
	job->page->reason[0] = '\0';
	job->output = memfd_create("test-output", MFD_CLOEXEC);
	job->end_ms = now_ms() + run->timeout_s * UINT64_C(1000);
	job->test = test;
	fflush(NULL);
	job->pid = fork();
	if (job->output < 0 || job->pid < 0) {
		perror("cannot start a test");
		exit(EXIT_FAILURE);
	}
	if (job->pid == 0)
		child_run(job);
	setpgid(job->pid, job->pid); // Either side may be first.
	job->pidfd = pidfd_open(job->pid, 0);
}

static void usage(FILE *out)
{
	fputs("usage: mapscope-tests [--filter TEXT] [--jobs N] [--list] [--seed N] "
	      "[--timeout S] [--verbose]\n",
	      out);
}

static void options_parse(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {
		{ "filter", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "list", no_argument, NULL, 'l' },
		{ "seed", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'f') {
			run->filter = optarg;
		} else if (c == 'j') {
			run->job_count =
			    ms_max_u64(1, ms_min_u64(strtoul(optarg, NULL, 10), JOBS_MAX));
		} else if (c == 'l') {
			run->list = true;
		} else if (c == 's') {
			run->seed = strtoull(optarg, NULL, 0);
		} else if (c == 't') {
			run->timeout_s = (unsigned)strtoul(optarg, NULL, 10);
		} else if (c == 'v') {
			run->verbose = true;
		} else {
			usage(c == 'h' ? stdout : stderr);
			exit(c == 'h' ? EXIT_SUCCESS : EXIT_FAILURE);
		}
	}
}

int main(int argc, char **argv)
{
	struct run run = { .timeout_s = TIMEOUT_S, .job_count = 1 };
	const struct ms_test *previous = NULL;
	struct shared_page *pages;

	if (getrandom(&run.seed, sizeof(run.seed), 0) != sizeof(run.seed))
		run.seed = (uint64_t)time(NULL);
	run.seed &= UINT32_MAX; // Short enough to type.
	options_parse(&run, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ); // So that a crash loses no line.
	run_seed = run.seed;
	pages = mmap(NULL, run.job_count * sizeof(*pages), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED) {
		perror("cannot share a page with the tests");
		return EXIT_FAILURE;
	}
	for (nfds_t i = 0; i < run.job_count; i++)
		run.jobs[i].page = &pages[i];
	if (!run.list)
		printf("seed %" PRIu64 "\n", run.seed);
	for (const struct ms_test *test = tests; test; previous = test, test = test->next) {
		if (previous && strcmp(previous->name, test->name) == 0) {
			fprintf(stderr, "two tests are called %s\n", test->name);
			return EXIT_FAILURE;
		}
		if (run.filter && !strstr(test->name, run.filter))
			continue;
		if (run.list)
			printf("%s\n", test->name);
		else
			test_start(&run, test);
	}
	if (run.list)
		return EXIT_SUCCESS;
	while ((void)job_free(&run), !is_idle(&run))
		jobs_wait(&run);
	printf("%u passed, %u failed, %u skipped\n", run.passed, run.failed, run.skipped);
	if (run.passed + run.failed + run.skipped == 0)
		fprintf(stderr, "no test matches the filter\n");
	return run.failed || run.passed + run.skipped == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
