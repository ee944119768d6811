// Goal: every byte arrives, or an error says that it did not.
// Method: a full device, a pipe nobody reads, a pipe read slowly while signals interrupt, memory.
#include "base/cleanup.h"
#include "render/render.h"
#include "tests/support/reports.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/wait.h>

MS_TEST(render_sink_reports_a_full_device)
{
	MS_AUTO_FCLOSE FILE *full = fopen("/dev/full", "w");
	struct ms_census_report report = ms_census_example_classic();
	const struct ms_census_view all = { .top = SIZE_MAX };
	struct ms_sink sink;
	struct ms_error *err;

	if (!full)
		SKIP("there is no /dev/full");
	ms_sink_init_file(&sink, full);
	err = ms_render_census_json(&report, &all, &sink);
	CHECK(err != NULL);
	CHECK_CONTAINS(ms_error_message(err), "could not write the output: No space left");
	CHECK_ERR(err, MS_ERR_IO);
	ms_sink_deinit(&sink);
}

MS_TEST(render_sink_reports_a_closed_pipe)
{
	int ends[2];
	struct ms_sink sink;
	FILE *file;

	signal(SIGPIPE, SIG_IGN);
	CHECK(pipe(ends) == 0);
	close(ends[0]);
	file = fdopen(ends[1], "w");
	CHECK(file != NULL);
	ms_sink_init_file(&sink, file);
	ms_sink_puts(&sink, "a line\n");
	CHECK(!ms_sink_failed(&sink)); // Still in the buffer.
	CHECK_ERR(ms_sink_finish(&sink), MS_ERR_IO);
	ms_sink_puts(&sink, "another\n");
	CHECK_ERR(ms_sink_finish(&sink), MS_ERR_IO); // The failure sticks.
	ms_sink_deinit(&sink);
	fclose(file);
}

static void on_alarm(int signal_number)
{
	(void)signal_number;
}

/** Read @p want bytes slowly, whose values are their places, and leave with 0 if all is well. */
static void read_slowly(int fd, size_t want)
{
	unsigned char part[1000];
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (part[i] != (unsigned char)(at++ * 7 % 251))
				_exit(2);
		}
		if (at % 64000 < 1000)
			(void)poll(NULL, 0, 1);
	}
	_exit(at == want ? 0 : 3);
}

/** Write through a pipe in odd pieces; @p flags go to its writing end. */
static void write_through_pipe(int flags)
{
	enum { TOTAL = 1000003 };
	struct sigaction action = { .sa_handler = on_alarm }; // Without SA_RESTART.
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct ms_sink sink;
	int ends[2];
	int status;
	FILE *file;
	pid_t child;

	CHECK(pipe(ends) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		close(ends[1]);
		read_slowly(ends[0], TOTAL);
	}
	close(ends[0]);
	CHECK(fcntl(ends[1], F_SETFL, flags) == 0);
	file = fdopen(ends[1], "w");
	CHECK(file != NULL);
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	setitimer(ITIMER_REAL, &often, NULL);
	ms_sink_init_file(&sink, file);
	for (size_t at = 0; at < TOTAL;) {
		unsigned char part[997];
		size_t size = 0;

		while (size < sizeof(part) && at < TOTAL)
			part[size++] = (unsigned char)(at++ * 7 % 251);
		ms_sink_write(&sink, part, size);
	}
	CHECK_OK(ms_sink_finish(&sink));
	setitimer(ITIMER_REAL, &never, NULL);
	ms_sink_deinit(&sink);
	fclose(file);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

MS_TEST(render_sink_survives_interrupted_writes)
{
	write_through_pipe(0);
}

MS_TEST(render_sink_waits_for_a_non_blocking_file)
{
	write_through_pipe(O_NONBLOCK);
}

MS_TEST(render_sink_keeps_order_with_stdio)
{
	MS_AUTO_FCLOSE FILE *file = tmpfile();
	char text[16] = "";
	struct ms_sink sink;

	CHECK(file != NULL);
	fputs("one ", file);
	ms_sink_init_file(&sink, file);
	ms_sink_printf(&sink, "%s %d", "two", 3);
	CHECK_OK(ms_sink_finish(&sink));
	ms_sink_deinit(&sink);
	CHECK_EQ(pread(fileno(file), text, sizeof(text) - 1, 0), 9);
	CHECK_STR(text, "one two 3");
}

MS_TEST(render_sink_memory)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_STR(ms_sink_text(&sink), "");
	for (unsigned i = 0; i < 100000; i++)
		ms_sink_write(&sink, "x", 1);
	ms_sink_fill(&sink, ' ', 3);
	CHECK_EQ(sink.size, 100003);
	CHECK_EQ(strlen(ms_sink_text(&sink)), 100003);
	CHECK_OK(ms_sink_finish(&sink));
	ms_sink_fail_no_memory(&sink);
	CHECK(ms_sink_text(&sink) == NULL);
	CHECK_ERR(ms_sink_finish(&sink), MS_ERR_NO_MEMORY);
	ms_sink_deinit(&sink);
}
