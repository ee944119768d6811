// functions.c - the linker's function table, held in memory as it stands in the file:
//
//	header | names | units | files | steps | records: sorted (entry, record) pairs, then records
//
// units[record.unit + n] is where in files the n-th file of a compilation unit is named; steps hold
// the values per instruction (pc_values.h).  The module data has a slice of each part.  Entries are
// distances from its text, whatever the header says: from 1.26 on that says nothing.
//
// The file is not believed: parts have to lie behind each other in it, a function has to begin
// where the one before ends or later, a name has to be in the names.  What is not so is left
// out and counted.  A page of text remembers its first function, so finding one takes a few steps.
#include "golang/functions.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/functions_internal.h"
#include "golang/pc_values.h"

#include <inttypes.h>

enum {
	PAGE_LOG2 = 12,
	PAIR_BYTES = MS_FUNCTIONS_PAIR_BYTES,
	RECORD_BYTES_MAX = 64,
	FRAME_BYTES_MAX = 1 << 30, // Go's stacks end there.
	NO_DATA = UINT32_MAX,
};

enum part {
	NAMES,
	UNITS, // 4 bytes each; the others count in bytes.
	FILES,
	STEPS,
	RECORDS,
	PARTS,
};

/** Bytes of the table, from its start. */
struct range {
	uint64_t from, size;
};

static const uint64_t TABLE_BYTES_MAX = (uint64_t)512 << 20;

// --- Loading. ---

/** A slice of the module data that lies in the file's table. */
static struct ms_error *slice_read(struct ms_go_runtime *rt, uint32_t offset, uint64_t item_bytes,
				   struct range *ret_range)
{
	ms_addr table = rt->elf.bias + rt->pclntab.vaddr;
	uint8_t raw[16];
	struct ms_error *err =
	    ms_target_read(rt->target, rt->modules[0].address + offset, raw, sizeof(raw));
	uint64_t from, count;

	if (err)
		return err;
	from = ms_load_u64(raw) - table;
	count = ms_load_u64(raw + 8);
	if (ms_load_u64(raw) < table || from > TABLE_BYTES_MAX || !count ||
	    count > (TABLE_BYTES_MAX - from) / item_bytes)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "a part of the function table of %" PRIu64
				    " entries at 0x%" PRIx64 " is not in it",
				    count, ms_load_u64(raw));
	*ret_range = (struct range){ from, count * item_bytes };
	return NULL;
}

static struct ms_error *ranges_read(struct ms_go_runtime *rt, struct range ret_ranges[PARTS])
{
	const struct ms_go_layout *l = rt->layout;
	const uint32_t offsets[PARTS] = {
		[NAMES] = l->module_funcnametab, [UNITS] = l->module_cutab,
		[FILES] = l->module_filetab,     [STEPS] = l->module_pctab,
		[RECORDS] = l->module_pclntable,
	};
	struct ms_error *err = NULL;

	for (size_t i = 0; i < PARTS && !err; i++)
		err = slice_read(rt, offsets[i], i == UNITS ? 4 : 1, &ret_ranges[i]);
	return err;
}

static struct ms_error *parts_load(struct ms_go_runtime *rt, struct ms_functions *f)
{
	struct ms_functions_part *parts[PARTS] = {
		[NAMES] = &f->names, [UNITS] = &f->units,     [FILES] = &f->files,
		[STEPS] = &f->steps, [RECORDS] = &f->records,
	};
	struct range ranges[PARTS];
	struct ms_error *err = ranges_read(rt, ranges);
	uint64_t whole = 0;

	if (err)
		return err;
	for (size_t i = 0; i < PARTS; i++)
		whole = ms_max_u64(whole, ranges[i].from + ranges[i].size);
	f->bytes = malloc((size_t)whole);
	if (!f->bytes)
		return ms_error_no_memory();
	err = ms_target_exe_read(rt->target, rt->pclntab.offset, f->bytes, (size_t)whole);
	if (err)
		return err;
	for (size_t i = 0; i < PARTS; i++)
		*parts[i] =
		    (struct ms_functions_part){ f->bytes + ranges[i].from, (size_t)ranges[i].size };
	// A text that runs to the end of its part must end there.
	f->bytes[ranges[NAMES].from + f->names.size - 1] = '\0';
	f->bytes[ranges[FILES].from + f->files.size - 1] = '\0';
	return NULL;
}

static struct ms_error *gofunc_read(struct ms_go_runtime *rt, struct ms_functions *f)
{
	uint8_t raw[8];
	struct ms_error *err = ms_target_read(
	    rt->target, rt->modules[0].address + rt->layout->module_gofunc, raw, sizeof(raw));

	if (!err)
		f->gofunc = ms_load_u64(raw);
	return err;
}

static bool is_injected(const char *name)
{
	static const char *const names[] = { "runtime.sigpanic", "runtime.asyncPreempt",
					     "runtime.debugCallV1", "runtime.debugCallV2" };

	for (size_t i = 0; i < MS_ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

/**
 * The flags of runtime._func stand behind its id (abi.FuncFlag).  Outside the runtime the only
 * special functions are wrappers.
 */
static uint8_t flags_of(const char *name, uint8_t id, uint8_t raw)
{
	uint8_t flags = raw & (MS_FUNCTION_TOP | MS_FUNCTION_SP_WRITE);

	if (!ms_function_name_is_runtime(name))
		return id ? flags | MS_FUNCTION_WRAPPER : flags;
	flags |= MS_FUNCTION_RUNTIME;
	if (is_injected(name))
		flags |= MS_FUNCTION_INJECTED;
	if (!strcmp(name, "runtime.cgocallback"))
		flags &= (uint8_t)~MS_FUNCTION_SP_WRITE; // Its frame holds on both stacks.
	return flags;
}

/** The function of one pair; false when it cannot be one. */
static bool function_parse(const struct ms_functions *f, const uint8_t *pair,
			   struct ms_function *ret_function)
{
	const struct ms_go_layout *l = f->layout;
	uint32_t record = ms_load_u32(pair + 4), name;
	struct ms_function fn = {
		.entry = f->text + ms_load_u32(pair),
		.end = f->text + ms_load_u32(pair + PAIR_BYTES),
		.record = record,
	};
	const uint8_t *raw;

	if (!ms_range_holds(0, f->records.size, record, l->func_size) || fn.entry >= fn.end ||
	    fn.end > f->etext)
		return false;
	raw = f->records.bytes + record;
	name = ms_load_u32(raw + l->func_name);
	if (name >= f->names.size || f->text + ms_load_u32(raw + l->func_entry) != fn.entry)
		return false;
	fn.name = (const char *)f->names.bytes + name;
	fn.id = raw[l->func_id];
	fn.flags = flags_of(fn.name, fn.id, raw[l->func_id + 1]);
	*ret_function = fn;
	return true;
}

static bool record_fits(const struct ms_go_layout *l)
{
	const uint32_t fields[] = { l->func_entry, l->func_name, l->func_pcsp,    l->func_pcfile,
				    l->func_pcln,  l->func_unit, l->func_npcdata, l->func_id };

	for (size_t i = 0; i < MS_ARRAY_SIZE(fields); i++) {
		if (fields[i] + 4ull > l->func_size)
			return false;
	}
	return l->func_nfuncdata < l->func_size && l->func_size <= RECORD_BYTES_MAX;
}

static struct ms_error *items_load(struct ms_go_runtime *rt, struct ms_functions *f)
{
	ms_addr last = f->text;

	if (!record_fits(rt->layout) || rt->pclntab.functions >= f->records.size / PAIR_BYTES)
		return ms_error_new(MS_ERR_BAD_DATA,
				    "the function table says it has %" PRIu64
				    " functions in %zu bytes",
				    rt->pclntab.functions, f->records.size);
	if (!ms_vec_reserve(f, (size_t)rt->pclntab.functions))
		return ms_error_no_memory();
	for (uint64_t i = 0; i < rt->pclntab.functions; i++) {
		struct ms_function fn;

		if (!function_parse(f, f->records.bytes + i * PAIR_BYTES, &fn) || fn.entry < last) {
			f->damaged++;
			continue;
		}
		f->items[f->count++] = fn;
		last = fn.end;
	}
	return NULL;
}

static struct ms_error *pages_make(struct ms_functions *f)
{
	size_t at = 0;

	f->page_count = (size_t)((f->etext - f->text) >> PAGE_LOG2) + 1;
	f->pages = malloc(f->page_count * sizeof(*f->pages));
	if (!f->pages)
		return ms_error_no_memory();
	for (size_t page = 0; page < f->page_count; page++) {
		while (at < f->count && f->items[at].end <= f->text + ((ms_addr)page << PAGE_LOG2))
			at++;
		f->pages[page] = (uint32_t)at;
	}
	return NULL;
}

static void functions_destroyp(struct ms_functions **f)
{
	ms_functions_destroy(*f);
}

struct ms_error *ms_go_functions(struct ms_go_runtime *rt,
				 const struct ms_functions **ret_functions)
{
	MS_CLEANUP(functions_destroyp) struct ms_functions *f = NULL;
	struct ms_error *err;

	if (rt->functions) {
		*ret_functions = rt->functions;
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return ms_error_no_memory();
	f->rt = rt;
	f->layout = rt->layout;
	f->quantum = rt->elf.arch == MS_ARCH_ARM64 ? 4 : 1;
	f->text = rt->modules[0].text;
	f->etext = rt->modules[0].etext;
	err = gofunc_read(rt, f);
	if (!err)
		err = parts_load(rt, f);
	if (!err)
		err = items_load(rt, f);
	if (!err)
		err = pages_make(f);
	if (!err)
		err = ms_functions_check(f);
	if (err)
		return ms_error_wrap(err, "function table");
	*ret_functions = rt->functions = MS_STEAL(f);
	return NULL;
}

void ms_functions_destroy(struct ms_functions *f)
{
	if (!f)
		return;
	free(f->items);
	free(f->pages);
	free(f->bytes);
	free(f);
}

// --- Asking. ---

const struct ms_function *ms_functions_find(const struct ms_functions *f, ms_addr pc)
{
	size_t page, low, high;

	if (pc < f->text || pc >= f->etext)
		return NULL;
	page = (size_t)((pc - f->text) >> PAGE_LOG2);
	low = f->pages[page];
	high =
	    page + 1 < f->page_count ? ms_min_u64(f->pages[page + 1] + 1ull, f->count) : f->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->items[middle].end <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low < f->count && f->items[low].entry <= pc && pc < f->items[low].end
		   ? &f->items[low]
		   : NULL;
}

const struct ms_function *ms_functions_by_name(const struct ms_functions *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++) {
		if (!strcmp(f->items[i].name, name))
			return &f->items[i];
	}
	return NULL;
}

static uint32_t record_word(const struct ms_functions *f, const struct ms_function *fn,
			    uint32_t offset)
{
	return ms_load_u32(f->records.bytes + fn->record + offset);
}

bool ms_function_value(const struct ms_functions *f, const struct ms_function *fn, uint32_t steps,
		       ms_addr pc, int32_t *ret_value)
{
	struct ms_pc_values v;

	if (!steps || steps >= f->steps.size || pc < fn->entry || pc >= fn->end)
		return false;
	v = ms_pc_values_begin(f->steps.bytes + steps, f->steps.bytes + f->steps.size, fn->entry,
			       f->quantum);
	while (ms_pc_values_next(&v)) {
		if (pc < v.pc) {
			*ret_value = v.value;
			return true;
		}
	}
	return false;
}

uint32_t ms_function_steps(const struct ms_functions *f, const struct ms_function *fn,
			   uint32_t index)
{
	const struct ms_go_layout *l = f->layout;
	const uint8_t *raw = f->records.bytes + fn->record;
	uint64_t at = l->func_size + 4ull * index;

	if (ms_load_u32(raw + l->func_npcdata) <= index || at + 4 > f->records.size - fn->record)
		return 0;
	return ms_load_u32(raw + at);
}

bool ms_function_data(const struct ms_functions *f, const struct ms_function *fn, uint32_t index,
		      uint64_t size, uint64_t *ret_offset)
{
	const struct ms_go_layout *l = f->layout;
	const uint8_t *raw = f->records.bytes + fn->record;
	uint64_t at = l->func_size + 4 * ((uint64_t)ms_load_u32(raw + l->func_npcdata) + index);
	uint32_t data;

	if (raw[l->func_nfuncdata] <= index || at + 4 > f->records.size - fn->record)
		return false;
	data = ms_load_u32(raw + at);
	return data != NO_DATA &&
	       ms_elf_offset_of(&f->rt->elf, f->gofunc - f->rt->elf.bias + data, size, ret_offset);
}

struct ms_error *ms_function_code(const struct ms_functions *f, const struct ms_function *fn,
				  uint8_t **ret_bytes)
{
	size_t size = (size_t)(fn->end - fn->entry);
	MS_AUTO_FREE uint8_t *bytes = NULL;
	uint64_t offset;
	struct ms_error *err;

	*ret_bytes = NULL;
	if (size > MS_FUNCTION_CODE_MAX ||
	    !ms_elf_offset_of(&f->rt->elf, fn->entry - f->rt->elf.bias, size, &offset))
		return NULL;
	bytes = malloc(size);
	if (!bytes)
		return ms_error_no_memory();
	err = ms_target_exe_read(f->rt->target, offset, bytes, size);
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	if (!err)
		*ret_bytes = MS_STEAL(bytes);
	return err;
}

static bool value_at(const struct ms_functions *f, const struct ms_function *fn, uint32_t field,
		     ms_addr pc, int32_t *ret_value)
{
	return ms_function_value(f, fn, record_word(f, fn, field), pc, ret_value);
}

bool ms_function_line(const struct ms_functions *f, const struct ms_function *fn, ms_addr pc,
		      const char **ret_file, uint32_t *ret_line)
{
	int32_t file, line;
	uint64_t unit;
	uint32_t at;

	if (!value_at(f, fn, f->layout->func_pcfile, pc, &file) || file < 0 ||
	    !value_at(f, fn, f->layout->func_pcln, pc, &line) || line < 0)
		return false;
	unit = (uint64_t)record_word(f, fn, f->layout->func_unit) + (uint32_t)file;
	if (unit >= f->units.size / 4)
		return false;
	at = ms_load_u32(f->units.bytes + unit * 4);
	if (at == MS_FUNCTIONS_NO_FILE || at >= f->files.size)
		return false;
	*ret_file = (const char *)f->files.bytes + at;
	*ret_line = (uint32_t)line;
	return true;
}

bool ms_function_frame_bytes(const struct ms_functions *f, const struct ms_function *fn, ms_addr pc,
			     uint32_t *ret_bytes)
{
	int32_t bytes;

	if (!value_at(f, fn, f->layout->func_pcsp, pc, &bytes) || bytes < 0 || (bytes & 7) ||
	    bytes > FRAME_BYTES_MAX)
		return false;
	*ret_bytes = (uint32_t)bytes;
	return true;
}

// --- Names. ---

bool ms_function_name_is_runtime(const char *name)
{
	static const char *const fronts[] = {
		"runtime.",
		"runtime/internal/",
		"internal/runtime/",
		"internal/abi.",
		"internal/bytealg.",
		"internal/cpu.",
		"reflect.map",
		"reflect.MakeMap",
		"reflect.(*MapIter).",
		"reflect.(*hiter).",
		"reflect.Value.MapIndex",
		"reflect.Value.MapKeys",
		"reflect.Value.MapRange",
		"reflect.Value.SetMapIndex",
		"reflect.Value.SetIter",
		"type:.",
		"type..",
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(fronts); i++) {
		if (*name == *fronts[i] && !strncmp(name, fronts[i], strlen(fronts[i])))
			return true;
	}
	return !strchr(name, '.'); // "gogo", "memeqbody": assembly.
}

size_t ms_function_name_print(const char *name, char *buf, size_t size)
{
	size_t length = 0, depth = 0;

	for (const char *at = name; *at; at++) {
		const char *text = at;
		size_t count = 1;

		if (*at == '[' && !depth && strchr(at, ']')) {
			depth = 1;
			text = "[...]";
			count = 5;
		} else if (depth) {
			depth += *at == '[';
			depth -= *at == ']';
			count = 0;
		}
		for (size_t i = 0; i < count; i++, length++) {
			if (length + 1 < size)
				buf[length] = text[i];
		}
	}
	if (size)
		buf[length < size ? length : size - 1] = '\0';
	return length;
}
