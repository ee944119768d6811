// Goal: two threads in one map are both named, with their stacks.
// Method: a hash callback that waits keeps one thread inside a map while the other one comes; the
// hook looks for the functions that each must have on its stack.  The report without a hook is read
// from a child that dies of it.
#include "hmap/misuse.h"
#include "tests/support/test.h"

#include <hmap/hmap.h>
#include <hmap/hmap_hash.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static bool inside, leave;
static __thread bool waits;

/** The hash of a key: a thread that waits stays in it, in the middle of its call. */
static uint64_t slow_hash(const void *key, uint64_t seed, void *state)
{
	uint64_t number;

	(void)state;
	memcpy(&number, key, sizeof(number));
	if (waits) {
		__atomic_store_n(&inside, true, __ATOMIC_RELEASE);
		while (!__atomic_load_n(&leave, __ATOMIC_ACQUIRE))
			usleep(100);
	}
	return hmap_hash_u64(number, seed);
}

static const struct hmap_type type = { .key_size = 8, .value_size = 8, .hash = slow_hash };

struct seen {
	unsigned count;
	char text[64];
	void *stack[64], *other_stack[64];
	int depth, other_depth;
	uint64_t thread, other;
};

static void hook(const struct hmap_misuse *misuse, void *state)
{
	struct seen *seen = state;

	if (seen->count++)
		return;
	snprintf(seen->text, sizeof(seen->text), "%s", misuse->text);
	seen->depth = misuse->depth;
	seen->other_depth = misuse->other_depth;
	seen->thread = misuse->thread;
	seen->other = misuse->other;
	for (int i = 0; i < misuse->depth; i++)
		seen->stack[i] = misuse->stack[i];
	for (int i = 0; i < misuse->other_depth; i++)
		seen->other_stack[i] = misuse->other_stack[i];
}

static void *write_slowly(void *map)
{
	uint64_t key = 1;

	waits = true;
	hmap_put(map, &key, &key);
	return NULL;
}

static bool has_function(void *const *stack, int depth, uintptr_t function, size_t size)
{
	for (int i = 0; i < depth; i++)
		if ((uintptr_t)stack[i] >= function && (uintptr_t)stack[i] < function + size)
			return true;
	return false;
}

static void meet(void (*use)(struct hmap *map), const struct hmap_options *options)
{
	struct hmap *map = NULL;
	pthread_t writer;
	uint64_t key = 2;

	inside = leave = false;
	CHECK_EQ(hmap_create(&type, options, &map), HMAP_OK);
	CHECK_EQ(hmap_put(map, &key, &key), HMAP_OK);
	CHECK_EQ(pthread_create(&writer, NULL, write_slowly, map), 0);
	while (!__atomic_load_n(&inside, __ATOMIC_ACQUIRE))
		usleep(100);
	use(map);
	__atomic_store_n(&leave, true, __ATOMIC_RELEASE);
	pthread_join(writer, NULL);
	hmap_destroy(map);
}

static void use_put(struct hmap *map)
{
	uint64_t key = 3;

	CHECK_EQ(hmap_put(map, &key, &key), HMAP_MISUSE);
}

static void use_erase(struct hmap *map)
{
	uint64_t key = 3;

	CHECK_EQ(hmap_erase(map, &key), HMAP_MISUSE);
}

static void use_get(struct hmap *map)
{
	uint64_t key = 3;

	(void)hmap_get(map, &key);
}

static void use_iterate(struct hmap *map)
{
	struct hmap_iterator it;

	hmap_iterate(map, &it);
	(void)hmap_next(&it);
	hmap_iterate_end(&it);
}

static void check_seen(const struct seen *seen, const char *text)
{
	CHECK(seen->count >= 1);
	CHECK_STR(seen->text, text);
#if defined(__GLIBC__)
	CHECK(seen->depth > 0);
	CHECK(seen->thread && seen->other && seen->thread != seen->other);
	CHECK(has_function(seen->other_stack, seen->other_depth, (uintptr_t)write_slowly, 256) ||
	      has_function(seen->other_stack, seen->other_depth, (uintptr_t)slow_hash, 512));
#endif
}

MS_TEST(misuse_is_told_with_both_stacks)
{
	static const struct {
		void (*use)(struct hmap *map);
		const char *text;
	} cases[] = {
		{ use_put, "concurrent map writes" },
		{ use_erase, "concurrent map writes" },
		{ use_get, "concurrent map read and map write" },
		{ use_iterate, "concurrent map iteration and map write" },
	};

	for (enum hmap_engine engine = HMAP_STEADY; engine <= HMAP_CLASSIC; engine++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct seen seen = { 0 };
			struct hmap_options options = { .engine = engine,
							.misuse = hook,
							.misuse_state = &seen };

			printf("engine %d, %s\n", (int)engine, cases[i].text);
			meet(cases[i].use, &options);
			check_seen(&seen, cases[i].text);
		}
}

MS_TEST(misuse_ends_the_program_with_a_report)
{
	int pipes[2], status;
	char report[16384];
	size_t size = 0;
	ssize_t got;
	pid_t child;

	CHECK_EQ(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		struct hmap_options options = { .name = "orders" };

		dup2(pipes[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		meet(use_put, &options);
		_exit(0);
	}
	close(pipes[1]);
	while (size < sizeof(report) - 1 &&
	       (got = read(pipes[0], report + size, sizeof(report) - 1 - size)) > 0)
		size += (size_t)got;
	report[size] = '\0';
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK_CONTAINS(report, "fatal error: concurrent map writes");
	CHECK_CONTAINS(report, "orders");
	CHECK_CONTAINS(report, "this thread");
	CHECK_CONTAINS(report, "the other thread");
}

static void *end_at_once(void *ret_self)
{
	*(uintptr_t *)ret_self = (uintptr_t)pthread_self() & ~(uintptr_t)15;
	return NULL;
}

MS_TEST(misuse_by_a_thread_that_is_gone)
{
	struct seen seen = { 0 };
	struct hmap_options options = { .misuse = hook, .misuse_state = &seen };
	struct hmap *map = NULL;
	uintptr_t gone = 0;
	pthread_t thread;

	CHECK_EQ(hmap_create(&type, &options, &map), HMAP_OK);
	CHECK_EQ(pthread_create(&thread, NULL, end_at_once, &gone), 0);
	pthread_join(thread, NULL);
	hmap_misuse_found(map, "concurrent map writes", gone);
	CHECK_EQ(seen.count, 1);
	CHECK_EQ(seen.other, 0);
	CHECK_EQ(seen.other_depth, 0);
	hmap_destroy(map);
}
