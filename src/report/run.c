// run.c - the most of each owner over many censuses of many processes.
//
// Peaks are kept in the order of program, owner and type: what is known is found by bisection, what
// is new is put behind and sorted in once per census.  Most censuses bring nothing new.
#include "report/run.h"

#include "base/vec.h"

#include <math.h>
#include <stdlib.h>

enum { PEAKS_MAX = 1 << 20, PROCESSES_MAX = 1 << 17 };

struct peak_vec {
	struct ms_peak_row *items;
	size_t count, capacity;
};

struct process_vec {
	struct ms_run_process *items;
	size_t count, capacity;
};

static int text_compare(const char *a, const char *b)
{
	if (a == b)
		return 0;
	if (!a || !b)
		return a ? 1 : -1;
	return strcmp(a, b);
}

static int by_name(const void *a, const void *b)
{
	const struct ms_peak_row *x = a, *y = b;
	int order = text_compare(x->owner, y->owner);

	if (!order)
		order = text_compare(x->type, y->type);
	if (!order)
		order = text_compare(x->exe, y->exe);
	return order ? order : x->kind - y->kind;
}

static int by_bytes(const void *a, const void *b)
{
	const struct ms_peak_row *x = a, *y = b;

	if (x->total_bytes != y->total_bytes)
		return x->total_bytes > y->total_bytes ? -1 : 1;
	return by_name(a, b);
}

static int process_by_bytes(const void *a, const void *b)
{
	const struct ms_run_process *x = a, *y = b;

	if (x->peak_bytes != y->peak_bytes)
		return x->peak_bytes > y->peak_bytes ? -1 : 1;
	return x->target.pid < y->target.pid ? -1 : x->target.pid > y->target.pid;
}

/** Put a copy that lives as long as the report in the place of @p text; NULL stays. */
static bool keep(struct ms_arena *arena, const char **text)
{
	if (!*text)
		return true;
	*text = ms_arena_strndup(arena, *text, strlen(*text));
	return *text != NULL;
}

static void peak_take(struct ms_peak_row *peak, const struct ms_owner_row *row, uint64_t pid,
		      double at_s)
{
	peak->maps = ms_max_u64(peak->maps, row->maps);
	peak->entries = ms_max_u64(peak->entries, row->entries);
	peak->slack_bytes = ms_max_u64(peak->slack_bytes, row->slack_bytes);
	if (!isnan(peak->at_s) && row->total_bytes <= peak->total_bytes)
		return;
	peak->total_bytes = row->total_bytes;
	peak->pid = pid;
	peak->at_s = at_s;
}

struct ms_error *ms_run_take(struct ms_run_report *report, const struct ms_census_report *census,
			     double at_s)
{
	struct peak_vec peaks = { report->peaks, report->peak_count, report->peak_count };
	size_t known = peaks.count;
	struct ms_error *err = NULL;

	for (size_t i = 0; i < census->owner_count && !err; i++) {
		const struct ms_owner_row *row = &census->owners[i];
		struct ms_peak_row key = { .exe = census->target.exe,
					   .owner = row->owner,
					   .type = row->type,
					   .kind = row->kind,
					   .at_s = NAN };
		struct ms_peak_row *peak =
		    known ? bsearch(&key, peaks.items, known, sizeof(key), by_name) : NULL;

		if (!peak && peaks.count == PEAKS_MAX) {
			report->peaks_left_out++;
			continue;
		}
		if (!peak) {
			if (!keep(&report->arena, &key.exe) || !keep(&report->arena, &key.owner) ||
			    !keep(&report->arena, &key.type) || !ms_vec_push(&peaks, key)) {
				err = ms_error_no_memory();
				break;
			}
			peak = &peaks.items[peaks.count - 1];
		}
		peak_take(peak, row, census->target.pid, at_s);
	}
	if (peaks.count > known)
		qsort(peaks.items, peaks.count, sizeof(*peaks.items), by_name);
	report->peaks = peaks.items;
	report->peak_count = peaks.count;
	return err;
}

struct ms_error *ms_run_add_process(struct ms_run_report *report,
				    const struct ms_report_target *target, size_t *ret_index)
{
	struct process_vec processes = { report->processes, report->process_count,
					 report->process_count };
	struct ms_run_process p = {
		.target = *target, .last_s = NAN, .gone_s = NAN, .peak_s = NAN
	};
	struct ms_report_target *t = &p.target;

	if (processes.count == PROCESSES_MAX)
		return ms_error_new(MS_ERR_LIMIT, "more than %d Go processes", (int)PROCESSES_MAX);
	if (!keep(&report->arena, &t->exe) || !keep(&report->arena, &t->go_version) ||
	    !keep(&report->arena, &t->experiments) || !keep(&report->arena, &t->libhmap) ||
	    !ms_vec_push(&processes, p))
		return ms_error_no_memory();
	report->processes = processes.items;
	report->process_count = processes.count;
	*ret_index = processes.count - 1;
	return NULL;
}

void ms_run_sort(struct ms_run_report *report)
{
	if (report->peak_count)
		qsort(report->peaks, report->peak_count, sizeof(*report->peaks), by_bytes);
	if (report->process_count)
		qsort(report->processes, report->process_count, sizeof(*report->processes),
		      process_by_bytes);
}

void ms_run_report_deinit(struct ms_run_report *report)
{
	free(report->peaks);
	free(report->processes);
	ms_arena_deinit(&report->arena);
	*report = (struct ms_run_report){ 0 };
}
