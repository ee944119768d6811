// make_seeds.c - fuzz-seeds FOLDER: a first corpus for every target, in FOLDER/TARGET/.
//
// Each seed is a small input of the kind that a real program would give, so that fuzzing starts
// behind the first checks.  What they point to is in go_data.h and exe.h.
#include "base/cleanup.h"
#include "snapshot/snapshot_file.h"
#include "target/record_format.h"
#include "tests/fuzz/exe.h"
#include "tests/fuzz/go_data.h"
#include "tests/fuzz/seed.h"
#include "tests/fuzz/seed_code.h"
#include "tests/support/fake_core.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *folder;

/** Write a seed out, and empty it. */
static void seed_save(struct seed *s, const char *target, const char *name)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", folder, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	out = fopen(path, "w");
	if (!out || fwrite(s->bytes, 1, s->size, out) != s->size || fclose(out) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	*s = (struct seed){ 0 };
}

static void layout_put(struct seed *s, const struct ms_go_layout *l)
{
	seed_number(s, (uint64_t)ms_go_minor(l->since), 1);
	seed_number(s, (uint64_t)ms_go_patch(l->since), 1);
	seed_number(s, l->arch == MS_ARCH_ARM64, 1);
	seed_number(s, l->experiments, 1);
}

/** The rows that seeds are made for: amd64 once each, and one of arm64. */
static const struct ms_go_layout *seed_layout(size_t index)
{
	const struct ms_go_layout *l = ms_go_layout_at(index);

	return l->arch == MS_ARCH_AMD64 || index == 1 ? l : NULL;
}

// --- The executable. ---

/** A table of ten functions, some of them named. */
static void pclntab_put(struct seed *s, uint32_t magic, unsigned quantum)
{
	static const char names[] = "\0go:buildid\0runtime.growWork\0main.main\0"
				    "internal/runtime/maps.(*Map).growToTable";
	size_t start = s->size;

	seed_number(s, magic, 4);
	seed_number(s, 0, 2);
	seed_number(s, quantum, 1);
	seed_number(s, 8, 1);
	seed_number(s, FUZZ_FUNCTIONS, 8);
	seed_number(s, 3, 8);
	seed_number(s, FUZZ_EXE_VADDR, 8);
	seed_number(s, FUZZ_NAMES_OFFSET, 8);
	seed_number(s, FUZZ_NAMES_OFFSET + sizeof(names), 8);
	seed_fill(s, start + FUZZ_NAMES_OFFSET);
	seed_bytes(s, names, sizeof(names));
	seed_fill(s, s->size + 64);
}

/** The linker's blob with its strings inline. */
static void blob_put(struct seed *s, const char *version, const char *module)
{
	seed_text(s, "\xff Go buildinf:");
	seed_number(s, 8, 1);
	seed_number(s, 2, 1);
	seed_fill(s, s->size + 16);
	seed_number(s, strlen(version), 1);
	seed_text(s, version);
	seed_number(s, strlen(module), 1);
	seed_text(s, module);
}

static void program_put(struct seed *s, unsigned machine, unsigned type, const char *data_name)
{
	struct seed *table = calloc(1, sizeof(*table)), *blob = calloc(1, sizeof(*blob));

	if (!table || !blob)
		abort();
	pclntab_put(table, 0xfffffff1, machine == EM_AARCH64 ? 4 : 1);
	blob_put(blob, "go1.24.13", "\nmod\tmain\t\nbuild\tGOEXPERIMENT=noswissmap\n");
	const struct seed_section sections[] = {
		{ ".text", FUZZ_EXE_VADDR, "\xc3\xc3\xc3\xc3", 4, SHT_PROGBITS, PF_R | PF_X },
		{ data_name, FUZZ_TABLE_ADDR, table->bytes, table->size, SHT_PROGBITS, PF_R },
		{ ".go.buildinfo", FUZZ_DATA_ADDR, blob->bytes, blob->size, SHT_PROGBITS,
		  PF_R | PF_W },
		{ ".symtab", 0, table->bytes, 48, SHT_SYMTAB, 0 },
		{ ".debug_info", 0, "", 0, SHT_PROGBITS, 0 },
	};
	seed_elf(s, machine, type, sections, MS_ARRAY_SIZE(sections));
	free(table);
	free(blob);
}

static void elf_seeds(struct seed *s)
{
	struct seed_section many[40];

	program_put(s, EM_X86_64, ET_EXEC, ".gopclntab");
	seed_save(s, "elf", "program");
	program_put(s, EM_AARCH64, ET_DYN, ".data.rel.ro.gopclntab");
	seed_save(s, "elf", "position-independent");
	program_put(s, EM_X86_64, ET_EXEC, ".gopclntab");
	seed_number_at(s, offsetof(Elf64_Ehdr, e_shoff), 0, 8);
	seed_number_at(s, offsetof(Elf64_Ehdr, e_shnum), 0, 4);
	seed_save(s, "elf", "no-sections");
	program_put(s, EM_RISCV, ET_EXEC, ".gopclntab");
	seed_save(s, "elf", "other-machine");
	program_put(s, EM_X86_64, ET_REL, ".gopclntab");
	seed_save(s, "elf", "object-file");
	program_put(s, EM_X86_64, ET_EXEC, ".gopclntab");
	s->bytes[EI_CLASS] = ELFCLASS32;
	seed_save(s, "elf", "32-bit");
	program_put(s, EM_X86_64, ET_EXEC, ".gopclntab");
	s->size /= 2;
	seed_save(s, "elf", "cut-short");
	for (size_t i = 0; i < MS_ARRAY_SIZE(many); i++)
		many[i] = (struct seed_section){ "x", FUZZ_EXE_VADDR + 16 * i, "x", 1, SHT_PROGBITS,
						 PF_R };
	seed_elf(s, EM_X86_64, ET_EXEC, many, MS_ARRAY_SIZE(many));
	seed_save(s, "elf", "many-segments");
	seed_text(s, "#!/bin/sh\n");
	seed_save(s, "elf", "script");
}

static void pclntab_seeds(struct seed *s)
{
	static const uint32_t magics[] = { 0xfffffff1, 0xfffffff0, 0xfffffffb };

	for (unsigned i = 0; i < 2 * MS_ARRAY_SIZE(magics); i++) {
		char name[32];

		seed_number(s, i & 1, 1);
		seed_number(s, 128, 1);
		seed_fill(s, 2 + 40); // The table is no first thing in the file.
		pclntab_put(s, magics[i / 2], i & 1 ? 4 : 1);
		snprintf(name, sizeof(name), "segment-%u", i);
		seed_save(s, "pclntab", name);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct seed *program = calloc(1, sizeof(*program));

		if (!program)
			abort();
		program_put(program, EM_X86_64, ET_EXEC,
			    i ? ".gopclntab" : ".data.rel.ro.gopclntab");
		seed_number(s, 2, 2);
		seed_bytes(s, program->bytes, program->size);
		seed_save(s, "pclntab", i ? "section" : "section-of-pie");
		free(program);
	}
}

/** Before Go 1.18: two pointers to string headers. */
static void old_blob_put(struct seed *s)
{
	const char *version = "go1.16.15";
	size_t start = s->size;

	seed_text(s, "\xff Go buildinf:");
	seed_number(s, 8, 1);
	seed_number(s, 0, 1);
	seed_number(s, FUZZ_EXE_VADDR + start - 2 + 32, 8);
	seed_number(s, 0, 8);
	seed_number(s, FUZZ_EXE_VADDR + start - 2 + 48, 8);
	seed_number(s, strlen(version), 8);
	seed_text(s, version);
	seed_fill(s, s->size + 16);
}

static void build_info_seeds(struct seed *s)
{
	static const char *const versions[] = {
		"go1.24.13", "go1.24.1 X:noswissmap,greenteagc", "go1.26.1-X:nogreenteagc",
		"go1.27rc1", "devel go1.28-a1b2c3d4 Thu Jan 1",  "go1",
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(versions); i++) {
		char name[32];

		snprintf(name, sizeof(name), "version-%zu", i);
		seed_text(s, versions[i]);
		seed_save(s, "build_info", name);
		snprintf(name, sizeof(name), "blob-%zu", i);
		seed_number(s, 0, 2);
		seed_fill(s, 2 + 32);
		blob_put(s, versions[i], "\nbuild\tGOEXPERIMENT=noswissmap\n");
		seed_save(s, "build_info", name);
	}
	seed_number(s, 0, 2);
	seed_fill(s, 2 + 16);
	old_blob_put(s);
	seed_save(s, "build_info", "blob-of-1.16");
	struct seed *program = calloc(1, sizeof(*program));

	if (!program)
		abort();
	program_put(program, EM_X86_64, ET_EXEC, ".gopclntab");
	seed_number(s, 2, 2);
	seed_bytes(s, program->bytes, program->size);
	seed_save(s, "build_info", "section");
	free(program);
}

static void proc_maps_seeds(struct seed *s)
{
	seed_text(s, "00400000-00480000 r-xp 00000000 08:01 131    /usr/bin/service\n"
		     "00480000-00500000 r--p 00080000 fe:03 131    /usr/bin/service\n"
		     "00500000-00580000 rw-p 00100000 08:01 131    /usr/bin/service (deleted)\n"
		     "00580000-005c0000 rw-p 00000000 00:00 0 \n"
		     "01000000-01021000 rw-p 00000000 00:00 0      [heap]\n"
		     "c000000000-c000400000 rw-p 00000000 00:00 0  [anon: Go: heap]\n"
		     "7f0000000000-7f0000001000 rw-s 00000000 00:05 77 /dev/shm/x\n"
		     "7f0000001000-7f0000002000 r--p 00000000 08:01 900 /lib/x.so\n"
		     "7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]\n"
		     "7ffe00030000-7ffe00034000 r--p 00000000 00:00 0 [vvar]\n"
		     "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n");
	seed_save(s, "proc_maps", "service");
	seed_text(s, "00500000-00480000 r-xp 00000000 08:01 131\n");
	seed_save(s, "proc_maps", "backwards");
	seed_text(s, "00400000-00480000 r-xp\n");
	seed_save(s, "proc_maps", "half-a-line");
}

/** Of an odd length: the program is looked for; of an even one: it is given. */
static void core_seeds(struct seed *s)
{
	struct fake_core *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	fake_core_init(f, "/no/such/program");
	seed_bytes(s, f->core, f->core_bytes);
	seed_save(s, "core", "whole");
	seed_bytes(s, f->core, 2 * FAKE_CORE_PAGE);
	seed_save(s, "core", "cut-off");
	seed_bytes(s, f->core, f->core_bytes);
	seed_number(s, 0, 1);
	seed_save(s, "core", "without-its-program");
	fake_core_leave_nothing_out(f);
	seed_bytes(s, f->core, f->core_bytes);
	seed_number(s, 0, 1);
	seed_save(s, "core", "with-its-program-in-it");
	fake_core_deinit(f);
	fake_core_init(f, "/no/such/program");
	fake_core_as_qemu(f);
	seed_bytes(s, f->core, f->core_bytes);
	seed_save(s, "core", "placed-by-its-program");
	seed_bytes(s, f->core, f->core_bytes);
	seed_number(s, 0, 1);
	seed_save(s, "core", "of-a-program-without-a-name");
	fake_core_deinit(f);
	free(f);
}

// --- The runtime's own data. ---

enum { KIND_INT = 2, KIND_PTR = 22, KIND_STRUCT = 25, KIND_MAP = 21, FLAG_STAR = 2 };

static void descriptor_put(struct seed *s, size_t at, const struct ms_go_layout *l, unsigned kind,
			   uint64_t size, size_t name)
{
	seed_fill(s, at + l->type_size);
	seed_number_at(s, at + l->type_bytes, size, 8);
	seed_number_at(s, at + l->type_ptrdata, kind == KIND_INT ? 0 : 8, 8);
	seed_number_at(s, at + l->type_kind, kind, 1);
	seed_number_at(s, at + l->type_tflag, FLAG_STAR, 1);
	seed_number_at(s, at + l->type_str, name, 4);
}

/** Two map types with one key, elem and table, and their names in front. */
static void section_put(struct seed *s, const struct ms_go_layout *l, uint64_t start)
{
	size_t base = s->size;
	bool is_swiss = l->maps == MS_GO_MAPS_SWISS;
	size_t key = base + 64, table = base + 128, map = base + 192;
	size_t table_bytes = 8 + 8 * 16 + (is_swiss ? 0 : 8);

	seed_text(s, "\x01\x04*int\x01\x0a*map.table");
	descriptor_put(s, key, l, KIND_INT, 8, 0);
	descriptor_put(s, table, l, KIND_STRUCT, table_bytes, 6);
	for (unsigned i = 0; i < 2; i++, map += 128) {
		descriptor_put(s, map, l, KIND_MAP, 8, i ? 0 : 6);
		seed_number_at(s, map + l->maptype_key, start + key - base, 8);
		seed_number_at(s, map + l->maptype_elem, start + key - base, 8);
		seed_number_at(s, map + (is_swiss ? l->maptype_group : l->maptype_bucket),
			       start + table - base, 8);
		if (is_swiss)
			seed_number_at(s, map + l->maptype_group_size, table_bytes, 8);
		else
			seed_number_at(s, map + l->maptype_bucket_size, table_bytes, 2);
	}
	seed_fill(s, map);
}

static void types_seeds(struct seed *s)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *l = seed_layout(i);
		char name[32];
		size_t before;

		if (!l)
			continue;
		layout_put(s, l);
		seed_number(s, 0, 2);
		before = s->size;
		section_put(s, l, FUZZ_TYPES_ADDR);
		seed_number_at(s, before - 2, s->size - before, 2);
		section_put(s, l, 0x700000);
		snprintf(name, sizeof(name), "row-%zu", i);
		seed_save(s, "types", name);
	}
	seed_save(s, "types", "no-types");
}

/** Stacks for functions_fuzz.c: a place in the text is twice its distance, one on the stack odd. */
static void functions_seeds(struct seed *s)
{
	enum { EXIT = 0, PARK = 32, USER = 96, SIGNAL = 160, SWITCH = 224, FOREIGN = 416, IN = 24 };
	static const struct {
		const char *name;
		uint16_t words[12]; // Left at, stack pointer, frame pointer, register; the stack.
		bool is_arm64;
	} seeds[] = {
		{ "complete", { (PARK + IN) * 2, 1, 1, 0, 0, 0, 0, 0, (EXIT + IN) * 2 }, false },
		{ "signal", { (SIGNAL + IN) * 2, 1, 1, 0, 0, 0, (USER + 40) * 2 }, false },
		{ "switch", { (PARK + IN) * 2, 1, 1, 0, 0, 0, 0, 0, (SWITCH + IN) * 2 }, false },
		{ "pointer", { (FOREIGN + IN) * 2, 1, 17, 0, 0, 0, 33, (EXIT + IN) * 2 }, false },
		{ "endless", { PARK * 2, 1, 1, 0, PARK * 2, PARK * 2, PARK * 2 }, false },
		{ "off", { (PARK + IN) * 2, 5, 1, 0 }, false },
		{ "arm64", { (PARK + IN) * 2, 1, 1, 0, (USER + 40) * 2, 0, 0, 0, 2 }, true },
		{ "register", { PARK * 2, 1, 1, (EXIT + IN) * 2 }, true },
		{ "arm64-signal", { (SIGNAL + IN) * 2, 1, 1, 0, PARK * 2, 0, 2 }, true },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(seeds); i++) {
		seed_number(s, seeds[i].is_arm64, 1);
		seed_number(s, 0, 1);
		for (size_t w = 0; w < MS_ARRAY_SIZE(seeds[i].words); w++)
			seed_number(s, seeds[i].words[w], 2);
		seed_save(s, "functions", seeds[i].name);
	}
	for (uint64_t at = 72; at < 1500; at += 84) { // Parts of the table, each damaged somewhere.
		char name[32];

		seed_number(s, 3ull << 8, 2);
		for (uint64_t change = 0; change < 3; change++) {
			seed_number(s, at + change * 29, 2);
			seed_number(s, 0x81 + change * 0x3f, 1);
		}
		snprintf(name, sizeof(name), "damaged-%u", (unsigned)at);
		seed_save(s, "functions", name);
	}
}

static void span_put(struct seed *s, size_t at, const struct ms_go_layout *l, uint64_t start,
		     uint32_t sweepgen)
{
	seed_fill(s, at + l->mspan_size);
	seed_number_at(s, at + l->mspan_start, start, 8);
	seed_number_at(s, at + l->mspan_npages, 1, 8);
	seed_number_at(s, at + l->mspan_nelems, 170, l->mspan_nelems_bytes);
	seed_number_at(s, at + l->mspan_freeindex, 17, l->mspan_nelems_bytes);
	seed_number_at(s, at + l->mspan_elemsize, 48, 8);
	seed_number_at(s, at + l->mspan_spanclass, 5 * 2, 1);
	seed_number_at(s, at + l->mspan_state, 1, 1);
	seed_number_at(s, at + l->mspan_sweepgen, sweepgen, 4);
	seed_number_at(s, at + l->mspan_alloc_count, 30, 2);
}

static void goroutine_put(struct seed *s, size_t at, const struct ms_go_layout *l, uint64_t address,
			  unsigned status)
{
	seed_fill(s, at + l->g_goid + 16);
	seed_number_at(s, at + l->g_stack_lo, FUZZ_ANON_ADDR, 8);
	seed_number_at(s, at + l->g_stack_hi, FUZZ_ANON_ADDR + 2048, 8);
	seed_number_at(s, at + l->g_sched_sp, FUZZ_ANON_ADDR + 1024, 8);
	seed_number_at(s, at + l->g_sched_g, address, 8);
	seed_number_at(s, at + l->g_syscallsp, FUZZ_ANON_ADDR + 512, 8);
	seed_number_at(s, at + l->g_status, status, 4);
	seed_number_at(s, at + l->g_goid, 1, 8);
}

static void classic_put(struct seed *s, size_t at, const struct ms_go_layout *l)
{
	seed_fill(s, at + l->hmap_size);
	seed_number_at(s, at + l->hmap_count, 20, 8);
	seed_number_at(s, at + l->hmap_bucket_log2, 3, 1);
	seed_number_at(s, at + l->hmap_seed, 0x12345678, 4);
	seed_number_at(s, at + l->hmap_buckets, FUZZ_ANON_ADDR, 8);
	seed_number_at(s, at + l->hmap_oldbuckets, FUZZ_ANON_ADDR + 4096, 8);
	seed_number_at(s, at + l->hmap_nevacuate, 2, 8);
}

static void swiss_put(struct seed *s, size_t at, const struct ms_go_layout *l, unsigned depth)
{
	seed_fill(s, at + l->map_size);
	seed_number_at(s, at + l->map_used, 8, 8);
	seed_number_at(s, at + l->map_seed, 0x123456789abcdef0, 8);
	seed_number_at(s, at + l->map_dir_ptr, FUZZ_ANON_ADDR, 8);
	seed_number_at(s, at + l->map_dir_len, depth ? (uint64_t)1 << depth : 0, 8);
	seed_number_at(s, at + l->map_global_depth, depth, 1);
	seed_number_at(s, at + l->map_global_shift, depth ? 64 - depth : 0, 1);
}

static void table_put(struct seed *s, size_t at, const struct ms_go_layout *l)
{
	seed_fill(s, at + l->table_size);
	seed_number_at(s, at + l->table_used, 50, 2);
	seed_number_at(s, at + l->table_capacity, 64, 2);
	seed_number_at(s, at + l->table_growth_left, 4, 2);
	seed_number_at(s, at + l->table_local_depth, 2, 1);
	seed_number_at(s, at + l->table_groups, FUZZ_ANON_ADDR, 8);
	seed_number_at(s, at + l->table_length_mask, 7, 8);
}

static void headers_save(struct seed *s, size_t row, const char *kind)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%zu", kind, row);
	seed_save(s, "map_headers", name);
	layout_put(s, ms_go_layout_at(row));
	seed_number(s, 20, 4);
}

static void map_headers_seeds(struct seed *s)
{
	static const uint8_t tags[] = { 5, 200, 1, 17, 0, 0, 0, 0 };
	static const uint8_t evacuated[] = { 2, 3, 4, 4, 2, 3, 4, 4 };
	static const uint8_t control[] = { 0, 0x7f, 0x80, 1, 0x80, 0x80, 0x80, 0x80 };

	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *l = seed_layout(i);

		if (!l)
			continue;
		*s = (struct seed){ 0 };
		layout_put(s, l);
		seed_number(s, 20, 4);
		span_put(s, s->size, l, FUZZ_ANON_ADDR, 18);
		headers_save(s, i, "span");
		goroutine_put(s, s->size, l, FUZZ_ANON_ADDR, 3);
		headers_save(s, i, "goroutine");
		if (l->maps == MS_GO_MAPS_CLASSIC) {
			classic_put(s, s->size, l);
			headers_save(s, i, "classic");
			seed_bytes(s, tags, sizeof(tags));
			headers_save(s, i, "tags");
			seed_bytes(s, evacuated, sizeof(evacuated));
			headers_save(s, i, "evacuated");
			continue;
		}
		swiss_put(s, s->size, l, 0);
		headers_save(s, i, "swiss-small");
		swiss_put(s, s->size, l, 3);
		headers_save(s, i, "swiss-large");
		table_put(s, s->size, l);
		headers_save(s, i, "table");
		seed_bytes(s, control, sizeof(control));
		headers_save(s, i, "control");
	}
	*s = (struct seed){ 0 };
}

// --- A data segment and the memory behind it. ---

enum { ANON_SPANS = 512, ANON_GOROUTINES = 1536, ANON_POINTERS = 64, TABLES_AT = 1024 };

static void module_put(struct seed *s, size_t at, const struct ms_go_layout *l, uint64_t data_end)
{
	static const uint64_t data = FUZZ_DATA_ADDR;

	seed_fill(s, at + l->module_next + 8);
	seed_number_at(s, at, FUZZ_TABLE_ADDR, 8);
	seed_number_at(s, at + l->module_funcnametab, FUZZ_TABLE_ADDR + FUZZ_NAMES_OFFSET, 8);
	seed_number_at(s, at + l->module_pclntable, FUZZ_TABLE_ADDR + 256, 8);
	seed_number_at(s, at + l->module_ftab + 8, FUZZ_FUNCTIONS + 1, 8);
	seed_number_at(s, at + l->module_minpc, FUZZ_EXE_VADDR, 8);
	seed_number_at(s, at + l->module_maxpc, FUZZ_EXE_VADDR + 64, 8);
	seed_number_at(s, at + l->module_text, FUZZ_EXE_VADDR, 8);
	seed_number_at(s, at + l->module_etext, FUZZ_EXE_VADDR + 64, 8);
	seed_number_at(s, at + l->module_noptrdata, data, 8);
	seed_number_at(s, at + l->module_enoptrdata, data_end, 8);
	seed_number_at(s, at + l->module_data, data, 8);
	seed_number_at(s, at + l->module_edata, data, 8);
	seed_number_at(s, at + l->module_bss, data_end, 8);
	seed_number_at(s, at + l->module_ebss, data_end, 8);
	seed_number_at(s, at + l->module_noptrbss, data_end, 8);
	seed_number_at(s, at + l->module_enoptrbss, data_end + 4096, 8);
	seed_number_at(s, at + l->module_types, FUZZ_TYPES_ADDR, 8);
	seed_number_at(s, at + l->module_etypes, FUZZ_TYPES_ADDR + 4096, 8);
	seed_number_at(s, at + l->module_next, data, 8); // Itself, again and again.
}

static void slice_put(struct seed *s, size_t at, uint64_t to, uint64_t len, uint64_t cap)
{
	seed_number_at(s, at, to, 8);
	seed_number_at(s, at + 8, len, 8);
	seed_number_at(s, at + 16, cap, 8);
}

/** Pointers to two spans and two goroutines, and these. */
static void anon_put(struct seed *s, const struct ms_go_layout *l)
{
	size_t base = s->size;

	for (unsigned i = 0; i < ANON_POINTERS; i++)
		seed_number(s, FUZZ_ANON_ADDR + ANON_SPANS + (i & 1 ? l->mspan_size : 0), 8);
	span_put(s, base + ANON_SPANS, l, FUZZ_ANON_ADDR, 18);
	span_put(s, base + ANON_SPANS + l->mspan_size, l, FUZZ_ANON_ADDR, 20);
	goroutine_put(s, base + ANON_GOROUTINES + 16, l, FUZZ_ANON_ADDR + ANON_GOROUTINES + 16, 3);
	seed_number_at(s, base + ANON_GOROUTINES, FUZZ_ANON_ADDR + ANON_GOROUTINES + 16, 8);
	seed_number_at(s, base + ANON_GOROUTINES + 8, FUZZ_ANON_ADDR + ANON_GOROUTINES + 16, 8);
}

enum { SEGMENT_BYTES = TABLES_AT + 128 };

/** A whole process; *ret_segment and *ret_anon are where its parts start. */
static void process_put(struct seed *s, const struct ms_go_layout *l, size_t *ret_segment,
			size_t *ret_anon)
{
	size_t base;

	layout_put(s, l);
	seed_number(s, SEGMENT_BYTES, 2);
	seed_number(s, TABLES_AT, 2);
	base = s->size;
	module_put(s, base + 64, l, FUZZ_DATA_ADDR + SEGMENT_BYTES);
	slice_put(s, base + TABLES_AT, FUZZ_ANON_ADDR, ANON_POINTERS, 8192);
	slice_put(s, base + TABLES_AT + 64, FUZZ_ANON_ADDR + ANON_GOROUTINES, 2, 2);
	seed_number_at(s, base + TABLES_AT - l->mheap_sweepgen_to_allspans, 20, 4);
	seed_fill(s, base + SEGMENT_BYTES);
	*ret_segment = base;
	*ret_anon = s->size;
	anon_put(s, l);
}

/** Lengths that only a hostile process has. */
static void hostile_data_seeds(struct seed *s)
{
	const struct ms_go_layout *l = ms_go_layout_at(0);
	size_t segment, anon, span;

	process_put(s, l, &segment, &anon);
	seed_number_at(s, segment + 64 + l->module_enoptrbss, (uint64_t)1 << 56, 8);
	seed_save(s, "go_data", "endless-bss");
	process_put(s, l, &segment, &anon);
	span = anon + ANON_SPANS;
	seed_number_at(s, span + l->mspan_npages, 1 << 30, 8);
	seed_save(s, "go_data", "span-of-8-tib");
	process_put(s, l, &segment, &anon);
	seed_number_at(s, span + l->mspan_npages, 1 << 28, 8);
	seed_number_at(s, span + l->mspan_elemsize, (uint64_t)1 << 40, 8);
	seed_number_at(s, span + l->mspan_nelems, (uint64_t)1 << 24, 8);
	seed_save(s, "go_data", "objects-beyond-span");
	process_put(s, l, &segment, &anon);
	seed_number_at(s, segment + TABLES_AT + 8, (uint64_t)1 << 40, 8);
	seed_number_at(s, segment + TABLES_AT + 16, (uint64_t)1 << 40, 8);
	seed_save(s, "go_data", "endless-table");
}

static void go_data_seeds(struct seed *s)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *l = seed_layout(i);
		size_t segment, anon;
		char name[32];

		if (!l)
			continue;
		process_put(s, l, &segment, &anon);
		snprintf(name, sizeof(name), "row-%zu", i);
		seed_save(s, "go_data", name);
	}
	hostile_data_seeds(s);
}

static void version_seeds(struct seed *s)
{
	static const char *const versions[] = { "go1.24.13", "go1.24.13", "devel go1.28-a1b2",
						"go1.26.1-X:nogreenteagc", "gopher" };
	uint64_t at = FUZZ_TYPES_ADDR;

	seed_number(s, 16 * MS_ARRAY_SIZE(versions) + 8, 2);
	seed_number(s, 0, 8);
	for (size_t i = 0; i < MS_ARRAY_SIZE(versions); i++) {
		seed_number(s, at, 8);
		seed_number(s, strlen(versions[i]), 8);
		at += strlen(versions[i]);
	}
	for (size_t i = 0; i < MS_ARRAY_SIZE(versions); i++)
		seed_text(s, versions[i]);
	seed_save(s, "version", "strings");
}

// --- Recordings. ---

static void item_put(struct seed *s, uint64_t start, uint64_t second, uint64_t offset,
		     uint32_t kind, uint32_t prot)
{
	seed_number(s, start, 8);
	seed_number(s, second, 8);
	seed_number(s, offset, 8);
	seed_number(s, kind, 4);
	seed_number(s, prot, 4);
}

static void chunk_put(struct seed *s, unsigned kind, unsigned items, size_t size)
{
	seed_number(s, kind, 1);
	seed_number(s, items, 2);
	seed_number(s, size, 2);
	seed_number(s, 0, 1);
}

static void recording_seeds(struct seed *s)
{
	static const char text[] = "release: go1.24.13\ncommand: service -x\ndate: 2026-11-30\n"
				   "arch: amd64\nnote: small\nother: key\n";
	const uint64_t exe = FUZZ_EXE_VADDR;

	seed_number(s, 1, 1);
	seed_number(s, sizeof(text) - 1, 2);
	seed_number(s, 8192, 4);
	seed_text(s, text);
	chunk_put(s, MS_RECORD_REGIONS, 3, 3 * MS_RECORD_ITEM_SIZE);
	item_put(s, exe, exe + 4096, 0, 1, 5);
	item_put(s, exe + 4096, exe + 8192, 4096, 1, 3);
	item_put(s, FUZZ_ANON_ADDR, FUZZ_ANON_ADDR + 65536, 0, 0, 3);
	chunk_put(s, MS_RECORD_EXE, 2, 2 * MS_RECORD_ITEM_SIZE + 64);
	item_put(s, 0, 64, 0, MS_RECORD_BYTES, 0);
	item_put(s, 64, 4032, 0, MS_RECORD_ZEROS, 0);
	seed_fill(s, s->size + 64);
	chunk_put(s, MS_RECORD_MEMORY, 4, 4 * MS_RECORD_ITEM_SIZE + 32);
	item_put(s, exe, 4096, 0, MS_RECORD_SAME, 0);
	item_put(s, FUZZ_ANON_ADDR, 16, 0, MS_RECORD_BYTES, 0);
	item_put(s, FUZZ_ANON_ADDR + 16, 16, 0, MS_RECORD_BYTES, 0);
	item_put(s, FUZZ_ANON_ADDR + 32, 16384, 0, MS_RECORD_ZEROS, 0);
	seed_fill(s, s->size + 32);
	seed_save(s, "recording", "small");
	seed_number(s, 0, 1);
	seed_text(s, MS_RECORD_MAGIC);
	seed_number(s, MS_RECORD_VERSION, 4);
	seed_number(s, 0, 4);
	seed_number(s, 0, 8);
	seed_number(s, MS_RECORD_END, 4);
	seed_fill(s, s->size + 8);
	seed_number(s, MS_RECORD_CRC_SIZE, 4);
	seed_number(s, 0, 4);
	seed_save(s, "recording", "empty");
}

// --- The rest. ---

static void dwarf_seeds(struct seed *s)
{
	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *l = seed_layout(i);
		unsigned pick = i % 2;
		char name[32];

		if (!l || i % 3)
			continue;
		seed_dwarf(s, l, pick);
		snprintf(name, sizeof(name), "row-%zu", i);
		seed_save(s, "dwarf", name);
	}
}

static void globals_seeds(struct seed *s)
{
	seed_globals(s, 4);
	seed_save(s, "globals", "dwarf-4");
	seed_globals(s, 5);
	seed_save(s, "globals", "dwarf-5");
}

static void code_seeds(struct seed *s)
{
	bool has_arm64 = false;

	for (size_t i = 0; i < ms_go_layout_count(); i++) {
		const struct ms_go_layout *l = ms_go_layout_at(i);
		char name[32];

		snprintf(name, sizeof(name), "row-%zu", i);
		if (l->arch == MS_ARCH_ARM64 && !has_arm64) {
			has_arm64 = true;
			seed_code_arm64(s, l);
			seed_save(s, "code", name);
		} else if (l->arch == MS_ARCH_AMD64 && i % 6 == 0) {
			seed_code_amd64(s, l);
			seed_save(s, "code", name);
		}
	}
	seed_save(s, "code", "nothing");
}

/** Fields outside of the structs that they are said to be in. */
static void hostile_dwarf_seeds(struct seed *s)
{
	struct ms_go_layout l = *ms_go_layout_at(0);

	l.hmap_extra = l.hmap_size + 4096;
	seed_dwarf(s, &l, 0);
	seed_save(s, "dwarf", "field-behind-header");
	l = *ms_go_layout_at(0);
	l.mspan_state = l.mspan_size;
	seed_dwarf(s, &l, 0);
	seed_save(s, "dwarf", "field-behind-span");
	l = *ms_go_layout_at(0);
	l.mspan_size = 1 << 30;
	seed_dwarf(s, &l, 0);
	seed_save(s, "dwarf", "mspan-of-1-gib");
}

/** Changes at places spread over the recording: a census has to cope with each. */
static void census_seeds(struct seed *s)
{
	uint64_t random = 1;

	for (unsigned i = 0; i < 20; i++) {
		char name[32];

		seed_number(s, i % 5, 1);
		for (unsigned c = 0; c < 8 * (i / 5); c++) {
			random = random * 6364136223846793005 + 1442695040888963407;
			seed_number(s, random >> 20, 2);
			seed_number(s, random >> 36 & 63, 2);
			seed_number(s, random >> 44, 1);
			seed_number(s, random >> 13, 8);
		}
		snprintf(name, sizeof(name), "changes-%u", i);
		seed_save(s, "census", name);
	}
}

/** The same for maps that are opened, from different ones on. */
static void inspect_seeds(struct seed *s)
{
	for (unsigned i = 0; i < 24; i++) {
		char name[32];

		seed_number(s, i, 1);
		seed_number(s, i * 37, 2);
		seed_number(s, i % 5, 1);
		seed_changes(s, i % 8, i + 100);
		snprintf(name, sizeof(name), "changes-%u", i);
		seed_save(s, "inspect", name);
	}
}

/** A small document of a census, whole, of another schema and with odd values. */
static void snapshot_seeds(struct seed *s)
{
	static const char *const documents[] = {
		("{\"schema\":\"mapscope.census/1\",\"target\":{\"pid\":7,\"exe\":\"/a\"},"
		 "\"partial\":false,\"coverage\":{\"seen\":1,\"read\":1,\"skipped\":{\"x\":1}},"
		 "\"cost\":{\"wall_s\":0.5,\"gc_age_s\":null},\"memory\":{\"heap_bytes\":4096},"
		 "\"owners\":[{\"owner\":\"main.a\",\"type\":null,\"maps\":1,\"kind\":\"swiss\"}],"
		 "\"maps\":[{\"address\":\"0xc000\",\"kind\":\"classic\",\"tables\":null,"
		 "\"growing\":true,\"growth\":{\"from\":8,\"to\":16,\"progress\":0.5,"
		 "\"same_size\":false},\"where\":\"stack\",\"confidence\":\"changed\","
		 "\"type_source\":\"dwarf\",\"directory_depth\":3}]}"),
		"{\"schema\":\"mapscope.diff/1\"}",
		"{\"tool\":null}",
		("{\"schema\":\"mapscope.census/1\",\"filter\":{\"owner\":\"a\"},\"new\":[[[1]]],"
		 "\"owners\":[1,[],{\"maps\":18446744073709551615}],\"maps\":[]}"),
		"{\"schema\":\"mapscope.census/1\",\"target\":{\"exe\":\"a\\u0000\"}}",
		"{\"schema\":\"mapscope.census/1\",\"partial\":1,\"maps\":{}}",
		"{\"schema\":\"mapscope.census/1\",\"maps\":[{\"address\":\"c0\"}]}",
		"{\"schema\":\"mapscope.census/1\",\"maps\":[{\"kind\":\"oval\"}]}",
		"{\"schema\":\"mapscope.census/1\",\"never_written\":{}}",
		"{\"schema\":\"mapscope.census/1\",\"partial\":null}",
		"[1]",
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(documents); i++) {
		char name[32];

		seed_number(s, i * 20, 1);
		seed_bytes(s, documents[i], strlen(documents[i]));
		snprintf(name, sizeof(name), "document-%zu", i);
		seed_save(s, "snapshot", name);
	}
}

/** A small census as columns, and as a whole file; one of owners alone. */
static void snapshot_file_seeds(struct seed *s)
{
	static struct ms_map_row maps[] = {
		{ .address = 0xc000010030,
		  .type = "map[string]int",
		  .owner = "main.a",
		  .entries = 9,
		  .capacity = 16,
		  .growing = true,
		  .growth = { 8, 16, 0.5, false } },
		{ .address = 0xc000010060,
		  .type = "map[string]int",
		  .entries = MS_UNKNOWN,
		  .kind = MS_MAP_SWISS,
		  .confidence = MS_CONFIDENCE_CHANGED,
		  .tables = 2 },
	};
	static struct ms_owner_row owners[] = { { .owner = "main.a", .maps = 2, .entries = 9 } };
	const struct ms_census_report report = { .target = { .pid = 7, .exe = "/a" },
						 .maps = maps,
						 .map_count = MS_ARRAY_SIZE(maps),
						 .owners = owners,
						 .owner_count = MS_ARRAY_SIZE(owners) };

	for (unsigned i = 0; i < 4; i++) {
		enum ms_snapshot_rows rows = i & 1 ? MS_SNAPSHOT_OWNERS : MS_SNAPSHOT_MAPS;
		struct ms_bytes bytes = { 0 };
		struct ms_error *err = i & 2 ? ms_snapshot_pack(&report, rows, 5, &bytes)
					     : ms_snapshot_columns_write(&report, rows, &bytes);
		char name[32];

		if (err)
			exit(EXIT_FAILURE);
		seed_bytes(s, bytes.items, bytes.count);
		snprintf(name, sizeof(name), "census-%u", i);
		seed_save(s, "snapshot_file", name);
		free(bytes.items);
	}
}

/** Budgets that can be meant, and some that cannot. */
static void budget_seeds(struct seed *s)
{
	static const char *const budgets[] = {
		("# all\nmain\\.a entries<=5 bytes<=64MB # here\n\"b <- c\" slack<=1KiB maps<=0\n* "
		 "bytes<=2GB\n"),
		"main bytez<=1",
		"main bytes<=1mb",
		"main entries<=1k",
		"main maps<=1 maps<=2",
		"(main bytes<=1",
		"\"main bytes<=1",
		"main",
		"\n",
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(budgets); i++) {
		char name[32];

		seed_bytes(s, budgets[i], strlen(budgets[i]));
		snprintf(name, sizeof(name), "budget-%zu", i);
		seed_save(s, "budget", name);
	}
}

/** One for each form that maps and descriptors have had. */
static void walk_seeds(struct seed *s)
{
	static const struct {
		const char *name;
		int release;
		unsigned experiments;
	} rows[] = {
		{ "go1.18", MS_GO(1, 18), 0 },
		{ "go1.22", MS_GO(1, 22), 0 },
		{ "go1.24", MS_GO(1, 24), MS_GO_EXP_SWISS },
		{ "go1.27-split", MS_GO(1, 27),
		  MS_GO_EXP_SWISS | MS_GO_EXP_GREENTEA | MS_GO_EXP_SPLIT_GROUP },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(rows); i++) {
		const struct ms_go_layout *l =
		    ms_go_layout_find(rows[i].release, MS_ARCH_AMD64, rows[i].experiments);

		if (!l)
			abort();
		layout_put(s, l);
		seed_walk(s, l);
		seed_save(s, "walk", rows[i].name);
	}
}

/** Three buckets, with counts of bytes or without; @p wrong: a word of the first that is changed.
 */
static void memory_profile_seed(struct seed *s, const char *name, unsigned cycle_words,
				size_t wrong, uint64_t value)
{
	enum { BUCKETS = 3, HEAD_WORDS = 6, STACK = 4 };
	const uint64_t bytes = 8 * (HEAD_WORDS + STACK + 4 * cycle_words), code = 0x401050;

	seed_number(s, 0, 2);
	for (uint64_t i = 0; i < BUCKETS; i++) {
		size_t at = s->size;
		uint64_t size = 100 * (i + 1);
		const uint64_t head[HEAD_WORDS] = {
			0, i + 1 < BUCKETS ? 0x7f0000000000 + (i + 1) * bytes : 0, 1, 0, size, STACK
		};

		seed_bytes(s, head, sizeof(head));
		for (unsigned k = 0; k < STACK; k++)
			seed_number(s, code, 8);
		for (unsigned k = 0; k < 4; k++) {
			seed_number(s, 5 + k, 8);
			seed_number(s, k, 8);
			if (cycle_words == 4) {
				seed_number(s, (5 + k) * size, 8);
				seed_number(s, k * size, 8);
			}
		}
		if (!i && wrong)
			seed_number_at(s, at + wrong * 8, value, 8);
	}
	seed_save(s, "memory_profile", name);
}

static void memory_profile_seeds(struct seed *s)
{
	memory_profile_seed(s, "go1.26", 4, 0, 0);
	memory_profile_seed(s, "go1.27", 2, 0, 0);
	memory_profile_seed(s, "round", 4, 1, 0x7f0000000000);
	memory_profile_seed(s, "nowhere", 4, 1, 0x7f0000100000);
	memory_profile_seed(s, "blocks", 4, 2, 2);
	memory_profile_seed(s, "long", 4, 5, 1024);
	memory_profile_seed(s, "no-code", 4, 6, 1);
}

/** Each recording as it is and with changes, from the start and while it is looked at. */
static void recorded_seeds(struct seed *s)
{
	for (unsigned i = 0; i < 10; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s-%u", i < 5 ? "as-it-is" : "changed", i % 5);
		seed_number(s, i % 5, 1);
		seed_number(s, 0, 1);
		seed_number(s, 8, 1);
		seed_changes(s, i < 5 ? 0 : 24, i);
		seed_save(s, "goroutines", name);
		seed_number(s, i % 5, 1);
		seed_number(s, 0, 1);
		seed_number(s, 4, 1);
		seed_number(s, 1, 1);
		seed_changes(s, i < 5 ? 0 : 24, i);
		seed_save(s, "trace", name);
		seed_events(s, i % 5, i < 5 ? 10 : 40);
		seed_save(s, "growth_events", name);
		seed_samples(s, i % 5, i < 5 ? 0 : 3);
		seed_save(s, "cpu_records", name);
	}
}

static void probe_site_seeds(struct seed *s)
{
	static const struct {
		const char *name;
		uint8_t size, bytes[24];
	} functions[] = {
		{ "push", 5, { 0x55, 0x48, 0x89, 0xe5, 0xc3 } },
		{ "stack-check",
		  15,
		  { 0x49, 0x3b, 0x66, 0x10, 0x76, 2, 0xc3, 0x90, 0xe8, 0, 0, 0, 0, 0xeb, 0xf1 } },
		{ "large-frame", 23, { 0x4c, 0x8d, 0x64, 0x24, 0xf8, 0x4d, 0x3b, 0x66,
				       0x10, 0x76, 5,    0x48, 0x83, 0xec, 0x20, 0xc3,
				       0xe8, 0,    0,    0,    0,    0xeb, 0xe9 } },
		{ "loop", 6, { 0x48, 0x89, 0xd2, 0x90, 0xeb, 0xfb } },
	};
	static const uint32_t arm64[] = { 0xf9400b90, 0xeb3063ff, 0x54000069, 0xf81e0ffe,
					  0xd65f03c0, 0x94000000, 0x17fffffb };

	for (size_t i = 0; i < MS_ARRAY_SIZE(functions); i++) {
		seed_number(s, 0, 1);
		seed_number(s, 1u << 0 | 1u << 3 | 1u << 1 | 1u << 14, 4);
		seed_bytes(s, functions[i].bytes, functions[i].size);
		seed_save(s, "probe_site", functions[i].name);
	}
	seed_number(s, 1, 1);
	seed_number(s, 7 | 1u << 28 | 1u << 30, 4);
	seed_bytes(s, arm64, sizeof(arm64));
	seed_save(s, "probe_site", "arm64-stack-check");
}

static void registry_seeds(struct seed *s)
{
	const char *name;

	for (unsigned i = 0; (name = seed_registry(s, i)); i++)
		seed_save(s, "registry", name);
	for (unsigned i = 0; (name = seed_hmap_tables(s, i)); i++)
		seed_save(s, "hmap_tables", name);
}

int main(int argc, char **argv)
{
	MS_AUTO_FREE struct seed *s = calloc(1, sizeof(*s));

	if (argc != 2 || !s) {
		fprintf(stderr, "usage: fuzz-seeds FOLDER\n");
		return EXIT_FAILURE;
	}
	folder = argv[1];
	mkdir(folder, 0777);
	elf_seeds(s);
	pclntab_seeds(s);
	build_info_seeds(s);
	proc_maps_seeds(s);
	core_seeds(s);
	types_seeds(s);
	functions_seeds(s);
	map_headers_seeds(s);
	go_data_seeds(s);
	version_seeds(s);
	recording_seeds(s);
	dwarf_seeds(s);
	globals_seeds(s);
	code_seeds(s);
	hostile_dwarf_seeds(s);
	census_seeds(s);
	snapshot_seeds(s);
	snapshot_file_seeds(s);
	budget_seeds(s);
	walk_seeds(s);
	inspect_seeds(s);
	memory_profile_seeds(s);
	recorded_seeds(s);
	probe_site_seeds(s);
	registry_seeds(s);
	return EXIT_SUCCESS;
}
