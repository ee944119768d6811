// lock_code.c - Go does not record who holds a lock.  But the code of the function that does says
// so: at an instruction that is only reached through Lock, and not through Unlock since, it is
// held.
//
//	mu.Lock()          lock cmpxchg [rcx+8], edx      inlined: the inline tree names it
//	                   jnz slow -> call lockSlow
//	work()         <-  the goroutine stands here: held, at 8 from some pointer
//	mu.Unlock()        lock xadd [rcx+8], eax
//
// A function is taken apart into instructions, and what it may have done with each class of locks
// is carried along every way through them until nothing changes any more.  Where ways disagree all
// of it may be; so too behind whatever could give a lock back unseen: a call of a closure (that is
// how deferred calls are made), deferreturn, TryLock; behind a jump through a table nothing is
// known. Nor is one held that the function has no way to give back from there: a call gave it back
// unseen, or another goroutine does. What is taken or given back by a function that is called is
// not seen here: the frames of calls that have not returned are asked by themselves, and a lock
// that a helper took has no holder that is known.
#include "goroutines/lock_code.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/vec.h"
#include "golang/calls.h"

enum {
	FUNCTION_BYTES_MAX = 64 << 10,
	INSNS_MAX = 16 << 10,
	SITES_MAX = 32,
	TARGETS_MAX = 64,
	BEFORE_CALL = 12, // Instructions that may set a call's first argument.
	ARGUMENT = 0,     // rax, x0
	ROUNDS_PER_INSN = 64,
	RESULTS_MAX = 1 << 20,
	CLOSURE_AMD64 = 2, // rdx
	CLOSURE_ARM64 = 26,
	CLOSURE_BEFORE = 4,
	ANYTHING = MS_HOLD_NONE | MS_HOLD_HELD | MS_HOLD_RELEASED,
	NO_SITE = 0,
	LOCK_PREFIX = 0xf0,
};

enum effect { EFFECT_NONE, EFFECT_TAKE, EFFECT_GIVE, EFFECT_UNKNOWN };

/** An operation on a class of locks. */
struct op {
	uint8_t effect, class;
};

static const struct {
	const char *name; // Behind "sync." or "internal/sync."
	struct op op;
} operations[] = {
	{ "(*Mutex).Lock", { EFFECT_TAKE, MS_LOCK_MUTEX } },
	{ "(*Mutex).lockSlow", { EFFECT_TAKE, MS_LOCK_MUTEX } },
	{ "(*Mutex).Unlock", { EFFECT_GIVE, MS_LOCK_MUTEX } },
	{ "(*Mutex).unlockSlow", { EFFECT_GIVE, MS_LOCK_MUTEX } },
	{ "(*Mutex).TryLock", { EFFECT_UNKNOWN, MS_LOCK_MUTEX } },
	{ "(*RWMutex).Lock", { EFFECT_TAKE, MS_LOCK_WRITE } },
	{ "(*RWMutex).Unlock", { EFFECT_GIVE, MS_LOCK_WRITE } },
	{ "(*RWMutex).TryLock", { EFFECT_UNKNOWN, MS_LOCK_WRITE } },
	{ "(*RWMutex).RLock", { EFFECT_TAKE, MS_LOCK_READ } },
	{ "(*RWMutex).RUnlock", { EFFECT_GIVE, MS_LOCK_READ } },
	{ "(*RWMutex).rUnlockSlow", { EFFECT_GIVE, MS_LOCK_READ } },
	{ "(*RWMutex).TryRLock", { EFFECT_UNKNOWN, MS_LOCK_READ } },
};

/** What holds of all classes before an instruction. */
struct state {
	uint8_t hold[MS_LOCK_CLASSES]; // Bits of ms_lock_hold; 0: no way leads there.
	uint8_t site[MS_LOCK_CLASSES]; // Index + 1 of where it was taken; NO_SITE: at several.
};

/** A source line that does an operation. */
struct site {
	uint64_t place; // Of the call: its file and line.
	struct op op;
	bool has_point;
	struct ms_lock_operands operands;
};

struct step {
	struct ms_insn insn;
	uint32_t at;    // From the function's entry.
	struct op op;   // effect NONE: none.
	bool is_point;  // Here it is done, once on each way.
	bool is_atomic; // Has amd64's lock prefix.
	uint64_t place; // Of the source call that it stands in.
	uint8_t site;   // Of a TAKE.
	struct state before;
};

struct ms_lock_code {
	struct ms_go_runtime *rt;
	const struct ms_functions *functions;
	struct ms_code *decoder;
	ms_addr targets[TARGETS_MAX]; // Functions that a function with operations calls.
	size_t target_count;
	struct ms_number_map known; // Of a pc: index + 1 in results; 0: nothing.
	struct ms_number_map bare;  // Functions without operations.
	struct {
		struct ms_lock_at **items;
		size_t count, capacity;
	} results;
	uint8_t bytes[FUNCTION_BYTES_MAX];
	struct step steps[INSNS_MAX];
	uint32_t step_at[FUNCTION_BYTES_MAX]; // Index + 1 by offset.
	size_t step_count;
	struct site sites[SITES_MAX];
	size_t site_count;
	uint32_t queue[INSNS_MAX];
	bool queued[INSNS_MAX];
	bool has_defer;
	bool gave_up; // More, or other, than can be followed.
};

// --- Names. ---

static struct op op_of(const char *name)
{
	if (!strncmp(name, "internal/", 9))
		name += 9;
	if (strncmp(name, "sync.", 5) != 0)
		return (struct op){ 0 };
	for (size_t i = 0; i < MS_ARRAY_SIZE(operations); i++) {
		if (!strcmp(name + 5, operations[i].name))
			return operations[i].op;
	}
	return (struct op){ 0 };
}

static bool is_of_sync(const char *name)
{
	return !strncmp(name, "sync.", 5) || !strncmp(name, "internal/sync.", 14);
}

/** Functions that are called wherever a lock is taken or given back, inlined or not. */
static bool is_target(const char *name)
{
	return op_of(name).effect || !strncmp(name, "sync.runtime_Semacquire", 23);
}

struct ms_error *ms_lock_code_create(struct ms_go_runtime *rt, const struct ms_functions *functions,
				     struct ms_lock_code **ret_code)
{
	struct ms_lock_code *c = calloc(1, sizeof(*c));
	struct ms_error *err;

	if (!c)
		return ms_error_no_memory();
	c->rt = rt;
	c->functions = functions;
	err = ms_code_open(rt->elf.arch, &c->decoder);
	if (err) {
		free(c);
		return err;
	}
	for (size_t i = 0; i < functions->count && c->target_count < TARGETS_MAX; i++) {
		if (is_target(functions->items[i].name))
			c->targets[c->target_count++] = functions->items[i].entry;
	}
	*ret_code = c;
	return NULL;
}

void ms_lock_code_destroy(struct ms_lock_code *c)
{
	if (!c)
		return;
	ms_code_close(c->decoder);
	ms_number_map_deinit(&c->known);
	ms_number_map_deinit(&c->bare);
	for (size_t i = 0; i < c->results.count; i++)
		free(c->results.items[i]);
	ms_vec_free(&c->results);
	free(c);
}

// --- Taking a function apart. ---

static bool calls_target(const struct ms_lock_code *c, ms_addr address)
{
	for (size_t i = 0; i < c->target_count; i++) {
		if (c->targets[i] == address)
			return true;
	}
	return false;
}

static void decode(struct ms_lock_code *c, const struct ms_function *f, size_t size)
{
	size_t stride = c->rt->elf.arch == MS_ARCH_ARM64 ? 4 : 1;

	c->step_count = 0;
	memset(c->step_at, 0, size * sizeof(*c->step_at));
	for (size_t at = 0; at < size;) {
		struct step *s = &c->steps[c->step_count];

		if (c->step_count == INSNS_MAX) {
			c->gave_up = true;
			return;
		}
		*s = (struct step){ .at = (uint32_t)at, .is_atomic = c->bytes[at] == LOCK_PREFIX };
		if (!ms_code_decode(c->decoder, c->bytes + at, size - at, f->entry + at,
				    &s->insn)) {
			at += stride;
			continue;
		}
		c->step_at[at] = (uint32_t)++c->step_count;
		at += s->insn.length;
		if (s->insn.kind == MS_INSN_JUMP && !s->insn.value)
			c->gave_up = true; // Through a table: where to is not known.
	}
}

static uint64_t place_of(const struct ms_call *call)
{
	const char *file = call->file ? call->file : "";

	return ms_hash_text(file, strlen(file)) ^ ms_hash_number(call->line);
}

/** The first source call of an operation that the instruction belongs to, from the outside in. */
static struct op op_at(struct ms_lock_code *c, const struct ms_function *f, const struct step *s,
		       uint64_t *ret_place, bool *ret_inlined)
{
	struct ms_call calls[MS_CALLS_MAX];
	size_t count = ms_function_calls(c->functions, f, f->entry + s->at, calls);
	const struct ms_function *called;

	for (size_t i = count - 1; i-- > 0;) {
		struct op op = op_of(calls[i].name);

		*ret_place = place_of(&calls[i + 1]);
		*ret_inlined = true;
		if (op.effect)
			return op;
	}
	*ret_inlined = false;
	*ret_place = place_of(&calls[0]);
	if (s->insn.kind != MS_INSN_CALL)
		return (struct op){ 0 };
	called = s->insn.value ? ms_functions_find(c->functions, s->insn.value) : NULL;
	if (called && !strcmp(called->name, "runtime.deferreturn")) {
		c->has_defer = true;
		return (struct op){ EFFECT_UNKNOWN, MS_LOCK_CLASSES };
	}
	return called && called->entry == s->insn.value ? op_of(called->name) : (struct op){ 0 };
}

/** A call through the register that closures are called with: their function was just loaded. */
static bool is_closure_call(const struct ms_lock_code *c, size_t i)
{
	uint8_t closure = c->rt->elf.arch == MS_ARCH_ARM64 ? CLOSURE_ARM64 : CLOSURE_AMD64;

	if (c->steps[i].insn.kind != MS_INSN_CALL || c->steps[i].insn.value)
		return false;
	for (size_t k = 1; k <= CLOSURE_BEFORE && k <= i; k++) {
		const struct ms_insn *before = &c->steps[i - k].insn;

		if (before->kind == MS_INSN_LOAD && before->base == closure && !before->value)
			return true;
		if (before->kind == MS_INSN_CALL)
			return false;
	}
	return false;
}

static void operand_add(struct ms_lock_operands *o, struct ms_lock_operand operand)
{
	for (size_t i = 0; i < o->count; i++) {
		if (o->items[i].offset == operand.offset &&
		    o->items[i].is_absolute == operand.is_absolute &&
		    o->items[i].is_atomic == operand.is_atomic)
			return;
	}
	if (o->count < MS_LOCK_OPERANDS_MAX)
		o->items[o->count++] = operand;
}

/** The word that the atomic instruction changes. */
static void take_atomic(const struct ms_lock_code *c, const struct ms_insn *insn,
			struct ms_lock_operands *o)
{
	if (insn->kind == MS_INSN_CLOBBER && insn->base != ms_code_stack_pointer(c->decoder) &&
	    insn->bytes)
		operand_add(o, (struct ms_lock_operand){ (int64_t)insn->value,
							 insn->base == MS_CODE_NONE, true });
}

/** An address that is made: it may be the lock's. */
static void take_address(const struct ms_lock_code *c, const struct ms_insn *insn,
			 struct ms_lock_operands *o)
{
	if (insn->kind == MS_INSN_CONST)
		operand_add(o, (struct ms_lock_operand){ (int64_t)insn->value, true, false });
	else if (insn->kind == MS_INSN_ADD && insn->base != ms_code_stack_pointer(c->decoder))
		operand_add(o, (struct ms_lock_operand){ (int64_t)insn->value, false, false });
}

static uint8_t site_get(struct ms_lock_code *c, uint64_t place, struct op op)
{
	for (size_t i = 0; i < c->site_count; i++) {
		if (c->sites[i].place == place && c->sites[i].op.class == op.class &&
		    c->sites[i].op.effect == op.effect)
			return (uint8_t)(i + 1);
	}
	if (c->site_count == SITES_MAX) {
		c->gave_up = true;
		return NO_SITE;
	}
	c->sites[c->site_count] = (struct site){ .place = place, .op = op };
	return (uint8_t)++c->site_count;
}

/**
 * Take down what a call of an operation is given: what was put into the first argument's register
 * last, or, where that came from another register, whatever may have been put there.
 */
static void take_arguments(struct ms_lock_code *c, size_t call, struct ms_lock_operands *o)
{
	const struct ms_lock_operand itself = { 0, false, false };

	for (size_t k = 1; k <= BEFORE_CALL && k <= call; k++) {
		const struct ms_insn *insn = &c->steps[call - k].insn;

		if (insn->kind == MS_INSN_CALL)
			break;
		if (!(insn->writes & 1u << ARGUMENT))
			continue;
		if (insn->kind == MS_INSN_LOAD)
			operand_add(o, itself);
		else
			take_address(c, insn, o);
		if (insn->kind == MS_INSN_LOAD || insn->kind == MS_INSN_ADD ||
		    insn->kind == MS_INSN_CONST)
			return;
		break;
	}
	operand_add(o, itself);
	for (size_t k = 1; k <= BEFORE_CALL && k <= call; k++) {
		if (c->steps[call - k].insn.kind == MS_INSN_CALL)
			return;
		take_address(c, &c->steps[call - k].insn, o);
	}
}

/** What the instruction with index @p i does; true when it is part of an operation. */
static bool find_operation(struct ms_lock_code *c, const struct ms_function *f, size_t i)
{
	struct step *s = &c->steps[i];
	bool is_call = s->insn.kind == MS_INSN_CALL, is_inlined;
	struct site *site;
	s->op = op_at(c, f, s, &s->place, &is_inlined);
	if (!s->op.effect && is_closure_call(c, i))
		s->op = (struct op){ EFFECT_UNKNOWN, MS_LOCK_CLASSES };
	if (!s->op.effect || s->op.effect == EFFECT_UNKNOWN) {
		s->is_point = s->op.effect != EFFECT_NONE;
		return s->op.effect && s->op.class < MS_LOCK_CLASSES;
	}
	s->site = site_get(c, s->place, s->op);
	if (!s->site)
		return true;
	site = &c->sites[s->site - 1];
	s->is_point = is_inlined ? s->is_atomic : is_call;
	site->has_point |= s->is_point;
	if (s->is_point && is_inlined)
		take_atomic(c, &s->insn, &site->operands);
	else if (is_inlined)
		take_address(c, &s->insn, &site->operands);
	else
		take_arguments(c, i, &site->operands);
	return true;
}

/**
 * The compiler sometimes says of the atomic instruction that it stands in the line that calls Lock,
 * not in Lock.
 */
static void claim_atomic(struct ms_lock_code *c, struct step *s)
{
	struct site *one = NULL;

	for (size_t i = 0; i < c->site_count; i++) {
		if (c->sites[i].place != s->place || c->sites[i].has_point)
			continue;
		if (one)
			return; // Two operations in a line: one of them stays without.
		one = &c->sites[i];
	}
	if (!one)
		return;
	one->has_point = true;
	s->op = one->op;
	s->is_point = true;
	s->site = (uint8_t)(one - c->sites + 1);
	take_atomic(c, &s->insn, &one->operands);
}

static bool find_operations(struct ms_lock_code *c, const struct ms_function *f)
{
	bool any = false;

	c->site_count = 0;
	c->has_defer = false;
	for (size_t i = 0; i < c->step_count; i++)
		any |= find_operation(c, f, i);
	for (size_t i = 0; i < c->step_count; i++) {
		if (c->steps[i].is_atomic && !c->steps[i].op.effect)
			claim_atomic(c, &c->steps[i]);
	}
	for (size_t i = 0; i < c->site_count; i++)
		c->gave_up |= !c->sites[i].has_point; // Atomic in some other way: arm64.
	return any;
}

// --- Carrying along. ---

static bool join(struct state *into, const struct state *from)
{
	bool changed = false;

	for (unsigned k = 0; k < MS_LOCK_CLASSES; k++) {
		uint8_t hold = into->hold[k] | from->hold[k], site = into->site[k];

		if (!(into->hold[k] & MS_HOLD_HELD))
			site = from->site[k];
		else if ((from->hold[k] & MS_HOLD_HELD) && from->site[k] != site)
			site = NO_SITE;
		changed |= hold != into->hold[k] || site != into->site[k];
		into->hold[k] = hold;
		into->site[k] = site;
	}
	return changed;
}

/** Each of the possibilities by itself. */
static void take(struct state *s, unsigned k, uint8_t site)
{
	uint8_t before = s->hold[k], after = 0;
	uint8_t kept = before & MS_HOLD_HELD && s->site[k] != site ? NO_SITE : site;

	after |= before & (MS_HOLD_NONE | MS_HOLD_HELD) ? MS_HOLD_HELD : 0;
	after |= before & MS_HOLD_RELEASED ? MS_HOLD_NONE : 0; // It has taken the caller's back.
	s->hold[k] = after;
	s->site[k] = after & MS_HOLD_HELD ? kept : NO_SITE;
}

static void give(struct state *s, unsigned k)
{
	uint8_t before = s->hold[k], after = 0;

	after |= before & MS_HOLD_HELD ? MS_HOLD_NONE : 0;
	after |= before & (MS_HOLD_NONE | MS_HOLD_RELEASED) ? MS_HOLD_RELEASED : 0;
	s->hold[k] = after;
	s->site[k] = NO_SITE;
}

/** It may have been given back, or, where that is tried, taken. */
static void doubt(struct state *s, unsigned k, bool may_take)
{
	if (s->hold[k] & MS_HOLD_HELD)
		s->hold[k] |= MS_HOLD_NONE;
	else if (may_take && s->hold[k])
		s->hold[k] |= MS_HOLD_HELD;
}

/**
 * An operation that is inlined is several instructions, among them one that is atomic: there it is
 * done, and what follows for the slow way stands behind it.
 */
static struct state behind(const struct step *step)
{
	struct state s = step->before;
	unsigned class = step->op.class;

	if (!step->is_point)
		return s;
	switch ((enum effect)step->op.effect) {
	case EFFECT_NONE:
		break;
	case EFFECT_TAKE:
		take(&s, class, step->site);
		break;
	case EFFECT_GIVE:
		give(&s, class);
		break;
	case EFFECT_UNKNOWN:
		for (unsigned k = 0; k < MS_LOCK_CLASSES; k++) {
			if (class == k || class == MS_LOCK_CLASSES)
				doubt(&s, k, class == k);
		}
		break;
	}
	return s;
}

static void reach(struct ms_lock_code *c, uint64_t offset, const struct state *state, size_t *count)
{
	uint32_t index = offset < FUNCTION_BYTES_MAX ? c->step_at[offset] : 0;

	if (!index || !join(&c->steps[index - 1].before, state) || c->queued[index - 1])
		return;
	c->queued[index - 1] = true;
	c->queue[(*count)++] = index - 1;
}

static void carry(struct ms_lock_code *c, const struct ms_function *f, size_t size)
{
	struct state none = { .hold = { MS_HOLD_NONE, MS_HOLD_NONE, MS_HOLD_NONE } };
	uint64_t rounds = (uint64_t)c->step_count * ROUNDS_PER_INSN;
	size_t count = 0;

	memset(c->queued, 0, c->step_count * sizeof(*c->queued));
	reach(c, 0, &none, &count);
	while (count && !c->gave_up) {
		const struct step *s = &c->steps[c->queue[--count]];
		struct state after = behind(s);
		bool jumps = s->insn.kind == MS_INSN_JUMP || s->insn.kind == MS_INSN_BRANCH;
		uint64_t to = s->insn.value - f->entry;

		c->queued[s - c->steps] = false;
		if (!rounds--)
			c->gave_up = true;
		if (jumps && s->insn.value >= f->entry && to < size)
			reach(c, to, &after, &count);
		if (s->insn.kind != MS_INSN_JUMP && s->insn.kind != MS_INSN_STOP &&
		    s->at + s->insn.length < size)
			reach(c, s->at + s->insn.length, &after, &count);
	}
}

// --- Asking. ---

static void go_on(struct ms_lock_code *c, uint64_t offset, size_t *count)
{
	uint32_t index = offset < FUNCTION_BYTES_MAX ? c->step_at[offset] : 0;

	if (!index || c->queued[index - 1])
		return;
	c->queued[index - 1] = true;
	c->queue[(*count)++] = index - 1;
}

/** Whether a way on from @p from gives back a lock of this class before it takes another. */
static bool gives_back(struct ms_lock_code *c, const struct ms_function *f, const struct step *from,
		       unsigned class)
{
	uint64_t size = f->end - f->entry;
	size_t count = 0;

	memset(c->queued, 0, c->step_count * sizeof(*c->queued));
	if (from->at + from->insn.length < size)
		go_on(c, from->at + from->insn.length, &count);
	while (count) {
		const struct step *s = &c->steps[c->queue[--count]];
		bool jumps = s->insn.kind == MS_INSN_JUMP || s->insn.kind == MS_INSN_BRANCH;

		if (s->is_point && s->op.effect == EFFECT_GIVE && s->op.class == class)
			return true;
		// A deferred call, as far as can be seen.
		if (s->is_point && s->op.effect == EFFECT_UNKNOWN &&
		    s->op.class == MS_LOCK_CLASSES && c->has_defer)
			return true;
		if (s->is_point && s->op.effect == EFFECT_TAKE && s->op.class == class)
			continue;
		if (jumps && s->insn.value >= f->entry && s->insn.value - f->entry < size)
			go_on(c, s->insn.value - f->entry, &count);
		if (s->insn.kind != MS_INSN_JUMP && s->insn.kind != MS_INSN_STOP &&
		    s->at + s->insn.length < size)
			go_on(c, s->at + s->insn.length, &count);
	}
	return false;
}

static void answer(struct ms_lock_code *c, const struct ms_function *f, uint64_t offset,
		   struct ms_lock_at *at)
{
	const struct step *s = NULL;
	struct state state = { 0 };

	for (size_t i = 0; i < c->step_count && c->steps[i].at <= offset; i++)
		s = &c->steps[i];
	if (s)
		state = s->op.effect == EFFECT_TAKE ? s->before : behind(s);
	for (unsigned k = 0; k < MS_LOCK_CLASSES; k++) {
		uint8_t site = state.site[k];

		at->hold[k] = state.hold[k] && !c->gave_up ? state.hold[k] : ANYTHING;
		if (s && s->op.effect == EFFECT_TAKE && s->op.class == k)
			at->hold[k] |= MS_HOLD_ACQUIRING;
		if (at->hold[k] == MS_HOLD_HELD && !gives_back(c, f, s, k))
			at->hold[k] |= MS_HOLD_NONE;
		if (at->hold[k] == MS_HOLD_HELD && site)
			at->operands[k] = c->sites[site - 1].operands;
	}
}

/** Whether the function calls what every function with operations does; amd64: a quick look. */
static bool may_have_operations(const struct ms_lock_code *c, const struct ms_function *f,
				size_t size)
{
	if (c->rt->elf.arch != MS_ARCH_AMD64)
		return true;
	for (size_t i = 0; i + 5 <= size; i++) {
		if (c->bytes[i] == 0xe8 &&
		    calls_target(c, f->entry + i + 5 +
					(uint64_t)(int64_t)(int32_t)ms_load_u32(c->bytes + i + 1)))
			return true;
	}
	return false;
}

/** Take the function apart.  False: it has no operations. */
static struct ms_error *take_apart(struct ms_lock_code *c, const struct ms_function *f,
				   bool *ret_any)
{
	uint64_t size = f->end - f->entry;
	struct ms_error *err;

	*ret_any = false;
	if (is_of_sync(f->name) || size > FUNCTION_BYTES_MAX || !size)
		return NULL;
	err = ms_target_read(c->rt->target, f->entry, c->bytes, (size_t)size);
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	if (err || !may_have_operations(c, f, (size_t)size))
		return err;
	c->gave_up = false;
	decode(c, f, (size_t)size);
	*ret_any = find_operations(c, f);
	if (*ret_any)
		carry(c, f, (size_t)size);
	return NULL;
}

static struct ms_error *remember(struct ms_lock_code *c, ms_addr pc, const struct ms_lock_at *at)
{
	struct ms_lock_at *kept = malloc(sizeof(*kept));

	if (!kept)
		return ms_error_no_memory();
	*kept = *at;
	if (!ms_vec_push(&c->results, kept)) {
		free(kept);
		return ms_error_no_memory();
	}
	return ms_number_map_add(&c->known, pc, (uint32_t)c->results.count) ? NULL
									    : ms_error_no_memory();
}

struct ms_error *ms_lock_code_at(struct ms_lock_code *c, const struct ms_function *f, ms_addr pc,
				 const struct ms_lock_at **ret_at)
{
	const uint32_t *known = ms_number_map_find(&c->known, pc);
	struct ms_lock_at at = { 0 };
	struct ms_error *err;
	bool any;

	*ret_at = NULL;
	if (!known && !ms_number_map_find(&c->bare, f->entry | 1) &&
	    c->results.count < RESULTS_MAX) {
		err = take_apart(c, f, &any);
		if (err)
			return err;
		if (any) {
			answer(c, f, pc - f->entry, &at);
			err = remember(c, pc, &at);
		} else if (!ms_number_map_add(&c->bare, f->entry | 1, 1)) {
			err = ms_error_no_memory();
		}
		if (err)
			return err;
		known = ms_number_map_find(&c->known, pc);
	}
	if (known)
		*ret_at = c->results.items[*known - 1];
	return NULL;
}
