// cmd_doctor.c - `mapscope doctor`: everything a census needs, tried one by one.
//
// The page is printed whatever is found; the exit code is the one a census would end with.
#include "cli/cmd.h"
#include "cli/doctor.h"
#include "cli/output.h"

#include "base/vec.h"

#include <math.h>
#include <stdarg.h>

static struct ms_error *page_text(const void *report, const struct ms_options *o,
				  const struct ms_text_style *style, struct ms_sink *sink)
{
	(void)o;
	return ms_render_doctor_text(report, style, sink);
}

static struct ms_error *page_json(const void *report, const struct ms_options *o,
				  struct ms_sink *sink)
{
	(void)o;
	return ms_render_doctor_json(report, sink);
}

void ms_doctor_add(struct ms_doctor *d, const char *name, enum ms_check_state state,
		   const char *fix, const char *fmt, ...)
{
	struct ms_doctor_report *r = d->report;
	struct ms_checks {
		struct ms_check *items;
		size_t count, capacity;
	} checks = { r->checks, r->check_count, d->check_capacity };
	char text[512];
	va_list args;
	struct ms_check check = { .name = name, .state = state };

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	check.text = ms_arena_strndup(&r->arena, text, strlen(text));
	check.fix = fix ? ms_arena_strndup(&r->arena, fix, strlen(fix)) : NULL;
	if (!check.text || (fix && !check.fix) || !ms_vec_push(&checks, check))
		d->no_memory = true;
	r->checks = checks.items;
	r->check_count = checks.count;
	d->check_capacity = checks.capacity;
}

void ms_doctor_refuse(struct ms_doctor *d, const char *name, const char *fix, struct ms_error *err)
{
	bool is_go_alone = ms_error_code(err) == MS_ERR_UNSUPPORTED && d->session->registries.count;

	if (d->code == MS_EXIT_DONE && !is_go_alone)
		d->code = ms_exit_code_of(err);
	ms_doctor_add(d, name, MS_CHECK_NO, fix, "%s", ms_error_message(err));
	ms_error_free(err);
}

/** The one thing to change: of what does not work, else of what works with a limit. */
static const char *choose_change(const struct ms_doctor_report *r)
{
	const char *limited = NULL;

	for (size_t i = 0; i < r->check_count; i++) {
		const struct ms_check *c = &r->checks[i];

		if (c->state == MS_CHECK_NO && c->fix)
			return c->fix;
		if (c->state == MS_CHECK_LIMITED && c->fix && !limited)
			limited = c->fix;
	}
	return limited;
}

static const char *choose_verdict(const struct ms_doctor *d)
{
	switch (d->code) {
	case MS_EXIT_DONE:
		break;
	case MS_EXIT_DENIED:
		return "maps cannot be read: permission is missing";
	case MS_EXIT_GONE:
		return "maps cannot be read: the process is gone";
	case MS_EXIT_UNSUPPORTED:
		return "maps cannot be read: this is no target that mapscope supports";
	default:
		return "maps could not be read";
	}
	for (size_t i = 0; i < d->report->check_count; i++) {
		if (d->report->checks[i].state != MS_CHECK_OK)
			return "maps and diagnose will work, within the limits above";
	}
	return "maps and diagnose will work";
}

static void examine(struct ms_doctor *d)
{
	struct ms_doctor_report *r = d->report;

	ms_doctor_check_process(d);
	if (ms_doctor_check_memory(d) && ms_doctor_find_hmap(d)) {
		if (ms_doctor_check_program(d))
			ms_doctor_check_runtime(d);
		ms_doctor_check_hmap(d);
	}
	r->verdict = choose_verdict(d);
	r->change = choose_change(r);
	r->cost.gc_cycle = MS_UNKNOWN;
	r->cost.gc_age_s = NAN;
	if (d->session->target)
		r->cost.read_bytes = d->session->target->cost.read_bytes;
	ms_session_account(d->session, &r->cost);
}

struct ms_error *ms_cmd_doctor(const struct ms_options *o, double started,
			       enum ms_exit_code *ret_exit)
{
	struct ms_session s;
	struct ms_doctor_report report = { 0 };
	struct ms_doctor d = { .session = &s, .report = &report };
	struct ms_error *err = ms_session_find(&s, o, started);

	if (!err)
		err = ms_session_describe(&s, &report.arena, &report.target);
	if (!err) {
		const struct ms_page page = { .text = page_text,
					      .documents = { [MS_FORMAT_JSON] = page_json },
					      .report = &report };

		examine(&d);
		err = d.no_memory ? ms_error_no_memory() : ms_output_write(o, &page);
		*ret_exit = d.code;
	}
	ms_doctor_report_deinit(&report);
	ms_session_deinit(&s);
	return err;
}
