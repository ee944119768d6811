// c_symbols.c - libdwfl over the files that a process has mapped.
//
// Files are opened through the process's own root and /proc/PID/exe, so that a program in a
// container, or one whose file was replaced, has the symbols of what it runs.
#include "registry/c_symbols.h"

#include "base/cleanup.h"
#include "base/number_map.h"
#include "target/core.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

struct ms_c_symbols {
	struct ms_target *target;
	pid_t pid;
	char exe[PATH_MAX];  // As the process's list of mappings has it.
	char root[PATH_MAX]; // Likewise; "" where that list's paths are from its root on.
	Dwfl *dwfl;
	bool can_unwind;
	const struct ms_c_thread_state *state; // While it is unwound.
	ms_addr *pcs;
	size_t pc_count;
	bool is_lost; // Its last frame's caller could not be found.
};

// --- Files. ---

/** dwfl hands on no context with a module: there is one process at a time. */
static const struct ms_c_symbols *opening;

/** @p path as the process itself would write it: one that called chroot has it from there on. */
static const char *in_root(const struct ms_c_symbols *s, const char *path)
{
	size_t size = strlen(s->root);

	return !strncmp(path, s->root, size) && path[size] == '/' ? path + size : path;
}

static int open_module(const struct ms_c_symbols *s, const char *path)
{
	char through[PATH_MAX + 32];

	if (s->exe[0] && !strcmp(path, s->exe))
		snprintf(through, sizeof(through), "/proc/%d/exe", (int)s->pid);
	else
		snprintf(through, sizeof(through), "/proc/%d/root%s", (int)s->pid,
			 in_root(s, path));
	return open(through, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	int fd = opening && name[0] == '/' ? open_module(opening, name) : -1;

	if (fd < 0)
		return name[0] == '/'
			   ? -1
			   : dwfl_linux_proc_find_elf(module, userdata, name, base, file_name, elf);
	*file_name = strdup(name);
	if (*file_name)
		return fd;
	close(fd);
	return -1;
}

static char *debug_path = NULL; // Debian's usual places.

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.debuginfo_path = &debug_path,
};

/** What /proc/PID/@p name leads to; "" where that cannot be seen. */
static void read_link(pid_t pid, const char *name, char *ret_path, size_t size)
{
	char link[32];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%d/%s", (int)pid, name);
	length = readlink(link, ret_path, size - 1);
	ret_path[length > 0 ? length : 0] = '\0';
}

/**
 * Of a core file, the program alone: it is known to be the right file.  A library that is here may
 * be another one than was there.
 */
static void report_core(struct ms_c_symbols *s, const struct ms_core_info *info)
{
	const struct ms_core_file *file = info->file;
	ms_addr start = 0;
	Elf64_Half type = ET_NONE;
	int fd;

	for (size_t i = 0; i < file->mappings.count && !start; i++) {
		const struct ms_core_mapping *m = &file->mappings.items[i];

		if (info->exe && !m->file_offset && !strcmp(m->path, info->exe))
			start = m->start;
	}
	fd = start ? fcntl(ms_target_exe_fd(s->target), F_DUPFD_CLOEXEC, 0) : -1;
	if (fd < 0)
		return;
	if (pread(fd, &type, sizeof(type), offsetof(Elf64_Ehdr, e_type)) != sizeof(type) ||
	    !dwfl_report_elf(s->dwfl, info->exe, info->exe, fd, type == ET_EXEC ? 0 : start,
			     type == ET_EXEC))
		close(fd);
}

struct ms_error *ms_c_symbols_open(struct ms_target *target, struct ms_c_symbols **ret_symbols)
{
	const struct ms_core_info *core = ms_core_info(target);
	struct ms_c_symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return ms_error_no_memory();
	s->target = target;
	s->pid = target->pid;
	read_link(s->pid, "exe", s->exe, sizeof(s->exe));
	read_link(s->pid, "root", s->root, sizeof(s->root));
	if (!strcmp(s->root, "/"))
		s->root[0] = '\0';
	s->dwfl = dwfl_begin(&callbacks);
	if (!s->dwfl) {
		ms_c_symbols_close(s);
		return ms_error_no_memory();
	}
	if (core)
		report_core(s, core);
	else if (s->pid)
		(void)dwfl_linux_proc_report(s->dwfl, s->pid); // Without it, there are no names.
	(void)dwfl_report_end(s->dwfl, NULL, NULL);
	*ret_symbols = s;
	return NULL;
}

void ms_c_symbols_close(struct ms_c_symbols *s)
{
	if (!s)
		return;
	dwfl_end(s->dwfl);
	free(s);
}

// --- Names. ---

static const char *keep(struct ms_arena *arena, const char *text)
{
	return text ? ms_arena_strndup(arena, text, strlen(text)) : NULL;
}

/** Code of libhmap, by its name or its file: what it does is no line of the program's. */
static bool is_machinery(const struct ms_stack_call *call)
{
	const char *function = call->function, *file = call->file;

	return (function && (!strncmp(function, "hmap_", 5) || !strncmp(function, "hmapi_", 6))) ||
	       (file && (strstr(file, "src/hmap/") || strstr(file, "include/hmap/")));
}

/**
 * A typed map's functions are made by a macro: each stands on one line of the program, that of the
 * macro.  Such a one right above libhmap's code is machinery, too.
 */
static void mark_machinery(struct ms_stack_call *calls, const int *decl_lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool below = i == 0 || calls[i - 1].is_runtime;

		calls[i].is_runtime =
		    is_machinery(&calls[i]) ||
		    (below && decl_lines[i] && (uint32_t)decl_lines[i] == calls[i].line);
	}
}

/** Whether a module is libhmap itself, of which nothing but its file may be known. */
static bool is_of_library(Dwfl_Module *module)
{
	const char *path = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
	const char *slash = path ? strrchr(path, '/') : NULL;

	return path && !strncmp(slash ? slash + 1 : path, "libhmap.so", 10);
}

/** Where the function that @p die was inlined from was called. */
static void call_place(Dwarf_Die *cu, Dwarf_Die *die, const char **ret_file, int *ret_line)
{
	Dwarf_Attribute attr;
	Dwarf_Word word;
	Dwarf_Files *files;
	size_t count;

	*ret_file = NULL;
	*ret_line = 0;
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attr), &word) == 0 && word < INT_MAX)
		*ret_line = (int)word;
	if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attr), &word) == 0 &&
	    dwarf_getsrcfiles(cu, &files, &count) == 0 && word < count)
		*ret_file = dwarf_filesrc(files, (size_t)word, NULL, NULL);
}

/**
 * What encloses @p pc, innermost first; how many.  dwarf_getscopes leaves an inlined function for
 * the place where it is written, so what encloses the innermost is asked for again.
 */
static int scopes_at(Dwarf_Die *cu, Dwarf_Addr pc, Dwarf_Die **ret_scopes)
{
	Dwarf_Die *innermost = NULL;
	int count = cu ? dwarf_getscopes(cu, pc, &innermost) : 0;

	*ret_scopes = NULL;
	if (count > 0)
		count = dwarf_getscopes_die(&innermost[0], ret_scopes);
	free(innermost);
	return count;
}

/** The compilation unit that has @p pc: by the table of ranges, which clang leaves out, or by
 * asking each of them. */
static Dwarf_Die *unit_at(Dwfl_Module *module, ms_addr pc, Dwarf_Addr *ret_bias)
{
	Dwarf_Die *cu = dwfl_module_addrdie(module, pc, ret_bias);

	if (cu)
		return cu;
	while ((cu = dwfl_module_nextcu(module, cu, ret_bias)))
		if (dwarf_haspc(cu, pc - *ret_bias) == 1)
			return cu;
	return NULL;
}

/** Calls by debug information, as far as there is any; how many. */
static size_t calls_of_dwarf(Dwfl_Module *module, ms_addr pc, struct ms_arena *arena,
			     struct ms_stack_call *calls, int *decl_lines)
{
	Dwarf_Addr bias = 0;
	Dwarf_Die *cu = unit_at(module, pc, &bias), *scopes = NULL;
	Dwarf_Line *at = cu ? dwarf_getsrc_die(cu, pc - bias) : NULL;
	int line = 0, found = scopes_at(cu, pc - bias, &scopes);
	const char *file = at ? dwarf_linesrc(at, NULL, NULL) : NULL;
	size_t count = 0;

	(void)dwarf_lineno(at, &line);
	for (int i = 0; i < found && count < MS_C_INLINED_MAX; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		decl_lines[count] = 0;
		(void)dwarf_decl_line(&scopes[i], &decl_lines[count]);
		calls[count++] =
		    (struct ms_stack_call){ .function = keep(arena, dwarf_diename(&scopes[i])),
					    .file = keep(arena, file),
					    .line = line > 0 ? (uint32_t)line : 0,
					    .is_inlined = tag == DW_TAG_inlined_subroutine,
					    .pc = pc };
		if (tag == DW_TAG_subprogram)
			break;
		call_place(cu, &scopes[i], &file, &line);
	}
	free(scopes);
	return count;
}

/** By the symbol table, or by no more than the module. */
static struct ms_stack_call call_of_symbol(Dwfl_Module *module, ms_addr pc, struct ms_arena *arena)
{
	struct ms_stack_call call = { .pc = pc };
	Dwarf_Addr start = 0;
	GElf_Off offset;
	GElf_Sym symbol;
	const char *path =
	    module ? dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL, NULL) : NULL;
	const char *name =
	    module ? dwfl_module_addrinfo(module, pc, &offset, &symbol, NULL, NULL, NULL) : NULL;
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (name)
		call.function = keep(arena, name);
	else if (path)
		call.function = ms_arena_printf(arena, "%s+0x%llx", slash ? slash + 1 : path,
						(unsigned long long)(pc - start));
	else
		call.function = ms_arena_printf(arena, "0x%llx", (unsigned long long)pc);
	return call;
}

struct ms_error *ms_c_symbols_calls(struct ms_c_symbols *s, ms_addr pc, bool is_return,
				    struct ms_arena *arena, struct ms_stack_call *ret_calls,
				    size_t *ret_count)
{
	ms_addr at = is_return && pc ? pc - 1 : pc;
	int decl_lines[MS_C_INLINED_MAX] = { 0 };
	Dwfl_Module *module;
	size_t count = 0;

	opening = s;
	module = dwfl_addrmodule(s->dwfl, at);
	if (module)
		count = calls_of_dwarf(module, at, arena, ret_calls, decl_lines);
	if (!count || !ret_calls[count - 1].function) {
		ret_calls[0] = call_of_symbol(module, at, arena);
		count = 1;
	}
	opening = NULL;
	for (size_t i = 0; i < count; i++) {
		if (!ret_calls[i].function)
			return ms_error_no_memory();
	}
	mark_machinery(ret_calls, decl_lines, count);
	if (module && is_of_library(module)) {
		for (size_t i = 0; i < count; i++)
			ret_calls[i].is_runtime = true;
	}
	*ret_count = count;
	return NULL;
}

// --- Probes. ---

enum { PROBE_ADDRESSES = 3, NOTE_STAPSDT = 3 }; // Of the instruction, a base, a semaphore.

/** Whether a note is of the probe: three addresses, then the texts provider, name, arguments. */
static bool is_probe(const char *note, size_t size, const char *provider, const char *name)
{
	const size_t at = PROBE_ADDRESSES * sizeof(uint64_t), provider_size = strlen(provider) + 1,
		     name_size = strlen(name) + 1;

	return size >= at + provider_size + name_size &&
	       memcmp(note + at, provider, provider_size) == 0 &&
	       memcmp(note + at + provider_size, name, name_size) == 0;
}

static bool section_has_probe(Elf_Scn *section, const char *provider, const char *name)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t pos = 0, name_at, body_at, next;
	GElf_Nhdr note;

	while (data && (next = gelf_getnote(data, pos, &note, &name_at, &body_at)) > 0) {
		if (note.n_type == NOTE_STAPSDT && note.n_namesz == sizeof("stapsdt") &&
		    memcmp((char *)data->d_buf + name_at, "stapsdt", sizeof("stapsdt")) == 0 &&
		    is_probe((char *)data->d_buf + body_at, note.n_descsz, provider, name))
			return true;
		pos = next;
	}
	return false;
}

bool ms_c_symbols_has_probe(struct ms_c_symbols *s, ms_addr addr, const char *provider,
			    const char *name)
{
	Dwfl_Module *module = dwfl_addrmodule(s->dwfl, addr);
	Elf_Scn *section = NULL;
	GElf_Addr bias;
	Elf *elf;

	opening = s;
	elf = module ? dwfl_module_getelf(module, &bias) : NULL;
	opening = NULL;
	while (elf && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE &&
		    section_has_probe(section, provider, name))
			return true;
	}
	return false;
}

// --- Stacks. ---

static pid_t next_thread(Dwfl *dwfl, void *context, void **thread)
{
	(void)dwfl;
	if (*thread)
		return 0;
	*thread = context;
	return 1;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result, void *context)
{
	struct ms_c_symbols *s = context;
	const struct ms_c_thread_state *state = s->state;
	struct ms_error *err;
	uint64_t word = 0;

	(void)dwfl;
	if (addr >= state->sp && addr - state->sp <= state->stack_bytes &&
	    state->stack_bytes - (addr - state->sp) >= sizeof(word)) {
		*result = ms_load_u64(state->stack + (addr - state->sp));
		return true;
	}
	err = ms_target_read(s->target, addr, &word, sizeof(word));
	ms_error_free(err);
	*result = word;
	return !err;
}

static bool set_registers(Dwfl_Thread *thread, void *context)
{
	const struct ms_c_symbols *s = context;
	Dwarf_Word regs[32];

	for (unsigned i = 0; i < s->state->reg_count; i++)
		regs[i] = s->state->regs[i];
	dwfl_thread_state_register_pc(thread, s->state->pc);
	return dwfl_thread_state_registers(thread, 0, s->state->reg_count, regs);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

static int take_frame(Dwfl_Frame *frame, void *context)
{
	struct ms_c_symbols *s = context;
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(frame, &pc, NULL))
		return DWARF_CB_ABORT;
	s->pcs[s->pc_count++] = pc;
	return s->pc_count == MS_C_STACK_MAX ? DWARF_CB_ABORT : DWARF_CB_OK;
}

static int take_thread(Dwfl_Thread *thread, void *context)
{
	struct ms_c_symbols *s = context;

	s->is_lost = dwfl_thread_getframes(thread, take_frame, s) < 0;
	return DWARF_CB_ABORT;
}

size_t ms_c_symbols_unwind(struct ms_c_symbols *s, const struct ms_c_thread_state *state,
			   ms_addr *ret_pcs, const char **ret_cut)
{
	opening = s;
	s->state = state;
	s->pcs = ret_pcs;
	s->pc_count = 0;
	s->is_lost = false;
	if (!s->can_unwind)
		s->can_unwind =
		    dwfl_attach_state(s->dwfl, NULL, s->pid ? s->pid : 1, &thread_callbacks, s);
	if (s->can_unwind)
		(void)dwfl_getthreads(s->dwfl, take_thread, s);
	opening = NULL;
	s->state = NULL;
	if (!s->pc_count)
		ret_pcs[s->pc_count++] = state->pc;
	*ret_cut = NULL;
	if (!s->can_unwind)
		*ret_cut = "there are no tables to unwind it by";
	else if (s->pc_count == MS_C_STACK_MAX)
		*ret_cut = "it is deeper than is kept";
	else if (s->is_lost)
		*ret_cut = "nothing says who called this";
	return s->pc_count;
}
