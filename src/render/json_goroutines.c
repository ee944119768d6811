// json_goroutines.c - "mapscope.goroutines/1".
//
// 100,000 goroutines share some hundred stacks, so those are a list of their own, written once, and
// a goroutine has the place of its stack there.  Clusters are few, and have theirs with them.
#include "render/json.h"

#include <math.h>

static uint64_t known_index(uint32_t index, size_t count)
{
	return index < count ? index : MS_UNKNOWN;
}

static void put_cluster(struct ms_json *j, const struct ms_goroutines_report *r,
			const struct ms_goroutine_cluster *c)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_u64(j, "count", c->count);
	ms_json_put_string(j, "state", c->state);
	ms_json_put_string(j, "wait_reason", c->wait_reason);
	ms_json_put_double(j, "oldest_s", c->oldest_s);
	ms_json_put_bool(j, "stuck", c->is_stuck);
	ms_json_put_bool(j, "suspect", c->is_suspect);
	ms_json_put_bool(j, "system", c->is_system);
	ms_json_put_stack(j, &r->stacks, c->stack);
	ms_json_put_u64(j, "stacks", c->stack_count);
	ms_json_put_call(j, "created_by", &c->created_by);
	ms_json_put_u64(j, "created_by_count", c->created_by_count);
	ms_json_put_u64(j, "place", known_index(c->place, r->place_count));
	ms_json_put_u64(j, "place_count", c->place_count);
	ms_json_key(j, "examples");
	ms_json_open_array(j);
	for (uint32_t i = 0; i < c->example_count; i++)
		ms_json_u64(j, c->examples[i]);
	ms_json_close_array(j);
	ms_json_close_object(j);
}

static void put_place(struct ms_json *j, const struct ms_goroutines_report *r,
		      const struct ms_wait_place *p)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_address(j, "address", p->address);
	ms_json_put_string(j, "kind", p->kind);
	ms_json_put_string(j, "name", p->name);
	ms_json_put_string(j, "owner", p->owner);
	ms_json_put_string(j, "map", p->map);
	ms_json_key(j, "map_address");
	if (p->map_address)
		ms_json_address(j, p->map_address);
	else
		ms_json_null(j);
	ms_json_put_u64(j, "maps", p->maps);
	ms_json_put_u64(j, "waiting", p->waiting);
	ms_json_put_double(j, "oldest_s", p->oldest_s);
	ms_json_put_string(j, "state", p->state);
	ms_json_put_u64(j, "holder", p->holder ? p->holder : MS_UNKNOWN);
	ms_json_put_string(j, "holder_unknown", p->holder_unknown);
	ms_json_put_stack(j, &r->stacks, p->holder_stack);
	ms_json_put_u64(j, "length", p->length);
	ms_json_put_u64(j, "capacity", p->capacity);
	ms_json_put_bool(j, "closed", p->is_closed);
	ms_json_put_u64(j, "choices", p->choices);
	ms_json_put_string(j, "unknown", p->unknown);
	ms_json_close_object(j);
}

static void put_suspect(struct ms_json *j, const struct ms_goroutines_report *r,
			const struct ms_leak_suspect *s)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_call(j, "created_by", &s->created_by);
	ms_json_put_u64(j, "before", s->before);
	ms_json_put_u64(j, "after", s->after);
	ms_json_put_u64(j, "stayed", s->stayed);
	ms_json_put_string(j, "wait_reason", s->wait_reason);
	ms_json_put_double(j, "oldest_s", s->oldest_s);
	ms_json_put_string(j, "why", s->why);
	ms_json_put_stack(j, &r->stacks, s->stack);
	ms_json_close_object(j);
}

static void put_clue(struct ms_json *j, const struct ms_goroutines_report *r,
		     const struct ms_race_clue *c)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_address(j, "map", c->map);
	ms_json_put_string(j, "owner", c->owner);
	ms_json_put_string(j, "type", c->type);
	ms_json_put_string(j, "kind", c->kind);
	ms_json_put_string(j, "strength", c->strength == MS_CLUE_STRONG ? "strong" : "weak");
	ms_json_put_double(j, "apart_s", c->apart_s);
	ms_json_put_u64(j, "seen", c->seen);
	ms_json_put_string(j, "lock_state", c->lock_state);
	ms_json_put_string(j, "why", c->why);
	ms_json_key(j, "sides");
	ms_json_open_array(j);
	for (size_t i = 0; i < MS_ARRAY_SIZE(c->stacks); i++) {
		ms_json_open_object(j);
		ms_json_put_u64(j, "goroutine", c->goroutines[i] ? c->goroutines[i] : MS_UNKNOWN);
		ms_json_put_stack(j, &r->stacks, c->stacks[i]);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
	ms_json_close_object(j);
}

// --- The scheduler. ---

static void put_ids(struct ms_json *j, const char *key, const uint64_t *ids, size_t count)
{
	ms_json_key(j, key);
	ms_json_open_array(j);
	for (size_t i = 0; i < count; i++)
		ms_json_u64(j, ids[i]);
	ms_json_close_array(j);
}

static uint64_t known_or_none(int64_t value)
{
	return value < 0 ? MS_UNKNOWN : (uint64_t)value;
}

static void put_p(struct ms_json *j, const struct ms_sched_p *p)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_u64(j, "p", p->id);
	ms_json_put_string(j, "status", p->status);
	ms_json_put_u64(j, "m", known_or_none(p->m));
	ms_json_put_u64(j, "thread", p->thread ? p->thread : MS_UNKNOWN);
	ms_json_put_u64(j, "running", p->running ? p->running : MS_UNKNOWN);
	put_ids(j, "queue", p->queue, p->queue_count);
	ms_json_put_u64(j, "ticks", p->ticks);
	ms_json_put_bool(j, "moved", p->is_moved);
	ms_json_close_object(j);
}

static void put_m(struct ms_json *j, const struct ms_sched_m *m)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_u64(j, "m", known_or_none(m->id));
	ms_json_put_u64(j, "thread", m->thread ? m->thread : MS_UNKNOWN);
	ms_json_put_u64(j, "p", known_or_none(m->p));
	ms_json_put_u64(j, "running", m->running ? m->running : MS_UNKNOWN);
	ms_json_put_u64(j, "locked", m->locked ? m->locked : MS_UNKNOWN);
	ms_json_put_bool(j, "spinning", m->is_spinning);
	ms_json_put_bool(j, "blocked", m->is_blocked);
	ms_json_put_string(j, "doing", m->doing);
	ms_json_close_object(j);
}

static void put_sched(struct ms_json *j, const struct ms_goroutines_report *r)
{
	ms_json_row(j);
	ms_json_key(j, "sched");
	if (!r->has_sched) {
		ms_json_null(j);
		return;
	}
	ms_json_open_object(j);
	ms_json_key(j, "ps");
	ms_json_open_array(j);
	for (size_t i = 0; i < r->p_count; i++)
		put_p(j, &r->ps[i]);
	ms_json_close_array(j);
	ms_json_row(j);
	ms_json_key(j, "ms");
	ms_json_open_array(j);
	for (size_t i = 0; i < r->m_count; i++)
		put_m(j, &r->ms[i]);
	ms_json_close_array(j);
	ms_json_row(j);
	put_ids(j, "queue", r->global_queue, r->global_queue_count);
	ms_json_put_u64(j, "queue_size", r->global_queue_size);
	ms_json_put_bool(j, "queue_moved", r->global_queue_moved);
	ms_json_put_string(j, "queue_unknown", r->global_queue_unknown);
	ms_json_put_string(j, "unknown", r->sched_unknown);
	ms_json_close_object(j);
}

// --- Goroutines. ---

static void put_row(struct ms_json *j, const struct ms_goroutines_report *r,
		    const struct ms_goroutine_row *row)
{
	ms_json_row(j);
	ms_json_open_object(j);
	ms_json_put_u64(j, "id", row->id);
	ms_json_put_address(j, "address", row->address);
	ms_json_put_string(j, "state", row->state);
	ms_json_put_string(j, "wait_reason", row->wait_reason);
	ms_json_put_double(j, "waited_s", row->waited_s);
	ms_json_put_u64(j, "cluster", row->cluster);
	ms_json_put_u64(j, "stack", known_index(row->stack, r->stacks.count));
	ms_json_put_string(j, "stack_source",
			   ms_stack_source_name((enum ms_stack_source)row->stack_source));
	ms_json_put_call(j, "created_by", &row->created_by);
	ms_json_put_u64(j, "parent", row->parent ? row->parent : MS_UNKNOWN);
	ms_json_put_u64(j, "place", known_index(row->place, r->place_count));
	ms_json_put_u64(j, "thread", row->thread ? row->thread : MS_UNKNOWN);
	ms_json_put_u64(j, "p", row->p == UINT32_MAX ? MS_UNKNOWN : row->p);
	ms_json_put_string(j, "role", ms_map_role_name((enum ms_map_role)row->role));
	ms_json_key(j, "map");
	if (row->map)
		ms_json_address(j, row->map);
	else
		ms_json_null(j);
	ms_json_put_string(j, "map_owner", row->map_owner);
	ms_json_put_u64(j, "samples", row->samples);
	ms_json_put_double(j, "stack_share", row->stack_share > 0 ? row->stack_share : NAN);
	ms_json_put_u64(j, "role_stack",
			row->role != MS_ROLE_NONE && row->role != MS_ROLE_WAITS
			    ? known_index(row->role_stack, r->stacks.count)
			    : MS_UNKNOWN);
	ms_json_put_double(j, "role_share", row->role_share > 0 ? row->role_share : NAN);
	ms_json_put_bool(j, "system", row->is_system);
	ms_json_close_object(j);
}

static void put_coverage(struct ms_json *j, const struct ms_goroutines_report *r)
{
	ms_json_row(j);
	ms_json_key(j, "coverage");
	ms_json_open_object(j);
	ms_json_put_u64(j, "seen", r->seen);
	ms_json_put_u64(j, "unwound", r->unwound);
	ms_json_put_u64(j, "cut", r->cut);
	ms_json_put_u64(j, "sampled", r->sampled);
	ms_json_put_u64(j, "without_stack", r->without_stack);
	ms_json_put_u64(j, "moved", r->moved);
	ms_json_put_u64(j, "dead", r->dead);
	ms_json_put_u64(j, "unread", r->unread);
	ms_json_put_u64(j, "frame_pointer_agrees", r->frame_pointer_agrees);
	ms_json_put_u64(j, "frame_pointer_differs", r->frame_pointer_differs);
	ms_json_put_u64(j, "samples", r->samples);
	ms_json_put_u64(j, "samples_lost", r->samples_lost);
	ms_json_put_u64(j, "samples_nobody", r->samples_nobody);
	ms_json_put_u64(j, "threads_left_out", r->threads_left_out);
	ms_json_put_string(j, "no_samples_reason", r->no_samples);
	ms_json_put_string(j, "burst", r->burst);
	ms_json_close_object(j);
}

static void open_list(struct ms_json *j, const char *key)
{
	ms_json_row(j);
	ms_json_key(j, key);
	ms_json_open_array(j);
}

static void put_found(struct ms_json *j, const struct ms_goroutines_report *r)
{
	open_list(j, "places");
	for (size_t i = 0; i < r->place_count; i++)
		put_place(j, r, &r->places[i]);
	ms_json_close_array(j);
	open_list(j, "suspects");
	for (size_t i = 0; i < r->suspect_count; i++)
		put_suspect(j, r, &r->suspects[i]);
	ms_json_close_array(j);
	open_list(j, "clues");
	for (size_t i = 0; i < r->clue_count; i++)
		put_clue(j, r, &r->clues[i]);
	ms_json_close_array(j);
	put_sched(j, r);
}

static void put_stacks(struct ms_json *j, const struct ms_goroutines_report *r)
{
	open_list(j, "stacks");
	for (uint32_t i = 0; i < r->stacks.count && !ms_sink_failed(j->sink); i++) {
		ms_json_row(j);
		ms_json_open_object(j);
		ms_json_put_stack(j, &r->stacks, i);
		ms_json_close_object(j);
	}
	ms_json_close_array(j);
}

struct ms_error *ms_render_goroutines_json(const struct ms_goroutines_report *report,
					   struct ms_sink *sink)
{
	struct ms_json j;
	struct ms_error *err =
	    ms_json_begin(&j, sink, "mapscope.goroutines/1", &report->target, &report->cost);

	if (err)
		return err;
	ms_json_put_partial(&j, report->partial, report->partial_reason);
	put_coverage(&j, report);
	ms_json_row(&j);
	ms_json_put_double(&j, "apart_s", report->apart_s);
	ms_json_row(&j);
	ms_json_put_string(&j, "leak_proof", report->proof);
	open_list(&j, "clusters");
	for (size_t i = 0; i < report->cluster_count && !ms_sink_failed(sink); i++)
		put_cluster(&j, report, &report->clusters[i]);
	ms_json_close_array(&j);
	put_found(&j, report);
	put_stacks(&j, report);
	open_list(&j, "goroutines");
	for (size_t i = 0; i < report->row_count && !ms_sink_failed(sink); i++)
		put_row(&j, report, &report->rows[i]);
	ms_json_close_array(&j);
	return ms_json_end(&j);
}
