// page.c - see page.h.
#include "diagnose/page.h"

#include <stdlib.h>
#include <string.h>

enum { OWNERS_MAX = 500 };

bool ms_page_is_loss(const struct ms_error *err)
{
	return ms_error_code(err) == MS_ERR_GONE || ms_error_code(err) == MS_ERR_FAULT ||
	       ms_error_code(err) == MS_ERR_BAD_DATA;
}

struct ms_error *ms_page_keep_owners(const struct ms_census_report *census,
				     struct ms_diagnosis_report *report)
{
	size_t kept = (size_t)ms_min_u64(census->owner_count, OWNERS_MAX);
	struct ms_owner_row *others;

	report->owners = calloc(kept + 1, sizeof(*report->owners));
	if (!report->owners)
		return ms_error_no_memory();
	if (kept)
		memcpy(report->owners, census->owners, kept * sizeof(*report->owners));
	report->owner_count = kept;
	others = &report->owners[kept];
	others->owner = "[others]";
	for (size_t i = kept; i < census->owner_count; i++) {
		const struct ms_owner_row *row = &census->owners[i];

		others->maps += row->maps;
		others->entries += row->entries;
		others->capacity += row->capacity;
		others->live_bytes += row->live_bytes;
		others->total_bytes += row->total_bytes;
		others->slack_bytes += row->slack_bytes;
		others->unknown_bytes_maps += row->unknown_bytes_maps;
	}
	report->owner_count += census->owner_count > kept;
	return NULL;
}

struct ms_error *ms_page_set_partial(struct ms_diagnosis_report *report, const char *what,
				     double after_s, double of_s)
{
	report->partial = true;
	report->partial_reason =
	    ms_arena_printf(&report->arena, "%s, after %.1f s of %.1f s", what, after_s, of_s);
	return report->partial_reason ? NULL : ms_error_no_memory();
}
