// write_burst.c - two writes of one map within five microseconds on two threads are a weak clue: a
// lock that is passed on at once lets them be as near.  A write that begins while the map says that
// somebody writes it is a strong one: no lock was between the two.  The other is then taken to be
// the last that began on another thread.
#include "trace/write_burst.h"

#ifdef MS_HAVE_BPF
#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/types.h"
#include "trace/bpf/write_events.h"
#include "trace/kernel.h"
#include "trace/probe_place.h"
#include "trace/writes.skel.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum {
	PROBES_MAX = 24,
	CLASSIC_MARK = 4, // hashWriting in hmap.flags (runtime/map.go).
	SWISS_MARK = 0xff,
};

#define FRONT "runtime.mapassign" // As long as that of the functions that delete.

static const double NEAR_S = 5e-6;

struct place {
	const char *name; // Of the function; into the table.
	uint64_t offset;
	enum ms_probe_condition condition;
};

struct ms_write_burst {
	struct ms_go_runtime *rt;
	struct writes_bpf *skeleton;
	struct ring_buffer *ring;
	struct place places[PROBES_MAX];
	size_t place_count;
	struct bpf_link *links[PROBES_MAX];
	struct {
		struct ms_bpf_write *items;
		size_t count, capacity;
	} writes;
	bool is_short; // Of memory.
};

static struct ms_error *refuse(int error, const char *what)
{
	if (error == EPERM || error == EACCES)
		return ms_error_new(
		    MS_ERR_DENIED,
		    "not allowed to %s for --burst: that takes CAP_SYS_ADMIN, or before Linux "
		    "6.17 CAP_BPF and CAP_PERFMON; type sudo mapscope goroutines PID --burst, or "
		    "leave --burst out",
		    what);
	if (error == ENOMEM)
		return ms_error_no_memory();
	return ms_error_errno(MS_ERR_UNSUPPORTED, error, "could not %s for --burst", what);
}

/** Functions that write a map take its type and its header first, by whatever key. */
static bool is_writer(const char *name)
{
	return !strncmp(name, FRONT, strlen(FRONT)) ||
	       !strncmp(name, "runtime.mapdelete", strlen(FRONT));
}

static struct ms_error *places_find(struct ms_write_burst *b)
{
	const struct ms_functions *functions;
	struct ms_code *code = NULL;
	struct ms_error *err = ms_go_functions(b->rt, &functions);

	if (!err)
		err = ms_code_open(b->rt->elf.arch, &code);
	for (size_t i = 0; !err && i < functions->count && b->place_count < PROBES_MAX; i++) {
		const struct ms_function *fn = &functions->items[i];
		struct ms_probe_site site;
		uint64_t offset;

		if (!is_writer(fn->name))
			continue;
		err = ms_probe_place_find(b->rt, code, fn, &offset, &site);
		if (err)
			err = ms_error_wrap(err, "cannot probe %s", fn->name);
		else
			b->places[b->place_count++] =
			    (struct place){ fn->name, offset, site.condition };
	}
	ms_code_close(code);
	return err;
}

static int take_write(void *context, void *data, size_t size)
{
	struct ms_write_burst *b = context;
	const struct ms_bpf_write *w = data;

	if (size < sizeof(*w) || w->count > MS_BPF_WRITE_STACK_MAX)
		return 0;
	b->is_short |= !ms_vec_push(&b->writes, *w);
	return b->is_short ? -ECANCELED : 0;
}

static struct ms_error *load(struct ms_write_burst *b)
{
	struct ms_error *err = ms_kernel_prepare();
	int error;

	if (err)
		return err;
	b->skeleton = writes_bpf__open();
	if (!b->skeleton)
		return refuse(errno, "prepare programs for the kernel");
	error = writes_bpf__load(b->skeleton);
	if (error)
		return refuse(-error, "load programs into the kernel");
	b->ring = ring_buffer__new(bpf_map__fd(b->skeleton->maps.ring), take_write, b, NULL);
	return b->ring ? NULL : refuse(errno, "read events of the kernel");
}

struct ms_error *ms_write_burst_open(struct ms_go_runtime *rt, struct ms_write_burst **ret_burst)
{
	struct ms_write_burst *b = calloc(1, sizeof(*b));
	struct ms_error *err;

	if (!b)
		return ms_error_no_memory();
	b->rt = rt;
	err = places_find(b);
	if (!err)
		err = load(b);
	if (err) {
		ms_write_burst_close(b);
		return err;
	}
	*ret_burst = b;
	return NULL;
}

static void detach(struct ms_write_burst *b)
{
	for (size_t i = 0; i < PROBES_MAX; i++) {
		bpf_link__destroy(b->links[i]);
		b->links[i] = NULL;
	}
}

void ms_write_burst_close(struct ms_write_burst *b)
{
	if (!b)
		return;
	detach(b);
	ring_buffer__free(b->ring);
	writes_bpf__destroy(b->skeleton);
	ms_vec_free(&b->writes);
	free(b);
}

// --- The burst. ---

/** The map of the first clue, else the one that most goroutines were seen to change. */
static ms_addr map_choose(const struct ms_goroutines_report *report)
{
	ms_addr best = 0;
	uint64_t most = 0;

	if (report->clue_count)
		return report->clues[0].map;
	for (size_t i = 0; i < report->row_count; i++) {
		const struct ms_goroutine_row *row = &report->rows[i];
		uint64_t count = 0;

		if (!row->map || row->map == best ||
		    (row->role != MS_ROLE_WRITES && row->role != MS_ROLE_GROWS))
			continue;
		for (size_t k = i; k < report->row_count; k++)
			count += report->rows[k].map == row->map;
		if (count > most) {
			most = count;
			best = row->map;
		}
	}
	return best;
}

static void configure(struct ms_write_burst *b, ms_addr map)
{
	const struct ms_go_layout *l = b->rt->layout;
	bool classic = l->maps == MS_GO_MAPS_CLASSIC;
	struct ms_bpf_writes_config config = {
		.map = map,
		.hits_max = MS_WRITE_BURST_HITS,
		.g_goid = l->g_goid,
		.mark = classic ? l->hmap_flags : l->map_writing,
		.mark_bits = classic ? CLASSIC_MARK : SWISS_MARK,
	};

	ms_probe_namespace(&config.pid_device, &config.pid_inode);
	memcpy(&b->skeleton->bss->config, &config, sizeof(config));
}

/** What two functions for maps with the same kind of key have in common: "_fast64", "". */
static const char *key_of(const char *name, size_t *ret_size)
{
	const char *key = name + strlen(FRONT);
	size_t size = strlen(key);

	*ret_size = size > 3 && !strcmp(key + size - 3, "ptr") ? size - 3 : size;
	return key;
}

static bool same_key(const char *a, const char *b)
{
	size_t a_size, b_size;
	const char *x = key_of(a, &a_size), *y = key_of(b, &b_size);

	return a_size == b_size && !memcmp(x, y, a_size);
}

/** Whether a stack of somebody who works on @p map has a function for keys as @p name's. */
static bool is_used(const struct ms_goroutines_report *r, ms_addr map, const char *name)
{
	for (size_t i = 0; i < r->row_count; i++) {
		const struct ms_stack *stack = r->rows[i].map == map &&
						       r->rows[i].role != MS_ROLE_WAITS &&
						       r->rows[i].role_stack < r->stacks.count
						   ? &r->stacks.items[r->rows[i].role_stack]
						   : NULL;

		for (uint32_t k = 0; stack && k < stack->count && stack->calls[k].is_runtime; k++) {
			if (is_writer(stack->calls[k].function) &&
			    same_key(stack->calls[k].function, name))
				return true;
		}
	}
	return false;
}

/** Leave only the places whose functions write this map, where its users' stacks tell. */
static void places_choose(struct ms_write_burst *b, const struct ms_goroutines_report *r,
			  ms_addr map)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->place_count; i++) {
		struct place place = b->places[i];

		if (!is_used(r, map, place.name))
			continue;
		b->places[i] = b->places[kept]; // None is lost, in case none is used.
		b->places[kept++] = place;
	}
	b->place_count = kept ? kept : b->place_count;
}

static struct ms_error *attach(struct ms_write_burst *b)
{
	for (size_t i = 0; i < b->place_count; i++) {
		b->links[i] = ms_kernel_attach(b->skeleton->progs.map_write, b->rt->target->pid,
					       b->places[i].offset, b->places[i].condition);
		if (!b->links[i])
			return refuse(errno, "place a probe");
	}
	return NULL;
}

static struct ms_error *watch(struct ms_write_burst *b, const struct ms_goroutines_options *o)
{
	struct ms_error *err = attach(b);
	double until = o->now(o->context) + MS_WRITE_BURST_S;

	while (!err && o->now(o->context) < until &&
	       __atomic_load_n(&b->skeleton->bss->hits, __ATOMIC_RELAXED) < MS_WRITE_BURST_HITS)
		o->sleep_until(o->context, o->now(o->context) + MS_WRITE_BURST_S / 25);
	detach(b);
	if (!err && ring_buffer__consume(b->ring) < 0 && b->is_short)
		err = ms_error_no_memory();
	return err;
}

// --- The clue. ---

static int by_time(const void *a, const void *b)
{
	const struct ms_bpf_write *x = a, *y = b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/** The last write before @p index by another goroutine on another thread; NULL for none. */
static const struct ms_bpf_write *other_before(const struct ms_write_burst *b, size_t index)
{
	const struct ms_bpf_write *w = &b->writes.items[index];

	for (size_t i = index; i-- > 0;) {
		const struct ms_bpf_write *o = &b->writes.items[i];

		if (o->thread != w->thread && o->goid && w->goid && o->goid != w->goid)
			return o;
	}
	return NULL;
}

static struct ms_error *stack_write(const struct ms_bpf_write *w, struct ms_stack_book *book,
				    uint32_t *ret_stack)
{
	struct ms_stack_pc pcs[MS_BPF_WRITE_STACK_MAX + 1];
	size_t count = 0;

	// Unwinding at an entry passes over the caller, on most kernels.
	for (uint32_t i = 0; i < w->count; i++) {
		pcs[count++] = (struct ms_stack_pc){ w->pcs[i], i > 0 };
		if (!i && w->caller && (w->count < 2 || w->pcs[1] != w->caller))
			pcs[count++] = (struct ms_stack_pc){ w->caller, true };
	}
	return ms_stack_book_add(book, pcs, count,
				 w->count == MS_BPF_WRITE_STACK_MAX ? "too many frames" : NULL,
				 ret_stack);
}

/** The strongest that the writes say; its seen is 0 for none. */
static struct ms_race_clue clue_find(const struct ms_write_burst *b,
				     const struct ms_bpf_write *ret_sides[2])
{
	struct ms_race_clue clue = { .kind = "two writers", .apart_s = INFINITY };

	for (size_t i = 0; i < b->writes.count; i++) {
		const struct ms_bpf_write *w = &b->writes.items[i], *o = other_before(b, i);
		double apart = o ? (double)(w->time_ns - o->time_ns) / 1e9 : INFINITY;
		uint8_t strength = w->is_marked ? MS_CLUE_STRONG : MS_CLUE_WEAK;

		if (!o || (!w->is_marked && apart > NEAR_S) || strength < clue.strength)
			continue;
		if (strength > clue.strength)
			clue.seen = 0;
		clue.seen++;
		if (clue.seen > 1 && apart >= clue.apart_s)
			continue;
		clue.strength = strength;
		clue.apart_s = apart;
		ret_sides[0] = o;
		ret_sides[1] = w;
	}
	return clue;
}

static struct ms_error *clue_add(struct ms_write_burst *b, ms_addr map,
				 struct ms_goroutines_report *report)
{
	const struct ms_bpf_write *sides[2] = { NULL };
	struct ms_race_clue clue = clue_find(b, sides);
	struct {
		struct ms_race_clue *items;
		size_t count, capacity;
	} clues = { report->clues, report->clue_count, report->clue_capacity };
	const struct ms_functions *functions;
	struct ms_stack_book book;
	struct ms_error *err = ms_go_functions(b->rt, &functions);

	if (err || !clue.seen)
		return err;
	clue.map = map;
	clue.why = clue.strength == MS_CLUE_STRONG
		       ? "the second began while the map said that somebody was writing it"
		       : "a lock that is passed on at once would explain it, too";
	for (size_t i = 0; i < report->row_count && !clue.owner; i++)
		clue.owner = report->rows[i].map == map ? report->rows[i].map_owner : NULL;
	ms_stack_book_init(&book, functions, &report->arena, &report->stacks);
	for (size_t i = 0; i < 2 && !err; i++) {
		clue.goroutines[i] = sides[i]->goid;
		err = stack_write(sides[i], &book, &clue.stacks[i]);
	}
	ms_stack_book_deinit(&book);
	if (!err && !ms_vec_push(&clues, clue))
		err = ms_error_no_memory();
	report->clues = clues.items;
	report->clue_count = clues.count;
	report->clue_capacity = clues.capacity;
	return err;
}

struct ms_error *ms_write_burst_take(struct ms_write_burst *b,
				     const struct ms_goroutines_options *options,
				     struct ms_goroutines_report *report)
{
	ms_addr map = map_choose(report);
	double began = options->now(options->context), took;
	struct ms_error *err;

	if (!map) {
		report->burst = isfinite(report->apart_s)
				    ? "no burst: nobody was seen to write a map"
				    : "no burst: one look takes no samples, so no map is known "
				      "that is written; leave --once out";
		return NULL;
	}
	configure(b, map);
	places_choose(b, report, map);
	err = watch(b, options);
	took = options->now(options->context) - began;
	report->cost.probes += b->place_count;
	if (!err && b->writes.count)
		qsort(b->writes.items, b->writes.count, sizeof(*b->writes.items), by_time);
	if (!err)
		err = clue_add(b, map, report);
	if (err)
		return err;
	report->burst = ms_arena_printf(&report->arena,
					"%zu writes of the map at 0x%" PRIx64
					" watched by %zu probes for %.0f ms%s",
					b->writes.count, map, b->place_count, 1000 * took,
					b->skeleton->bss->no_room ? ", and some missed" : "");
	return report->burst ? NULL : ms_error_no_memory();
}

#else

struct ms_error *ms_write_burst_open(struct ms_go_runtime *rt, struct ms_write_burst **ret_burst)
{
	(void)rt;
	(void)ret_burst;
	return ms_error_new(MS_ERR_UNSUPPORTED, "this mapscope was built without probes");
}

struct ms_error *ms_write_burst_take(struct ms_write_burst *b,
				     const struct ms_goroutines_options *options,
				     struct ms_goroutines_report *report)
{
	(void)b;
	(void)options;
	(void)report;
	return ms_error_new(MS_ERR_UNSUPPORTED, "this mapscope was built without probes");
}

void ms_write_burst_close(struct ms_write_burst *b)
{
	(void)b;
}
#endif
