// look_clock.c - now, or the end of a core file as far as it is known.
//
// A core says nowhere when it was written. The runtime's own notes of time are read from it: when
// its last collection ended (runtime.memstats, runtime/mstats.go), when one began (gcController,
// runtime/mgcpacer.go), and since when goroutines wait. The last of these lies before the end.
#include "goroutines/look_clock.h"

#include "golang/collections.h"
#include "golang/spans.h"

#include <math.h>

static struct ms_error *last_collection(struct ms_go_runtime *rt, double *ret_last_s)
{
	struct ms_go_collections collections = { 0 };
	struct ms_go_collections_now now;
	struct ms_spans spans;
	struct ms_error *err = ms_spans_load(rt, &spans);

	if (err)
		return err;
	err = ms_go_collections_find(rt, spans.in_use_bytes, &collections);
	ms_spans_deinit(&spans);
	if (!err)
		err = ms_go_collections_read(&collections, &now);
	if (!err && now.last_end_ns > 0)
		*ret_last_s = (double)now.last_end_ns / 1e9;
	if (!err && now.has_pacer && now.pacer.mark_start_ns > 0)
		*ret_last_s = fmax(*ret_last_s, (double)now.pacer.mark_start_ns / 1e9);
	ms_go_collections_deinit(&collections);
	return err;
}

static bool stands_still(struct ms_go_runtime *rt)
{
	size_t threads;

	return ms_target_threads(rt->target, &threads) != NULL;
}

struct ms_error *ms_look_clock_find(struct ms_go_runtime *rt, double *ret_last_s)
{
	struct ms_error *err = NULL;

	*ret_last_s = NAN;
	if (stands_still(rt))
		err = last_collection(rt, ret_last_s);
	if (err && (ms_error_code(err) == MS_ERR_GONE || ms_error_code(err) == MS_ERR_NO_MEMORY))
		return err;
	ms_error_free(err); // Then the goroutines' own notes have to do.
	return NULL;
}

double ms_look_clock(const struct ms_goroutines_run *run)
{
	double last = run->last_s;

	if (!stands_still(run->rt))
		return run->options->now(run->options->context);
	for (size_t i = 0; i < run->goroutines.count; i++)
		last = fmax(last, (double)run->goroutines.items[i].wait_since / 1e9);
	return last;
}
