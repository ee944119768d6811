// map_deletes.c - `delete(m, k)` and `clear(m)` are calls with the map's type in the first
// argument:
//
//	lea	rax, [rip + type:map[uint64]*main.Order]
//	...	at most some moves of the other arguments
//	call	runtime.mapdelete_fast64
//
// which the compiler writes anew for each call, because calls keep no registers (ABIInternal, from
// Go 1.17 on).  So the bytes of the text are searched for such calls, and the last lea into rax in
// front of each is taken, if what it leads to is the descriptor of a map.  Generic code has the
// type from a dictionary: a call of that kind may take entries out of any map.
#include "golang/map_deletes.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

enum {
	CALLEES_MAX = 16,
	CHUNK_BYTES = 1 << 20,
	BACK_BYTES = 128, // In front of a call.
	CALL_BYTES = 5,   // e8 and four bytes.
	LEA_BYTES = 7,    // 48 8d 05 and four bytes: rax.
	TEXT_BYTES_MAX = 512 << 20,
};

struct search {
	struct ms_go_runtime *rt;
	const struct ms_functions *functions;
	const struct ms_types *types;
	struct ms_map_deletes *out;
	ms_addr callees[CALLEES_MAX];
	size_t callee_count;
};

static bool takes_out(const char *name)
{
	return !strncmp(name, "runtime.mapdelete", 17) || !strcmp(name, "runtime.mapclear") ||
	       !strcmp(name, "runtime.mapclearNoFastPath");
}

static void callees_find(struct search *s)
{
	for (size_t i = 0; i < s->functions->count; i++) {
		if (s->callee_count < CALLEES_MAX && takes_out(s->functions->items[i].name))
			s->callees[s->callee_count++] = s->functions->items[i].entry;
	}
}

static bool is_callee(const struct search *s, ms_addr target)
{
	for (size_t i = 0; i < s->callee_count; i++) {
		if (s->callees[i] == target)
			return true;
	}
	return false;
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

/** A call among the machinery itself (runtime, reflect) says nothing of the program. */
static bool is_of_program(const struct search *s, ms_addr address)
{
	const struct ms_function *f = ms_functions_find(s->functions, address);

	return f && !(f->flags & MS_FUNCTION_RUNTIME);
}

static struct ms_error *chunk_search(struct search *s, const uint8_t *bytes, size_t from,
				     size_t size, ms_addr address)
{
	for (size_t i = from; i + CALL_BYTES <= size; i++) {
		const uint8_t *call = memchr(bytes + i, 0xe8, size - CALL_BYTES + 1 - i);
		ms_addr target, type;

		if (!call)
			break;
		i = (size_t)(call - bytes);
		target =
		    address + i + CALL_BYTES + (uint64_t)(int64_t)(int32_t)ms_load_u32(call + 1);
		if (!is_callee(s, target) || !is_of_program(s, address + i))
			continue;
		s->out->calls++;
		type = type_before(s, bytes, i, address + i);
		if (!type)
			s->out->nameless++;
		else if (!ms_vec_push(s->out, type))
			return ms_error_no_memory();
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

static int by_address(const void *a, const void *b)
{
	ms_addr x = *(const ms_addr *)a, y = *(const ms_addr *)b;

	return x < y ? -1 : x > y;
}

struct ms_error *ms_map_deletes_find(struct ms_go_runtime *rt, const struct ms_functions *functions,
				     struct ms_map_deletes *ret_deletes)
{
	struct ms_map_deletes deletes = { 0 };
	struct search s = { .rt = rt, .functions = functions, .out = &deletes };
	struct ms_error *err = NULL;

	if (rt->layout->arch == MS_ARCH_AMD64)
		err = ms_go_types(rt, &s.types);
	if (!err && s.types) {
		callees_find(&s);
		err = text_search(&s);
	}
	if (err) {
		ms_vec_free(&deletes);
		return err;
	}
	if (deletes.count)
		qsort(deletes.items, deletes.count, sizeof(*deletes.items), by_address);
	*ret_deletes = deletes;
	return NULL;
}

static bool is_called(const struct ms_types *types, const struct ms_go_layout *layout, ms_addr type,
		      const char *name)
{
	const char *text;
	size_t size;

	return ms_types_name(types, layout, type, &text, &size) && size == strlen(name) &&
	       !memcmp(text, name, size);
}

bool ms_map_deletes_has_none(struct ms_go_runtime *rt, const struct ms_map_deletes *deletes,
			     const char *type_name)
{
	const struct ms_types *types;
	struct ms_error *err;

	if (!deletes->is_known || deletes->nameless)
		return false;
	err = ms_go_types(rt, &types);
	if (err) {
		ms_error_free(err);
		return false;
	}
	for (size_t i = 0; i < deletes->count; i++) {
		if (is_called(types, rt->layout, deletes->items[i], type_name))
			return false;
	}
	return true;
}

void ms_map_deletes_deinit(struct ms_map_deletes *deletes)
{
	ms_vec_free(deletes);
}
