// Goal: the scheduler is found where it is, its queues are read in order, and nothing hostile in
// them does harm. Method: every recording, right and with each fact wrong by a word; then a made-up
// scheduler of every row, whole, torn, and damaged.
#include "golang/scheduler.h"

#include "base/vec.h"
#include "tests/support/fake_target.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

// --- Recordings. ---

enum { RECORDED_PS = 2, RECORDED_MS_MIN = 3 };

struct recorded {
	struct ms_target *target;
	struct ms_go_runtime *rt;
	struct ms_goroutines goroutines;
};

static struct recorded recorded_open(const char *name)
{
	struct recorded r = { .target = recording_open(name) };

	CHECK_OK(ms_go_open(r.target, NULL, &r.rt));
	CHECK_OK(ms_goroutines_load(r.rt, &r.goroutines));
	return r;
}

static void recorded_close(struct recorded *r)
{
	ms_goroutines_deinit(&r->goroutines);
	ms_go_close(r->rt);
	ms_target_destroy(r->target);
}

static const struct ms_go_m *m_find(const struct ms_go_scheduler *s, ms_addr address)
{
	for (size_t i = 0; i < s->ms.count; i++) {
		if (s->ms.items[i].address == address)
			return &s->ms.items[i];
	}
	return NULL;
}

/** The recorded program was at rest: what it runs are goroutines in system calls at most. */
static void check_recording(const char *name)
{
	struct recorded r = recorded_open(name);
	struct ms_go_scheduler_place place;
	struct ms_go_scheduler s;
	struct ms_go_running running[RECORDED_PS];
	size_t count;

	CHECK_OK(ms_go_scheduler_find(r.rt, &r.goroutines, &place));
	CHECK(place.sched && !place.sched_unknown);
	CHECK_OK(ms_go_scheduler_read(r.rt, &place, &r.goroutines, &s));
	CHECK_EQ(s.ps.count, RECORDED_PS);
	CHECK(s.ms.count >= RECORDED_MS_MIN);
	for (size_t i = 0; i < s.ps.count; i++) {
		CHECK_EQ(s.ps.items[i].id, i);
		CHECK_EQ(s.ps.items[i].queue_count, 0);
		CHECK(!s.ps.items[i].moved && !s.ps.items[i].running == !s.ps.items[i].in_syscall);
	}
	for (size_t i = 0; i < s.ms.count; i++) { // Numbered without a gap, with a thread each.
		CHECK_EQ(s.ms.items[i].id, (int64_t)i);
		CHECK(s.ms.items[i].thread);
	}
	for (size_t i = 0; i < r.goroutines.count; i++) {
		const struct ms_goroutine *g = &r.goroutines.items[i];

		CHECK(!g->m || (m_find(&s, g->m) && m_find(&s, g->m)->running == g->id));
	}
	CHECK_EQ(s.global_size, 0);
	CHECK_EQ(s.strangers, 0);
	CHECK_OK(ms_go_running_read(r.rt, &place, running, RECORDED_PS, &count));
	CHECK_EQ(count, RECORDED_PS);
	for (size_t i = 0; i < count; i++) {
		CHECK_EQ(running[i].ticks, s.ps.items[i].ticks);
		CHECK(!running[i].moved);
	}
	ms_go_scheduler_deinit(&s);
	recorded_close(&r);
}

MS_TEST(scheduler_in_every_recording)
{
	static struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++)
		check_recording(names.items[i]);
}

/** Facts whose error has to be noticed where the scheduler is looked for. */
static const size_t facts[] = {
	offsetof(struct ms_go_layout, p_id),
	offsetof(struct ms_go_layout, g_sched_g),
	offsetof(struct ms_go_layout, sched_midle),
	offsetof(struct ms_go_layout, sched_pidle),
	offsetof(struct ms_go_layout, sched_maxmcount),
};

static void check_wrong(struct recorded *r, const char *name, size_t fact, int by)
{
	const struct ms_go_layout *right = r->rt->layout;
	struct ms_go_layout wrong = *right;
	struct ms_go_scheduler_place place = { 0 };
	uint32_t *offset = (uint32_t *)((uint8_t *)&wrong + fact);
	struct ms_error *err;

	if (by < 0 && *offset < (uint32_t)-by)
		return;
	*offset += (uint32_t)by;
	r->rt->layout = &wrong;
	err = ms_go_scheduler_find(r->rt, &r->goroutines, &place);
	if (!err && place.sched)
		ms_test_fail(__FILE__, __LINE__, "%s: the fact at %zu, %d off, went unnoticed",
			     name, fact, by);
	ms_error_free(err);
	r->rt->layout = right;
}

MS_TEST(scheduler_with_a_fact_wrong_by_a_word)
{
	static struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++) {
		struct recorded r = recorded_open(names.items[i]);

		for (size_t k = 0; k < MS_ARRAY_SIZE(facts); k++) {
			check_wrong(&r, names.items[i], facts[k], 8);
			check_wrong(&r, names.items[i], facts[k], -8);
		}
		recorded_close(&r);
	}
}

// --- Made up. ---

enum {
	PS = 3,
	GS = 12,
	P_BYTES = 8192,
	M_BYTES = 1024,
	G_BYTES = 512,
	BSS_BYTES = 4096,
	BSS = 0x600000,
	HEAP = 0x10000000,
	SCHED_AT = 512,
	ALLM_AT = 3072,
	RING = 256,
};

/** One P runs goroutine 1 on M 1, one idles, one is full. */
struct made {
	struct fake_target fake;
	struct ms_go_runtime rt;
	const struct ms_go_layout *l;
	struct ms_goroutines goroutines;
	struct ms_go_scheduler_place place;
	struct ms_go_scheduler s;
	uint8_t bss[BSS_BYTES];
	struct {
		uint64_t allp[PS];
		uint8_t p[PS][P_BYTES], m[PS][M_BYTES], g0[PS][G_BYTES], g[GS][G_BYTES];
	} heap;
};

#define AT(made, thing) (HEAP + (ms_addr)((uint8_t *)(thing) - (uint8_t *)&(made)->heap))

static void put(uint8_t *at, uint32_t offset, uint64_t value, size_t size)
{
	memcpy(at + offset, &value, size);
}

static void made_g(struct made *m, size_t i)
{
	const struct ms_go_layout *l = m->l;
	uint8_t *g = m->heap.g[i];

	put(g, l->g_goid, i + 1, 8);
	put(g, l->g_sched_g, AT(m, g), 8);
	put(g, l->g_stack_lo, 0x7000, 8);
	put(g, l->g_stack_hi, 0x8000, 8);
	put(g, l->g_status, i ? MS_GO_RUNNABLE : MS_GO_RUNNING, 4);
	CHECK(ms_vec_push(&m->goroutines, { .address = AT(m, g), .id = i + 1 }));
}

static void made_m(struct made *m, size_t i)
{
	const struct ms_go_layout *l = m->l;
	uint8_t *raw = m->heap.m[i];

	put(raw, l->m_g0, AT(m, m->heap.g0[i]), 8);
	put(m->heap.g0[i], l->g_m, AT(m, raw), 8);
	put(raw, l->m_id, i, 8);
	put(raw, l->m_procid, 4000 + i, 8);
	put(raw, l->m_alllink, i ? AT(m, m->heap.m[i - 1]) : 0, 8);
}

static void made_queue(struct made *m, size_t p, uint32_t head, const size_t *gs, size_t count)
{
	const struct ms_go_layout *l = m->l;

	for (size_t i = 0; i < count; i++)
		put(m->heap.p[p], l->p_runq + 8 * (uint32_t)((head + i) % RING),
		    AT(m, m->heap.g[gs[i]]), 8);
	put(m->heap.p[p], l->p_runqhead, head, 4);
	put(m->heap.p[p], l->p_runqtail, head + (uint32_t)count, 4);
}

static void made_sched(struct made *m)
{
	const struct ms_go_layout *l = m->l;
	uint8_t *sched = m->bss + SCHED_AT;

	put(sched, l->sched_goidgen, 64, 8);
	put(sched, l->sched_maxmcount, 10000, 4);
	put(sched, l->sched_midle, AT(m, m->heap.m[0]), 8);
	put(sched, l->sched_nmidle, 1, 4);
	put(sched, l->sched_pidle, AT(m, m->heap.p[1]), 8);
	put(sched, l->sched_npidle, 1, 4);
	put(sched, l->sched_runq_head, AT(m, m->heap.g[8]), 8);
	put(sched, l->sched_runq_size, 3, 4);
	put(m->heap.g[8], l->g_schedlink, AT(m, m->heap.g[10]), 8);
	put(m->heap.g[10], l->g_schedlink, AT(m, m->heap.g[9]), 8);
}

static struct made *made_new(const struct ms_go_layout *layout)
{
	static const size_t wraps[] = { 2, 3, 4 }, one[] = { 5 };
	struct made *m = calloc(1, sizeof(*m));

	CHECK(m != NULL);
	m->l = layout;
	m->rt.layout = layout;
	m->rt.target = &m->fake.target;
	m->rt.modules[0] = (struct ms_go_module){ .bss = BSS, .ebss = BSS + BSS_BYTES };
	fake_target_init(&m->fake);
	fake_target_map(&m->fake, BSS, m->bss, sizeof(m->bss), MS_REGION_EXE,
			MS_PROT_READ | MS_PROT_WRITE);
	fake_target_map(&m->fake, HEAP, &m->heap, sizeof(m->heap), MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
	CHECK_OK(ms_target_regions(&m->fake.target, &m->rt.regions));
	for (size_t i = 0; i < GS; i++)
		made_g(m, i);
	for (size_t i = 0; i < PS; i++) {
		made_m(m, i);
		m->heap.allp[i] = AT(m, m->heap.p[i]);
		put(m->heap.p[i], layout->p_id, i, 4);
		put(m->heap.p[i], layout->p_schedtick, 10 * (i + 1), 4);
	}
	put(m->bss, 0, AT(m, m->heap.allp), 8);
	put(m->bss, 8, PS, 8);
	put(m->bss, 16, PS, 8);
	put(m->bss, ALLM_AT, AT(m, m->heap.m[PS - 1]), 8);
	put(m->heap.p[0], layout->p_status, MS_GO_P_RUNNING, 4);
	put(m->heap.p[0], layout->p_m, AT(m, m->heap.m[1]), 8);
	put(m->heap.p[0], layout->p_runnext, AT(m, m->heap.g[6]), 8);
	put(m->heap.m[1], layout->m_p, AT(m, m->heap.p[0]), 8);
	put(m->heap.m[1], layout->m_curg, AT(m, m->heap.g[0]), 8);
	made_queue(m, 0, UINT32_MAX - 1, wraps, MS_ARRAY_SIZE(wraps));
	made_queue(m, 2, 7, one, 1);
	made_sched(m);
	return m;
}

static void made_drop(struct made *m)
{
	ms_go_scheduler_deinit(&m->s);
	ms_goroutines_deinit(&m->goroutines);
	free(m->rt.regions.items);
	fake_target_deinit(&m->fake);
	free(m);
}

static void made_read(struct made *m)
{
	CHECK_OK(ms_go_scheduler_find(&m->rt, &m->goroutines, &m->place));
	CHECK_OK(ms_go_scheduler_read(&m->rt, &m->place, &m->goroutines, &m->s));
}

static void check_queue(const struct made *m, size_t first, size_t count, const uint64_t *want,
			size_t want_count)
{
	CHECK_EQ(count, want_count);
	for (size_t i = 0; i < want_count; i++)
		CHECK_EQ(m->s.queued.items[first + i], want[i]);
}

static void check_layout(const struct ms_go_layout *layout)
{
	struct made *m = made_new(layout);
	static const uint64_t first[] = { 7, 3, 4, 5 }, third[] = { 6 }, global[] = { 9, 11, 10 };
	struct ms_go_running running[PS];
	size_t count;

	made_read(m);
	CHECK_EQ(m->place.allp, BSS);
	CHECK_EQ(m->place.sched, BSS + SCHED_AT);
	CHECK_EQ(m->s.ps.count, PS);
	CHECK_EQ(m->s.ms.count, PS);
	CHECK_EQ(m->s.ps.items[0].running, 1);
	CHECK_EQ(m->s.ps.items[1].running, 0);
	CHECK_EQ(m->s.ms.items[1].running, 1);
	CHECK_EQ(m->s.ms.items[1].thread, 4001);
	check_queue(m, m->s.ps.items[0].queue, m->s.ps.items[0].queue_count, first, 4);
	CHECK_EQ(m->s.ps.items[1].queue_count, 0);
	check_queue(m, m->s.ps.items[2].queue, m->s.ps.items[2].queue_count, third, 1);
	check_queue(m, m->s.global, m->s.global_count, global, 3);
	CHECK(!m->s.global_moved && !m->s.ps.items[0].moved);
	CHECK_OK(ms_go_running_read(&m->rt, &m->place, running, PS, &count));
	CHECK_EQ(count, PS);
	CHECK_EQ(running[0].goroutine, 1);
	CHECK_EQ(running[0].ticks, 10);
	CHECK_EQ(running[1].goroutine, 0);
	made_drop(m);
}

MS_TEST(scheduler_of_every_row)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++)
		check_layout(ms_go_layout_at(i));
}

MS_TEST(scheduler_with_a_queue_that_does_not_end)
{
	struct made *m = made_new(ms_go_layout_at(0));

	put(m->heap.g[9], m->l->g_schedlink, AT(m, m->heap.g[8]), 8);
	made_read(m);
	CHECK_EQ(m->s.global_count, 3);
	CHECK(m->s.global_moved); // Its end is not where its size says.
	made_drop(m);
}

MS_TEST(scheduler_with_strangers_in_queues)
{
	struct made *m = made_new(ms_go_layout_at(0));

	CHECK_OK(ms_go_scheduler_find(&m->rt, &m->goroutines, &m->place));
	put(m->heap.p[2], m->l->p_runq + 8 * 7, HEAP + 24, 8);
	put(m->heap.p[0], m->l->p_runnext, 0x1234567, 8);
	CHECK_OK(ms_go_scheduler_read(&m->rt, &m->place, &m->goroutines, &m->s));
	CHECK_EQ(m->s.ps.items[2].queue_count, 0);
	CHECK_EQ(m->s.ps.items[0].queue_count, 3);
	CHECK_EQ(m->s.strangers, 2);
	made_drop(m);
}

MS_TEST(scheduler_with_a_ring_longer_than_it_can_be)
{
	struct made *m = made_new(ms_go_layout_at(0));

	CHECK_OK(ms_go_scheduler_find(&m->rt, &m->goroutines, &m->place));
	put(m->heap.p[2], m->l->p_runqtail, 1 << 30, 4);
	CHECK_OK(ms_go_scheduler_read(&m->rt, &m->place, &m->goroutines, &m->s));
	CHECK_EQ(m->s.ps.items[2].queue_count, 0);
	CHECK(m->s.ps.items[2].moved);
	made_drop(m);
}

MS_TEST(scheduler_with_too_many_processors)
{
	struct made *m = made_new(ms_go_layout_at(0));

	CHECK_OK(ms_go_scheduler_find(&m->rt, &m->goroutines, &m->place));
	put(m->bss, 8, UINT64_MAX / 8, 8);
	CHECK_ERR(ms_go_scheduler_read(&m->rt, &m->place, &m->goroutines, &m->s), MS_ERR_BAD_DATA);
	made_drop(m);
}

MS_TEST(scheduler_in_two_places)
{
	struct made *m = made_new(ms_go_layout_at(0));

	memcpy(m->bss + ALLM_AT + 64, m->bss, 24); // A second slice with the same Ps.
	CHECK_ERR(ms_go_scheduler_find(&m->rt, &m->goroutines, &m->place), MS_ERR_BAD_DATA);
	made_drop(m);
}

/** The P's counter goes on at each read. */
static void go_on(void *arg, uint64_t index, const struct ms_read *read)
{
	struct made *m = arg;

	(void)index;
	(void)read;
	m->heap.p[0][m->l->p_schedtick]++;
}

MS_TEST(scheduler_that_goes_on)
{
	struct made *m = made_new(ms_go_layout_at(0));
	struct ms_go_running running[PS];
	size_t count;

	CHECK_OK(ms_go_scheduler_find(&m->rt, &m->goroutines, &m->place));
	m->fake.before_read = go_on;
	m->fake.before_read_arg = m;
	CHECK_OK(ms_go_scheduler_read(&m->rt, &m->place, &m->goroutines, &m->s));
	CHECK(m->s.ps.items[0].moved && !m->s.ps.items[1].moved);
	CHECK_OK(ms_go_running_read(&m->rt, &m->place, running, PS, &count));
	CHECK(running[0].moved && !running[1].moved);
	made_drop(m);
}
