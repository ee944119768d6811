// stacks.c - the stacks of all goroutines of a process, and how fast they are read.
//
//	stacks PID [--print]
//
// With --print, each goroutine, its frames and the go statement that made it, as the live test
// compares them with what the program itself prints.  Then how each stack ended, and the figures;
// opening and loading not timed:
//
//	complete 1000
//	goroutines 1003 resting 1000 frames 15600 by_frame_pointer 0 load_s 0.004 wall_s 0.012
#include "base/cleanup.h"
#include "golang/calls.h"
#include "golang/unwind.h"
#include "target/process.h"

#include <inttypes.h>
#include <time.h>

enum { NAME_BYTES = 1024 };

struct figures {
	const struct ms_functions *functions;
	bool print;
	uint64_t goroutines, resting, frames, by_frame_pointer;
	uint64_t ended[MS_UNWIND_OFF_STACK + 1];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_frame(const struct ms_functions *f, const struct ms_frame *frame)
{
	struct ms_call calls[MS_CALLS_MAX];
	size_t count = ms_function_calls(f, frame->function, ms_frame_call_pc(frame), calls);

	for (size_t i = 0; i < count; i++) {
		char name[NAME_BYTES];

		ms_function_name_print(calls[i].name, name, sizeof(name));
		printf("\t%s\t%s:%" PRIu32 "%s\n", name, calls[i].file ? calls[i].file : "?",
		       calls[i].line, calls[i].is_wrapper ? "\twrapper" : "");
	}
}

/** Goes behind the frames; nothing for the first goroutine. */
static void print_creator(const struct ms_functions *f, const struct ms_goroutine *g)
{
	ms_addr at = g->created_at - 1;
	const struct ms_function *function = g->id == 1 ? NULL : ms_functions_find(f, at);
	char name[NAME_BYTES];
	const char *file = "?";
	uint32_t line = 0;

	if (!function)
		return;
	(void)ms_function_line(f, function, at, &file, &line);
	ms_function_name_print(function->name, name, sizeof(name));
	printf("\tcreated by %s\t%s:%" PRIu32 "\n", name, file, line);
}

static struct ms_error *take(const struct ms_goroutine *g, const struct ms_frames *frames,
			     void *context)
{
	struct figures *figures = context;

	figures->goroutines++;
	figures->resting += frames->ended != MS_UNWIND_RUNNING && frames->ended != MS_UNWIND_MOVED;
	figures->frames += frames->count;
	figures->by_frame_pointer += frames->by_frame_pointer;
	figures->ended[frames->ended]++;
	if (!figures->print)
		return NULL;
	printf("goroutine %" PRIu64 " %s\n", g->id, ms_unwind_end_text(frames->ended));
	for (size_t i = 0; i < frames->count; i++)
		print_frame(figures->functions, &frames->items[i]);
	print_creator(figures->functions, g);
	return NULL;
}

static struct ms_error *unwind_all(struct ms_go_runtime *rt, struct figures *figures)
{
	struct ms_goroutines goroutines = { 0 };
	struct ms_unwinder *u = NULL;
	double start = now(), loaded;
	struct ms_error *err = ms_go_functions(rt, &figures->functions);

	loaded = now();
	if (!err)
		err = ms_unwinder_create(rt, &u);
	if (!err)
		err = ms_goroutines_load(rt, &goroutines);
	if (!err)
		err = ms_unwind_each(u, &goroutines, take, figures);
	if (!err) {
		for (size_t i = 0; i < MS_ARRAY_SIZE(figures->ended); i++) {
			if (figures->ended[i])
				printf("%s %" PRIu64 "\n",
				       ms_unwind_end_text((enum ms_unwind_end)i),
				       figures->ended[i]);
		}
		printf("goroutines %" PRIu64 " resting %" PRIu64 " frames %" PRIu64
		       " by_frame_pointer %" PRIu64 " functions %zu damaged %" PRIu64
		       " load_s %.6f wall_s %.6f\n",
		       figures->goroutines, figures->resting, figures->frames,
		       figures->by_frame_pointer, figures->functions->count,
		       figures->functions->damaged, loaded - start, now() - loaded);
	}
	ms_unwinder_destroy(u);
	ms_goroutines_deinit(&goroutines);
	return err;
}

int main(int argc, char **argv)
{
	MS_AUTO_ERROR struct ms_error *err = NULL;
	long pid = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	struct figures figures = { .print = argc > 2 };
	struct ms_go_runtime *rt = NULL;
	struct ms_target *t = NULL;

	if (pid <= 0 || argc > 3 || (argc == 3 && strcmp(argv[2], "--print") != 0)) {
		fprintf(stderr, "usage: stacks PID [--print]\n");
		return 1;
	}
	err = ms_process_open((pid_t)pid, NULL, &t);
	if (!err)
		err = ms_go_open(t, NULL, &rt);
	if (!err)
		err = unwind_all(rt, &figures);
	ms_go_close(rt);
	ms_target_destroy(t);
	if (err)
		fprintf(stderr, "stacks: %s\n", ms_error_message(err));
	return err ? 1 : 0;
}
