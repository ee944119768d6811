// scheduler_poll.c - what each P runs, fast enough to be asked a thousand times a second.
//
//	P: ticks, M ── M: curg ── g: number, and P's ticks and M once more
//
// A goroutine is believed when its P had taken up none from before to behind the reading.
#include "golang/scheduler.h"

#include "base/cleanup.h"
#include "golang/scheduler_internal.h"

enum { WORD = 8, TICKS = 4 };

/** One P under way. */
struct poll {
	uint8_t m[WORD], ticks[TICKS], curg[WORD], g[WORD], goid[WORD];
	uint8_t m_again[WORD], ticks_again[TICKS], curg_again[WORD];
};

static struct ms_error *batch(struct ms_go_runtime *rt, struct ms_read *reads, size_t count)
{
	return count ? ms_target_read_many(rt->target, reads, count) : NULL;
}

/** The M of a P, or 0 where none can be read. */
static ms_addr m_of(const struct poll *p)
{
	ms_addr m = ms_load_u64(p->m);

	return m & 7 ? 0 : m;
}

static ms_addr g_of(const struct poll *p)
{
	ms_addr g = m_of(p) ? ms_load_u64(p->curg) : 0;

	return g & 7 ? 0 : g;
}

static struct ms_error *ps_read(struct ms_go_runtime *rt, const ms_addr *ps, size_t count,
				struct poll *polls, struct ms_read *reads)
{
	const struct ms_go_layout *l = rt->layout;

	for (size_t i = 0; i < count; i++) {
		reads[2 * i] =
		    (struct ms_read){ ps[i] + l->p_schedtick, polls[i].ticks, TICKS, MS_READ_OK };
		reads[2 * i + 1] = (struct ms_read){ ps[i] + l->p_m, polls[i].m, WORD, MS_READ_OK };
	}
	return batch(rt, reads, 2 * count);
}

static struct ms_error *curgs_read(struct ms_go_runtime *rt, size_t count, struct poll *polls,
				   struct ms_read *reads)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (m_of(&polls[i]))
			reads[used++] = (struct ms_read){ m_of(&polls[i]) + rt->layout->m_curg,
							  polls[i].curg, WORD, MS_READ_OK };
	}
	return batch(rt, reads, used);
}

static struct ms_error *goids_read(struct ms_go_runtime *rt, const ms_addr *ps, size_t count,
				   struct poll *polls, struct ms_read *reads)
{
	const struct ms_go_layout *l = rt->layout;
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		struct poll *p = &polls[i];
		ms_addr g = g_of(p);

		if (g) {
			reads[used++] =
			    (struct ms_read){ g + l->g_sched_g, p->g, WORD, MS_READ_OK };
			reads[used++] =
			    (struct ms_read){ g + l->g_goid, p->goid, WORD, MS_READ_OK };
		}
		if (m_of(p))
			reads[used++] = (struct ms_read){ m_of(p) + l->m_curg, p->curg_again, WORD,
							  MS_READ_OK };
		reads[used++] =
		    (struct ms_read){ ps[i] + l->p_schedtick, p->ticks_again, TICKS, MS_READ_OK };
		reads[used++] = (struct ms_read){ ps[i] + l->p_m, p->m_again, WORD, MS_READ_OK };
	}
	return batch(rt, reads, used);
}

static struct ms_go_running running_of(const struct poll *p)
{
	ms_addr g = g_of(p);
	struct ms_go_running r = { .ticks = ms_load_u32(p->ticks) };

	r.moved = r.ticks != ms_load_u32(p->ticks_again) ||
		  ms_load_u64(p->m) != ms_load_u64(p->m_again) ||
		  (m_of(p) && ms_load_u64(p->curg) != ms_load_u64(p->curg_again)) ||
		  (g && ms_load_u64(p->g) != g);
	if (!r.moved && g)
		r.goroutine = ms_load_u64(p->goid);
	return r;
}

struct ms_error *ms_go_running_read(struct ms_go_runtime *rt,
				    const struct ms_go_scheduler_place *place,
				    struct ms_go_running *ret_running, size_t room,
				    size_t *ret_count)
{
	MS_AUTO_FREE ms_addr *ps = NULL;
	MS_AUTO_FREE struct poll *polls = NULL;
	MS_AUTO_FREE struct ms_read *reads = NULL;
	size_t count = 0;
	struct ms_error *err = ms_go_ps_list(rt, place->allp, &ps, &count);

	if (err)
		return err;
	count = (size_t)ms_min_u64(count, room);
	polls = calloc(count + 1, sizeof(*polls));
	reads = calloc(5 * count + 1, sizeof(*reads));
	if (!polls || !reads)
		return ms_error_no_memory();
	err = ps_read(rt, ps, count, polls, reads);
	if (!err)
		err = curgs_read(rt, count, polls, reads);
	if (!err)
		err = goids_read(rt, ps, count, polls, reads);
	if (err)
		return err;
	for (size_t i = 0; i < count; i++)
		ret_running[i] = running_of(&polls[i]);
	*ret_count = count;
	return NULL;
}
