// Goal: a stack unwound by bytes that were copied of it gives the frames that its memory gives,
// and says so where the bytes end.
// Method: the resting goroutines of every recording.
#include "golang/unwind.h"

#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdlib.h>

struct recorded {
	struct ms_target *target;
	struct ms_go_runtime *rt;
	const struct ms_functions *functions;
};

static struct recorded recorded_open(const char *name)
{
	struct recorded r = { .target = recording_open(name) };

	CHECK_OK(ms_go_open(r.target, NULL, &r.rt));
	CHECK_OK(ms_go_functions(r.rt, &r.functions));
	return r;
}

static void recorded_close(struct recorded *r)
{
	ms_go_close(r->rt);
	ms_target_destroy(r->target);
}

static void check_same(const struct ms_frames *a, const struct ms_frames *b, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		CHECK_EQ(a->items[i].pc, b->items[i].pc);
		CHECK_EQ(a->items[i].sp, b->items[i].sp);
		CHECK_EQ(a->items[i].is_return, b->items[i].is_return);
		CHECK(a->items[i].function == b->items[i].function);
	}
}

struct images {
	struct ms_go_runtime *rt;
	struct ms_unwinder *unwinder;
	size_t checked;
};

static struct ms_error *check_image(const struct ms_goroutine *g, const struct ms_frames *live,
				    void *context)
{
	struct images *images = context;
	struct ms_stack_image image = { .pc = g->pc,
					.sp = g->sp,
					.bp = g->bp,
					.lr = g->lr,
					.stack_lo = g->stack_lo,
					.stack_hi = g->stack_hi,
					.size = (size_t)(g->stack_hi - g->sp),
					.is_return = true };
	static struct ms_frames frames;
	uint8_t *bytes;

	if (live->ended != MS_UNWIND_TOP)
		return NULL;
	bytes = malloc(image.size);
	CHECK_OK(ms_target_read(images->rt->target, g->sp, bytes, image.size));
	image.bytes = bytes;
	CHECK_OK(ms_unwind_image(images->unwinder, &image, &frames));
	CHECK_EQ(frames.ended, MS_UNWIND_TOP);
	CHECK_EQ(frames.count, live->count);
	check_same(&frames, live, frames.count);
	if (live->count > 2) { // One word less than the second frame needs.
		image.size = (size_t)(live->items[1].end - g->sp);
		CHECK_OK(ms_unwind_image(images->unwinder, &image, &frames));
		CHECK_EQ(frames.ended, MS_UNWIND_IMAGE_END);
		CHECK_EQ(frames.count, 2);
		check_same(&frames, live, 2);
	}
	images->checked++;
	free(bytes);
	return NULL;
}

MS_TEST(an_image_of_a_stack_has_the_frames_of_its_memory)
{
	struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++) {
		struct recorded r = recorded_open(names.items[i]);
		struct ms_goroutines goroutines;
		struct images images = { .rt = r.rt };

		CHECK_OK(ms_unwinder_create(r.rt, &images.unwinder));
		CHECK_OK(ms_goroutines_load(r.rt, &goroutines));
		CHECK_OK(ms_unwind_each(images.unwinder, &goroutines, check_image, &images));
		CHECK(images.checked >= 3);
		ms_goroutines_deinit(&goroutines);
		ms_unwinder_destroy(images.unwinder);
		recorded_close(&r);
	}
}
