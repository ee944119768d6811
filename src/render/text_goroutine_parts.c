// text_goroutine_parts.c - what the passes found out: locks and channels, suspects, clues, the
// scheduler.
#include "render/text_goroutines.h"
#include "render/text_stack.h"

#include <inttypes.h>
#include <math.h>

enum { INDENT = 2, OWNER_COLUMNS = 60, QUEUE_MAX = 8, ALONE_MANY = 4 };

static const double SHORT_S = 0.001;

static void heading(struct ms_text *t, const char *text)
{
	ms_text_end_whole(t);
	ms_text_colored(t, MS_TEXT_BOLD, text);
	ms_text_end(t, 0);
}

// --- Places. ---

void ms_text_place_name(struct ms_text *t, const struct ms_wait_place *p)
{
	if (p->name)
		ms_text_name(t, p->name, OWNER_COLUMNS);
	else
		ms_text_printf(t, "0x%" PRIx64, p->address);
	ms_text_printf(t, " (%s", p->kind);
	if (p->choices > 1)
		ms_text_printf(t, " of %" PRIu32, p->choices);
	if (p->is_closed)
		ms_text_printf(t, ", closed");
	if (p->capacity != MS_UNKNOWN && p->length != MS_UNKNOWN)
		ms_text_printf(t, ", %" PRIu64 " of %" PRIu64, p->length, p->capacity);
	ms_text_printf(t, ")");
}

/** What it guards, or why it has no name. */
static void text_meaning(struct ms_text *t, const struct ms_wait_place *p)
{
	if (p->map) {
		ms_text_printf(t, ", guards ");
		ms_text_owner(t, p->map, OWNER_COLUMNS);
		if (p->maps > 1)
			ms_text_printf(t, " and %" PRIu32 " more", p->maps - 1);
	}
	if (!p->name && p->unknown)
		ms_text_printf(t, ", no name: %s", p->unknown);
}

static void text_holder(struct ms_text *t, const struct ms_goroutines_report *r,
			const struct ms_wait_place *p)
{
	if (p->holder_stack != MS_NO_STACK && p->holder_stack < r->stacks.count) {
		const struct ms_stack_call *line =
		    ms_stack_program_line(&r->stacks.items[p->holder_stack]);

		ms_text_printf(t, "; held");
		if (p->holder)
			ms_text_printf(t, " by goroutine %" PRIu64, p->holder);
		if (line) {
			ms_text_printf(t, " in ");
			ms_text_call(t, line);
		}
	} else if (p->holder) {
		ms_text_printf(t, "; held by goroutine %" PRIu64, p->holder);
	} else if (p->holder_unknown) {
		if (p->state)
			ms_text_printf(t, "; %s", p->state);
		ms_text_printf(t, "; holder not known: ");
		ms_text_name(t, p->holder_unknown, 0);
	}
}

static void text_place(struct ms_text *t, const struct ms_goroutines_report *report,
		       const struct ms_wait_place *place)
{
	struct ms_human h;

	ms_text_place_name(t, place);
	text_meaning(t, place);
	ms_text_printf(t, ": %s waiting", ms_human_count(&h, place->waiting));
	if (isfinite(place->oldest_s))
		ms_text_printf(t, ", oldest %s", ms_human_ahead(&h, place->oldest_s));
	text_holder(t, report, place);
	ms_text_end(t, INDENT);
}

/** One goroutine waits for it, and no more can be said: a channel for each request is like this. */
static bool tells_nothing(const struct ms_wait_place *p)
{
	return p->waiting == 1 && !p->name && p->holder_stack == MS_NO_STACK && !p->holder;
}

void ms_text_places(struct ms_text *t, const struct ms_goroutines_report *r, size_t top)
{
	bool all = top == SIZE_MAX;
	size_t shown = 0, left = 0, alone = 0;
	bool guards = false;
	struct ms_human h;

	if (!r->place_count)
		return;
	heading(t, "what they wait for");
	for (size_t i = 0; i < r->place_count; i++)
		alone += tells_nothing(&r->places[i]);
	all = all || alone < ALONE_MANY;
	for (size_t i = 0; i < r->place_count; i++) {
		if (!all && tells_nothing(&r->places[i]))
			continue;
		if (shown < top) {
			text_place(t, r, &r->places[i]);
			guards |= r->places[i].map != NULL;
		} else {
			left++;
		}
		shown += shown < top;
	}
	if (left) {
		ms_text_printf(t, "and %s more", ms_human_count(&h, left));
		ms_text_end(t, INDENT);
	}
	if (!all) {
		ms_text_printf(t, "and %s without a name for which one goroutine waits, each",
			       ms_human_count(&h, alone));
		ms_text_end(t, INDENT);
	}
	if (guards) {
		ms_text_printf(t, "guards: as the map stands beside the lock in one struct; the "
				  "code was not asked");
		ms_text_end(t, INDENT);
	}
}

// --- Suspects. ---

static void text_suspect(struct ms_text *t, const struct ms_goroutines_report *r,
			 const struct ms_leak_suspect *s)
{
	struct ms_human a, b;

	ms_text_printf(t, "%s more, now %s, created by ", ms_human_count(&a, s->after - s->before),
		       ms_human_count(&b, s->after));
	ms_text_call(t, &s->created_by);
	ms_text_end(t, INDENT);
	ms_text_wait(t, "waiting", s->wait_reason, s->oldest_s);
	if (s->stack != MS_NO_STACK && s->stack < r->stacks.count) {
		const struct ms_stack_call *line =
		    ms_stack_program_line(&r->stacks.items[s->stack]);

		ms_text_printf(t, " in ");
		if (line)
			ms_text_call(t, line);
	}
	ms_text_end(t, INDENT + 2);
	ms_text_printf(t, "why: ");
	ms_text_name(t, s->why, 0);
	ms_text_end(t, INDENT + 2);
}

void ms_text_suspects(struct ms_text *t, const struct ms_goroutines_report *r)
{
	struct ms_human h;

	if (!isfinite(r->apart_s)) {
		ms_text_printf(t, "one look tells no leak suspects%s",
			       r->partial       ? ""
			       : r->target.core ? ", and a core is one"
						: ": --seconds N looks twice");
		ms_text_end(t, 0);
		return;
	}
	if (!r->suspect_count) {
		ms_text_printf(t, "no leak suspects within %s", ms_human_seconds(&h, r->apart_s));
		ms_text_end(t, 0);
		return;
	}
	ms_text_end_whole(t);
	ms_text_colored(t, MS_TEXT_YELLOW, "leak suspects");
	ms_text_printf(t, " by go statement, from two looks %s apart",
		       ms_human_seconds(&h, r->apart_s));
	ms_text_end(t, 0);
	for (size_t i = 0; i < r->suspect_count; i++)
		text_suspect(t, r, &r->suspects[i]);
	if (r->proof) {
		ms_text_printf(t, "proof: ");
		ms_text_name(t, r->proof, 0);
		ms_text_end(t, INDENT);
	}
}

// --- Clues. ---

static void text_clue(struct ms_text *t, const struct ms_goroutines_report *r,
		      const struct ms_race_clue *c)
{
	struct ms_human h;

	if (c->owner)
		ms_text_owner(t, c->owner, OWNER_COLUMNS);
	else
		ms_text_printf(t, "the map at 0x%" PRIx64, c->map);
	ms_text_printf(t, ": %s, a %s clue", c->kind,
		       c->strength == MS_CLUE_STRONG ? "strong" : "weak");
	if (c->apart_s < SHORT_S)
		ms_text_printf(t, ", %.1f us apart", c->apart_s * 1e6);
	else if (isfinite(c->apart_s))
		ms_text_printf(t, ", %s apart", ms_human_seconds(&h, c->apart_s));
	if (c->seen > 1)
		ms_text_printf(t, ", seen %s times", ms_human_count(&h, c->seen));
	ms_text_end(t, INDENT);
	for (size_t i = 0; i < MS_ARRAY_SIZE(c->stacks); i++) {
		if (c->stacks[i] == MS_NO_STACK || c->stacks[i] >= r->stacks.count)
			continue;
		ms_text_printf(t, "goroutine %" PRIu64 ":", c->goroutines[i]);
		ms_text_end(t, INDENT + 2);
		ms_text_stack(t, &r->stacks.items[c->stacks[i]], INDENT + 4);
	}
	ms_text_printf(t, "lock: ");
	ms_text_name(t, c->lock_state ? c->lock_state : "not known", 0);
	if (c->why) {
		ms_text_printf(t, "; ");
		ms_text_name(t, c->why, 0);
	}
	ms_text_end(t, INDENT + 2);
}

void ms_text_clues(struct ms_text *t, const struct ms_goroutines_report *r)
{
	if (!r->clue_count)
		return;
	heading(t, "two in one map: clues, no proof of a race (go build -race has that)");
	for (size_t i = 0; i < r->clue_count; i++)
		text_clue(t, r, &r->clues[i]);
}

// --- The scheduler. ---

/** @p size is how many there are, of which @p count are listed. */
static void text_queue(struct ms_text *t, const uint64_t *queue, size_t count, uint64_t size)
{
	size_t shown = count < QUEUE_MAX ? count : QUEUE_MAX;

	if (!size) {
		ms_text_printf(t, "queue empty");
		return;
	}
	ms_text_printf(t, "queue of %" PRIu64 ":", size);
	for (size_t i = 0; i < shown; i++)
		ms_text_printf(t, "%s%" PRIu64, i ? ", " : " ", queue[i]);
	if (size > shown)
		ms_text_printf(t, " and %" PRIu64 " more", size - shown);
}

static void text_thread(struct ms_text *t, int64_t m, uint32_t thread)
{
	ms_text_printf(t, "m %" PRId64, m);
	if (thread)
		ms_text_printf(t, " (thread %" PRIu32 ")", thread);
}

static void text_p(struct ms_text *t, const struct ms_sched_p *p)
{
	ms_text_printf(t, "p %" PRIu32 " %s, ", p->id, p->status);
	if (p->m >= 0) {
		text_thread(t, p->m, p->thread);
		ms_text_printf(t, ", ");
	}
	if (p->running)
		ms_text_printf(t, "runs goroutine %" PRIu64 ", ", p->running);
	text_queue(t, p->queue, p->queue_count, p->queue_count);
	if (p->is_moved)
		ms_text_printf(t, " (it went on while it was read)");
	ms_text_end(t, INDENT);
}

/** A thread without a P. */
static void text_m(struct ms_text *t, const struct ms_sched_m *m)
{
	text_thread(t, m->id, m->thread);
	ms_text_printf(t, " %s", m->doing);
	if (m->running)
		ms_text_printf(t, ", goroutine %" PRIu64, m->running);
	if (m->locked)
		ms_text_printf(t, ", locked to goroutine %" PRIu64, m->locked);
	ms_text_end(t, INDENT);
}

static bool is_spare(const struct ms_sched_m *m)
{
	return m->p < 0 && m->is_blocked && !m->running && !m->locked && m->thread;
}

static void text_ms(struct ms_text *t, const struct ms_goroutines_report *r)
{
	size_t spare = 0;

	for (size_t i = 0; i < r->m_count; i++) {
		if (is_spare(&r->ms[i]))
			spare++;
		else if (r->ms[i].p < 0)
			text_m(t, &r->ms[i]);
	}
	if (spare) {
		ms_text_printf(t, "and %zu thread%s until there is work", spare,
			       spare == 1 ? " sleeps" : "s sleep");
		ms_text_end(t, INDENT);
	}
}

void ms_text_sched(struct ms_text *t, const struct ms_goroutines_report *r)
{
	if (!r->has_sched)
		return;
	heading(t, "the scheduler");
	if (r->sched_unknown) {
		ms_text_printf(t, "not known: ");
		ms_text_name(t, r->sched_unknown, 0);
		ms_text_end(t, INDENT);
		return;
	}
	for (size_t i = 0; i < r->p_count; i++)
		text_p(t, &r->ps[i]);
	ms_text_printf(t, "for all of them: ");
	if (r->global_queue_size == MS_UNKNOWN)
		ms_text_printf(t, "the queue is not known: %s",
			       r->global_queue_unknown ? r->global_queue_unknown
						       : "it could not be read");
	else
		text_queue(t, r->global_queue, r->global_queue_count, r->global_queue_size);
	if (r->global_queue_moved)
		ms_text_printf(t, " (it went on while it was read)");
	ms_text_end(t, INDENT);
	text_ms(t, r);
}
