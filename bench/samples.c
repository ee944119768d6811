// samples.c - what the CPU clock finds the threads of a process at, sample by sample.
//
//	samples PID [SECONDS [HZ [--print]]]
//
// With --print, a line for each sample inside map code: the role, the map, the goroutine, and the
// first function around that is the program's.  Then the figures:
//
//	samples 398 lost 0 threads 5 nobody 2 inside 312 known 309 cut 0 pointers_agree 398 own_s
// 0.01
#include "base/cleanup.h"
#include "goroutines/map_uses.h"
#include "stacks/sampled_stack.h"
#include "target/process.h"

#include <inttypes.h>
#include <time.h>

enum { PERIOD_NS = 20000000 };

struct figures {
	struct ms_go_runtime *rt;
	const struct ms_functions *functions;
	struct ms_unwinder *unwinder;
	struct ms_map_finder *finder;
	struct ms_sampled_stack stack;
	bool print;
	uint64_t nobody, inside, known, cut, pointers_agree;
};

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *caller_of(const struct figures *f)
{
	for (size_t i = 0; i < f->stack.count; i++) {
		struct ms_stack_pc pc = f->stack.pcs[i];
		const struct ms_function *function =
		    ms_functions_find(f->functions, pc.pc - pc.is_return);

		if (function && !(function->flags & MS_FUNCTION_RUNTIME))
			return function->name;
	}
	return "?";
}

static struct ms_error *take(const struct ms_cpu_sample *sample, void *context)
{
	struct figures *f = context;
	struct ms_map_use use;
	struct ms_error *err = ms_sampled_stack_make(f->rt, f->unwinder, sample, &f->stack);

	if (!err)
		err = ms_map_use_find(f->finder, &f->stack.image, sample->registers,
				      &f->stack.frames, &use);
	if (err)
		return err;
	f->nobody += !f->stack.g.id;
	f->inside += use.role != MS_ROLE_NONE;
	f->known += use.map != 0;
	f->cut += f->stack.cut != NULL;
	f->pointers_agree += f->stack.chain_agrees;
	if (f->print && use.role != MS_ROLE_NONE)
		printf("%s %#" PRIx64 " %" PRIu64 " %s\n", ms_map_role_name(use.role), use.map,
		       f->stack.g.id, caller_of(f));
	return NULL;
}

static struct ms_error *watch(struct figures *f, pid_t pid, double how_long, unsigned hz)
{
	struct ms_cpu_sampler *sampler = NULL;
	struct ms_error *err = ms_go_functions(f->rt, &f->functions);
	double until;

	if (!err)
		err = ms_unwinder_create(f->rt, &f->unwinder);
	if (!err)
		err = ms_map_finder_create(f->rt, NULL, &f->finder);
	if (!err)
		err = ms_cpu_sampler_create(pid, hz, &sampler);
	until = seconds(CLOCK_MONOTONIC) + how_long;
	while (!err && seconds(CLOCK_MONOTONIC) < until) {
		nanosleep(&(struct timespec){ 0, PERIOD_NS }, NULL);
		err = ms_cpu_sampler_take(sampler, take, f);
	}
	if (!err) {
		struct ms_cpu_figures c = ms_cpu_sampler_figures(sampler);

		printf("samples %" PRIu64 " lost %" PRIu64 " threads %" PRIu64 " nobody %" PRIu64
		       " inside %" PRIu64 " known %" PRIu64 " cut %" PRIu64
		       " pointers_agree %" PRIu64 " own_s %.3f\n",
		       c.samples, c.lost, c.threads, f->nobody, f->inside, f->known, f->cut,
		       f->pointers_agree, seconds(CLOCK_PROCESS_CPUTIME_ID));
	}
	ms_cpu_sampler_destroy(sampler);
	ms_map_finder_destroy(f->finder);
	ms_unwinder_destroy(f->unwinder);
	return err;
}

int main(int argc, char **argv)
{
	pid_t pid = argc > 1 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
	double how_long = argc > 2 ? strtod(argv[2], NULL) : 2;
	unsigned hz = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : MS_CPU_HZ;
	struct figures *f = calloc(1, sizeof(*f));
	struct ms_target *t = NULL;
	struct ms_error *err;
	int code;

	if (!f || pid <= 0) {
		fprintf(stderr, "usage: samples PID [SECONDS [HZ [--print]]]\n");
		free(f);
		return 1;
	}
	f->print = argc > 4;
	err = ms_process_open(pid, NULL, &t);
	if (!err)
		err = ms_go_open(t, NULL, &f->rt);
	if (!err)
		err = watch(f, pid, how_long, hz);
	if (err)
		fprintf(stderr, "samples: %s\n", ms_error_message(err));
	ms_go_close(f->rt);
	ms_target_destroy(t);
	free(f);
	code = err ? 1 : 0;
	ms_error_free(err);
	return code;
}
