// doctor_process.c - what the kernel lets us see of a process, and from where.
//
// Everything here comes from /proc.  What is different about the process (another user, another
// namespace, pages out on swap) is said even where it does not matter, because it is what one
// looks for when something does not work.
#include "base/cleanup.h"
#include "cli/doctor.h"
#include "cli/privileges.h"
#include "cli/proc_file.h"
#include "target/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/** Whether the effective capabilities of the process allow to trace any other. */
static bool may_trace_all(void)
{
	return ms_privileges_has(CAP_SYS_PTRACE);
}

/** kernel.yama.ptrace_scope; 0 where there is no Yama. */
static int yama_scope(void)
{
	MS_AUTO_FCLOSE FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;

	if (!file || fscanf(file, "%d", &scope) != 1)
		return 0;
	return scope;
}

/** What keeps us from reading, seen from the rules that the kernel goes by. */
static void explain_refusal(struct ms_doctor *d, int uid)
{
	int scope = yama_scope();

	if (may_trace_all() && (uid_t)uid != geteuid() && !ms_privileges_has(CAP_DAC_READ_SEARCH))
		ms_doctor_add(d, "permission", MS_CHECK_NO, NULL,
			      "it runs as user %d and we are user %u: beside CAP_SYS_PTRACE, which "
			      "we have, that takes CAP_DAC_READ_SEARCH, which we lack",
			      uid, geteuid());
	else if (may_trace_all())
		ms_doctor_add(d, "permission", MS_CHECK_NO, NULL,
			      "we have CAP_SYS_PTRACE, but not in the process's user namespace, or "
			      "a seccomp filter forbids reading");
	else if ((uid_t)uid != geteuid())
		ms_doctor_add(d, "permission", MS_CHECK_NO, NULL,
			      "it runs as user %d and we are user %u: that takes CAP_SYS_PTRACE, "
			      "which we lack, and CAP_DAC_READ_SEARCH",
			      uid, geteuid());
	else if (scope > 0)
		ms_doctor_add(d, "permission", MS_CHECK_NO, NULL,
			      "the same user without CAP_SYS_PTRACE, and Yama "
			      "(kernel.yama.ptrace_scope = %d) allows no reading then",
			      scope);
	else
		ms_doctor_add(d, "permission", MS_CHECK_NO, NULL,
			      "the same user without CAP_SYS_PTRACE, and the program may not be "
			      "dumped, or a seccomp filter forbids reading");
}

static void explain_permission(struct ms_doctor *d, int uid)
{
	const char *have = may_trace_all() ? "we have" : "we lack";

	if ((uid_t)uid == geteuid())
		ms_doctor_add(d, "permission", MS_CHECK_OK, NULL,
			      "the same user; %s CAP_SYS_PTRACE", have);
	else
		ms_doctor_add(d, "permission", MS_CHECK_OK, NULL,
			      "it runs as user %d, we are user %u; %s CAP_SYS_PTRACE", uid,
			      geteuid(), have);
}

/** Compare one namespace of the process with ours; false when that cannot be seen. */
static bool compare_namespace(pid_t pid, const char *ns, bool *ret_other)
{
	char ours[64], its[64];

	if (!ms_proc_link(getpid(), ns, ours, sizeof(ours)) ||
	    !ms_proc_link(pid, ns, its, sizeof(its)))
		return false;
	*ret_other = strcmp(ours, its) != 0;
	return true;
}

/** Its PID in its innermost namespace: the last number behind NSpid. */
static int inner_pid(const struct ms_proc_text *status)
{
	const char *line = strstr(status->bytes, "\nNSpid:");
	int pid = 0;

	for (const char *p = line ? line + strlen("\nNSpid:") : ""; *p && *p != '\n';) {
		char *end;

		pid = (int)strtol(p, &end, 10);
		p = end > p ? end : p + 1;
		p += strspn(p, "\t ");
	}
	return pid;
}

static void check_namespaces(struct ms_doctor *d, const struct ms_proc_text *status)
{
	pid_t pid = d->session->pid;
	bool other_pids, other_mounts;
	char inner[48] = "";

	if (!compare_namespace(pid, "ns/pid", &other_pids) ||
	    !compare_namespace(pid, "ns/mnt", &other_mounts))
		return;
	if (!other_pids && !other_mounts) {
		ms_doctor_add(d, "namespaces", MS_CHECK_OK, NULL, "the same as ours");
		return;
	}
	if (other_pids)
		snprintf(inner, sizeof(inner), " (PID %d in there)", inner_pid(status));
	ms_doctor_add(d, "namespaces", MS_CHECK_OK, NULL,
		      "in another %s namespace%s: its program is read through /proc/%d/exe",
		      !other_mounts ? "PID"
		      : other_pids  ? "PID and mount"
				    : "mount",
		      inner, (int)pid);
}

/** What gVisor says its kernel was built as (pkg/sentry/syscalls/linux, LinuxVersion). */
static const char GVISOR_KERNEL[] = "#1 SMP Sun Jan 10 15:06:54 PST 2016";

/** runsc boot: the process that is a whole sandbox, seen from outside of it. */
static bool is_gvisor_sandbox(pid_t pid, const char *exe)
{
	struct ms_proc_text words;
	const char *name = strrchr(exe, '/');

	if (name && !strncmp(name + 1, "runsc", strlen("runsc")))
		return true;
	if (!ms_proc_text(pid, "cmdline", &words))
		return false;
	name = strrchr(words.bytes, '/');
	name = name ? name + 1 : words.bytes;
	return !strcmp(name, "runsc-sandbox") ||
	       (!strcmp(name, "runsc") &&
		memmem(words.bytes, words.size, "\0boot", sizeof("\0boot")) != NULL);
}

static bool is_inside_gvisor(void)
{
	MS_AUTO_FCLOSE FILE *file = fopen("/proc/version", "re");
	char text[512];

	return file && fgets(text, sizeof(text), file) && strstr(text, GVISOR_KERNEL) != NULL;
}

static void check_sandbox(struct ms_doctor *d)
{
	if (is_gvisor_sandbox(d->session->pid, d->session->exe))
		ms_doctor_add(d, "sandbox", MS_CHECK_LIMITED,
			      "run mapscope inside of it: runsc exec CONTAINER mapscope PID",
			      "it is gVisor's sandbox, a Go program by itself: what is shown are "
			      "its own maps, and nothing of the programs inside");
	else if (is_inside_gvisor())
		ms_doctor_add(d, "sandbox", MS_CHECK_LIMITED, NULL,
			      "this is gVisor, whose kernel is not Linux: what it lacks is told "
			      "by the lines below");
}

static void check_swap(struct ms_doctor *d, const struct ms_proc_text *status)
{
	int swapped_kb = 0;

	ms_proc_number(status, "VmSwap:", &swapped_kb);
	if (swapped_kb > 0)
		ms_doctor_add(d, "swap", MS_CHECK_LIMITED, NULL,
			      "%d kB are swapped out: they stay there, and maps in them are "
			      "skipped and counted",
			      swapped_kb);
	else
		ms_doctor_add(d, "swap", MS_CHECK_OK, NULL, "nothing is swapped out");
}

void ms_doctor_check_process(struct ms_doctor *d)
{
	struct ms_proc_text status, comm;

	if (!ms_proc_text(d->session->pid, "status", &status) ||
	    !ms_proc_text(d->session->pid, "comm", &comm))
		return; // Opening it says why.
	comm.bytes[strcspn(comm.bytes, "\n")] = '\0';
	ms_doctor_add(d, "process", MS_CHECK_OK, NULL, "%s, %s", comm.bytes,
		      d->session->exe[0] ? d->session->exe : "its program may not be seen");
	check_sandbox(d);
	check_namespaces(d, &status);
	check_swap(d, &status);
}

/** What to type, by what keeps us from reading. */
static const char *permission_fix(const struct ms_session *s, struct ms_arena *arena)
{
	if (geteuid() == 0)
		return "give the container the capability: docker run --cap-add SYS_PTRACE ...";
	return ms_arena_printf(arena, "sudo mapscope doctor %d", (int)s->pid);
}

/** Without probes growths are polled: some are found, and no stacks. */
static void check_probes(struct ms_doctor *d)
{
	const char *fix;

	if (access("/sys/bus/event_source/devices/uprobe/type", F_OK) != 0) {
		ms_doctor_add(d, "probes", MS_CHECK_LIMITED, NULL,
			      "this kernel has no uprobes, or /sys is not mounted: growths are "
			      "polled, without stacks");
		return;
	}
	if (ms_privileges_has(CAP_SYS_ADMIN)) {
		ms_doctor_add(d, "probes", MS_CHECK_OK, NULL,
			      "we have CAP_SYS_ADMIN: growths can be traced with their stacks");
		return;
	}
	fix = geteuid() == 0 ? "give the container the capability: docker run --cap-add SYS_ADMIN "
			       "--cap-add SYS_PTRACE ..."
			     : ms_arena_printf(&d->report->arena, "sudo mapscope trace %d",
					       (int)d->session->pid);
	ms_doctor_add(d, "probes", MS_CHECK_LIMITED, fix,
		      ms_privileges_has(CAP_BPF) && ms_privileges_has(CAP_PERFMON)
			  ? "we have CAP_BPF and CAP_PERFMON, which is enough before Linux 6.17; "
			    "else growths are polled, without stacks, for want of CAP_SYS_ADMIN"
			  : "we lack CAP_SYS_ADMIN: growths are polled, without stacks");
}

static void check_pagemap(struct ms_doctor *d)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)d->session->pid);
	MS_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		ms_doctor_add(d, "residency", MS_CHECK_OK, NULL,
			      "known from pagemap: pages that are not present stay so");
	else
		ms_doctor_add(d, "residency", MS_CHECK_LIMITED, NULL,
			      "pagemap cannot be read (%s): pages that are not present may be "
			      "pulled in",
			      strerror(errno));
}

bool ms_doctor_check_memory(struct ms_doctor *d)
{
	struct ms_session *s = d->session;
	struct ms_error *err = ms_process_open(s->pid, NULL, &s->target);
	struct ms_proc_text status;
	int uid;

	if (ms_proc_text(s->pid, "status", &status) && ms_proc_number(&status, "Uid:", &uid)) {
		if (!err)
			explain_permission(d, uid);
		else if (ms_error_code(err) == MS_ERR_DENIED)
			explain_refusal(d, uid);
	}
	if (err) {
		const char *fix = ms_error_code(err) == MS_ERR_DENIED
				      ? permission_fix(s, &d->report->arena)
				      : NULL;

		ms_doctor_refuse(d, ms_error_code(err) == MS_ERR_GONE ? "process" : "memory", fix,
				 err);
		return false;
	}
	ms_doctor_add(d, "memory", MS_CHECK_OK, NULL, "read with %s",
		      ms_process_access_name(s->target));
	check_pagemap(d);
	check_probes(d);
	return true;
}
