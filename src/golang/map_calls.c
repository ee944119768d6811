// map_calls.c - what the compiler makes of `m[k] = v`, `delete(m, k)` and `make(map[K]V, n)` is a
// call with the map's type in the first argument:
//
//	lea	rax, [rip + type:map[uint64]*main.Order]
//	...	at most some moves of the other arguments
//	call	runtime.mapdelete_fast64
//
// The type is put there anew for each call, because calls keep no registers (ABIInternal, from
// Go 1.17 on).  So the bytes of the text are searched for such calls, and the last lea into rax in
// front of each is taken, if what it leads to is the descriptor of a map.  Generic code has the
// type from a dictionary: such a call may be of any map.
//
// Of the few calls that are of interest then, the function is taken apart up to the call: the map
// itself, the second argument, was loaded from a variable or a field right before, unless it is a
// local one.
#include "golang/map_calls.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

enum {
	CALLEES_MAX = 64,
	CHUNK_BYTES = 1 << 20,
	BACK_BYTES = 128, // In front of a call.
	CALL_BYTES = 5,   // e8 and four bytes.
	LEA_BYTES = 7,    // 48 8d 05 and four bytes: rax.
	TEXT_BYTES_MAX = 512 << 20,
};

struct callee {
	ms_addr entry;
	uint8_t kind;
	bool is_sync;
};

struct search {
	struct ms_go_runtime *rt;
	const struct ms_functions *functions;
	const struct ms_types *types;
	struct ms_map_calls *out;
	struct callee callees[CALLEES_MAX];
	size_t callee_count;
};

static const struct {
	const char *front;
	uint8_t kind;
	bool is_sync;
} callee_names[] = {
	{ "runtime.mapassign", MS_MAP_CALL_FILL, false },
	{ "runtime.mapdelete", MS_MAP_CALL_DELETE, false },
	{ "runtime.mapclear", MS_MAP_CALL_DELETE, false },
	{ "runtime.makemap", MS_MAP_CALL_MAKE, false },
	{ "sync.(*Map).Store", MS_MAP_CALL_FILL, true },
	{ "sync.(*Map).LoadOrStore", MS_MAP_CALL_FILL, true },
	{ "sync.(*Map).Swap", MS_MAP_CALL_FILL, true },
	{ "sync.(*Map).Delete", MS_MAP_CALL_DELETE, true },
	{ "sync.(*Map).LoadAndDelete", MS_MAP_CALL_DELETE, true },
	{ "sync.(*Map).CompareAndDelete", MS_MAP_CALL_DELETE, true },
	{ "sync.(*Map).Clear", MS_MAP_CALL_DELETE, true },
};

static void callee_add(struct search *s, const struct ms_function *f)
{
	if (!strcmp(f->name, "runtime.makemap_small"))
		return; // Is not told the type.
	for (size_t i = 0; i < MS_ARRAY_SIZE(callee_names); i++) {
		if (s->callee_count < CALLEES_MAX &&
		    !strncmp(f->name, callee_names[i].front, strlen(callee_names[i].front))) {
			s->callees[s->callee_count++] =
			    (struct callee){ f->entry, callee_names[i].kind,
					     callee_names[i].is_sync };
			return;
		}
	}
}

static void callees_find(struct search *s)
{
	for (size_t i = 0; i < s->functions->count; i++)
		callee_add(s, &s->functions->items[i]);
}

static const struct callee *callee_at(const struct search *s, ms_addr target)
{
	for (size_t i = 0; i < s->callee_count; i++) {
		if (s->callees[i].entry == target)
			return &s->callees[i];
	}
	return NULL;
}

static bool is_map_type(const struct search *s, ms_addr address)
{
	const uint8_t *kind =
	    ms_types_bytes(s->types, address + s->rt->layout->type_kind, sizeof(*kind));

	return kind && (*kind & MS_KIND_MASK) == MS_KIND_MAP;
}

/** The map type that is put into rax before the call at @p at of @p bytes; 0 when none is. */
static ms_addr type_before(const struct search *s, const uint8_t *bytes, size_t at, ms_addr address)
{
	for (size_t back = LEA_BYTES; back <= BACK_BYTES && back <= at; back++) {
		const uint8_t *insn = bytes + at - back;
		ms_addr type;

		if (insn[0] != 0x48 || insn[1] != 0x8d || insn[2] != 0x05)
			continue;
		type =
		    address - back + LEA_BYTES + (uint64_t)(int64_t)(int32_t)ms_load_u32(insn + 3);
		if (is_map_type(s, type))
			return type;
	}
	return 0;
}

/** A call among the machinery itself (runtime, reflect, sync) says nothing of the program. */
static bool is_of_program(const struct search *s, ms_addr address)
{
	const struct ms_function *f = ms_functions_find(s->functions, address);

	return f && !(f->flags & MS_FUNCTION_RUNTIME) && strncmp(f->name, "sync.(*Map).", 12) != 0;
}

static struct ms_error *call_add(struct search *s, const struct callee *callee, ms_addr type,
				 ms_addr at)
{
	struct ms_map_call call = { type, at, callee->kind, callee->is_sync };

	if (s->out->count && s->out->items[s->out->count - 1].at == at)
		return NULL; // At the end of the last chunk, too.
	if (!type && !callee->is_sync)
		s->out->nameless[callee->kind]++;
	return ms_vec_push(s->out, call) ? NULL : ms_error_no_memory();
}

static struct ms_error *chunk_search(struct search *s, const uint8_t *bytes, size_t from,
				     size_t size, ms_addr address)
{
	for (size_t i = from; i + CALL_BYTES <= size; i++) {
		const uint8_t *call = memchr(bytes + i, 0xe8, size - CALL_BYTES + 1 - i);
		const struct callee *callee;
		struct ms_error *err;
		ms_addr target;

		if (!call)
			break;
		i = (size_t)(call - bytes);
		target =
		    address + i + CALL_BYTES + (uint64_t)(int64_t)(int32_t)ms_load_u32(call + 1);
		callee = callee_at(s, target);
		if (!callee || !is_of_program(s, address + i))
			continue;
		err =
		    call_add(s, callee, callee->is_sync ? 0 : type_before(s, bytes, i, address + i),
			     address + i + CALL_BYTES);
		if (err)
			return err;
	}
	return NULL;
}

static struct ms_error *text_search(struct search *s)
{
	MS_AUTO_FREE uint8_t *bytes = malloc(CHUNK_BYTES);
	ms_addr text = s->functions->text, end = s->functions->etext;
	struct ms_error *err = NULL;
	uint64_t offset;

	if (!bytes)
		return ms_error_no_memory();
	if (end <= text || end - text > TEXT_BYTES_MAX ||
	    !ms_elf_offset_of(&s->rt->elf, text - s->rt->elf.bias, end - text, &offset))
		return NULL;
	// Chunks overlap by what is looked back at, and by a call.
	for (ms_addr at = text; at < end && !err; at += CHUNK_BYTES - BACK_BYTES - CALL_BYTES) {
		size_t size = (size_t)ms_min_u64(CHUNK_BYTES, end - at);

		err = ms_target_exe_read(s->rt->target, offset + (at - text), bytes, size);
		if (!err)
			err = chunk_search(s, bytes, at == text ? 0 : BACK_BYTES, size, at);
		if (at + size == end)
			break;
	}
	s->out->is_known = !err;
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		err = NULL;
	}
	return err;
}

struct ms_error *ms_map_calls_find(struct ms_go_runtime *rt, const struct ms_functions *functions,
				   struct ms_map_calls *ret_calls)
{
	struct ms_map_calls calls = { 0 };
	struct search s = { .rt = rt, .functions = functions, .out = &calls };
	struct ms_error *err = NULL;

	if (rt->elf.arch == MS_ARCH_AMD64)
		err = ms_go_types(rt, &s.types);
	if (!err && s.types) {
		callees_find(&s);
		err = text_search(&s);
		if (!err)
			err = ms_code_open(rt->elf.arch, &calls.code);
	}
	if (err) {
		ms_vec_free(&calls);
		return err;
	}
	*ret_calls = calls;
	return NULL;
}

bool ms_map_calls_never_delete(struct ms_go_runtime *rt, const struct ms_map_calls *calls,
			       const char *type_name)
{
	const struct ms_types *types;
	struct ms_error *err;

	if (!calls->is_known || calls->nameless[MS_MAP_CALL_DELETE])
		return false;
	err = ms_go_types(rt, &types);
	if (err) {
		ms_error_free(err);
		return false;
	}
	for (size_t i = 0; i < calls->count; i++) {
		if (calls->items[i].kind == MS_MAP_CALL_DELETE && !calls->items[i].is_sync &&
		    ms_types_is_called(types, rt->layout, calls->items[i].type, type_name))
			return false;
	}
	return true;
}

// --- Where a map comes from. ---

/** What is known of a register: a constant, or what was loaded or is pointed to. */
struct known {
	enum { NOTHING, CONSTANT, LOADED_GLOBAL, LOADED_FIELD, INSIDE } kind;
	uint64_t value;
};

struct tracked {
	struct known registers[MS_CODE_REGISTERS];
	unsigned sp;
};

static struct known address_of(const struct tracked *t, const struct ms_insn *insn)
{
	const struct known *base =
	    insn->base < MS_CODE_REGISTERS ? &t->registers[insn->base] : NULL;

	if (insn->base == t->sp)
		return (struct known){ NOTHING, 0 };
	if (insn->base == MS_CODE_NONE)
		return (struct known){ CONSTANT, insn->value };
	if (base && base->kind == CONSTANT)
		return (struct known){ CONSTANT, base->value + insn->value };
	if (base && base->kind == INSIDE)
		return (struct known){ INSIDE, base->value + insn->value };
	return (struct known){ INSIDE, insn->value };
}

static struct known result_of(const struct tracked *t, const struct ms_insn *insn)
{
	struct known from;

	switch (insn->kind) {
	case MS_INSN_CONST:
		return (struct known){ CONSTANT, insn->value };
	case MS_INSN_MOVE:
		return insn->base < MS_CODE_REGISTERS ? t->registers[insn->base]
						      : (struct known){ NOTHING, 0 };
	case MS_INSN_ADD:
		return address_of(t, insn);
	case MS_INSN_LOAD:
		from = address_of(t, insn);
		if (from.kind == CONSTANT)
			return (struct known){ LOADED_GLOBAL, from.value };
		if (from.kind == INSIDE)
			return (struct known){ LOADED_FIELD, from.value };
		break;
	default:
		break;
	}
	return (struct known){ NOTHING, 0 };
}

static void track(struct tracked *t, const struct ms_insn *insn)
{
	struct known result = result_of(t, insn);

	for (unsigned i = 0; i < MS_CODE_REGISTERS; i++) {
		if (insn->writes >> i & 1)
			t->registers[i].kind = NOTHING;
	}
	if (insn->reg < MS_CODE_REGISTERS && insn->writes >> insn->reg & 1)
		t->registers[insn->reg] = result;
	if (insn->kind == MS_INSN_CALL || insn->kind == MS_INSN_JUMP || insn->kind == MS_INSN_STOP)
		memset(t->registers, 0, sizeof(t->registers));
}

static struct ms_map_place place_of(const struct known *map, bool is_sync)
{
	enum ms_map_place_kind kind = MS_MAP_PLACE_UNKNOWN;

	if (map->kind == (is_sync ? CONSTANT : LOADED_GLOBAL))
		kind = MS_MAP_PLACE_GLOBAL;
	if (map->kind == (is_sync ? INSIDE : LOADED_FIELD))
		kind = MS_MAP_PLACE_FIELD;
	return (struct ms_map_place){ (uint8_t)kind, map->value };
}

struct ms_error *ms_map_call_place(const struct ms_functions *functions,
				   const struct ms_map_calls *calls, const struct ms_map_call *call,
				   struct ms_map_place *ret_place)
{
	enum { RAX = 0, RBX = 3 };
	const struct ms_function *f = ms_functions_find(functions, call->at - 1);
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct tracked t = { .sp = ms_code_stack_pointer(calls->code) };
	struct ms_error *err = f ? ms_function_code(functions, f, &bytes) : NULL;
	struct ms_insn insn;

	*ret_place = (struct ms_map_place){ MS_MAP_PLACE_UNKNOWN, 0 };
	if (err || !bytes)
		return err;
	for (size_t at = 0, size = (size_t)(f->end - f->entry); at < size; at += insn.length) {
		if (!ms_code_decode(calls->code, bytes + at, size - at, f->entry + at, &insn) ||
		    f->entry + at + insn.length > call->at)
			break;
		if (f->entry + at + insn.length == call->at)
			*ret_place =
			    place_of(&t.registers[call->is_sync ? RAX : RBX], call->is_sync);
		track(&t, &insn);
	}
	return NULL;
}

void ms_map_calls_deinit(struct ms_map_calls *calls)
{
	ms_code_close(calls->code);
	calls->code = NULL;
	ms_vec_free(calls);
}
