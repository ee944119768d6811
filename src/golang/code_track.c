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
//    not known.  (More may be reached through it; but what is written into a variable is of the
//    variable's type, and types are what we are after.)
// 3. An interface is two words, and the second is of the type that the first says.  A word is
//    doubtful when the one before it was given a constant address, or compared, or asked for a
//    type's hash in the same function: facts of it are left out.
// 4. Memory is bounded by the function's size, which is.
#include "golang/code_track.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/code_values.h"

enum {
	FUNCTION_BYTES_MAX = 1 << 20,
	STATES_MAX = 4096,   // Places ahead that are known at one time.
	FACTS_MAX = 1 << 16, // Of one function: generated tables have some thousand.
	TYPE_HASH = 16,      // Where a type's and an itab's hash is.
	WORD = 8,
	LOOPS_MAX = 1024,
	PASSES_MAX = 12,
	TAKEN_MAX = 64,   // Stack addresses; a function that takes more knows no stack word.
	TAKEN_BYTES = 16, // What is forgotten behind each: a word, or an interface.
};

/** A map whose type is not said where it is made, and what is said of it later. */
struct small_map {
	uint32_t site;
	ms_addr number; // An address of a variable, or a type.
};

/** A place that jumps lead back to. */
struct loop {
	struct ms_values values; // What all of these jumps agree on.
	bool is_set;
};

struct ms_code_tracker {
	const struct ms_code_world *world;
	struct ms_code *code;
	// The function.
	ms_addr start;
	size_t size;
	struct ms_insn *insns;
	size_t insn_count, insn_capacity;
	uint32_t *ahead; // By offset: 1 + index of the state that jumps bring there.
	uint32_t *back;  // By offset: whether a jump leads back there.
	size_t map_capacity;
	struct {
		struct ms_values *items;
		size_t count, capacity;
	} states;
	struct {
		uint32_t *items;
		size_t count, capacity;
	} free;
	struct {
		int64_t *items;
		size_t count, capacity;
	} taken; // Stack addresses that are taken.
	struct {
		struct loop *items;
		size_t count, capacity;
	} loops;
	bool loops_changed;
	bool has_table;
	unsigned sp;
	// Where we are.
	struct ms_values now;
	bool reachable;
	bool waits; // For what comes back to a loop that no way leads into yet.
	uint32_t offset;
	struct ms_code_found *found;
	struct {
		ms_addr *items;
		size_t count, capacity;
	} doubtful; // Words that may belong to an interface.
	struct {
		struct small_map *items;
		size_t count, capacity;
	} small_types, small_stores;
	struct {
		ms_addr *items;
		size_t count, capacity;
	} lengths; // Words that were given a number.
	bool out_of_memory;
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

// --- What is found. ---

static void fact_add(struct ms_code_tracker *t, struct ms_code_fact fact)
{
	if (!ms_code_in_data(t->world, fact.address))
		return;
	if (t->found->facts.count >= FACTS_MAX)
		t->found->cut = true;
	else if (!ms_vec_push(&t->found->facts, fact))
		t->out_of_memory = true;
}

static void doubt(struct ms_code_tracker *t, ms_addr word)
{
	if (!ms_vec_push(&t->doubtful, word))
		t->out_of_memory = true;
}

/** @p word is given what a call made. */
static void store_made(struct ms_code_tracker *t, ms_addr word, const struct ms_value *v)
{
	struct ms_code_fact fact = {
		.address = word, .type = v->number, .bytes = v->bytes, .source = MS_CODE_BY_STORE
	};

	switch (v->made) {
	case MS_CALLEE_NEW:
		fact.shape = MS_CODE_POINTER;
		break;
	case MS_CALLEE_MAKE_MAP:
		fact.shape = MS_CODE_MAP;
		break;
	case MS_CALLEE_MAKE_CHAN:
		fact.shape = MS_CODE_CHAN;
		break;
	case MS_CALLEE_MAKE_SLICE:
		fact.shape = MS_CODE_SLICE;
		break;
	case MS_CALLEE_MAKE_SMALL:
		if (!ms_vec_push(&t->small_stores, { v->site, word }))
			t->out_of_memory = true;
		return;
	default:
		return;
	}
	fact_add(t, fact);
}

/** The word at the constant address @p word is given @p v. */
static void store_word(struct ms_code_tracker *t, ms_addr word, const struct ms_value *v)
{
	if (!ms_code_in_data(t->world, word))
		return;
	if (v->kind == MS_VALUE_MADE)
		store_made(t, word, v);
	else if (v->kind == MS_VALUE_CONST &&
		 ms_range_holds(t->world->image.start, t->world->image.end, v->number, 1))
		doubt(t, word + WORD);
	else if (v->kind == MS_VALUE_CONST && !ms_vec_push(&t->lengths, word))
		t->out_of_memory = true;
}

/** @p v is said to be a map of @p type. */
static void map_used(struct ms_code_tracker *t, const struct ms_value *type,
		     const struct ms_value *v)
{
	if (type->kind != MS_VALUE_CONST)
		return;
	if (v->kind == MS_VALUE_WORD)
		fact_add(t, (struct ms_code_fact){ .address = v->number,
						   .type = type->number,
						   .shape = MS_CODE_MAP,
						   .source = MS_CODE_BY_CALL });
	else if (v->kind == MS_VALUE_MADE && v->made == MS_CALLEE_MAKE_SMALL &&
		 !ms_vec_push(&t->small_types, { v->site, type->number }))
		t->out_of_memory = true;
}

/** @p v is said to be the address of a value of @p type. */
static void value_at(struct ms_code_tracker *t, ms_addr type, const struct ms_value *v,
		     enum ms_code_source source)
{
	struct ms_code_fact fact = { .address = v->number, .type = type, .source = source };

	if (v->kind == MS_VALUE_CONST)
		fact.shape = MS_CODE_VALUE;
	else if (v->kind == MS_VALUE_WORD)
		fact.shape = MS_CODE_POINTER;
	else
		return;
	fact_add(t, fact);
}

// --- Calls. ---

static struct ms_value argument(const struct ms_code_tracker *t, unsigned index)
{
	return ms_values_get(&t->now, t->world->arguments[index]);
}

static struct ms_value made(const struct ms_code_tracker *t, enum ms_callee_role role,
			    const struct ms_value *type)
{
	struct ms_value v = { .kind = MS_VALUE_MADE,
			      .made = (uint8_t)role,
			      .site = t->offset,
			      .number = type->number };

	return type->kind == MS_VALUE_CONST ? v : (struct ms_value){ 0 };
}

static struct ms_value result_of(struct ms_code_tracker *t, const struct ms_callee *callee)
{
	struct ms_value first = argument(t, 0), second = argument(t, 1), v;

	switch (callee->role) {
	case MS_CALLEE_MAKE_MAP:
	case MS_CALLEE_MAKE_CHAN:
	case MS_CALLEE_MAKE_SLICE:
	case MS_CALLEE_NEW:
		return made(t, callee->role, &first);
	case MS_CALLEE_GROW_SLICE:
		v = argument(t, 4);
		return made(t, MS_CALLEE_MAKE_SLICE, &v);
	case MS_CALLEE_NEW_SIZED:
		v = made(t, MS_CALLEE_NEW, &second);
		v.bytes = first.number;
		return first.kind == MS_VALUE_CONST ? v : (struct ms_value){ 0 };
	case MS_CALLEE_MAKE_SMALL:
		return (struct ms_value){ .kind = MS_VALUE_MADE,
					  .made = MS_CALLEE_MAKE_SMALL,
					  .site = t->offset };
	default:
		return (struct ms_value){ 0 };
	}
}

/** What the arguments say. */
static void arguments_tell(struct ms_code_tracker *t, const struct ms_callee *callee)
{
	struct ms_value a[3] = { argument(t, 0), argument(t, 1), argument(t, 2) };

	switch (callee->role) {
	case MS_CALLEE_MAP_INSERT:
		if (a[1].kind == MS_VALUE_WORD && !ms_vec_push(&t->found->inserts, a[1].number))
			t->out_of_memory = true;
		map_used(t, &a[0], &a[1]);
		break;
	case MS_CALLEE_MAP:
		map_used(t, &a[0], &a[1]);
		break;
	case MS_CALLEE_MAP_AT_1:
		map_used(t, &a[1], &a[2]);
		break;
	case MS_CALLEE_AT:
		if (a[0].kind == MS_VALUE_CONST)
			value_at(t, a[0].number, &a[2], MS_CODE_BY_CALL);
		// fall through
	case MS_CALLEE_AT_1:
		if (a[0].kind == MS_VALUE_CONST)
			value_at(t, a[0].number, &a[1], MS_CODE_BY_CALL);
		break;
	case MS_CALLEE_METHOD:
		value_at(t, callee->type, &a[0], MS_CODE_BY_METHOD);
		break;
	default:
		break;
	}
}

static bool in_image(const struct ms_code_tracker *t, const struct ms_value *v)
{
	return v->kind == MS_VALUE_CONST &&
	       ms_range_holds(t->world->image.start, t->world->image.end, v->number, 1);
}

/** An interface of two words, @p before in front of it: its second is of the type it names. */
static void interface_made(struct ms_code_tracker *t, const struct ms_value *before,
			   const struct ms_value *type, const struct ms_value *word)
{
	if (word->kind != MS_VALUE_WORD || !in_image(t, type) || in_image(t, before))
		return; // Behind an itab a descriptor is a reflect.Type, and what follows is not
			// its.
	fact_add(t, (struct ms_code_fact){ .address = word->number,
					   .type = type->number,
					   .shape = MS_CODE_VALUE,
					   .source = MS_CODE_BY_CALL,
					   .is_boxed = true });
}

/** Arguments of a function of the program's own may be interfaces. */
static void interfaces_handed(struct ms_code_tracker *t)
{
	struct ms_value before = { 0 };

	for (unsigned i = 0; i + 1 < MS_ARRAY_SIZE(t->world->arguments); i++) {
		struct ms_value type = argument(t, i), word = argument(t, i + 1);

		interface_made(t, &before, &type, &word);
		before = type;
	}
}

/** A pointer to the stack may have been written through. */
static void pointer_written(struct ms_code_tracker *t)
{
	for (size_t i = 0; t->now.slot_count && i < t->taken.count; i++)
		ms_values_slots_forget(&t->now, t->taken.items[i], t->taken.items[i] + TAKEN_BYTES);
}

static void call(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	const struct ms_callee *callee = ms_code_callee(t->world, insn->value);
	struct ms_value result = { 0 };

	if (callee && callee->role == MS_CALLEE_BARRIER_STORE) {
		struct ms_value to = ms_values_get(&t->now, t->world->barrier_to);
		struct ms_value from = ms_values_get(&t->now, (unsigned)callee->type);

		if (to.kind == MS_VALUE_CONST)
			store_word(t, to.number, &from);
	}
	if (callee &&
	    (callee->role == MS_CALLEE_BARRIER || callee->role == MS_CALLEE_BARRIER_STORE)) {
		ms_values_forget(&t->now, t->world->barrier_clobbers);
		return;
	}
	if (callee && callee->role == MS_CALLEE_NO_RETURN) {
		t->reachable = false;
		return;
	}
	if (callee) {
		arguments_tell(t, callee);
		result = result_of(t, callee);
	}
	if (!callee || callee->role == MS_CALLEE_METHOD)
		interfaces_handed(t);
	ms_values_forget(&t->now, UINT32_MAX);
	pointer_written(t);
	ms_values_set(&t->now, t->world->arguments[0], result);
}

// --- Memory. ---

/** The constant address that an instruction's memory operand means. */
static bool absolute(const struct ms_code_tracker *t, const struct ms_insn *insn,
		     ms_addr *ret_address)
{
	struct ms_value base = ms_values_get(&t->now, insn->base);

	if (insn->base != MS_CODE_NONE && base.kind != MS_VALUE_CONST)
		return false;
	*ret_address = insn->value + (insn->base == MS_CODE_NONE ? 0 : base.number);
	return true;
}

static struct ms_value loaded(struct ms_code_tracker *t, const struct ms_insn *insn,
			      uint64_t behind)
{
	ms_addr address;

	if (insn->bytes != WORD)
		return (struct ms_value){ 0 };
	if (insn->base == t->sp)
		return ms_values_slot(&t->now, (int64_t)(insn->value + behind));
	if (!absolute(t, insn, &address) || !ms_code_in_data(t->world, address + behind))
		return (struct ms_value){ 0 };
	return (struct ms_value){ .kind = MS_VALUE_WORD, .number = address + behind };
}

static void load(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	struct ms_value base = ms_values_get(&t->now, insn->base);
	struct ms_value first = loaded(t, insn, 0), second = { 0 };

	if (insn->second != MS_CODE_NONE)
		second = loaded(t, insn, WORD);
	if (insn->bytes == 4 && base.kind == MS_VALUE_WORD && insn->value == TYPE_HASH)
		doubt(t, base.number + WORD);
	ms_values_forget(&t->now, insn->writes);
	ms_values_set(&t->now, insn->reg, first);
	ms_values_set(&t->now, insn->second, second);
}

/** A new object's first word is given the address of a function. */
static void object_written(struct ms_code_tracker *t, const struct ms_insn *insn,
			   const struct ms_value *v)
{
	struct ms_value base = ms_values_get(&t->now, insn->base);

	if (base.kind != MS_VALUE_MADE || base.made != MS_CALLEE_NEW || insn->value ||
	    v->kind != MS_VALUE_CONST ||
	    !ms_range_holds(t->world->text.start, t->world->text.end, v->number, 1))
		return;
	if (t->found->functions.count >= FACTS_MAX)
		t->found->cut = true;
	else if (!ms_vec_push(&t->found->functions, { v->number, base.number, base.bytes }))
		t->out_of_memory = true;
}

static void stored(struct ms_code_tracker *t, const struct ms_insn *insn, uint64_t behind,
		   const struct ms_value *v)
{
	ms_addr address;

	if (insn->base == t->sp) {
		int64_t at = (int64_t)(insn->value + behind);
		struct ms_value type = ms_values_slot(&t->now, at - WORD);
		struct ms_value before = ms_values_slot(&t->now, at - 2 * WORD);

		interface_made(t, &before, &type, v);
		if (insn->bytes == WORD)
			ms_values_slot_set(&t->now, (int64_t)(insn->value + behind), *v);
		else
			ms_values_slots_forget(&t->now, (int64_t)insn->value,
					       (int64_t)insn->value + insn->bytes);
	} else if (absolute(t, insn, &address)) {
		if (insn->bytes == WORD)
			store_word(t, address + behind, v);
	} else {
		if (insn->bytes == WORD && !behind)
			object_written(t, insn, v);
		pointer_written(t);
	}
}

static void store(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	struct ms_value first = ms_values_get(&t->now, insn->reg);
	struct ms_value second = ms_values_get(&t->now, insn->second);

	if (insn->kind == MS_INSN_STORE_CONST)
		first = (struct ms_value){ .kind = MS_VALUE_CONST, .number = insn->constant };
	stored(t, insn, 0, &first);
	if (insn->second != MS_CODE_NONE)
		stored(t, insn, WORD, &second);
}

static void clobber(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	if (!insn->bytes)
		t->now.slot_count = 0;
	else if (insn->base == t->sp)
		ms_values_slots_forget(&t->now, (int64_t)insn->value,
				       (int64_t)insn->value + insn->bytes);
	else
		pointer_written(t);
	ms_values_forget(&t->now, insn->writes);
}

static void compare(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	struct ms_value with[3] = { ms_values_get(&t->now, insn->reg) };
	bool has_address = false;

	if (insn->bytes)
		with[1] = loaded(t, insn, 0);
	else
		with[1] = ms_values_get(&t->now, insn->second);
	for (unsigned i = 0; i < 2; i++)
		has_address |=
		    with[i].kind == MS_VALUE_CONST &&
		    ms_range_holds(t->world->image.start, t->world->image.end, with[i].number, 1);
	for (unsigned i = 0; i < 2; i++) {
		if (with[i].kind == MS_VALUE_WORD && has_address)
			doubt(t, with[i].number + WORD);
	}
}

static void add(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	struct ms_value v = ms_values_get(&t->now, insn->base);

	if (v.kind == MS_VALUE_CONST)
		v.number += insn->value;
	else if (insn->value)
		v = (struct ms_value){ 0 };
	ms_values_set(&t->now, insn->reg, v);
}

// --- Ways. ---

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

/** What is known where an instruction begins; false when no way leads there yet. */
static bool arrive(struct ms_code_tracker *t)
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
	else if (!t->reachable && (!t->waits || loop))
		arrive_from_elsewhere(t, loop);
	if (t->has_table && (state || loop))
		t->now.known = t->now.slot_count = 0;
	return t->reachable;
}

static void step(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	switch (insn->kind) {
	case MS_INSN_CALL:
		call(t, insn);
		break;
	case MS_INSN_BRANCH:
	case MS_INSN_JUMP:
		bring(t, insn->value);
		t->reachable = insn->kind == MS_INSN_BRANCH;
		if (t->has_table)
			t->now.known = t->now.slot_count = 0;
		break;
	case MS_INSN_STOP:
		t->reachable = false;
		break;
	case MS_INSN_CONST:
		ms_values_set(&t->now, insn->reg,
			      (struct ms_value){ .kind = MS_VALUE_CONST, .number = insn->value });
		break;
	case MS_INSN_MOVE:
		ms_values_set(&t->now, insn->reg, ms_values_get(&t->now, insn->base));
		break;
	case MS_INSN_ADD:
		add(t, insn);
		break;
	case MS_INSN_LOAD:
		load(t, insn);
		break;
	case MS_INSN_STORE:
	case MS_INSN_STORE_CONST:
		store(t, insn);
		break;
	case MS_INSN_CLOBBER:
		clobber(t, insn);
		break;
	case MS_INSN_COMPARE:
		compare(t, insn);
		break;
	default:
		ms_values_forget(&t->now, insn->writes);
		break;
	}
	if (insn->writes >> t->sp & 1 && insn->kind != MS_INSN_CALL && insn->kind != MS_INSN_STOP)
		t->now.slot_count = 0; // They count from it.
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
	if (insn->kind == MS_INSN_ADD && insn->base == t->sp && insn->reg != t->sp &&
	    !ms_vec_push(&t->taken, (int64_t)insn->value))
		return false;
	if (!jumps || insn->value < t->start || insn->value > t->start + at)
		return true;
	if (t->loops.count >= LOOPS_MAX) {
		t->has_table = true; // As good as ways that are not known.
		t->found->cut = true;
		return true;
	}
	return loop_add(t, insn->value - t->start);
}

/** Take the function apart; note where jumps lead back, and what is taken of the stack. */
static bool decode(struct ms_code_tracker *t, const uint8_t *bytes)
{
	unsigned skip = t->sp == MS_ARM64_SP ? 4 : 1;

	t->insn_count = t->taken.count = t->loops.count = 0;
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
	return true;
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
			fact_add(t,
				 (struct ms_code_fact){ .address = t->small_stores.items[k].number,
							.type = type->number,
							.shape = MS_CODE_MAP,
							.source = MS_CODE_BY_STORE });
	}
}

/** Put together what was said at different places of the function; drop what is doubtful. */
static void conclude(struct ms_code_tracker *t)
{
	struct ms_code_found *found = t->found;
	size_t kept = 0;

	join_small(t);
	if (t->doubtful.count)
		qsort(t->doubtful.items, t->doubtful.count, sizeof(ms_addr), word_compare);
	if (t->lengths.count)
		qsort(t->lengths.items, t->lengths.count, sizeof(ms_addr), word_compare);
	for (size_t i = 0; i < found->facts.count; i++) {
		struct ms_code_fact *fact = &found->facts.items[i];

		if (fact->shape != MS_CODE_VALUE &&
		    has_word(t->doubtful.items, t->doubtful.count, fact->address)) {
			found->left_out++;
			continue;
		}
		fact->has_length =
		    has_word(t->lengths.items, t->lengths.count, fact->address + WORD);
		found->facts.items[kept++] = *fact;
	}
	found->facts.count = kept;
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
	t->doubtful.count = t->lengths.count = 0;
	t->small_types.count = t->small_stores.count = 0;
	t->states.count = t->free.count = 0;
	t->now.known = t->now.slot_count = t->offset = 0;
	t->reachable = true;
	t->loops_changed = t->waits = false;
	for (size_t i = 0; i < t->insn_count && !t->out_of_memory; i++) {
		const struct ms_insn *insn = &t->insns[i];
		bool ends = insn->kind == MS_INSN_JUMP || insn->kind == MS_INSN_STOP;

		if (arrive(t)) {
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
