// Goal: a thread that runs is sampled where it is, with its registers and the bytes of its stack; a
// thread that sleeps is not; one that ends leaves what it was sampled at.
// Method: threads of this process, and the kernel.  Skipped where it does not allow that.
#include "stacks/cpu_samples.h"

#include "tests/support/test.h"

#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MARK_BYTES = 4096, WANTED = 3, PATIENCE_S = 30 };

static const uint64_t MARK = 0x6d61726b206f6e20;

struct spinner {
	pthread_t thread;
	uint32_t id;
	bool stop;
	volatile uint64_t *marks; // On its stack.
};

static void *spin(void *context)
{
	struct spinner *s = context;
	volatile uint64_t marks[MARK_BYTES / 8];

	for (size_t i = 0; i < MS_ARRAY_SIZE(marks); i++)
		marks[i] = MARK;
	s->marks = marks;
	__atomic_store_n(&s->id, (uint32_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
		marks[0] = MARK;
	return NULL;
}

static void spinner_start(struct spinner *s)
{
	*s = (struct spinner){ 0 };
	CHECK_EQ(pthread_create(&s->thread, NULL, spin, s), 0);
	while (!__atomic_load_n(&s->id, __ATOMIC_ACQUIRE))
		usleep(1000);
}

static void spinner_end(struct spinner *s)
{
	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
	CHECK_EQ(pthread_join(s->thread, NULL), 0);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ms_cpu_sampler *sampler_start(void)
{
	struct ms_cpu_sampler *sampler;
	struct ms_error *err = ms_cpu_sampler_create(getpid(), MS_CPU_HZ, &sampler);

	if (err && ms_error_code(err) != MS_ERR_GONE)
		SKIP("%s", ms_error_message(err));
	CHECK_OK(err);
	return sampler;
}

struct seen {
	const struct spinner *spinner;
	double began, last;
	uint64_t his, others, with_marks;
};

static struct ms_error *take(const struct ms_cpu_sample *sample, void *context)
{
	struct seen *seen = context;
	ms_addr marks = (ms_addr)(uintptr_t)seen->spinner->marks;

	if (sample->thread != seen->spinner->id) {
		seen->others++;
		return NULL;
	}
	CHECK(sample->time >= seen->last);
	CHECK(sample->time > seen->began && sample->time < now());
	CHECK(sample->pc != 0);
	CHECK(sample->chain_count >= 1);
	CHECK_EQ(ms_load_u64(sample->chain), sample->pc);
	seen->last = sample->time;
	seen->his++;
	if (ms_range_holds(sample->sp, sample->sp + sample->stack_bytes, marks + 8, 8)) {
		CHECK_EQ(ms_load_u64(sample->stack + (marks + 8 - sample->sp)), MARK);
		seen->with_marks++;
	}
	return NULL;
}

MS_TEST(a_thread_that_runs_is_sampled_where_it_is)
{
	struct spinner spinner;
	struct seen seen = { .spinner = &spinner, .began = now() };
	struct ms_cpu_sampler *sampler;

	spinner_start(&spinner);
	sampler = sampler_start();
	while (seen.with_marks < WANTED && now() < seen.began + PATIENCE_S) {
		usleep(20000);
		CHECK_OK(ms_cpu_sampler_take(sampler, take, &seen));
	}
	spinner_end(&spinner);
	CHECK(seen.with_marks >= WANTED);
	CHECK_EQ(ms_cpu_sampler_figures(sampler).samples, seen.his + seen.others);
	CHECK(ms_cpu_sampler_figures(sampler).threads >= 2);
	ms_cpu_sampler_destroy(sampler);
}

MS_TEST(a_thread_that_begins_later_is_found_and_may_end)
{
	struct spinner spinner = { 0 };
	struct seen seen = { .spinner = &spinner, .began = now() };
	struct ms_cpu_sampler *sampler;
	uint64_t before;

	spinner_start(&spinner); // A sanitizer may begin a thread of its own with the first.
	spinner_end(&spinner);
	sampler = sampler_start();
	before = ms_cpu_sampler_figures(sampler).threads;
	spinner_start(&spinner);
	while (seen.his < WANTED && now() < seen.began + PATIENCE_S) {
		usleep(20000);
		CHECK_OK(ms_cpu_sampler_take(sampler, take, &seen));
	}
	CHECK(seen.his >= WANTED);
	CHECK_EQ(ms_cpu_sampler_figures(sampler).threads, before + 1);
	spinner_end(&spinner);
	CHECK_OK(ms_cpu_sampler_take(sampler, take, &seen)); // What it left.
	seen.his = 0;
	CHECK_OK(ms_cpu_sampler_take(sampler, take, &seen));
	CHECK_EQ(seen.his, 0);
	ms_cpu_sampler_destroy(sampler);
}

MS_TEST(a_process_that_is_gone_is_not_sampled)
{
	struct ms_cpu_sampler *sampler;

	CHECK_ERR(ms_cpu_sampler_create(0x7ffffff0, MS_CPU_HZ, &sampler), MS_ERR_GONE);
}
