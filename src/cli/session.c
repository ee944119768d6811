// session.c - from the words of the user to an open target, and what is said of it on the page.
//
// A thread's id works like its process's: /proc knows both, and the memory is the same.  The page
// then shows the process's id, because that is the one other tools show.
#include "cli/session.h"

#include "base/cleanup.h"
#include "cli/find_process.h"
#include "cli/interrupt.h"
#include "cli/proc_file.h"
#include "cli/proved.h"
#include "target/core.h"
#include "target/process.h"
#include "target/small_file.h"

#include <inttypes.h>

/** The process that @p pid, maybe a thread, belongs to; @p pid itself when that is not known. */
static pid_t process_of_thread(pid_t pid)
{
	struct ms_proc_text status;
	int tgid = 0;

	if (!ms_proc_text(pid, "status", &status) || !ms_proc_number(&status, "Tgid:", &tgid))
		return pid;
	return tgid > 0 ? (pid_t)tgid : pid;
}

struct ms_error *ms_session_find(struct ms_session *s, const struct ms_options *options,
				 double started)
{
	struct ms_error *err;

	*s = (struct ms_session){ .options = options, .started = started, .pid = options->pid };
	if (options->name) {
		err = ms_find_process(options->name, ms_verb_name(options->verb), &s->pid);
		if (err)
			return err;
	}
	if (options->core)
		return NULL; // It is found as it is opened.
	s->pid = process_of_thread(s->pid);
	if (!ms_proc_link(s->pid, "exe", s->exe, sizeof(s->exe)))
		s->exe[0] = '\0';
	return NULL;
}

/** Whether @p err means that it is no Go program, but one with maps of libhmap's. */
static bool is_c_program(const struct ms_session *s, const struct ms_error *err)
{
	return ms_error_code(err) == MS_ERR_UNSUPPORTED && s->registries.count;
}

static struct ms_error *open_core(struct ms_session *s)
{
	const struct ms_core_options options = { .exe = s->options->exe,
						 .sysroot = s->options->sysroot };
	struct ms_error *err = ms_core_open(s->options->core, &options, &s->target);
	const struct ms_core_info *info;

	if (err)
		return err;
	info = ms_core_info(s->target);
	s->pid = (pid_t)info->file->pid;
	snprintf(s->exe, sizeof(s->exe), "%s", info->exe ? info->exe : info->file->name);
	return NULL;
}

/** "process 17", or "core file x": what errors are about. */
static struct ms_error *about(const struct ms_session *s, struct ms_error *err)
{
	const struct ms_core_info *core = ms_core_info(s->target);

	if (core)
		err = ms_core_error_if_cut(core->file, err);
	return s->options->core ? ms_error_wrap(err, "core file %s", s->options->core)
				: ms_error_wrap(err, "process %d", (int)s->pid);
}

/** A core without its program has a census, and no more.  @p err, of its runtime, is taken over. */
static struct ms_error *without_program(const struct ms_session *s, struct ms_error *err)
{
	const char *why = ms_core_info(s->target)->missing_why;
	struct ms_error *whole = NULL;

	if (err && ms_error_code(err) != MS_ERR_UNSUPPORTED)
		return err;
	if (err)
		whole = ms_error_new(MS_ERR_UNSUPPORTED, "%s; and of what the core has: %s", why,
				     ms_error_message(err));
	else if (s->options->verb != MS_VERB_MAPS)
		whole = ms_error_new(MS_ERR_UNSUPPORTED,
				     "%s; for a census without types and owners type: mapscope "
				     "maps %s",
				     why, s->options->core);
	ms_error_free(err);
	return whole ? about(s, whole) : NULL;
}

struct ms_error *ms_session_open(struct ms_session *s)
{
	struct ms_error *err =
	    s->options->core ? open_core(s) : ms_process_open(s->pid, NULL, &s->target);

	if (!err)
		err = ms_registries_find(s->target, &s->registries);
	if (!err && s->registries.count)
		err = ms_c_symbols_open(s->target, &s->symbols);
	if (err)
		return err;
	err = ms_go_open(s->target, NULL, &s->rt);
	if (err && is_c_program(s, err)) {
		ms_error_free(err);
		return NULL;
	}
	if (s->target->lacks_program)
		return without_program(s, err);
	if (err && ms_error_code(err) == MS_ERR_UNSUPPORTED) {
		if (s->registries.refused)
			err = ms_error_wrap(err, "it has libhmap, but %s, and",
					    s->registries.refused_why);
		return about(s, err);
	}
	return err;
}

struct ms_error *ms_session_open_go(struct ms_session *s)
{
	struct ms_error *err = ms_session_open(s);

	if (err || s->rt)
		return err;
	return ms_error_new(MS_ERR_UNSUPPORTED,
			    "process %d is a C program that uses libhmap, and mapscope %s looks at "
			    "Go programs; type: mapscope %d",
			    (int)s->pid, ms_verb_name(s->options->verb), (int)s->pid);
}

const char *ms_session_cut_text(const struct ms_session *s, struct ms_arena *arena)
{
	const struct ms_core_info *info = ms_core_info(s->target);
	const struct ms_core_file *file = info ? info->file : NULL;

	if (!file)
		return "it is cut off"; // A recording, in tests.
	return ms_arena_printf(
	    arena, "it is cut off, its last %" PRIu64 " bytes of %" PRIu64 " are missing",
	    file->missing_bytes, file->bytes + file->missing_bytes);
}

static const char *arch_name(enum ms_arch arch)
{
	switch (arch) {
	case MS_ARCH_AMD64:
		return "amd64";
	case MS_ARCH_ARM64:
		return "arm64";
	case MS_ARCH_UNKNOWN:
		break;
	}
	return NULL;
}

/** What is said of a program's file where no Go runtime was opened. */
static struct ms_error *describe_file(const struct ms_session *s, struct ms_report_target *t)
{
	struct ms_elf elf;
	struct ms_error *err = ms_elf_open(s->target, &elf);

	if (err && ms_error_code(err) != MS_ERR_UNSUPPORTED)
		return err;
	if (!err) {
		t->arch = arch_name(elf.arch);
		t->stripped = !elf.has_symbols;
	}
	ms_error_free(err);
	return NULL;
}

struct ms_error *ms_session_describe(const struct ms_session *s, struct ms_arena *arena,
				     struct ms_report_target *ret_target)
{
	const struct ms_core_info *info = ms_core_info(s->target);
	const struct ms_go_runtime *rt = s->rt;
	const char *core = s->options->core;
	struct ms_report_target t = { .pid = core && !s->pid ? MS_UNKNOWN : (uint64_t)s->pid,
				      .start_ticks =
					  core ? MS_UNKNOWN : ms_proc_start_ticks(s->pid) };

	t.core = core ? ms_arena_strndup(arena, core, strlen(core)) : NULL;
	if (core && !t.core)
		return ms_error_no_memory();

	t.exe = s->exe[0] ? ms_arena_strndup(arena, s->exe, strlen(s->exe)) : NULL;
	if (s->exe[0] && !t.exe)
		return ms_error_no_memory();
	if (rt) {
		const struct ms_build_info *b = &rt->build;

		t.go_version = ms_arena_strndup(arena, b->version, strlen(b->version));
		t.experiments = ms_arena_strndup(arena, b->experiments, strlen(b->experiments));
		if (!t.go_version || !t.experiments)
			return ms_error_no_memory();
		t.arch = arch_name(rt->elf.arch);
		t.layout_source = rt->layout_source == MS_LAYOUT_DWARF ? "dwarf" : "table";
		t.stripped = !rt->elf.has_symbols;
		t.symbols_unknown = info && (info->exe_is == MS_CORE_EXE_OF_MEMORY ||
					     info->exe_is == MS_CORE_EXE_MISSING);
		t.lacks_program = s->target->lacks_program;
		t.proved = rt->layout_source == MS_LAYOUT_TABLE &&
			   ms_layout_proved(b->release, rt->layout);
	}
	if (s->registries.count) {
		const char *version = s->registries.items[0].library;

		t.libhmap = ms_arena_strndup(arena, version, strlen(version));
		if (!t.libhmap)
			return ms_error_no_memory();
	}
	if (!rt && s->target) {
		struct ms_error *err = describe_file(s, &t);

		if (err)
			return err;
	}
	*ret_target = t;
	return NULL;
}

void ms_session_account(const struct ms_session *s, struct ms_report_cost *cost)
{
	// Not getrusage: what that says includes who started us, before its child became us.
	MS_AUTO_FREE char *status = ms_small_file_read("/proc/self/status");
	uint64_t peak_kb = status ? ms_text_number(status, "VmHWM:") : MS_UNKNOWN;

	cost->wall_s = ms_clock_now() - s->started;
	cost->stops = 0;
	cost->own_peak_bytes = peak_kb == MS_UNKNOWN ? MS_UNKNOWN : peak_kb * 1024;
}

uint64_t ms_session_rss_bytes(const struct ms_session *s)
{
	struct ms_proc_text statm;
	uint64_t total, resident;

	if (s->options->core || !ms_proc_text(s->pid, "statm", &statm) ||
	    sscanf(statm.bytes, "%" SCNu64 " %" SCNu64, &total, &resident) != 2)
		return MS_UNKNOWN;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void ms_session_deinit(struct ms_session *s)
{
	ms_go_close(s->rt);
	ms_c_symbols_close(s->symbols);
	s->symbols = NULL;
	s->registries.count = 0;
	ms_target_destroy(s->target);
	s->rt = NULL;
	s->target = NULL;
}
