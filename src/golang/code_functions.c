// code_functions.c - the function table is an array of entries and offsets of records; a record
// has the offset of the function's name (runtime/symtab.go, Go 1.18 to 1.27).
//
// A method's name is "path.(*Type).Method".  In a path's last element a dot is written %2e, so the
// first dot behind the last slash ends the path.  What has more behind the method ("-fm",
// ".func1", a type in brackets) is another function with other arguments.
#include "golang/code_functions.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <stdio.h>

enum {
	ENTRY_BYTES = 8, // Of the function table: entry, offset of the record.
	RECORDS_BYTES_MAX = 256 << 20,
};

struct known {
	const char *name;
	enum ms_callee_role role;
	bool is_prefix;
};

/** From the release on that the comment says; a name that a release lacks is not found. */
static const struct known knowns[] = {
	{ "runtime.gcWriteBarrier", MS_CALLEE_BARRIER, true },
	{ "runtime.gopanic", MS_CALLEE_NO_RETURN, false },
	{ "runtime.goPanic", MS_CALLEE_NO_RETURN, true },
	{ "runtime.panic", MS_CALLEE_NO_RETURN, true },
	{ "runtime.throw", MS_CALLEE_NO_RETURN, false },
	{ "runtime.fatal", MS_CALLEE_NO_RETURN, false },
	{ "runtime.mapassign", MS_CALLEE_MAP_INSERT, true },
	{ "runtime.mapaccess1", MS_CALLEE_MAP, true },
	{ "runtime.mapaccess2", MS_CALLEE_MAP, true },
	{ "runtime.mapdelete", MS_CALLEE_MAP, true },
	{ "runtime.mapiterinit", MS_CALLEE_MAP, false },
	{ "runtime.mapIterStart", MS_CALLEE_MAP, false }, // 1.24
	{ "runtime.mapclear", MS_CALLEE_MAP, false },
	{ "internal/runtime/maps.(*Iter).Init", MS_CALLEE_MAP_AT_1, false }, // 1.24
	{ "runtime.makemap", MS_CALLEE_MAKE_MAP, false },
	{ "runtime.makemap64", MS_CALLEE_MAKE_MAP, false },
	{ "internal/runtime/maps.NewMap", MS_CALLEE_MAKE_MAP, false }, // 1.24
	{ "runtime.makemap_small", MS_CALLEE_MAKE_SMALL, false },
	{ "internal/runtime/maps.NewEmptyMap", MS_CALLEE_MAKE_SMALL, false }, // 1.24
	{ "runtime.makechan", MS_CALLEE_MAKE_CHAN, false },
	{ "runtime.makechan64", MS_CALLEE_MAKE_CHAN, false },
	{ "runtime.makeslice", MS_CALLEE_MAKE_SLICE, false },
	{ "runtime.makeslice64", MS_CALLEE_MAKE_SLICE, false },
	{ "runtime.makeslicecopy", MS_CALLEE_MAKE_SLICE, false },
	{ "runtime.growslice", MS_CALLEE_GROW_SLICE, true },
	{ "runtime.newobject", MS_CALLEE_NEW, false },
	{ "runtime.mallocgcSmallScanNoHeaderSC", MS_CALLEE_NEW_SIZED, true }, // 1.27
	{ "runtime.mallocgcSmallNoScanSC", MS_CALLEE_NEW_SIZED, true },       // 1.27
	{ "runtime.mallocgcTinySC", MS_CALLEE_NEW_SIZED, true },              // 1.27
	{ "runtime.mallocgcTinySize", MS_CALLEE_NEW_SIZED, true },            // 1.26
	{ "runtime.typedmemmove", MS_CALLEE_AT, false },
	{ "runtime.typedmemclr", MS_CALLEE_AT_1, false },
	{ "runtime.wbMove", MS_CALLEE_AT, false },   // 1.22
	{ "runtime.wbZero", MS_CALLEE_AT_1, false }, // 1.22
	{ "runtime.convT", MS_CALLEE_AT_1, false },
	{ "runtime.convTnoptr", MS_CALLEE_AT_1, false },
	{ "sync/atomic.StorePointer", MS_CALLEE_STORE, false },
	{ "sync/atomic.SwapPointer", MS_CALLEE_STORE, false },
	{ "sync/atomic.CompareAndSwapPointer", MS_CALLEE_STORE_2, false },
	{ "sync/atomic.(*Pointer[...]).Store", MS_CALLEE_STORE_2, false },
	{ "sync/atomic.(*Pointer[...]).Swap", MS_CALLEE_STORE_2, false },
};

/** Functions that are between a map and the code that a user looks for. */
static const char *const inner[] = { "runtime.", "runtime/", "internal/", "reflect.", "sync.",
				     "sync/",    "type:",    "type..",    "go:",      "go." };

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static enum ms_callee_role role_of(const char *name)
{
	if (!starts(name, "runtime.") && !starts(name, "internal/runtime/maps.") &&
	    !starts(name, "sync/atomic."))
		return MS_CALLEE_OTHER;
	for (size_t i = 0; i < MS_ARRAY_SIZE(knowns); i++) {
		if (knowns[i].is_prefix ? starts(name, knowns[i].name)
					: !strcmp(name, knowns[i].name))
			return knowns[i].role;
	}
	return MS_CALLEE_OTHER;
}

static bool is_inner(const char *name)
{
	for (size_t i = 0; i < MS_ARRAY_SIZE(inner); i++) {
		if (starts(name, inner[i]))
			return true;
	}
	return false;
}

/** The file's tables, as long as they are looked at. */
struct tables {
	uint8_t *records; // The function table and the records behind it.
	uint64_t records_bytes;
	char *names; // With a NUL behind.
	uint64_t names_bytes;
};

static void tables_free(struct tables *t)
{
	free(t->records);
	free(t->names);
}

static struct ms_error *tables_read(struct ms_go_runtime *rt, struct tables *t)
{
	const struct ms_go_layout *l = rt->layout;
	ms_addr module = rt->modules[0].address;
	uint64_t offset;
	uint8_t raw[16];
	struct ms_error *err =
	    ms_target_read(rt->target, module + l->module_pclntable, raw, sizeof(raw));

	if (err)
		return err;
	t->records_bytes = ms_load_u64(raw + 8);
	t->names_bytes = rt->pclntab.names_bytes;
	if (t->records_bytes > RECORDS_BYTES_MAX ||
	    !ms_elf_offset_of(&rt->elf, ms_load_u64(raw) - rt->elf.bias, t->records_bytes, &offset))
		return ms_error_new(MS_ERR_BAD_DATA, "its function table is not in its file");
	t->records = malloc((size_t)t->records_bytes + 1);
	t->names = calloc(1, (size_t)t->names_bytes + 1);
	if (!t->records || !t->names)
		return ms_error_no_memory();
	err = ms_target_exe_read(rt->target, offset, t->records, (size_t)t->records_bytes);
	if (err)
		return err;
	return ms_target_exe_read(rt->target, rt->pclntab.offset + rt->pclntab.names_offset,
				  t->names, (size_t)t->names_bytes);
}

/** The name of the function at @p index of the table, "" when it has none. */
static const char *name_of(const struct ms_go_layout *l, const struct tables *t, size_t index)
{
	uint64_t record = ms_load_u32(t->records + index * ENTRY_BYTES + 4), name;

	if (record + l->func_name + 4ull > t->records_bytes)
		return "";
	name = ms_load_u32(t->records + record + l->func_name);
	return name < t->names_bytes ? t->names + name : "";
}

/** Until Go 1.20 the write barrier stores, and its name says what (runtime/asm_amd64.s). */
static void old_barrier(const struct ms_go_runtime *rt, const char *name, struct ms_callee *callee)
{
	static const struct {
		const char *suffix;
		unsigned reg;
	} stores[] = { { "", 0 },   { "CX", 1 }, { "DX", 2 }, { "BX", 3 },
		       { "SI", 6 }, { "R8", 8 }, { "R9", 9 } };
	const char *suffix = name + strlen("runtime.gcWriteBarrier");

	for (size_t i = 0; i < MS_ARRAY_SIZE(stores); i++) {
		if (strcmp(suffix, stores[i].suffix) != 0)
			continue;
		callee->role = MS_CALLEE_BARRIER_STORE;
		callee->type = rt->elf.arch == MS_ARCH_ARM64 ? 3 : stores[i].reg;
	}
}

static bool function_add(const struct ms_go_runtime *rt, const struct ms_named_types *named,
			 uint32_t entry, const char *name, struct ms_code_functions *f)
{
	struct ms_callee callee = { .entry = f->text + entry, .role = role_of(name) };

	f->entries[f->count] = entry;
	f->is_inner[f->count++] = is_inner(name);
	if (callee.role == MS_CALLEE_OTHER) {
		callee.type = ms_named_types_receiver(named, name);
		callee.role = callee.type ? MS_CALLEE_METHOD : MS_CALLEE_OTHER;
	}
	if (callee.role == MS_CALLEE_BARRIER)
		old_barrier(rt, name, &callee);
	if (callee.role == MS_CALLEE_GROW_SLICE && rt->pclntab.family == MS_PCLNTAB_1_18)
		callee.role = MS_CALLEE_MAKE_SLICE; // The type was the first argument until 1.19.
	if (callee.role == MS_CALLEE_STORE_2 && strchr(name, '[') &&
	    rt->pclntab.family == MS_PCLNTAB_1_18)
		callee.role = MS_CALLEE_STORE_1_2; // So was a dictionary, which is the second now.
	if (callee.role == MS_CALLEE_OTHER && !starts(name, "runtime."))
		return true;
	if (!ms_vec_reserve_raw((void **)&f->callees, &f->callee_capacity, f->callee_count + 1,
				sizeof(callee)))
		return false;
	f->callees[f->callee_count++] = callee;
	return true;
}

static struct ms_error *functions_fill(struct ms_go_runtime *rt, const struct ms_named_types *named,
				       const struct tables *t, struct ms_code_functions *f)
{
	size_t count = (size_t)rt->pclntab.functions;
	uint32_t last = 0;

	if (count >= t->records_bytes / ENTRY_BYTES)
		return ms_error_new(MS_ERR_BAD_DATA, "its function table is cut short");
	f->entries = calloc(count + 1, sizeof(*f->entries));
	f->is_inner = calloc(count + 1, 1);
	if (!f->entries || !f->is_inner)
		return ms_error_no_memory();
	for (size_t i = 0; i <= count; i++) {
		uint32_t entry = ms_load_u32(t->records + i * ENTRY_BYTES);

		if (entry < last)
			return ms_error_new(MS_ERR_BAD_DATA, "its function table is not sorted");
		last = entry;
		if (i == count)
			f->entries[count] = entry;
		else if (!function_add(rt, named, entry, name_of(rt->layout, t, i), f))
			return ms_error_no_memory();
	}
	return NULL;
}

struct ms_error *ms_code_functions_load(struct ms_go_runtime *rt,
					const struct ms_named_types *named,
					struct ms_code_functions *ret_functions)
{
	MS_CLEANUP(tables_free) struct tables t = { 0 };
	struct ms_code_functions f = { .text = rt->modules[0].text };
	struct ms_error *err = tables_read(rt, &t);

	if (!err)
		err = functions_fill(rt, named, &t, &f);
	if (err) {
		ms_code_functions_deinit(&f);
		return err;
	}
	*ret_functions = f;
	return NULL;
}

void ms_code_functions_deinit(struct ms_code_functions *f)
{
	free(f->entries);
	free(f->is_inner);
	free(f->callees);
	*f = (struct ms_code_functions){ 0 };
}
