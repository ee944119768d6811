// code_track.c - one pass over a function, from its first instruction to its last, with a value
// for each register and stack word: unknown, a constant, what a variable held, or what a call made.
//
//	lea rax, [type of map[string]int]	rax: a constant
//	mov rbx, [0x5a3e20]			rbx: what the word 0x5a3e20 held
//	call runtime.mapassign_faststr		so 0x5a3e20 holds a map[string]int
//
// Guarantees, in the order in which they matter:
// 1. Nothing is guessed.  Where ways meet, only what all agree on stays.  Ways that lead back are
//    believed once and then held against what they bring: the function is gone through until
//    nothing changes, or with nothing known where loops begin.  Behind a jump by table no way is
//    known, so in such a function nothing outlives a jump at all.  A call leaves only its result,
//    an instruction that cannot be decoded nothing.
// 2. The stack may be written through a pointer to it: words behind a stack address that the
//    function takes anywhere are forgotten at every call and at every store to a place that is
//    not known.  The address of a key that an insertion reads is none of these.  (More may be
//    reached through it; but what is written into a variable is of the variable's type, and
//    types are what we are after.)
// 3. An interface is two words, and the second is of the type that the first says.  A word is
//    doubtful when the one before it was given a constant address, or compared, or asked for a
//    type's hash in the same function: facts of it are left out.
// 4. Memory is bounded by the function's size, which is.
#include "golang/code_track.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/code_track_internal.h"

enum {
	FUNCTION_BYTES_MAX = 1 << 20,
	STATES_MAX = 4096, // Places ahead that are known at one time.
	LOOPS_MAX = 1024,
	PASSES_MAX = 12,
	TAKEN_MAX = 4096, // Stack addresses; a function that takes more knows no stack word.
	KEY_REACH = 8,    // Instructions between a key's address and the call that reads it.
	WORD = 8,
};

bool ms_code_in_data(const struct ms_code_world *world, ms_addr address)
{
	for (size_t i = 0; i < world->data_count; i++) {
		if (ms_range_holds(world->data[i].start, world->data[i].end, address, 1))
			return true;
	}
	return false;
}

const struct ms_callee *ms_code_callee(const struct ms_code_world *world, ms_addr entry)
{
	size_t low = 0, high = world->callee_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (world->callees[middle].entry < entry)
			low = middle + 1;
		else
			high = middle;
	}
	return low < world->callee_count && world->callees[low].entry == entry
		   ? &world->callees[low]
		   : NULL;
}

/** Bring what is known now back to where a loop begins. */
static void bring_back(struct ms_code_tracker *t, uint32_t to)
{
	struct loop *loop = t->back[to] ? &t->loops.items[t->back[to] - 1] : NULL;

	if (!loop)
		return;
	if (!loop->is_set) {
		ms_values_copy(&loop->values, &t->now);
		loop->is_set = t->loops_changed = true;
		return;
	}
	t->loops_changed |= ms_values_meet(&loop->values, &t->now);
}

/** Bring what is known now to where a jump leads. */
static void bring(struct ms_code_tracker *t, ms_addr target)
{
	uint64_t to = target - t->start;
	uint32_t index;

	if (target < t->start || to >= t->size)
		return;
	if (to <= t->offset) {
		bring_back(t, (uint32_t)to);
		return;
	}
	if (t->ahead[to]) {
		(void)ms_values_meet(&t->states.items[t->ahead[to] - 1], &t->now);
		return;
	}
	if (t->free.count) {
		index = t->free.items[--t->free.count];
	} else if (t->states.count < STATES_MAX &&
		   ms_vec_reserve(&t->states, t->states.count + 1)) {
		index = (uint32_t)t->states.count++;
	} else {
		t->found->cut = true;
		t->now.known = t->now.slot_count = 0;
		return;
	}
	ms_values_copy(&t->states.items[index], &t->now);
	t->ahead[to] = index + 1;
}

/** Nothing of ours leads here: what comes from a loop's end, or else who knows. */
static void arrive_from_elsewhere(struct ms_code_tracker *t, const struct loop *loop)
{
	if (loop && !t->has_table && !loop->is_set)
		t->waits = true;
	else if (loop && loop->is_set)
		ms_values_copy(&t->now, &loop->values);
	else
		t->now.known = t->now.slot_count = 0;
	t->reachable = !t->waits;
}

/** An instruction that does nothing: where no way leads to, it fills up to an even address. */
static bool is_filler(const struct ms_insn *insn)
{
	return insn->kind == MS_INSN_OTHER && !insn->writes;
}

/** What is known where an instruction begins; false when no way leads there yet. */
static bool arrive(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	const struct loop *loop =
	    t->back[t->offset] ? &t->loops.items[t->back[t->offset] - 1] : NULL;
	uint32_t state = t->ahead[t->offset];

	if (state) {
		if (!t->reachable)
			ms_values_copy(&t->now, &t->states.items[state - 1]);
		else
			(void)ms_values_meet(&t->now, &t->states.items[state - 1]);
		t->ahead[t->offset] = 0;
		if (!ms_vec_push(&t->free, state - 1))
			t->out_of_memory = true;
		t->reachable = true;
		t->waits = false;
	}
	if (t->reachable && loop && loop->is_set)
		(void)ms_values_meet(&t->now, &loop->values);
	else if (!t->reachable && (loop || (!t->waits && !is_filler(insn))))
		arrive_from_elsewhere(t, loop);
	if (t->has_table && (state || loop))
		t->now.known = t->now.slot_count = 0;
	return t->reachable;
}

static void step(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	struct ms_value result;

	switch (insn->kind) {
	case MS_INSN_BRANCH:
	case MS_INSN_JUMP:
		bring(t, insn->value);
		t->reachable = insn->kind == MS_INSN_BRANCH;
		if (t->has_table)
			t->now.known = t->now.slot_count = 0;
		break;
	case MS_INSN_STOP:
		result = ms_values_get(&t->now, t->world->arguments[0]);
		ms_code_returned(t, &result);
		t->reachable = false;
		break;
	default:
		ms_code_effect(t, insn);
		break;
	}
}

/** A loop begins at @p offset. */
static bool loop_add(struct ms_code_tracker *t, uint64_t offset)
{
	if (t->back[offset])
		return true;
	if (!ms_vec_reserve(&t->loops, t->loops.count + 1))
		return false;
	t->loops.items[t->loops.count].values.known = 0;
	t->loops.items[t->loops.count].values.slot_count = 0;
	t->loops.items[t->loops.count++].is_set = false;
	t->back[offset] = (uint32_t)t->loops.count;
	return true;
}

/** What has to be known of an instruction before the way through begins. */
static bool survey(struct ms_code_tracker *t, const struct ms_insn *insn, uint64_t at)
{
	bool jumps = insn->kind == MS_INSN_JUMP || insn->kind == MS_INSN_BRANCH;

	t->has_table |= insn->kind == MS_INSN_JUMP && !insn->value;
	if (!jumps || insn->value < t->start || insn->value > t->start + at)
		return true;
	if (t->loops.count >= LOOPS_MAX) {
		t->has_table = true; // As good as ways that are not known.
		t->found->cut = true;
		return true;
	}
	return loop_add(t, insn->value - t->start);
}

/** Whether a register goes on untouched and unread through an instruction. */
static bool is_idle(const struct ms_insn *insn, unsigned reg)
{
	if (insn->kind == MS_INSN_CONST || (insn->kind == MS_INSN_OTHER && !insn->writes))
		return insn->reg != reg;
	return insn->kind >= MS_INSN_MOVE && insn->kind <= MS_INSN_STORE_CONST &&
	       insn->reg != reg && insn->second != reg && insn->base != reg;
}

/** Whether a stack address that is taken at @p at is of a key only, which an insertion reads. */
static bool is_key(const struct ms_code_tracker *t, size_t at)
{
	unsigned reg = t->insns[at].reg;

	if (reg != t->world->arguments[2])
		return false;
	for (size_t i = at + 1; i < t->insn_count && i <= at + KEY_REACH; i++) {
		const struct ms_insn *insn = &t->insns[i];

		if (insn->kind == MS_INSN_CALL) {
			const struct ms_callee *callee = ms_code_callee(t->world, insn->value);

			return callee && callee->role == MS_CALLEE_MAP_INSERT;
		}
		if (!is_idle(insn, reg))
			return false;
	}
	return false;
}

static int offset_compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/** Which stack addresses are taken, so that they may be written through. */
static bool taken_find(struct ms_code_tracker *t)
{
	size_t count = 0;

	t->taken.count = 0;
	for (size_t i = 0; i < t->insn_count; i++) {
		const struct ms_insn *insn = &t->insns[i];

		if (insn->kind != MS_INSN_ADD || insn->base != t->sp || insn->reg == t->sp ||
		    is_key(t, i))
			continue;
		if (!ms_vec_push(&t->taken, (int64_t)insn->value))
			return false;
	}
	if (t->taken.count)
		qsort(t->taken.items, t->taken.count, sizeof(int64_t), offset_compare);
	for (size_t i = 0; i < t->taken.count; i++) {
		if (!i || t->taken.items[i] != t->taken.items[i - 1])
			t->taken.items[count++] = t->taken.items[i];
	}
	t->taken.count = count;
	return true;
}

/** Take the function apart; note where jumps lead back, and what is taken of the stack. */
static bool decode(struct ms_code_tracker *t, const uint8_t *bytes)
{
	unsigned skip = t->sp == MS_ARM64_SP ? 4 : 1;

	t->insn_count = t->loops.count = 0;
	t->has_table = false;
	for (size_t at = 0; at < t->size;) {
		struct ms_insn insn;

		if (!ms_vec_reserve_raw((void **)&t->insns, &t->insn_capacity, t->insn_count + 1,
					sizeof(insn)))
			return false;
		if (!ms_code_decode(t->code, bytes + at, t->size - at, t->start + at, &insn))
			insn = (struct ms_insn){ .kind = MS_INSN_CLOBBER,
						 .length = (uint8_t)ms_min_u64(skip, t->size - at),
						 .writes = UINT32_MAX };
		if (!survey(t, &insn, at))
			return false;
		t->insns[t->insn_count++] = insn;
		at += insn.length;
	}
	return taken_find(t);
}

static int word_compare(const void *a, const void *b)
{
	const ms_addr *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int site_compare(const void *a, const void *b)
{
	const struct small_map *x = a, *y = b;

	return x->site < y->site ? -1 : x->site > y->site;
}

static bool has_word(const ms_addr *items, size_t count, ms_addr word)
{
	return count && bsearch(&word, items, count, sizeof(*items), word_compare);
}

/** Maps whose type was said after they were made, or before. */
static void join_small(struct ms_code_tracker *t)
{
	size_t from = 0;

	if (!t->small_types.count || !t->small_stores.count)
		return;
	qsort(t->small_types.items, t->small_types.count, sizeof(struct small_map), site_compare);
	qsort(t->small_stores.items, t->small_stores.count, sizeof(struct small_map), site_compare);
	for (size_t i = 0; i < t->small_types.count; i++) {
		const struct small_map *type = &t->small_types.items[i];

		if (i && type[-1].site == type->site && type[-1].number == type->number)
			continue;
		while (from < t->small_stores.count &&
		       t->small_stores.items[from].site < type->site)
			from++;
		for (size_t k = from; k < t->small_stores.count && !t->found->cut &&
				      t->small_stores.items[k].site == type->site;
		     k++)
			ms_code_fact_add(
			    t, (struct ms_code_fact){ .address = t->small_stores.items[k].number,
						      .type = type->number,
						      .shape = MS_CODE_MAP,
						      .source = MS_CODE_BY_STORE });
	}
}

/** What the function returns, when its ways out do not contradict each other. */
static void conclude_return(struct ms_code_tracker *t)
{
	struct ms_code_return r = { 0 };

	if (t->results_differ || t->found->cut)
		return;
	if (t->result.kind == MS_VALUE_RESULT)
		r.entry = t->result.number;
	r.is_known = r.entry || ms_code_made_fact(&t->result, &r.fact);
	for (size_t i = 0; t->result.kind == MS_VALUE_MADE && i < t->small_types.count; i++) {
		if (t->small_types.items[i].site != t->result.site)
			continue;
		if (r.is_known && r.fact.type != t->small_types.items[i].number)
			return; // Two types for one map.
		r.fact = (struct ms_code_fact){ .type = t->small_types.items[i].number,
						.shape = MS_CODE_MAP };
		r.is_known = true;
	}
	r.fact.source = MS_CODE_BY_RESULT;
	t->found->returned = r;
}

/** Leave out what is given to words that may be an interface's. */
static void given_check(struct ms_code_tracker *t)
{
	struct ms_code_found *found = t->found;
	size_t kept = 0;

	for (size_t i = 0; i < found->given.count; i++) {
		if (has_word(t->doubtful.items, t->doubtful.count, found->given.items[i].address))
			found->left_out++;
		else
			found->given.items[kept++] = found->given.items[i];
	}
	found->given.count = kept;
}

/** Put together what was said at different places of the function; drop what is doubtful. */
static void conclude(struct ms_code_tracker *t)
{
	struct ms_code_found *found = t->found;
	size_t kept = 0;

	join_small(t);
	conclude_return(t);
	if (t->doubtful.count)
		qsort(t->doubtful.items, t->doubtful.count, sizeof(ms_addr), word_compare);
	if (t->lengths.count)
		qsort(t->lengths.items, t->lengths.count, sizeof(ms_addr), word_compare);
	for (size_t i = 0; i < found->facts.count; i++) {
		struct ms_code_fact *fact = &found->facts.items[i];

		if ((fact->shape != MS_CODE_VALUE || fact->is_boxed) &&
		    has_word(t->doubtful.items, t->doubtful.count, fact->address)) {
			found->left_out++;
			continue;
		}
		fact->has_length =
		    has_word(t->lengths.items, t->lengths.count, fact->address + WORD);
		found->facts.items[kept++] = *fact;
	}
	found->facts.count = kept;
	given_check(t);
}

static bool room_make(struct ms_code_tracker *t, size_t size)
{
	if (size > t->map_capacity) {
		uint32_t *ahead = malloc(size * sizeof(*ahead));
		uint32_t *back = malloc(size * sizeof(*back));

		if (!ahead || !back) {
			free(ahead);
			free(back);
			return false;
		}
		free(t->ahead);
		free(t->back);
		t->ahead = ahead;
		t->back = back;
		t->map_capacity = size;
	}
	memset(t->ahead, 0, size * sizeof(*t->ahead));
	memset(t->back, 0, size * sizeof(*t->back));
	return true;
}

/** One way through the function, with what the last one brought back to its loops. */
static void pass(struct ms_code_tracker *t)
{
	struct ms_code_found *found = t->found;

	found->facts.count = found->functions.count = found->inserts.count = 0;
	found->given.count = 0;
	t->result = (struct ms_value){ 0 };
	t->results_differ = false;
	t->doubtful.count = t->lengths.count = 0;
	t->small_types.count = t->small_stores.count = 0;
	t->states.count = t->free.count = 0;
	t->now.known = t->now.slot_count = t->offset = 0;
	t->reachable = true;
	t->loops_changed = t->waits = false;
	for (size_t i = 0; i < t->insn_count && !t->out_of_memory; i++) {
		const struct ms_insn *insn = &t->insns[i];
		bool ends = insn->kind == MS_INSN_JUMP || insn->kind == MS_INSN_STOP;

		if (arrive(t, insn)) {
			if (t->taken.count > TAKEN_MAX)
				t->now.slot_count = 0;
			step(t, insn);
		} else if (ends) {
			t->waits = false;
		}
		t->offset += insn->length;
	}
}

struct ms_error *ms_code_track(struct ms_code_tracker *t, const uint8_t *bytes, size_t size,
			       ms_addr address, struct ms_code_found *found)
{
	found->facts.count = found->functions.count = found->inserts.count = found->left_out = 0;
	found->given.count = 0;
	found->returned = (struct ms_code_return){ 0 };
	found->cut = size > FUNCTION_BYTES_MAX;
	if (!size || found->cut)
		return NULL;
	t->found = found;
	t->start = address;
	t->size = size;
	t->out_of_memory = false;
	if (!room_make(t, size) || !decode(t, bytes))
		return ms_error_no_memory();
	for (unsigned i = 0; i < PASSES_MAX && (!i || t->loops_changed); i++)
		pass(t);
	if (t->loops_changed) { // It did not settle: nothing is known where a loop begins.
		for (size_t i = 0; i < t->loops.count; i++)
			t->loops.items[i] = (struct loop){ .is_set = true };
		pass(t);
	}
	conclude(t);
	return t->out_of_memory ? ms_error_no_memory() : NULL;
}

struct ms_error *ms_code_tracker_create(const struct ms_code_world *world, struct ms_code *code,
					struct ms_code_tracker **ret_tracker)
{
	struct ms_code_tracker *t = calloc(1, sizeof(*t));

	if (!t)
		return ms_error_no_memory();
	t->world = world;
	t->code = code;
	t->sp = ms_code_stack_pointer(code);
	*ret_tracker = t;
	return NULL;
}

void ms_code_found_deinit(struct ms_code_found *found)
{
	ms_vec_free(&found->facts);
	ms_vec_free(&found->functions);
	ms_vec_free(&found->inserts);
	ms_vec_free(&found->given);
}

void ms_code_tracker_destroy(struct ms_code_tracker *t)
{
	if (!t)
		return;
	free(t->insns);
	free(t->ahead);
	free(t->back);
	ms_vec_free(&t->states);
	ms_vec_free(&t->free);
	ms_vec_free(&t->doubtful);
	ms_vec_free(&t->small_types);
	ms_vec_free(&t->small_stores);
	ms_vec_free(&t->lengths);
	ms_vec_free(&t->taken);
	ms_vec_free(&t->loops);
	free(t);
}
