// code_effects.c - what one instruction does to registers and stack words, and what it tells.
//
// A call tells by its arguments, and its result is remembered by what made it.  A store to a
// variable tells when what is stored was made by a call; one of a constant address makes the word
// behind it doubtful, as the two may be an interface.
#include "golang/code_track_internal.h"

#include "base/vec.h"

enum {
	FACTS_MAX = 1 << 16, // Of one function: generated tables have some thousand.
	TYPE_HASH = 16,      // Where a type's and an itab's hash is.
	TAKEN_BYTES = 16, // What is forgotten behind each stack address: a word, or an interface.
	WORD = 8,
};

// --- What is found. ---

void ms_code_fact_add(struct ms_code_tracker *t, struct ms_code_fact fact)
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

bool ms_code_made_fact(const struct ms_value *v, struct ms_code_fact *ret_fact)
{
	static const struct {
		enum ms_callee_role role;
		enum ms_code_shape shape;
	} shapes[] = { { MS_CALLEE_NEW, MS_CODE_POINTER },
		       { MS_CALLEE_MAKE_MAP, MS_CODE_MAP },
		       { MS_CALLEE_MAKE_CHAN, MS_CODE_CHAN },
		       { MS_CALLEE_MAKE_SLICE, MS_CODE_SLICE } };

	for (size_t i = 0; i < MS_ARRAY_SIZE(shapes); i++) {
		if (v->kind != MS_VALUE_MADE || v->made != shapes[i].role)
			continue;
		*ret_fact = (struct ms_code_fact){ .type = v->number,
						   .bytes = v->bytes,
						   .shape = shapes[i].shape,
						   .source = MS_CODE_BY_STORE };
		return true;
	}
	return false;
}

/** Whether @p v came out of a call that does not say its type. */
static bool is_untyped(const struct ms_value *v)
{
	return v->kind == MS_VALUE_RESULT ||
	       (v->kind == MS_VALUE_MADE && v->made == MS_CALLEE_MAKE_SMALL);
}

/** @p word is given what a call made. */
static void store_made(struct ms_code_tracker *t, ms_addr word, const struct ms_value *v)
{
	struct ms_code_fact fact;

	if (ms_code_made_fact(v, &fact)) {
		fact.address = word;
		ms_code_fact_add(t, fact);
		return;
	}
	if (is_untyped(v) && !ms_vec_push(&t->small_stores, { v->site, word }))
		t->out_of_memory = true;
	if (v->kind != MS_VALUE_RESULT)
		return;
	if (t->found->given.count >= FACTS_MAX)
		t->found->cut = true;
	else if (!ms_vec_push(&t->found->given, { word, v->number }))
		t->out_of_memory = true;
}

void ms_code_returned(struct ms_code_tracker *t, const struct ms_value *v)
{
	const struct ms_value *r = &t->result;

	if (v->kind != MS_VALUE_MADE && v->kind != MS_VALUE_RESULT)
		return;
	if (r->kind == MS_VALUE_UNKNOWN || (is_untyped(r) && !is_untyped(v)))
		t->result = *v;
	else if (!is_untyped(v))
		t->results_differ |= r->made != v->made || r->number != v->number;
}

/** The word at the constant address @p word is given @p v. */
static void store_word(struct ms_code_tracker *t, ms_addr word, const struct ms_value *v)
{
	if (!ms_code_in_data(t->world, word))
		return;
	if (v->kind == MS_VALUE_MADE || v->kind == MS_VALUE_RESULT)
		store_made(t, word, v);
	else if (v->kind == MS_VALUE_CONST &&
		 ms_range_holds(t->world->image.start, t->world->image.end, v->number, 1))
		doubt(t, word + WORD);
	else if (v->kind == MS_VALUE_CONST && !ms_vec_push(&t->lengths, word))
		t->out_of_memory = true;
}

/** A call puts @p v where @p to says. */
static void put(struct ms_code_tracker *t, const struct ms_value *to, const struct ms_value *v)
{
	if (to->kind == MS_VALUE_CONST)
		store_word(t, to->number, v);
}

/** @p v is said to be a map of @p type. */
static void map_used(struct ms_code_tracker *t, const struct ms_value *type,
		     const struct ms_value *v)
{
	if (type->kind != MS_VALUE_CONST)
		return;
	if (v->kind == MS_VALUE_WORD)
		ms_code_fact_add(t, (struct ms_code_fact){ .address = v->number,
							   .type = type->number,
							   .shape = MS_CODE_MAP,
							   .source = MS_CODE_BY_CALL });
	else if (is_untyped(v) && !ms_vec_push(&t->small_types, { v->site, type->number }))
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
	ms_code_fact_add(t, fact);
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
	case MS_CALLEE_STORE:
		put(t, &a[0], &a[1]);
		break;
	case MS_CALLEE_STORE_2:
		put(t, &a[0], &a[2]);
		break;
	case MS_CALLEE_STORE_1_2:
		put(t, &a[1], &a[2]);
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
	ms_code_fact_add(t, (struct ms_code_fact){ .address = word->number,
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

/** Whether the stack word at @p at is behind an address that is taken. */
static bool is_behind_taken(const struct ms_code_tracker *t, int64_t at)
{
	size_t low = 0, high = t->taken.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->taken.items[middle] < at + WORD)
			low = middle + 1;
		else
			high = middle;
	}
	return low && t->taken.items[low - 1] + TAKEN_BYTES > at;
}

/** A pointer to the stack may have been written through. */
static void pointer_written(struct ms_code_tracker *t)
{
	struct ms_values *v = &t->now;

	for (unsigned i = 0; t->taken.count && i < v->slot_count;) {
		if (is_behind_taken(t, v->slots[i].at))
			v->slots[i] = v->slots[--v->slot_count];
		else
			i++;
	}
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
	if (!callee || callee->role == MS_CALLEE_METHOD) {
		interfaces_handed(t);
		if (insn->value)
			result = (struct ms_value){ .kind = MS_VALUE_RESULT,
						    .site = t->offset,
						    .number = insn->value };
	}
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
		return ms_values_slot_use(&t->now, (int64_t)(insn->value + behind));
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

/** A place that is reached from @p base: of the stack, nothing in front of what is taken. */
static void place_written(struct ms_code_tracker *t, unsigned base)
{
	size_t first = 0;

	while (first < t->taken.count && t->taken.items[first] < 0)
		first++; // Not of this frame.
	if (base == MS_CODE_NONE || base == t->sp)
		t->now.slot_count = 0;
	else if (first < t->taken.count)
		ms_values_slots_forget(&t->now, t->taken.items[first], INT64_MAX);
}

static void clobber(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	if (!insn->bytes)
		place_written(t, insn->base);
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

void ms_code_effect(struct ms_code_tracker *t, const struct ms_insn *insn)
{
	switch (insn->kind) {
	case MS_INSN_CALL:
		call(t, insn);
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
	if (insn->writes >> t->sp & 1 && insn->kind != MS_INSN_CALL)
		t->now.slot_count = 0; // They count from it.
}
