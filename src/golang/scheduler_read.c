// scheduler_read.c - one look at Ps, Ms and queues; see scheduler.h.
//
// A P's ring is written by its own thread at the tail and emptied at the head by anybody:
//
//	head                  tail
//	 |  g  g  g  g  g  g   |  ...  old words, which nobody clears
//
// What was between them before and behind the reading of the ring was there all the time.  A word
// of a queue is believed when a goroutine lies there (its scheduling buffer points back).
#include "golang/scheduler.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/scheduler_internal.h"

#include <inttypes.h>

enum { TRIES = 3, RAW_BYTES_MAX = 8192 };

struct reading {
	struct ms_go_runtime *rt;
	const struct ms_go_layout *l;
	const struct ms_goroutines *goroutines;
	struct ms_go_scheduler s;
};

static struct ms_error *forgive_fault(struct ms_error *err)
{
	if (!err || (ms_error_code(err) != MS_ERR_FAULT && ms_error_code(err) != MS_ERR_BAD_DATA))
		return err;
	ms_error_free(err);
	return NULL;
}

// --- Goroutines. ---

/** The goroutine at @p address as it is now; false when there is none. */
static bool goroutine_at(struct reading *r, ms_addr address, struct ms_goroutine *ret_goroutine,
			 struct ms_error **ret_err)
{
	struct ms_error *err;

	*ret_err = NULL;
	if (!address || (address & 7))
		return false;
	err = ms_goroutine_reread(r->rt, address, ret_goroutine);
	*ret_err = forgive_fault(err);
	return !err;
}

static struct ms_error *queue_add(struct reading *r, ms_addr address)
{
	struct ms_goroutine g;
	struct ms_error *err;

	if (!goroutine_at(r, address, &g, &err) || g.status == MS_GO_DEAD) {
		r->s.strangers++;
		return err;
	}
	return ms_vec_push(&r->s.queued, g.id) ? NULL : ms_error_no_memory();
}

// --- Ps. ---

struct p_head {
	uint32_t head, tail, ticks;
	ms_addr next, m;
};

static struct p_head head_of(const struct ms_go_layout *l, const uint8_t *raw)
{
	return (struct p_head){
		.head = ms_load_u32(raw + l->p_runqhead),
		.tail = ms_load_u32(raw + l->p_runqtail),
		.ticks = ms_load_u32(raw + l->p_schedtick),
		.next = ms_load_u64(raw + l->p_runnext),
		.m = ms_load_u64(raw + l->p_m),
	};
}

static bool is_same(const struct p_head *a, const struct p_head *b)
{
	return a->head == b->head && a->tail == b->tail && a->ticks == b->ticks &&
	       a->next == b->next && a->m == b->m;
}

/** What the thread of a P runs; nothing when it has none. */
static struct ms_error *running_read(struct reading *r, ms_addr m, uint64_t *ret_running,
				     bool *ret_in_syscall)
{
	struct ms_goroutine g;
	uint8_t raw[8];
	struct ms_error *err;

	*ret_running = 0;
	*ret_in_syscall = false;
	if (!m || (m & 7))
		return NULL;
	err = ms_target_read(r->rt->target, m + r->l->m_curg, raw, sizeof(raw));
	if (err)
		return forgive_fault(err);
	if (goroutine_at(r, ms_load_u64(raw), &g, &err)) {
		*ret_running = g.id;
		*ret_in_syscall = g.status == MS_GO_SYSCALL;
	}
	return err;
}

static struct ms_error *queue_read(struct reading *r, const uint8_t *raw, const struct p_head *head,
				   bool *ret_moved)
{
	uint32_t count = head->tail - head->head;
	struct ms_error *err = head->next ? queue_add(r, head->next) : NULL;

	if (count > MS_GO_RUNQ) {
		*ret_moved = true;
		return err;
	}
	for (uint32_t i = 0; i < count && !err; i++) {
		uint32_t place = (head->head + i) % MS_GO_RUNQ;

		err = queue_add(r, ms_load_u64(raw + r->l->p_runq + 8ull * place));
	}
	return err;
}

static struct ms_error *p_read(struct reading *r, ms_addr address, uint32_t id)
{
	uint32_t size = ms_go_p_bytes(r->l);
	struct ms_go_p p = { .address = address, .id = id, .queue = r->s.queued.count };
	uint8_t raw[RAW_BYTES_MAX], again[RAW_BYTES_MAX];
	struct p_head before = { 0 }, after;
	struct ms_error *err;

	p.moved = true;
	for (unsigned try = 0; try < TRIES && p.moved; try++) {
		err = ms_target_read(r->rt->target, address, raw, size);
		before = err ? before : head_of(r->l, raw);
		if (!err)
			err = running_read(r, before.m, &p.running, &p.in_syscall);
		if (!err)
			err = ms_target_read(r->rt->target, address, again, size);
		if (err)
			return err;
		after = head_of(r->l, again);
		p.moved = !is_same(&before, &after);
	}
	p.m = before.m;
	p.status = ms_load_u32(raw + r->l->p_status);
	p.ticks = before.ticks;
	if (ms_load_u32(raw + r->l->p_id) != id || p.status >= MS_GO_P_STATUSES)
		return ms_error_new(MS_ERR_BAD_DATA, "no processor at 0x%" PRIx64, address);
	err = queue_read(r, raw, &before, &p.moved);
	p.queue_count = r->s.queued.count - p.queue;
	if (!err && !ms_vec_push(&r->s.ps, p))
		return ms_error_no_memory();
	return err;
}

// --- Ms. ---

static struct ms_error *m_read(struct reading *r, ms_addr address)
{
	const struct ms_go_layout *l = r->l;
	uint8_t raw[RAW_BYTES_MAX];
	struct ms_go_m m = { .address = address };
	struct ms_goroutine g;
	struct ms_error *err = ms_target_read(r->rt->target, address, raw, ms_go_m_bytes(l));

	if (err)
		return forgive_fault(err); // Its thread ended meanwhile.
	m.id = (int64_t)ms_load_u64(raw + l->m_id);
	m.thread = ms_load_u64(raw + l->m_procid);
	m.p = ms_load_u64(raw + l->m_p);
	m.old_p = ms_load_u64(raw + l->m_oldp);
	m.is_spinning = raw[l->m_spinning];
	m.is_blocked = raw[l->m_blocked];
	if (goroutine_at(r, ms_load_u64(raw + l->m_curg), &g, &err)) {
		m.running = g.id;
		m.in_syscall = g.status == MS_GO_SYSCALL;
	}
	if (!err && goroutine_at(r, ms_load_u64(raw + l->m_lockedg), &g, &err))
		m.locked = g.id;
	if (!err && !ms_vec_push(&r->s.ms, m))
		return ms_error_no_memory();
	return err;
}

static int by_id(const void *a, const void *b)
{
	const struct ms_go_m *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static struct ms_error *ms_read(struct reading *r, const ms_addr *ps, size_t p_count)
{
	struct ms_go_m_list list = { 0 };
	struct ms_error *err = ms_go_ms_list(r->rt, ps, p_count, r->goroutines, &list);

	for (size_t i = 0; i < list.count && !err; i++)
		err = m_read(r, list.items[i]);
	ms_vec_free(&list);
	if (!err && r->s.ms.count)
		qsort(r->s.ms.items, r->s.ms.count, sizeof(*r->s.ms.items), by_id);
	return err;
}

/** While in a system call a P has no thread to Go 1.25: its thread remembers it. */
static void threads_find(struct ms_go_scheduler *s)
{
	for (size_t i = 0; i < s->ps.count; i++) {
		struct ms_go_p *p = &s->ps.items[i];

		for (size_t k = 0; p->status == MS_GO_P_SYSCALL && !p->m && k < s->ms.count; k++) {
			const struct ms_go_m *m = &s->ms.items[k];

			if (m->p || m->old_p != p->address || !m->in_syscall)
				continue;
			p->m = m->address;
			p->running = m->running;
			p->in_syscall = true;
		}
	}
}

// --- The global queue. ---

struct global_head {
	ms_addr first;
	uint32_t size;
};

static struct ms_error *global_head_read(struct reading *r, ms_addr sched,
					 struct global_head *ret_head)
{
	uint8_t first[8], size[4];
	struct ms_read reads[] = {
		{ sched + r->l->sched_runq_head, first, sizeof(first), MS_READ_OK },
		{ sched + r->l->sched_runq_size, size, sizeof(size), MS_READ_OK },
	};
	struct ms_error *err = ms_target_read_many(r->rt->target, reads, MS_ARRAY_SIZE(reads));

	if (err)
		return err;
	if (reads[0].status != MS_READ_OK || reads[1].status != MS_READ_OK)
		return ms_error_new(MS_ERR_FAULT, "the global queue cannot be read");
	*ret_head = (struct global_head){ ms_load_u64(first), ms_load_u32(size) };
	return NULL;
}

/** Its goroutines from the first on, each linked to the next. */
static struct ms_error *global_follow(struct reading *r, const struct global_head *head,
				      bool *ret_whole)
{
	uint64_t most = ms_min_u64(head->size, MS_GO_QUEUE_MAX), count = 0;
	ms_addr at = head->first;

	for (; at && count < most; count++) {
		struct ms_error *err = queue_add(r, at);
		uint8_t raw[8];

		if (!err)
			err =
			    ms_target_read(r->rt->target, at + r->l->g_schedlink, raw, sizeof(raw));
		if (err)
			return err;
		at = ms_load_u64(raw);
	}
	*ret_whole = count == most && (count < head->size || !at);
	return NULL;
}

static struct ms_error *global_read(struct reading *r, ms_addr sched)
{
	struct global_head before, after;
	struct ms_error *err = NULL;
	uint64_t strangers = r->s.strangers;

	r->s.global = r->s.queued.count;
	r->s.global_size = MS_UNKNOWN;
	if (!sched)
		return NULL;
	r->s.global_moved = true;
	for (unsigned try = 0; try < TRIES && r->s.global_moved && !err; try++) {
		bool whole = false;

		r->s.queued.count = r->s.global;
		r->s.strangers = strangers;
		err = global_head_read(r, sched, &before);
		if (!err)
			err = global_follow(r, &before, &whole);
		err = forgive_fault(err);
		if (!err)
			err = global_head_read(r, sched, &after);
		if (err)
			break;
		r->s.global_size = before.size;
		r->s.global_moved =
		    !whole || before.first != after.first || before.size != after.size;
	}
	r->s.global_count = r->s.queued.count - r->s.global;
	return err;
}

// --- All of it. ---

struct ms_error *ms_go_scheduler_read(struct ms_go_runtime *rt,
				      const struct ms_go_scheduler_place *place,
				      const struct ms_goroutines *goroutines,
				      struct ms_go_scheduler *ret_scheduler)
{
	struct reading r = { .rt = rt, .l = rt->layout, .goroutines = goroutines };
	MS_AUTO_FREE ms_addr *ps = NULL;
	size_t count = 0;
	struct ms_error *err = ms_go_ps_list(rt, place->allp, &ps, &count);

	for (size_t i = 0; i < count && !err; i++)
		err = p_read(&r, ps[i], (uint32_t)i);
	if (!err)
		err = ms_read(&r, ps, count);
	if (!err)
		threads_find(&r.s);
	if (!err)
		err = global_read(&r, place->sched);
	if (err)
		ms_go_scheduler_deinit(&r.s);
	else
		*ret_scheduler = r.s;
	return err;
}

void ms_go_scheduler_deinit(struct ms_go_scheduler *s)
{
	ms_vec_free(&s->ps);
	ms_vec_free(&s->ms);
	ms_vec_free(&s->queued);
}
