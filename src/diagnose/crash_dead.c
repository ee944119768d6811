// crash_dead.c - two goroutines can meet each other in a map, and both of their calls end in a
// fatal error.  The runtime prints the traceback of both, or of one; what a reader of its output
// knows is the first of them.
//
// From Go 1.24 on runtime.fatal takes the lock for printing and never gives it back: the first
// prints, then raises the signal, and others wait for the lock.  Before, who comes first prints its
// traceback; if another is dying by then, it leaves the end to that one and sleeps by taking a lock
// twice (runtime.dopanic_m, lock(&deadlock)), and the last raises the signal.
//
// So the first is the one that sleeps there; of several, the one that got the lock and asks for it
// again.  Where nobody sleeps, it is the one whose thread raised the signal, which a core names
// first.
#include "diagnose/crash_dead.h"

#include "base/cleanup.h"
#include "golang/stopped.h"

#include <stdlib.h>
#include <string.h>

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool has_any(const char *name, const char *const *words)
{
	for (; *words; words++) {
		if (strstr(name, *words))
			return true;
	}
	return false;
}

/** Code of maps, to Go 1.23 in package runtime alone. */
static bool is_map_code(const char *name)
{
	return begins_with(name, "runtime.map") || begins_with(name, "internal/runtime/maps.") ||
	       begins_with(name, "runtime.reflect_map") || begins_with(name, "reflect.map");
}

static enum ms_crash_error error_of_call(const char *name)
{
	static const char *const iterates[] = { "iter", "Iter", NULL };
	static const char *const reads[] = { "access", "getWith", "Get", NULL };

	if (has_any(name, iterates))
		return MS_CRASH_ITERATION_AND_WRITE;
	return has_any(name, reads) ? MS_CRASH_READ_AND_WRITE : MS_CRASH_WRITES;
}

static bool is_fatal(const char *name)
{
	static const char *const names[] = { "runtime.fatal", "runtime.throw", "runtime.fatalthrow",
					     "internal/runtime/maps.fatal" };

	for (size_t i = 0; i < MS_ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

static const struct ms_stack *stack_of(const struct ms_goroutines_report *g,
				       const struct ms_goroutine_row *row)
{
	return row->stack < g->stacks.count ? &g->stacks.items[row->stack] : NULL;
}

/**
 * What a stack says of a fatal error: of map code only where that raised it itself, as one of the
 * allocator's, or a fault, may have map code behind it too.
 */
static enum ms_crash_error error_of_stack(const struct ms_stack *stack)
{
	enum ms_crash_error error = MS_CRASH_NONE;

	for (uint32_t i = 0; stack && i < stack->count && stack->calls[i].is_runtime; i++) {
		const char *name = stack->calls[i].function;

		if (name && is_fatal(name))
			error = MS_CRASH_OTHER;
		else if (error == MS_CRASH_OTHER)
			return name && is_map_code(name) ? error_of_call(name) : error;
	}
	return error;
}

/** What a goroutine's thread does as it dies; what is said of one more surely stands behind. */
enum turn {
	TURN_NONE,
	TURN_SIGNAL, // It raised the signal.
	TURN_SLEEPS, // It has printed, and left the end to another.
};

/**
 * Where in dopanic_m the sleep is that a stack of the runtime's own is in; 0: in none.  The second
 * lock is taken behind the first.
 */
static ms_addr sleeps_at(const struct ms_frames *frames)
{
	for (size_t i = 1; i < frames->count; i++) {
		if (!strcmp(frames->items[i].function->name, "runtime.dopanic_m"))
			return begins_with(frames->items[i - 1].function->name, "runtime.lock")
				   ? frames->items[i].pc
				   : 0;
	}
	return 0;
}

struct looking {
	struct ms_go_runtime *rt;
	struct ms_unwinder *unwinder;
	const struct ms_crash_report *report;
	struct ms_frames *frames;
};

/** What the thread of @p row does, and where it sleeps. */
static struct ms_error *turn_find(struct looking *l, const struct ms_goroutine_row *row,
				  enum turn *ret_turn, ms_addr *ret_at)
{
	bool raised = l->report->signal && l->report->thread && row->thread == l->report->thread;
	struct ms_goroutine g, system;
	bool is_there = false;
	struct ms_error *err = ms_goroutine_reread(l->rt, row->address, &g);

	*ret_turn = raised ? TURN_SIGNAL : TURN_NONE;
	*ret_at = 0;
	if (!err)
		err = ms_goroutine_system_stack(l->rt, &g, &system, &is_there);
	if (!err && is_there)
		err = ms_unwind(l->unwinder, &system, l->frames);
	if (!err && is_there)
		*ret_at = sleeps_at(l->frames);
	if (*ret_at)
		*ret_turn = TURN_SLEEPS;
	if (!err || ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	ms_error_free(err); // A stack that cannot be read shows nothing.
	return NULL;
}

/** The first of those whose stack has an error of @p least or more. */
static struct ms_error *first_find(struct looking *l, enum ms_crash_error least,
				   const struct ms_goroutine_row **ret_row)
{
	const struct ms_goroutines_report *g = l->report->goroutines;
	enum turn best = TURN_NONE, turn;
	ms_addr best_at = 0, at;

	for (size_t i = 0; i < g->row_count; i++) {
		const struct ms_goroutine_row *row = &g->rows[i];
		struct ms_error *err;

		if (error_of_stack(stack_of(g, row)) < least)
			continue;
		err = turn_find(l, row, &turn, &at);
		if (err)
			return err;
		if (*ret_row && (turn < best || (turn == best && at <= best_at)))
			continue;
		best = turn;
		best_at = at;
		*ret_row = row;
	}
	return NULL;
}

const struct ms_goroutine_row *ms_crash_on_thread(const struct ms_crash_report *r, uint32_t thread)
{
	for (size_t i = 0; thread && i < r->goroutines->row_count; i++) {
		if (r->goroutines->rows[i].thread == thread)
			return &r->goroutines->rows[i];
	}
	return NULL;
}

void ms_crash_set_dead(struct ms_crash_report *r, const struct ms_goroutine_row *row)
{
	r->goroutine = row ? row->id : 0;
	r->stack = row ? row->stack : MS_NO_STACK;
	r->role = row ? row->role : (uint8_t)MS_ROLE_NONE;
}

/** Who died of a panic: one that is recovered from does not come to fatalpanic. */
static const struct ms_goroutine_row *panicked(const struct ms_goroutines_report *g)
{
	for (size_t i = 0; i < g->row_count; i++) {
		const struct ms_stack *stack = stack_of(g, &g->rows[i]);

		for (uint32_t k = 0; stack && k < stack->count && stack->calls[k].is_runtime; k++) {
			const char *name = stack->calls[k].function;

			if (name && !strcmp(name, "runtime.fatalpanic"))
				return &g->rows[i];
		}
	}
	return NULL;
}

struct ms_error *ms_crash_find_dead(struct ms_go_runtime *rt, struct ms_unwinder *unwinder,
				    struct ms_crash_report *r,
				    const struct ms_goroutine_row **ret_row)
{
	MS_AUTO_FREE struct ms_frames *frames = malloc(sizeof(*frames));
	struct looking l = { .rt = rt, .unwinder = unwinder, .report = r, .frames = frames };
	const struct ms_goroutine_row *row = NULL;
	struct ms_error *err = frames ? NULL : ms_error_no_memory();

	if (!err) // The map's before another: one follows from the other.
		err = first_find(&l, MS_CRASH_WRITES, &row);
	if (!err && !row)
		err = first_find(&l, MS_CRASH_OTHER, &row);
	if (err)
		return err;
	if (row)
		r->error = (uint8_t)error_of_stack(stack_of(r->goroutines, row));
	else
		row = panicked(r->goroutines);
	if (!row)
		row = ms_crash_on_thread(r, r->thread);
	ms_crash_set_dead(r, row);
	*ret_row = row;
	return NULL;
}
