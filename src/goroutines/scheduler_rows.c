// scheduler_rows.c - each P with its queue, each thread with what it does, in words.
//
// They are read behind the goroutines, all at once: what a P runs here may differ from the state of
// a goroutine that was read a moment before.
#include "goroutines/scheduler_rows.h"

#include "base/cleanup.h"
#include "golang/scheduler.h"

#include <string.h>

static const char *const statuses[] = {
	[MS_GO_P_IDLE] = "idle",     [MS_GO_P_RUNNING] = "running", [MS_GO_P_SYSCALL] = "syscall",
	[MS_GO_P_GCSTOP] = "gcstop", [MS_GO_P_DEAD] = "dead",
};

static struct ms_error *start(struct ms_goroutines_run *run, void **ret_state)
{
	*ret_state = NULL; // There is nothing to keep.
	if (run->options->sched)
		run->report->has_sched = true;
	return NULL;
}

static const struct ms_go_m *m_find(const struct ms_go_scheduler *s, ms_addr address)
{
	for (size_t i = 0; i < s->ms.count && address; i++) {
		if (s->ms.items[i].address == address)
			return &s->ms.items[i];
	}
	return NULL;
}

static const struct ms_go_p *p_find(const struct ms_go_scheduler *s, ms_addr address)
{
	for (size_t i = 0; i < s->ps.count && address; i++) {
		if (s->ps.items[i].address == address)
			return &s->ps.items[i];
	}
	return NULL;
}

static uint32_t thread_of(const struct ms_go_m *m)
{
	return m && m->thread <= INT32_MAX ? (uint32_t)m->thread : 0;
}

/** What a thread does, as far as its M says. */
static const char *doing(const struct ms_go_m *m)
{
	if (!m->thread)
		return "waits for a thread of C";
	if (m->running && m->in_syscall)
		return "in a system call";
	if (m->running && m->p)
		return "runs";
	if (m->is_spinning)
		return "looks for work";
	if (m->locked && m->is_blocked)
		return "waits for its goroutine";
	if (m->is_blocked)
		return "sleeps";
	return "in the runtime";
}

static struct ms_error *queue_copy(struct ms_goroutines_report *report,
				   const struct ms_go_scheduler *s, size_t first, size_t count,
				   uint64_t **ret_queue)
{
	uint64_t *queue = ms_arena_alloc(&report->arena, (count + 1) * sizeof(*queue));

	if (!queue)
		return ms_error_no_memory();
	if (count)
		memcpy(queue, s->queued.items + first, count * sizeof(*queue));
	*ret_queue = queue;
	return NULL;
}

static struct ms_error *ps_write(struct ms_goroutines_report *report,
				 const struct ms_go_scheduler *s)
{
	report->ps = calloc(s->ps.count + 1, sizeof(*report->ps));
	if (!report->ps)
		return ms_error_no_memory();
	for (size_t i = 0; i < s->ps.count; i++) {
		const struct ms_go_p *p = &s->ps.items[i];
		const struct ms_go_m *m = m_find(s, p->m);
		struct ms_sched_p *row = &report->ps[i];
		struct ms_error *err;

		*row = (struct ms_sched_p){
			.id = p->id,
			.status = p->in_syscall ? "syscall" : statuses[p->status],
			.thread = thread_of(m),
			.m = m ? m->id : -1,
			.running = p->running,
			.queue_count = p->queue_count,
			.ticks = p->ticks,
			.is_moved = p->moved,
		};
		err = queue_copy(report, s, p->queue, p->queue_count, &row->queue);
		if (err)
			return err;
		report->p_count++;
	}
	return NULL;
}

static struct ms_error *ms_write(struct ms_goroutines_report *report,
				 const struct ms_go_scheduler *s)
{
	report->ms = calloc(s->ms.count + 1, sizeof(*report->ms));
	if (!report->ms)
		return ms_error_no_memory();
	for (size_t i = 0; i < s->ms.count; i++) {
		const struct ms_go_m *m = &s->ms.items[i];
		const struct ms_go_p *p = p_find(s, m->p);

		report->ms[report->m_count++] = (struct ms_sched_m){
			.id = m->id,
			.thread = thread_of(m),
			.running = m->running,
			.p = p ? (int64_t)p->id : -1,
			.is_spinning = m->is_spinning,
			.is_blocked = m->is_blocked,
			.locked = m->locked,
			.doing = doing(m),
		};
	}
	return NULL;
}

static struct ms_error *global_write(struct ms_goroutines_report *report,
				     const struct ms_go_scheduler *s)
{
	report->global_queue = calloc(s->global_count + 1, sizeof(*report->global_queue));
	if (!report->global_queue)
		return ms_error_no_memory();
	if (s->global_count)
		memcpy(report->global_queue, s->queued.items + s->global,
		       s->global_count * sizeof(*report->global_queue));
	report->global_queue_count = s->global_count;
	report->global_queue_size = s->global_size;
	report->global_queue_moved = s->global_moved;
	return NULL;
}

static struct ms_error *write_all(struct ms_goroutines_run *run,
				  const struct ms_go_scheduler_place *place)
{
	struct ms_go_scheduler s;
	struct ms_error *err = ms_go_scheduler_read(run->rt, place, &run->goroutines, &s);

	if (err)
		return err;
	err = ps_write(run->report, &s);
	if (!err)
		err = ms_write(run->report, &s);
	if (!err)
		err = global_write(run->report, &s);
	run->report->global_queue_unknown = place->sched_unknown;
	ms_go_scheduler_deinit(&s);
	return err;
}

static struct ms_error *end(struct ms_goroutines_run *run, void *state)
{
	struct ms_goroutines_report *report = run->report;
	struct ms_go_scheduler_place place;
	struct ms_error *err;

	(void)state;
	if (!report->has_sched)
		return NULL;
	report->global_queue_size = MS_UNKNOWN;
	err = ms_go_scheduler_find(run->rt, &run->goroutines, &place);
	if (!err)
		err = write_all(run, &place);
	if (!ms_error_is_unreadable(err))
		return err;
	report->sched_unknown = ms_arena_printf(&report->arena, "%s", ms_error_message(err));
	ms_error_free(err);
	return report->sched_unknown ? NULL : ms_error_no_memory();
}

const struct ms_goroutines_pass ms_scheduler_pass = {
	.name = "scheduler",
	.start = start,
	.end = end,
};
