// interrupt.c - Ctrl-C ends a window early and still prints.
//
// A signal may be delivered to any thread, a reading worker included, so a sleep cannot count on
// being broken off by it: the handler writes to an event descriptor, and a sleep is a poll on that.
// After the first signal both are back at their defaults: a second ends the process at once.
#include "cli/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted, requested;
static volatile sig_atomic_t event_fd = -1;

double ms_clock_now(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

uint64_t ms_clock_wall_ns(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void set_handlers(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void on_signal(int number)
{
	uint64_t one = 1;
	ssize_t written = write(event_fd, &one, sizeof(one));

	(void)number;
	(void)written; // The flag tells; the event only wakes.
	interrupted = 1;
	set_handlers(SIG_DFL);
}

/** A descriptor of ours must not take the place of a stdout or stderr that the caller closed. */
static void hold_standard_files(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd > STDERR_FILENO)
		close(fd);
}

void ms_interrupt_catch(void)
{
	hold_standard_files();
	event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	set_handlers(on_signal);
	signal(SIGPIPE, SIG_IGN);
}

bool ms_interrupted(void)
{
	return interrupted;
}

void ms_interrupt_sleep(double until)
{
	struct pollfd event = { .fd = event_fd, .events = POLLIN };
	double left;

	while (!interrupted && (left = until - ms_clock_now()) > 0) {
		struct timespec wait = { .tv_sec = (time_t)left };

		wait.tv_nsec = (long)((left - (double)wait.tv_sec) * 1e9);
		ppoll(&event, 1, &wait, NULL);
	}
}

static void on_request(int number)
{
	(void)number;
	requested = 1;
}

void ms_interrupt_catch_request(void)
{
	struct sigaction action = { .sa_handler = on_request, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &action, NULL);
}

bool ms_interrupt_take_request(void)
{
	bool was = requested;

	requested = 0;
	return was;
}

static void pass_over(int number)
{
	(void)number;
}

void ms_interrupt_leave_to_child(void)
{
	// A handler, and not SIG_IGN: what is ignored stays so in the process we start.
	struct sigaction action = { .sa_handler = pass_over, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &action, NULL);
}
