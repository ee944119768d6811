// code_facts.c - the order of things: functions by name, a glance at each one's bytes, the few that
// may say something followed instruction by instruction, and what they say put together.
//
// Everything here comes from the executable's file: the text of a running Go program does not
// change.  Only where it was loaded is the process's affair.
#include "golang/code_facts.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/code_merge.h"
#include "golang/code_results.h"

enum {
	CHUNK_BYTES = 4 << 20,
	RAW_MAX = 4 << 20,             // Facts before they are put together.
	DECODED_BYTES_MAX = 256 << 20, // Of all functions that are taken apart.
	INSERTS = 2,                   // Beside MS_CODE_WRITES.
};

/** The search, as long as it goes on. */
struct search {
	struct ms_go_runtime *rt;
	struct ms_code_facts *facts;
	struct ms_code_world world;
	struct ms_code_range ranges[4];
	struct ms_named_types *named;
	struct ms_code *code;
	struct ms_code_scan *scan;
	struct ms_code_tracker *tracker;
	struct ms_code_found found;
	struct ms_code_raw raw;
	uint64_t decoded_bytes;
};

static void search_deinit(struct search *s)
{
	ms_named_types_destroy(s->named);
	ms_code_tracker_destroy(s->tracker);
	ms_code_scan_destroy(s->scan);
	ms_code_close(s->code);
	ms_code_found_deinit(&s->found);
	ms_vec_free(&s->raw.facts);
	ms_vec_free(&s->raw.functions);
	ms_vec_free(&s->raw.given);
}

/** Go's internal calling convention (cmd/compile/abi-internal.md), and the write barrier's. */
static void registers_set(enum ms_arch arch, struct ms_code_world *w)
{
	static const unsigned amd64[] = { 0, 3, 1, 7, 6 }, arm64[] = { 0, 1, 2, 3, 4 };
	bool is_arm64 = arch == MS_ARCH_ARM64;

	memcpy(w->arguments, is_arm64 ? arm64 : amd64, sizeof(w->arguments));
	w->barrier_to = is_arm64 ? 2 : 7;
	w->barrier_clobbers = is_arm64 ? 1u << 16 | 1u << 17 | 1u << 25 | 1u << 27 : 1u << 11;
}

static void world_set(struct search *s)
{
	const struct ms_go_runtime *rt = s->rt;
	const struct ms_go_module *m = &rt->modules[0];
	struct ms_code_world *w = &s->world;
	const struct ms_code_range ranges[] = { { m->noptrdata, m->enoptrdata },
						{ m->data, m->edata },
						{ m->bss, m->ebss },
						{ m->noptrbss, m->enoptrbss } };

	memcpy(s->ranges, ranges, sizeof(ranges));
	w->data = s->ranges;
	w->data_count = MS_ARRAY_SIZE(s->ranges);
	w->text = (struct ms_code_range){ m->text, m->etext };
	w->image.start = UINT64_MAX;
	for (size_t i = 0; i < rt->elf.segment_count; i++) {
		ms_addr start = rt->elf.bias + rt->elf.segments[i].vaddr;

		w->image.start = ms_min_u64(w->image.start, start);
		w->image.end = ms_max_u64(w->image.end, start + rt->elf.segments[i].mem_bytes);
	}
	w->callees = s->facts->table.callees;
	w->callee_count = s->facts->table.callee_count;
	s->facts->data = UINT64_MAX;
	for (size_t i = 0; i < w->data_count; i++)
		s->facts->data = ms_min_u64(s->facts->data, w->data[i].start);
	registers_set(rt->elf.arch, w);
}

static struct ms_error *search_init(struct search *s)
{
	const struct ms_types *types;
	struct ms_error *err = ms_go_types(s->rt, &types);

	if (!err)
		err = ms_named_types_create(types, s->rt->layout, &s->named);
	if (!err)
		err = ms_code_functions_load(s->rt, s->named, &s->facts->table);
	if (err)
		return err;
	world_set(s);
	err = ms_code_open(s->rt->elf.arch, &s->code);
	if (!err)
		err = ms_code_scan_create(s->rt->elf.arch, &s->world, &s->scan);
	return err ? err : ms_code_tracker_create(&s->world, s->code, &s->tracker);
}

static bool is_worth_it(const struct ms_code_glance *g)
{
	return g->has_store || (g->calls_map && g->has_load) ||
	       ((g->calls_at || g->calls_maker) && g->has_address) ||
	       (g->calls_method && g->has_receiver) || (g->calls_new && g->has_function);
}

/** Keep what one function said. */
static bool found_keep(struct search *s, uint32_t function)
{
	const struct ms_code_found *f = &s->found;

	s->facts->doubtful += f->left_out;
	s->facts->cut |= f->cut;
	for (size_t i = 0; i < f->inserts.count; i++) {
		uint64_t offset = f->inserts.items[i] - s->facts->data;

		if (offset <= UINT32_MAX &&
		    !ms_vec_push(&s->facts->references,
				 ms_code_reference_make((uint32_t)offset, function, INSERTS)))
			return false;
	}
	if (s->raw.facts.count + f->facts.count > RAW_MAX ||
	    s->raw.functions.count + f->functions.count > RAW_MAX ||
	    s->raw.given.count + f->given.count > RAW_MAX) {
		s->facts->cut = true;
		return true;
	}
	for (size_t i = 0; i < f->facts.count; i++) {
		if (!ms_vec_push(&s->raw.facts, f->facts.items[i]))
			return false;
	}
	for (size_t i = 0; i < f->functions.count; i++) {
		if (!ms_vec_push(&s->raw.functions, f->functions.items[i]))
			return false;
	}
	for (size_t i = 0; i < f->given.count; i++) {
		if (!ms_vec_push(&s->raw.given, f->given.items[i]))
			return false;
	}
	return true;
}

static struct ms_error *function_search(struct search *s, uint32_t index, const uint8_t *bytes,
					size_t size)
{
	ms_addr address = s->facts->table.text + s->facts->table.entries[index];
	struct ms_code_glance glance;
	struct ms_error *err;

	if (!ms_code_glance(s->scan, bytes, size, address, index, &s->facts->references, &glance))
		return ms_error_no_memory();
	if (!is_worth_it(&glance))
		return NULL;
	if (s->decoded_bytes + size > DECODED_BYTES_MAX) {
		s->facts->cut = true;
		return NULL;
	}
	s->decoded_bytes += size;
	s->facts->decoded++;
	err = ms_code_track(s->tracker, bytes, size, address, &s->found);
	if (err)
		return err;
	return found_keep(s, index) ? NULL : ms_error_no_memory();
}

/** All functions, as many at a time as a chunk holds. */
static struct ms_error *text_search(struct search *s)
{
	MS_AUTO_FREE uint8_t *chunk = malloc(CHUNK_BYTES);
	const struct ms_code_functions *f = &s->facts->table;

	if (!chunk)
		return ms_error_no_memory();
	for (size_t i = 0, next; i < f->count; i = next) {
		uint64_t offset, size;
		struct ms_error *err;

		for (next = i;
		     next < f->count && f->entries[next + 1] - f->entries[i] <= CHUNK_BYTES;)
			next++;
		size = f->entries[next] - f->entries[i];
		if (next == i ||
		    !ms_elf_offset_of(&s->rt->elf, f->text + f->entries[i] - s->rt->elf.bias, size,
				      &offset)) {
			s->facts->cut = true; // A function larger than any, or without a file.
			next = next == i ? i + 1 : next;
			continue;
		}
		err = ms_target_exe_read(s->rt->target, offset, chunk, (size_t)size);
		for (; i < next && !err; i++)
			err = function_search(s, (uint32_t)i,
					      chunk + (size - (f->entries[next] - f->entries[i])),
					      f->entries[i + 1] - f->entries[i]);
		if (err)
			return err;
	}
	return NULL;
}

static struct ms_error *search_run(struct search *s)
{
	struct ms_error *err = search_init(s);

	if (!err)
		err = text_search(s);
	if (!err)
		err = ms_code_results_resolve(s->rt, &s->facts->table, s->tracker, &s->raw);
	if (!err && !ms_code_references_sort(&s->facts->references))
		err = ms_error_no_memory();
	if (!err)
		err = ms_code_merge(s->rt->types, s->rt->layout, &s->raw, s->facts);
	s->facts->functions = s->facts->table.count;
	return err;
}

struct ms_error *ms_go_code_facts(struct ms_go_runtime *rt, const struct ms_code_facts **ret_facts)
{
	if (!rt->code_facts) {
		struct search s = { .rt = rt, .facts = calloc(1, sizeof(*s.facts)) };
		struct ms_error *err = s.facts ? search_run(&s) : ms_error_no_memory();

		search_deinit(&s);
		if (err) {
			ms_code_facts_destroy(s.facts);
			return ms_error_wrap(err, "code");
		}
		free(s.facts->table.callees);
		s.facts->table.callees = NULL;
		s.facts->table.callee_count = 0;
		rt->code_facts = s.facts;
	}
	*ret_facts = rt->code_facts;
	return NULL;
}

const struct ms_code_global *ms_code_global_find(const struct ms_code_facts *facts, ms_addr address)
{
	size_t low = 0, high = facts->globals.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (facts->globals.items[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < facts->globals.count && facts->globals.items[low].address == address
		   ? &facts->globals.items[low]
		   : NULL;
}

ms_addr ms_code_closure_type(const struct ms_code_facts *facts, ms_addr entry)
{
	size_t low = 0, high = facts->closures.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (facts->closures.items[middle].entry < entry)
			low = middle + 1;
		else
			high = middle;
	}
	return low < facts->closures.count && facts->closures.items[low].entry == entry
		   ? facts->closures.items[low].type
		   : 0;
}

/** How much a user says: whether it is the program's own, what it does. */
static unsigned rank_of(const struct ms_code_facts *facts, uint32_t function, unsigned flags)
{
	unsigned rank = facts->table.is_inner[function] ? 0 : 4;

	return rank + (flags & INSERTS ? 2 : 0) + (flags & MS_CODE_WRITES ? 1 : 0);
}

struct ranked {
	struct ms_code_user user;
	unsigned rank;
};

/** Keep the best three, in the order of their rank, then of their code. */
static void user_offer(struct ranked best[MS_CODE_USERS_MAX], size_t *count, struct ranked offer)
{
	size_t at = *count;

	while (at > 0 && best[at - 1].rank < offer.rank)
		at--;
	if (at == MS_CODE_USERS_MAX)
		return;
	*count += *count < MS_CODE_USERS_MAX;
	memmove(best + at + 1, best + at, (*count - at - 1) * sizeof(*best));
	best[at] = offer;
}

size_t ms_code_users(const struct ms_code_facts *facts, ms_addr address,
		     struct ms_code_user ret_users[MS_CODE_USERS_MAX], size_t *ret_count)
{
	const struct ms_code_references *r = &facts->references;
	struct ranked best[MS_CODE_USERS_MAX] = { 0 };
	size_t low = 0, high = r->count, count = 0, total = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (facts->data + ms_code_reference_offset(r->items[middle]) < address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low < r->count && facts->data + ms_code_reference_offset(r->items[low]) == address) {
		uint32_t function = ms_code_reference_function(r->items[low]);
		uint32_t offset = ms_code_reference_offset(r->items[low]);
		unsigned flags = 0;

		for (; low < r->count && ms_code_reference_offset(r->items[low]) == offset &&
		       ms_code_reference_function(r->items[low]) == function;
		     low++)
			flags |= (unsigned)r->items[low] & 3;
		total++;
		user_offer(best, &count,
			   (struct ranked){
			       { facts->table.text + facts->table.entries[function], flags != 0 },
			       rank_of(facts, function, flags) });
	}
	for (size_t i = 0; i < count; i++)
		ret_users[i] = best[i].user;
	*ret_count = count;
	return total;
}

void ms_code_facts_destroy(struct ms_code_facts *facts)
{
	if (!facts)
		return;
	ms_vec_free(&facts->globals);
	ms_vec_free(&facts->closures);
	ms_vec_free(&facts->references);
	ms_code_functions_deinit(&facts->table);
	free(facts);
}
