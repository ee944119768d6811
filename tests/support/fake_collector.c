// fake_collector.c - one buffer stands for the module's zeroed range.
#include "tests/support/fake_collector.h"

static const ms_addr BASE = 0x600000;

// From BASE.
enum { SWEEPGEN = 64, ALLSPANS = SWEEPGEN + 4096, PACER = 8192, WORK = 9216, MEMSTATS = 16384 };

static void put_u32(uint8_t *raw, uint32_t v)
{
	memcpy(raw, &v, sizeof(v));
}

static void put_u64(uint8_t *raw, uint64_t v)
{
	memcpy(raw, &v, sizeof(v));
}

/** What the pacer says when @p marked bytes were marked, with GOGC=100. */
static void pacer_commit(struct fake_collector *f, uint64_t marked)
{
	const struct ms_go_layout *l = f->rt.layout;
	uint64_t goal = marked * 2 > 4 << 20 ? marked * 2 : 4 << 20;

	put_u64(f->pacer + l->gc_heap_marked, marked);
	put_u64(f->pacer + l->gc_heap_live, marked);
	put_u64(f->pacer + l->gc_heap_goal, goal);
}

void fake_collector_init(struct fake_collector *f, const struct ms_go_layout *l)
{
	memset(f, 0, sizeof(*f));
	fake_target_init(&f->target);
	fake_target_map(&f->target, BASE, f->bytes, sizeof(f->bytes), MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
	f->rt.target = &f->target.target;
	f->rt.layout = l;
	f->rt.allspans = BASE + SWEEPGEN + l->mheap_sweepgen_to_allspans;
	f->rt.modules[0].noptrbss = BASE + PACER;
	f->rt.modules[0].enoptrbss = BASE + sizeof(f->bytes);
	f->memstats = f->bytes + MEMSTATS;
	f->pacer = f->bytes + PACER;
	f->work = f->bytes + WORK;
	put_u32(f->pacer + l->gc_percent, 100);
	put_u64(f->pacer + l->gc_heap_minimum, 4 << 20);
	if (l->gc_memory_limit != MS_ABSENT)
		put_u64(f->pacer + l->gc_memory_limit, INT64_MAX);
	pacer_commit(f, 2 << 20);
}

void fake_collector_deinit(struct fake_collector *f)
{
	fake_target_deinit(&f->target);
}

void fake_collector_begin(struct fake_collector *f, int64_t start_ns)
{
	put_u64(f->work + 16, (uint64_t)start_ns);
	put_u32(f->work, f->ended + 1);
	put_u64(f->pacer + f->rt.layout->gc_mark_start, (uint64_t)start_ns);
}

void fake_collector_count_forced(struct fake_collector *f)
{
	uint8_t *forced = f->memstats + f->rt.layout->mstats_numforcedgc;

	put_u32(f->bytes + SWEEPGEN, (f->ended + 1) * 2);
	put_u32(forced, ms_load_u32(forced) + 1);
}

static void work_put(struct fake_collector *f, const struct fake_cycle *c)
{
	const uint64_t words[] = { (uint64_t)c->start_ns, (uint64_t)c->mark_ns,
				   (uint64_t)c->mark_end_ns, (uint64_t)c->end_ns, c->pause_ns };
	bool has_pause_start = f->rt.layout->since < MS_GO(1, 22);
	uint8_t *sizes = f->work + 56 + (has_pause_start ? 8 : 0);

	put_u32(f->work, f->ended);
	put_u32(f->work + 4, 2);
	put_u32(f->work + 8, 4);
	for (size_t i = 0; i < MS_ARRAY_SIZE(words); i++)
		put_u64(f->work + 16 + i * 8, words[i]);
	if (has_pause_start)
		put_u64(f->work + 56, (uint64_t)c->mark_end_ns);
	put_u64(sizes, c->heap_start_bytes);
	put_u64(sizes + 8, c->heap_end_bytes);
	put_u64(sizes + 16, c->heap_marked_bytes);
}

void fake_collector_cycle(struct fake_collector *f, struct fake_cycle c)
{
	const struct ms_go_layout *l = f->rt.layout;
	uint32_t slot = f->ended % MS_GO_PAUSES;
	double share = 0.01;

	if (!c.pause_ns)
		c.pause_ns = (uint64_t)(c.mark_ns - c.start_ns + c.end_ns - c.mark_end_ns);
	fake_collector_begin(f, c.start_ns);
	pacer_commit(f, c.heap_marked_bytes);
	put_u64(f->pacer + l->gc_last_heap_goal, 8 << 20);
	put_u64(f->pacer + l->gc_dedicated_time, (uint64_t)(c.mark_end_ns - c.mark_ns));
	f->ended++;
	work_put(f, &c);
	put_u32(f->bytes + SWEEPGEN, f->ended * 2);
	put_u64(f->memstats + l->mstats_last_gc_unix, c.end_unix_ns);
	put_u64(f->memstats + l->mstats_last_gc_clock, (uint64_t)c.end_ns);
	put_u64(f->memstats + l->mstats_pauses + slot * 8, c.pause_ns);
	put_u64(f->memstats + l->mstats_pause_ends + slot * 8, c.end_unix_ns);
	put_u64(f->memstats + l->mstats_pause_total,
		ms_load_u64(f->memstats + l->mstats_pause_total) + c.pause_ns);
	memcpy(f->memstats + l->mstats_cpu_fraction, &share, sizeof(share));
	if (c.is_forced)
		put_u32(f->memstats + l->mstats_numforcedgc,
			ms_load_u32(f->memstats + l->mstats_numforcedgc) + 1);
	put_u32(f->memstats + l->mstats_numgc, f->ended);
}

void fake_collector_heap(struct fake_collector *f, uint64_t live_bytes)
{
	put_u64(f->pacer + f->rt.layout->gc_heap_live, live_bytes);
}
