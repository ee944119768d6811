// The report of a misuse, with the stacks of both threads.
//
// Go's runtime says "concurrent map writes" and dies, which tells where one of the two was.  The
// map knows who the other is: a writer leaves its pthread_self() in the map while it writes.  Such
// a value cannot be trusted, its thread may be gone, so nobody is asked by it: every thread of the
// process gets a signal, in turn, and the one that is wanted writes down its stack.  The wait is
// bounded; what cannot be had is said to be missing.  The signal is a real-time one that nobody
// handles, and its old disposition comes back afterwards.
#include "hmap/misuse.h"
#include "hmap/registry.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <dirent.h>
#include <sys/syscall.h>
#endif
#if defined(__GLIBC__)
#include <execinfo.h>
#define STACKS 1
#endif

enum { DEPTH_MAX = 64, WAIT_MS = 200, THREADS_MAX = 4096, DETOUR_BITS = 15 };

/** What is asked of the other thread, and its answer.  One report is made at a time. */
static struct {
	bool busy;
	uintptr_t wanted;
	bool answered;
	uint64_t thread;
	void *stack[DEPTH_MAX];
	int depth;
} ask;

static uintptr_t self(void)
{
	return (uintptr_t)pthread_self() & ~(uintptr_t)DETOUR_BITS;
}

static uint64_t thread_number(void)
{
#if defined(SYS_gettid)
	return (uint64_t)syscall(SYS_gettid);
#else
	return 0;
#endif
}

static int own_stack(void **ret_stack)
{
#if defined(STACKS)
	return backtrace(ret_stack, DEPTH_MAX);
#else
	(void)ret_stack;
	return 0;
#endif
}

#if defined(STACKS) && defined(SYS_tgkill)
static void answer(int signal_number)
{
	(void)signal_number;
	if (self() != __atomic_load_n(&ask.wanted, __ATOMIC_ACQUIRE) ||
	    __atomic_load_n(&ask.answered, __ATOMIC_RELAXED))
		return;
	ask.depth = own_stack(ask.stack);
	ask.thread = thread_number();
	__atomic_store_n(&ask.answered, true, __ATOMIC_RELEASE);
}

static void wait_for_answer(void)
{
	const struct timespec pause = { 0, 1000000 };

	for (int ms = 0; ms < WAIT_MS && !__atomic_load_n(&ask.answered, __ATOMIC_ACQUIRE); ms++)
		nanosleep(&pause, NULL);
}

/** Signals every thread but this one; the wanted one is among them, or is gone. */
static void ask_all(int signal_number)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;

	for (int i = 0; tasks && i < THREADS_MAX && (task = readdir(tasks)); i++) {
		long number = strtol(task->d_name, NULL, 10);

		if (number > 0 && (uint64_t)number != thread_number())
			syscall(SYS_tgkill, getpid(), number, signal_number);
	}
	if (tasks)
		closedir(tasks);
}

/** The highest real-time signal with nobody to handle it; 0: none. */
static int free_signal(struct sigaction *ret_old)
{
	// Not the very last ones, which emulators keep for themselves.
	for (int number = SIGRTMAX - 3; number >= SIGRTMIN; number--)
		if (sigaction(number, NULL, ret_old) == 0 && !(ret_old->sa_flags & SA_SIGINFO) &&
		    ret_old->sa_handler == SIG_DFL)
			return number;
	return 0;
}

static void ask_other(uintptr_t other)
{
	struct sigaction action = { 0 }, old;
	int number = free_signal(&old);

	if (!number)
		return;
	action.sa_handler = answer;
	action.sa_flags = SA_RESTART;
	if (sigaction(number, &action, NULL) != 0)
		return;
	__atomic_store_n(&ask.wanted, other, __ATOMIC_RELEASE);
	ask_all(number);
	wait_for_answer();
	__atomic_store_n(&ask.wanted, (uintptr_t)0, __ATOMIC_RELEASE);
	// A signal that is still on its way would end the program under the old disposition.
	if (__atomic_load_n(&ask.answered, __ATOMIC_ACQUIRE))
		sigaction(number, &old, NULL);
}
#else
static void ask_other(uintptr_t other)
{
	(void)other;
}
#endif

/* ------------------------------------------------------------------------------------------- */

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return; // nobody to tell
}

static void say_number(uint64_t number, unsigned base)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number && at);
	say(&digits[at]);
}

static void say_stack(const char *whose, uint64_t thread, void *const *stack, int depth)
{
	say("\n");
	say(whose);
	if (thread) {
		say(" (");
		say_number(thread, 10);
		say(")");
	}
	say(depth ? ":\n" : ": its stack could not be had\n");
#if defined(STACKS)
	backtrace_symbols_fd(stack, depth, STDERR_FILENO);
#else
	(void)stack;
#endif
}

static void report(const struct hmap_misuse *misuse)
{
	const char *name = hmap_name_of(misuse->map);

	say("fatal error: ");
	say(misuse->text);
	say("\nmap 0x");
	say_number((uintptr_t)misuse->map, 16);
	if (name) {
		say(" ");
		say(name);
	}
	say("\n");
	say_stack("this thread", misuse->thread, misuse->stack, misuse->depth);
	say_stack("the other thread", misuse->other, misuse->other_stack, misuse->other_depth);
	say("\nlock the map while it is written, or give each thread its own\n");
}

void hmap_misuse_found(const struct hmap *map, const char *text, uintptr_t other)
{
	void *stack[DEPTH_MAX];
	struct hmap_misuse misuse = { .map = map, .text = text, .stack = stack };
	hmap_misuse_fn hook;
	void *state;

	// Both threads may find out: the second waits, and can be asked meanwhile.
	while (__atomic_test_and_set(&ask.busy, __ATOMIC_ACQUIRE))
		sched_yield();
	misuse.thread = thread_number();
	misuse.depth = own_stack(stack); // also loads what a handler could not
	ask.answered = false;
	ask.depth = 0;
	ask.thread = 0;
	if (other && other != self())
		ask_other(other);
	if (__atomic_load_n(&ask.answered, __ATOMIC_ACQUIRE)) {
		misuse.other = ask.thread;
		misuse.other_stack = ask.stack;
		misuse.other_depth = ask.depth;
	}
	hmapi_notify_misuse(&misuse);
	hmap_misuse_hook(map, &hook, &state);
	if (!hook) {
		report(&misuse);
		abort();
	}
	hook(&misuse, state);
	__atomic_clear(&ask.busy, __ATOMIC_RELEASE);
}
