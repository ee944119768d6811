// fake_functions.c - written as the linker writes it: header, names, units, files, steps, pairs,
// records, and behind them the inline trees.
#include "tests/support/fake_functions.h"

#include <stdlib.h>

enum {
	HEADER_BYTES = 72,
	FILES = 2,
	UNIT = 5, // Where the files' unit begins: others stand before it.
	PCDATA = 3,
	FUNCDATA = 4,
	ENTRY_BYTES = 16,
	CHECK_LIMIT = 63, // Functions.
};

#define TABLE ((ms_addr)0x600000)
#define MODULE ((ms_addr)0x700000)

static const char *const files[FILES] = { "main.go", "inlined.go" };

static void put(struct fake_functions *fake, const void *bytes, size_t size)
{
	if (size > sizeof(fake->exe) - fake->exe_bytes)
		abort();
	memcpy(fake->exe + fake->exe_bytes, bytes, size);
	fake->exe_bytes += size;
}

static void put_u32(struct fake_functions *fake, uint32_t value)
{
	put(fake, &value, 4);
}

static void set_u32(struct fake_functions *fake, size_t at, uint32_t value)
{
	memcpy(fake->exe + at, &value, 4);
}

static void put_varint(struct fake_functions *fake, uint32_t value)
{
	uint8_t byte;

	for (; value >= 0x80; value >>= 7) {
		byte = (uint8_t)(value | 0x80);
		put(fake, &byte, 1);
	}
	byte = (uint8_t)value;
	put(fake, &byte, 1);
}

static void put_step(struct fake_functions *fake, int32_t change, uint32_t bytes)
{
	put_varint(fake, ((uint32_t)change << 1) ^ (change < 0 ? UINT32_MAX : 0));
	put_varint(fake, bytes / (fake->rt.elf.arch == MS_ARCH_ARM64 ? 4 : 1));
}

/** One value up to @p first bytes, another behind; returns where the steps are. */
static uint32_t put_steps(struct fake_functions *fake, int32_t low, uint32_t first, int32_t high,
			  uint32_t bytes)
{
	uint32_t at = (uint32_t)(fake->exe_bytes - fake->steps_at);

	put_step(fake, low + 1, high == low ? bytes : first);
	if (high != low)
		put_step(fake, high - low, bytes - first);
	put_varint(fake, 0);
	return at;
}

static void put_slice(struct fake_functions *fake, uint32_t offset, size_t from, size_t count)
{
	const uint64_t words[] = { TABLE + from, count, count };

	memcpy(fake->module + offset, words, sizeof(words));
}

static uint32_t put_name(struct fake_functions *fake, const char *name)
{
	uint32_t at = (uint32_t)(fake->exe_bytes - HEADER_BYTES);

	put(fake, name, strlen(name) + 1);
	return at;
}

/** The steps of one function, in the order of its record: frame, file, line, inlined. */
static void put_function_steps(struct fake_functions *fake, const struct fake_function *fn,
			       uint32_t ret_at[4])
{
	uint32_t half = fn->bytes / 2;
	bool inlined = fn->inlined != NULL;

	ret_at[0] = put_steps(fake, 0, FAKE_PROLOGUE_BYTES, (int32_t)fn->frame_bytes, fn->bytes);
	ret_at[1] = put_steps(fake, 0, half, inlined ? 1 : 0, fn->bytes);
	ret_at[2] = put_steps(fake, (int32_t)fn->line, half,
			      (int32_t)fn->line + (inlined ? 1000 : 0), fn->bytes);
	ret_at[3] = inlined ? put_steps(fake, -1, half, 0, fn->bytes) : 0;
}

static void put_record(struct fake_functions *fake, const struct fake_function *fn, uint32_t entry,
		       uint32_t name, const uint32_t steps[4])
{
	const struct ms_go_layout *l = fake->rt.layout;
	size_t at = fake->exe_bytes;
	static const uint8_t zeros[64];

	put(fake, zeros, l->func_size);
	set_u32(fake, at + l->func_entry, entry);
	set_u32(fake, at + l->func_name, name);
	set_u32(fake, at + l->func_pcsp, steps[0]);
	set_u32(fake, at + l->func_pcfile, steps[1]);
	set_u32(fake, at + l->func_pcln, steps[2]);
	set_u32(fake, at + l->func_npcdata, PCDATA);
	set_u32(fake, at + l->func_unit, UNIT);
	fake->exe[at + l->func_id] = fn->id;
	fake->exe[at + l->func_id + 1] = fn->flags;
	fake->exe[at + l->func_nfuncdata] = FUNCDATA;
	put_u32(fake, 0);
	put_u32(fake, 0);
	put_u32(fake, steps[3]);
	for (unsigned i = 0; i < FUNCDATA; i++)
		put_u32(fake, UINT32_MAX);
}

/** A tree of one entry, called from where the function's second half begins. */
static void put_tree(struct fake_functions *fake, size_t record, size_t gofunc, uint32_t name)
{
	const struct ms_go_layout *l = fake->rt.layout;

	set_u32(fake, record + l->func_size + 4 * (PCDATA + FUNCDATA - 1),
		(uint32_t)(fake->exe_bytes - gofunc));
	put_u32(fake, 0);
	put_u32(fake, name);
	put_u32(fake, 4); // An instruction of the first half.
	put_u32(fake, 1);
}

struct written {
	uint32_t names[CHECK_LIMIT], inlined[CHECK_LIMIT];
	uint32_t steps[CHECK_LIMIT][4];
	size_t records[CHECK_LIMIT];
};

static void put_names(struct fake_functions *fake, const struct fake_function *list, size_t count,
		      struct written *w)
{
	const struct ms_go_layout *l = fake->rt.layout;
	size_t from;

	put_name(fake, "");
	for (size_t i = 0; i < count; i++) {
		w->names[i] = put_name(fake, list[i].name);
		w->inlined[i] = list[i].inlined ? put_name(fake, list[i].inlined) : 0;
	}
	put_slice(fake, l->module_funcnametab, HEADER_BYTES, fake->exe_bytes - HEADER_BYTES);
	fake->rt.pclntab.names_bytes = fake->exe_bytes - HEADER_BYTES;
	while (fake->exe_bytes % 8)
		put(fake, "", 1);
	put_slice(fake, l->module_cutab, fake->exe_bytes, UNIT + FILES);
	for (unsigned i = 0; i < UNIT; i++)
		put_u32(fake, UINT32_MAX);
	put_u32(fake, 0);
	put_u32(fake, (uint32_t)strlen(files[0]) + 1);
	from = fake->exe_bytes;
	for (size_t i = 0; i < FILES; i++)
		put(fake, files[i], strlen(files[i]) + 1);
	put_slice(fake, l->module_filetab, from, fake->exe_bytes - from);
}

static void put_table(struct fake_functions *fake, const struct fake_function *list, size_t count,
		      struct written *w)
{
	const struct ms_go_layout *l = fake->rt.layout;
	uint32_t entry = 0;
	size_t gofunc;

	fake->steps_at = fake->exe_bytes;
	put(fake, "", 1); // Offset 0 stands for no steps.
	for (size_t i = 0; i < count; i++)
		put_function_steps(fake, &list[i], w->steps[i]);
	put_slice(fake, l->module_pctab, fake->steps_at, fake->exe_bytes - fake->steps_at);
	while (fake->exe_bytes % 8)
		put(fake, "", 1);
	fake->records_at = fake->exe_bytes;
	for (size_t i = 0; i <= count; i++) {
		put_u32(fake, entry);
		put_u32(fake, 0);
		entry += i < count ? list[i].bytes : 0;
	}
	fake->rt.modules[0].etext = FAKE_TEXT + entry;
	entry = 0;
	for (size_t i = 0; i < count; i++) {
		while (fake->exe_bytes % 8)
			put(fake, "", 1);
		w->records[i] = fake->exe_bytes;
		set_u32(fake, fake->records_at + i * 8 + 4,
			(uint32_t)(fake->exe_bytes - fake->records_at));
		put_record(fake, &list[i], entry, w->names[i], w->steps[i]);
		entry += list[i].bytes;
	}
	put_slice(fake, l->module_pclntable, fake->records_at, fake->exe_bytes - fake->records_at);
	put_slice(fake, l->module_ftab, fake->records_at, count + 1);
	gofunc = fake->exe_bytes;
	put_slice(fake, l->module_gofunc, gofunc, 0);
	for (size_t i = 0; i < count; i++) {
		if (list[i].inlined)
			put_tree(fake, w->records[i], gofunc, w->inlined[i]);
	}
}

struct fake_functions *fake_functions_create(const struct fake_function *list, size_t count,
					     enum ms_arch arch)
{
	struct fake_functions *fake = calloc(1, sizeof(*fake));
	struct written *w = calloc(1, sizeof(*w));

	if (!fake || !w || count > CHECK_LIMIT)
		abort();
	fake_target_init(&fake->fake);
	fake->rt.target = &fake->fake.target;
	fake->rt.layout = ms_go_layout_find(MS_GO(1, 24), arch, MS_GO_EXP_SWISS);
	if (!fake->rt.layout)
		abort();
	fake->rt.elf = (struct ms_elf){ .arch = arch, .segment_count = 1 };
	fake->rt.elf.segments[0] =
	    (struct ms_elf_segment){ TABLE, 0, FAKE_TABLE_BYTES, FAKE_TABLE_BYTES, MS_PROT_READ };
	fake->rt.pclntab = (struct ms_pclntab){ .family = MS_PCLNTAB_1_20,
						.vaddr = TABLE,
						.functions = count,
						.names_offset = HEADER_BYTES };
	fake->rt.module_count = 1;
	fake->rt.modules[0] = (struct ms_go_module){ .address = MODULE, .text = FAKE_TEXT };
	fake->exe_bytes = HEADER_BYTES;
	put_names(fake, list, count, w);
	put_table(fake, list, count, w);
	fake_target_map(&fake->fake, MODULE, fake->module, sizeof(fake->module), MS_REGION_ANON,
			MS_PROT_READ | MS_PROT_WRITE);
	fake_target_map(&fake->fake, FAKE_STACK_LO, fake->stack, sizeof(fake->stack),
			MS_REGION_ANON, MS_PROT_READ | MS_PROT_WRITE);
	free(w);
	fake_functions_commit(fake);
	return fake;
}

void fake_functions_commit(struct fake_functions *fake)
{
	ms_functions_destroy(fake->rt.functions);
	fake->rt.functions = NULL;
	fake_target_exe(&fake->fake, fake->exe, fake->exe_bytes);
}

void fake_functions_destroy(struct fake_functions *fake)
{
	ms_functions_destroy(fake->rt.functions);
	fake_target_deinit(&fake->fake);
	free(fake);
}
