// test.c - runs every registered test in a process of its own and counts.
//
// The child's output goes to an anonymous file that is shown only when the test failed.  The child
// leads a process group, so that what it started dies with it when its time is up.  The reason of
// a skip or a failure travels in a shared page.  A child that passes leaves through exit(), which
// is where the leak checker looks.
#include "tests/support/test.h"

#include "base/cleanup.h"

#include <errno.h>
#include <getopt.h>
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
	TIMEOUT_S = 60,
};

struct shared_page {
	char reason[512]; // why the test was skipped or failed
};

struct run {
	const char *filter;
	uint64_t seed;
	int timeout_s;
	bool list, verbose;
	unsigned passed, failed, skipped;
};

static struct ms_test *tests;
static struct shared_page *shared;
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

__attribute__((noreturn)) static void child_run(const struct ms_test *test, int output)
{
	setpgid(0, 0);
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
	random_state = run_seed ^ name_hash(test->name);
	test->run();
	exit(EXIT_SUCCESS);
}

/** Until the child has ended; false when it has not in time. */
static bool child_ends(pid_t pid, int timeout_s)
{
	MS_AUTO_CLOSE int pidfd = pidfd_open(pid, 0);
	struct pollfd wait_for = { .fd = pidfd, .events = POLLIN };
	const struct timespec step = { .tv_nsec = 10 * 1000 * 1000 };
	siginfo_t ended = { 0 };
	int ready;

	// valgrind knows no pidfd_open: then the child is asked for a hundred times a second.
	for (int i = 0; pidfd < 0 && i < timeout_s * 100; i++) {
		if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    ended.si_pid == pid)
			return true;
		nanosleep(&step, NULL);
	}
	if (pidfd < 0)
		return false;
	do
		ready = poll(&wait_for, 1, timeout_s * 1000);
	while (ready < 0 && errno == EINTR);
	return ready == 1;
}

/** The exit status of the child, which is killed with its group when its time is up. */
static int child_wait(pid_t pid, int timeout_s, bool *ret_timed_out)
{
	bool has_ended = child_ends(pid, timeout_s);
	int status = 0;

	*ret_timed_out = !has_ended;
	kill(-pid, SIGKILL); // Also what a finished test left behind.
	if (!has_ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
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

static void failure_show(const struct run *run, const struct ms_test *test, int status,
			 bool timed_out, int output)
{
	printf("FAIL %s (%s)", test->name, test->file);
	if (timed_out)
		printf(": not done after %d s", run->timeout_s);
	else if (WIFSIGNALED(status))
		printf(": %s", strsignal(WTERMSIG(status)));
	else
		printf(": exit status %d", WEXITSTATUS(status));
	printf("%s%s\n", *shared->reason ? ": " : "", shared->reason);
	output_show(output);
	printf("  to repeat: --seed %" PRIu64 " --filter %s\n", run->seed, test->name);
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) * 1e-9;
}

static void test_run(struct run *run, const struct ms_test *test)
{
	MS_AUTO_CLOSE int output = memfd_create("test-output", MFD_CLOEXEC);
	struct timespec start;
	bool timed_out = false;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &start);
	shared->reason[0] = '\0';
	fflush(NULL);
	pid = fork();
	if (output < 0 || pid < 0) {
		perror("cannot start a test");
		exit(EXIT_FAILURE);
	}
	if (pid == 0)
		child_run(test, output);
	setpgid(pid, pid); // Either side may be first.
	status = child_wait(pid, run->timeout_s, &timed_out);
	if (!timed_out && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) {
		run->passed++;
		if (run->verbose)
			printf("ok   %s (%.3f s)\n", test->name, seconds_since(&start));
	} else if (!timed_out && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
		run->skipped++;
		printf("SKIP %s: %s\n", test->name, shared->reason);
	} else {
		run->failed++;
		failure_show(run, test, status, timed_out, output);
	}
	fflush(stdout);
}

static void usage(FILE *out)
{
	fputs("usage: mapscope-tests [--filter TEXT] [--list] [--seed N] [--timeout S] "
	      "[--verbose]\n",
	      out);
}

static void options_parse(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {
		{ "filter", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
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
		} else if (c == 'l') {
			run->list = true;
		} else if (c == 's') {
			run->seed = strtoull(optarg, NULL, 0);
		} else if (c == 't') {
			run->timeout_s = (int)strtol(optarg, NULL, 10);
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
	struct run run = { .timeout_s = TIMEOUT_S };
	const struct ms_test *previous = NULL;

	if (getrandom(&run.seed, sizeof(run.seed), 0) != sizeof(run.seed))
		run.seed = (uint64_t)time(NULL);
	run.seed &= UINT32_MAX; // Short enough to type.
	options_parse(&run, argc, argv);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ); // So that a crash loses no line.
	run_seed = run.seed;
	shared =
	    mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("cannot share a page with the tests");
		return EXIT_FAILURE;
	}
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
			test_run(&run, test);
	}
	if (run.list)
		return EXIT_SUCCESS;
	printf("%u passed, %u failed, %u skipped\n", run.passed, run.failed, run.skipped);
	if (run.passed + run.failed + run.skipped == 0)
		fprintf(stderr, "no test matches the filter\n");
	return run.failed || run.passed + run.skipped == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
