// json_crash.c - "mapscope.crash/1".
#include "render/json.h"

#include "report/crash.h"

static const char *how_name(enum ms_crash_second how)
{
	return how == MS_SECOND_IN_MAP_CODE ? "in map code" : "can write";
}

static const char *error_name(const struct ms_crash_report *r)
{
	const char *text = ms_crash_error_text((enum ms_crash_error)r->error);

	return text ? text : r->error == MS_CRASH_OTHER ? "other" : NULL;
}

static void put_users(struct ms_json *j, const struct ms_crash_report *r)
{
	ms_json_row(j);
	ms_json_key(j, "users");
	ms_json_open_array(j);
	for (size_t i = 0; i < r->user_count; i++) {
		const struct ms_crash_user *u = &r->users[i];

		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_u64(j, "goroutine", u->goroutine);
		ms_json_put_string(j, "how", how_name((enum ms_crash_second)u->how));
		ms_json_put_string(j, "role", ms_map_role_name((enum ms_map_role)u->role));
		ms_json_put_string(j, "state", u->state);
		ms_json_put_stack(j, &r->goroutines->stacks, u->stack);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
	ms_json_put_u64(j, "more_users", r->more_users);
}

static void put_candidates(struct ms_json *j, const struct ms_crash_report *r)
{
	ms_json_put_string(j, "map_from",
			   ms_crash_map_source_name((enum ms_crash_map_source)r->map_source));
	ms_json_put_string(j, "map_type", r->map_type);
	ms_json_row(j);
	ms_json_key(j, "candidates");
	ms_json_open_array(j);
	for (size_t i = 0; i < r->candidate_count; i++) {
		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_bool(j, "writing", r->candidates[i].is_written);
		ms_json_key(j, "map");
		ms_json_map(j, r->candidates[i].map);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
	ms_json_put_u64(j, "more_candidates", r->more_candidates);
}

static void put_end(struct ms_json *j, const struct ms_crash_report *r)
{
	static const struct ms_stacks none;

	ms_json_row(j);
	ms_json_put_string(j, "signal", r->signal);
	ms_json_put_u64(j, "thread", r->thread ? r->thread : MS_UNKNOWN);
	ms_json_put_u64(j, "threads", r->threads);
	ms_json_put_string(j, "error", error_name(r));
	ms_json_row(j);
	ms_json_put_string(j, "ended_by", ms_crash_end_name((enum ms_crash_end)r->ended_by));
	ms_json_put_string(j, "words", r->words);
	ms_json_put_string(j, "raised_in", r->raised_in);
	ms_json_row(j);
	ms_json_put_u64(j, "goroutine", r->goroutine ? r->goroutine : MS_UNKNOWN);
	ms_json_put_string(j, "role", ms_map_role_name((enum ms_map_role)r->role));
	ms_json_put_stack(j, r->goroutines ? &r->goroutines->stacks : &none, r->stack);
	ms_json_row(j);
	ms_json_key(j, "map_address");
	if (r->map_address)
		ms_json_address(j, r->map_address);
	else
		ms_json_null(j);
	ms_json_key(j, "map");
	if (r->map)
		ms_json_map(j, r->map);
	else
		ms_json_null(j);
	put_candidates(j, r);
	put_users(j, r);
	ms_json_row(j);
	ms_json_put_u64(j, "missing_bytes", r->missing_bytes);
	ms_json_put_string(j, "exe_unknown", r->exe_is);
	ms_json_put_string(j, "goroutines_unknown", r->no_goroutines);
}

struct ms_error *ms_render_crash_json(const struct ms_crash_report *r,
				      const struct ms_census_view *view, struct ms_sink *sink)
{
	struct ms_json j;
	struct ms_error *err = ms_json_begin(&j, sink, "mapscope.crash/1", &r->target, &r->cost);

	if (err)
		return err;
	ms_json_put_partial(&j, r->partial, r->partial_reason);
	put_end(&j, r);
	ms_json_put_coverage(&j, &r->census->coverage);
	ms_json_put_owners(&j, r->census, view);
	return ms_json_end(&j);
}
