// privileges.c - capabilities by verb.
//
// Every read of a process asks anew whether we may trace it, and its files in /proc are opened
// again and again: so what that takes stays.  Writing a file where root alone may is needed at the
// end, or now and then: so that right stays where files were asked for, and is in effect only then.
//
// Capabilities are a thread's.  The one thread there is beside the first only reads what the kernel
// has of the target, and is ended where that matters.
#include "cli/privileges.h"

#include "cli/output.h"

#include <sys/prctl.h>

#define BIT(cap) (UINT64_C(1) << (cap))

static const uint64_t LOOK = BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH);
static const uint64_t PLACE = BIT(CAP_SYS_ADMIN);               // Since Linux 6.17.
static const uint64_t FOLLOW = BIT(CAP_BPF) | BIT(CAP_PERFMON); // And before it, to place, too.
static const uint64_t WRITE = BIT(CAP_DAC_OVERRIDE);

static uint64_t needs_of(const struct ms_options *o)
{
	uint64_t writes = o->file_count ? WRITE : 0;

	if (o->core)
		return BIT(CAP_DAC_READ_SEARCH) | writes;
	switch (o->verb) {
	case MS_VERB_DIAGNOSE:
	case MS_VERB_TRACE:
		return LOOK | FOLLOW | writes | (o->no_probes ? 0 : PLACE);
	case MS_VERB_GOROUTINES:
		return LOOK | FOLLOW | writes | (o->burst ? PLACE : 0);
	case MS_VERB_WATCH: // The kernel's word on memory pressure, before Linux 6.5.
		return LOOK | BIT(CAP_SYS_RESOURCE) | writes;
	default:
		return LOOK | writes;
	}
}

/** Keep at most @p permitted, and of these @p effective in effect. */
static bool keep(uint64_t permitted, uint64_t effective)
{
	cap_t now = cap_get_proc();
	bool is_done = now != NULL;

	for (int cap = 0; is_done && cap <= CAP_LAST_CAP; cap++) {
		cap_value_t value = cap;
		cap_flag_value_t has = CAP_CLEAR;

		if (cap_get_flag(now, value, CAP_PERMITTED, &has) != 0)
			continue; // The kernel has no such capability.
		if (!(permitted >> cap & 1))
			has = CAP_CLEAR;
		is_done = cap_set_flag(now, CAP_PERMITTED, 1, &value, has) == 0 &&
			  cap_set_flag(now, CAP_INHERITABLE, 1, &value, CAP_CLEAR) == 0 &&
			  cap_set_flag(now, CAP_EFFECTIVE, 1, &value,
				       effective >> cap & 1 ? has : CAP_CLEAR) == 0;
	}
	is_done = is_done && cap_set_proc(now) == 0;
	if (now)
		(void)cap_free(now);
	return is_done;
}

/** What is in effect now; nothing is before ms_privileges_shrink, and for a command that keeps all.
 */
static uint64_t kept;

/** What is kept, in effect but for the right to write where root alone may. */
static bool keep_kept(void)
{
	return keep(kept, kept & ~WRITE);
}

void ms_privileges_shrink(const struct ms_options *o)
{
	// What doctor says is what others could do; a command that run starts is not ours to bind.
	if (o->verb == MS_VERB_RUN || o->verb == MS_VERB_DOCTOR)
		return;
	kept = needs_of(o);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (!keep_kept())
		ms_output_say("the capabilities that are not needed could not be given up");
}

void ms_privileges_placed(void)
{
	if (!(kept & PLACE))
		return;
	kept &= ~PLACE;
	if (!keep_kept())
		ms_output_say("the right to place probes could not be given up");
}

bool ms_privileges_has(cap_value_t cap)
{
	cap_t now = cap_get_proc();
	cap_flag_value_t has = CAP_CLEAR;

	if (!now)
		return false;
	(void)cap_get_flag(now, cap, CAP_EFFECTIVE, &has); // The kernel may have no such one.
	(void)cap_free(now);
	return has == CAP_SET;
}

void ms_privileges_write_begin(void)
{
	if (kept & WRITE)
		(void)keep(kept, kept);
}

void ms_privileges_write_end(void)
{
	if (kept & WRITE)
		(void)keep_kept();
}
