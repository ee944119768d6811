// cmd_core.c - `mapscope CORE`: how a program ended, and its maps.
#include "cli/cmd.h"

#include "census/census_run.h"
#include "cli/fail_ifs.h"
#include "cli/look_calls.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/take_census.h"
#include "diagnose/find_crash.h"
#include "goroutines/goroutines_run.h"
#include "target/core.h"

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	return ms_render_crash_text(report, &o->view, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	return ms_render_crash_json(report, &o->view, sink);
}

static struct ms_error *check_formats(const struct ms_options *o)
{
	bool good = o->format == MS_FORMAT_TEXT || o->format == MS_FORMAT_JSON;

	for (size_t i = 0; i < o->file_count; i++)
		good &=
		    o->files[i].format == MS_FORMAT_TEXT || o->files[i].format == MS_FORMAT_JSON;
	if (good)
		return NULL;
	return ms_error_new(MS_ERR_USAGE,
			    "the page of a core file has the forms text and json; for others type "
			    "mapscope maps %s or mapscope goroutines %s",
			    o->core, o->core);
}

/** Goroutines that cannot be read leave the census. */
static struct ms_error *take_goroutines(struct ms_session *s, struct ms_crash_report *r,
					struct ms_goroutines_report *goroutines)
{
	struct ms_progress progress;
	const struct ms_goroutines_options options = { .census = r->census,
						       .stop = ms_look_stop,
						       .now = ms_look_now,
						       .sleep_until = ms_look_sleep_until,
						       .progress = ms_look_progress,
						       .context = &progress };
	struct ms_error *err;

	if (!s->rt)
		return NULL;
	ms_progress_init(&progress, s->options, s->started);
	err = ms_goroutines_run(s->rt, &options, goroutines);
	ms_progress_end(&progress);
	if (!err) {
		r->goroutines = goroutines;
		return ms_crash_find(s->rt, r);
	}
	if (ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	r->no_goroutines = ms_arena_strndup(&r->census->arena, ms_error_message(err),
					    strlen(ms_error_message(err)));
	ms_error_free(err);
	return r->no_goroutines ? NULL : ms_error_no_memory();
}

/**
 * Where spans are missing the census may not have come to the map.  The call that died had it, and
 * says its type: so it can be judged as if a walk had led there.
 */
static struct ms_error *judge_map(struct ms_session *s, struct ms_crash_report *r)
{
	struct ms_typed_map map = { r->map_address, r->map_type_at };
	const struct ms_typed_maps typed = { .items = &map, .count = 1 };
	const struct ms_census_options options = { .typed = &typed };
	struct ms_census_report one;
	const struct ms_map_row *found;
	struct ms_map_row *row = NULL;
	struct ms_error *err;

	if (!s->rt || !s->rt->lacks_spans || r->map || !r->map_address || !r->map_type_at)
		return NULL;
	err = ms_census_run(s->rt, &options, &one);
	if (err)
		return err;
	found = ms_census_row_at(&one, r->map_address);
	if (found && !(row = ms_arena_alloc(&r->census->arena, sizeof(*row))))
		err = ms_error_no_memory();
	if (row) {
		*row = *found;
		row->type = r->map_type;
		row->key_type = row->elem_type = row->owner = NULL;
		row->type_source = r->map_type ? MS_TYPE_CALL : MS_TYPE_NONE;
		r->map = row;
	}
	ms_census_report_deinit(&one);
	return err;
}

static void take_file(const struct ms_session *s, struct ms_crash_report *r)
{
	static const char *const exe_is[] = {
		[MS_CORE_EXE_UNCHECKED] = "the program's file could not be checked against the "
					  "core, which does not have its build id",
		[MS_CORE_EXE_OF_MEMORY] = "the program's file is not here: what is known of it is "
					  "from the core",
		[MS_CORE_EXE_CHECKED] = NULL,
		[MS_CORE_EXE_MISSING] = NULL, // Refused by then.
	};
	const struct ms_core_info *info = ms_core_info(s->target);
	const struct ms_core_file *file = info->file;

	r->threads = file->threads.count;
	if (file->threads.count) {
		r->thread = file->threads.items[0].id;
		r->signal = file->threads.items[0].signal
				? sigabbrev_np((int)file->threads.items[0].signal)
				: NULL;
	}
	r->missing_bytes = file->missing_bytes;
	r->file_bytes = file->bytes;
	r->exe_is = exe_is[info->exe_is];
	r->partial = r->census->partial || file->missing_bytes;
	r->partial_reason = file->missing_bytes && !r->census->partial ? "the core file is cut off"
								       : r->census->partial_reason;
}

static struct ms_error *show(struct ms_session *s, struct ms_crash_report *r,
			     enum ms_exit_code *ret_exit)
{
	const struct ms_options *o = s->options;
	const struct ms_page page = { .text = page_text,
				      .documents = { [MS_FORMAT_JSON] = page_json },
				      .report = r };
	struct ms_error *err;

	r->target = r->census->target;
	r->census->cost.read_bytes = s->target->cost.read_bytes;
	ms_session_account(s, &r->census->cost);
	r->cost = r->census->cost;
	err = ms_output_write(o, &page);
	if (r->partial)
		ms_output_say_partial(r->partial_reason);
	*ret_exit = r->partial ? MS_EXIT_PARTIAL : MS_EXIT_DONE;
	return err ? err
		   : ms_fail_ifs_check(o, r->census->owners, r->census->owner_count, NULL,
				       ret_exit);
}

struct ms_error *ms_cmd_core(const struct ms_options *o, double started,
			     enum ms_exit_code *ret_exit)
{
	struct ms_session s;
	struct ms_census_report census;
	struct ms_goroutines_report goroutines = { 0 };
	struct ms_crash_report r = { .census = &census, .stack = MS_NO_STACK };
	struct ms_error *err = check_formats(o);

	if (!err)
		err = ms_fail_ifs_are_of_census(o);
	if (err)
		return err;
	err = ms_session_find(&s, o, started);
	if (!err)
		err = ms_session_open(&s);
	if (!err)
		err = ms_take_census(&s, MS_TAKE_MEMORY, &census);
	if (!err) {
		take_file(&s, &r);
		err = take_goroutines(&s, &r, &goroutines);
		if (!err)
			err = judge_map(&s, &r);
		if (!err)
			err = show(&s, &r, ret_exit);
		if (r.goroutines)
			ms_goroutines_report_deinit(&goroutines);
		ms_census_report_deinit(&census);
	}
	ms_session_deinit(&s);
	return err;
}
