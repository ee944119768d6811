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
#include "target/process.h"

#include <inttypes.h>
#include <sys/resource.h>

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
	s->pid = process_of_thread(s->pid);
	if (!ms_proc_link(s->pid, "exe", s->exe, sizeof(s->exe)))
		s->exe[0] = '\0';
	return NULL;
}

struct ms_error *ms_session_open(struct ms_session *s)
{
	struct ms_error *err = ms_process_open(s->pid, NULL, &s->target);

	if (err)
		return err;
	err = ms_go_open(s->target, NULL, &s->rt);
	if (err && ms_error_code(err) == MS_ERR_UNSUPPORTED)
		return ms_error_wrap(err, "process %d", (int)s->pid);
	return err;
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

struct ms_error *ms_session_describe(const struct ms_session *s, struct ms_arena *arena,
				     struct ms_report_target *ret_target)
{
	const struct ms_go_runtime *rt = s->rt;
	struct ms_report_target t = { .pid = (uint64_t)s->pid,
				      .start_ticks = ms_proc_start_ticks(s->pid) };

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
		t.proved = rt->layout_source == MS_LAYOUT_TABLE &&
			   ms_layout_proved(b->release, rt->layout);
	}
	*ret_target = t;
	return NULL;
}

void ms_session_account(const struct ms_session *s, struct ms_report_cost *cost)
{
	struct rusage own = { 0 };

	cost->wall_s = ms_clock_now() - s->started;
	cost->stops = 0;
	if (getrusage(RUSAGE_SELF, &own) == 0)
		cost->own_peak_bytes = (uint64_t)own.ru_maxrss * 1024;
	else
		cost->own_peak_bytes = MS_UNKNOWN;
}

uint64_t ms_session_rss_bytes(const struct ms_session *s)
{
	struct ms_proc_text statm;
	uint64_t total, resident;

	if (!ms_proc_text(s->pid, "statm", &statm) ||
	    sscanf(statm.bytes, "%" SCNu64 " %" SCNu64, &total, &resident) != 2)
		return MS_UNKNOWN;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void ms_session_deinit(struct ms_session *s)
{
	ms_go_close(s->rt);
	ms_target_destroy(s->target);
	s->rt = NULL;
	s->target = NULL;
}
