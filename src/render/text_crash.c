// text_crash.c - the page of a core file: how it ended, then its maps.
#include "render/text_stack.h"

#include "report/crash.h"

#include <inttypes.h>

enum { OWNER_COLUMNS = 60 };

static const struct ms_stack *stack_of(const struct ms_crash_report *r, uint32_t index)
{
	return index < r->goroutines->stacks.count ? &r->goroutines->stacks.items[index] : NULL;
}

static void text_map_name(struct ms_text *t, const struct ms_map_row *map, ms_addr address)
{
	if (map && map->owner)
		ms_text_owner(t, map->owner, OWNER_COLUMNS);
	else
		ms_text_printf(t, "the map at 0x%" PRIx64, address);
}

static void text_map_row(struct ms_text *t, const struct ms_map_row *map)
{
	struct ms_human entries, capacity;

	text_map_name(t, map, map->address);
	ms_text_printf(t, ": ");
	ms_text_name(t, map->type, OWNER_COLUMNS);
	ms_text_printf(t, ", %s entries of %s, %s", ms_human_count(&entries, map->entries),
		       ms_human_count(&capacity, map->capacity),
		       map->growing ? "growing" : "not growing");
}

static void text_map(struct ms_text *t, const struct ms_crash_report *r)
{
	ms_text_printf(t, ", in ");
	if (r->map) {
		text_map_row(t, r->map);
		return;
	}
	if (r->map_address)
		text_map_name(t, NULL, r->map_address);
	else
		ms_text_printf(t, "a map that its stack does not show any more");
	if (r->map_type) {
		ms_text_printf(t, ": ");
		ms_text_name(t, r->map_type, OWNER_COLUMNS);
	}
	if (r->candidate_count)
		ms_text_printf(t, r->missing_bytes || r->census->partial
				      ? "; it may be one of these, or one that is missing:"
				      : "; one of these:");
}

/** What says that it was this map, where that is not the call itself. */
static void text_map_source(struct ms_text *t, const struct ms_crash_report *r)
{
	static const char *const texts[] = {
		[MS_CRASH_MAP_CALLER] = "the call has dropped the map: it is read anew from where "
					"the code in front of it has it",
		[MS_CRASH_MAP_WORDS] = "the call has dropped the map: it is the only one that "
				       "words of its stack lead to",
		[MS_CRASH_MAP_TYPE] = "the call has dropped the map: it is the only one of the "
				      "type that the call is for",
	};
	const char *text = r->map_source < MS_ARRAY_SIZE(texts) ? texts[r->map_source] : NULL;

	if (!text)
		return;
	ms_text_printf(t, "%s", text);
	ms_text_end(t, 2);
}

static void text_candidates(struct ms_text *t, const struct ms_crash_report *r)
{
	for (size_t i = 0; i < r->candidate_count; i++) {
		text_map_row(t, r->candidates[i].map);
		if (r->candidates[i].is_written)
			ms_text_printf(t, "; somebody was writing it as the program ended");
		ms_text_end(t, 4);
	}
	if (r->more_candidates) {
		ms_text_printf(t, "and %" PRIu64 " more", r->more_candidates);
		ms_text_end(t, 4);
	}
}

static void text_goroutine(struct ms_text *t, const struct ms_crash_report *r, uint64_t id,
			   const char *what, uint32_t stack)
{
	ms_text_printf(t, "goroutine %" PRIu64 " %s", id, what);
	ms_text_end(t, 2);
	if (stack_of(r, stack))
		ms_text_stack(t, stack_of(r, stack), 4);
}

/** Who was in the map beside the one that died of it. */
static void text_users(struct ms_text *t, const struct ms_crash_report *r)
{
	bool is_sure = r->user_count && r->users[0].how == MS_SECOND_IN_MAP_CODE;
	char what[64];

	if (is_sure)
		ms_text_printf(t, "and in the same map:");
	else if (!r->map)
		ms_text_printf(t, "who else was in it is not known, as the map is not");
	else if (r->user_count)
		ms_text_printf(t,
			       "the other one is in the map on no stack any more; a function that "
			       "writes such maps is on the stack of:");
	else if (r->code_is_known)
		ms_text_printf(t, "the other one is on no stack any more: none has a function that "
				  "writes such maps");
	else
		ms_text_printf(t, "the other one is in the map on no stack any more, and the code "
				  "does not say which functions write such maps");
	ms_text_end(t, 0);
	for (size_t i = 0; i < r->user_count; i++) {
		const struct ms_crash_user *u = &r->users[i];

		snprintf(what, sizeof(what), "%s",
			 u->how == MS_SECOND_IN_MAP_CODE
			     ? ms_map_role_name((enum ms_map_role)u->role)
			     : u->state);
		text_goroutine(t, r, u->goroutine, what, u->stack);
	}
	if (r->more_users) {
		ms_text_printf(t, "and %" PRIu64 " more", r->more_users);
		ms_text_end(t, 2);
	}
}

static void text_map_error(struct ms_text *t, const struct ms_crash_report *r)
{
	char what[64];

	ms_text_printf(t, "fatal error: ");
	ms_text_colored(t, MS_TEXT_RED, ms_crash_error_text((enum ms_crash_error)r->error));
	text_map(t, r);
	ms_text_end(t, 0);
	text_map_source(t, r);
	text_candidates(t, r);
	snprintf(what, sizeof(what), "%s, and died of it",
		 r->role != MS_ROLE_NONE               ? ms_map_role_name((enum ms_map_role)r->role)
		 : r->error == MS_CRASH_WRITES         ? "writes"
		 : r->error == MS_CRASH_READ_AND_WRITE ? "reads"
						       : "iterates");
	text_goroutine(t, r, r->goroutine, what, r->stack);
	text_users(t, r);
}

static void text_other_end(struct ms_text *t, const struct ms_crash_report *r)
{
	char what[64];

	if (r->words) {
		ms_text_printf(t, r->ended_by == MS_ENDED_PANIC ? "panic: " : "fatal error: ");
		ms_text_colored(t, MS_TEXT_RED, r->words);
		if (r->map_type) {
			ms_text_printf(t, ", at a ");
			ms_text_name(t, r->map_type, OWNER_COLUMNS);
		}
	} else if (r->raised_in) {
		ms_text_printf(t, "panic raised in ");
		ms_text_name(t, r->raised_in, 0);
		ms_text_printf(t, "; its value is data of the program's, which is not read");
	} else if (r->error == MS_CRASH_OTHER || r->ended_by == MS_ENDED_FATAL) {
		ms_text_printf(t, "a fatal error of the runtime, which is not the map's");
	} else if (!r->signal) {
		ms_text_printf(t, "it lived as the core was written");
	} else {
		ms_text_printf(t, "it died of SIG%s; no fatal error and no panic is on a stack%s",
			       r->signal, r->missing_bytes ? " that the file has" : "");
	}
	ms_text_end(t, 0);
	if (!r->goroutine)
		return;
	snprintf(what, sizeof(what), "%s%s",
		 r->role != MS_ROLE_NONE ? ms_map_role_name((enum ms_map_role)r->role) : "",
		 r->role != MS_ROLE_NONE ? " a map, and was on the thread that died"
		 : r->signal || r->error ? "was on the thread that died"
					 : "ran");
	text_goroutine(t, r, r->goroutine, what, r->stack);
}

static void text_file(struct ms_text *t, const struct ms_crash_report *r)
{
	struct ms_human missing, whole;

	if (r->missing_bytes) {
		ms_text_printf(t, "the core is cut off: %s of %s are missing",
			       ms_human_bytes(&missing, r->missing_bytes),
			       ms_human_bytes(&whole, r->file_bytes + r->missing_bytes));
		ms_text_end(t, 0);
	}
	if (r->exe_is) {
		ms_text_printf(t, "%s", r->exe_is);
		ms_text_end(t, 0);
	}
	if (r->no_goroutines) {
		ms_text_printf(t, "goroutines: ");
		ms_text_name(t, r->no_goroutines, 0);
		ms_text_end(t, 0);
	}
}

struct ms_error *ms_render_crash_text(const struct ms_crash_report *r,
				      const struct ms_census_view *view,
				      const struct ms_text_style *style, struct ms_sink *sink)
{
	struct ms_text t;
	struct ms_error *err, *end;

	ms_text_init(&t, style, sink);
	if (r->goroutines && ms_crash_error_text((enum ms_crash_error)r->error))
		text_map_error(&t, r);
	else if (r->goroutines || r->signal)
		text_other_end(&t, r);
	text_file(&t, r);
	ms_text_end_whole(&t);
	err = ms_text_census(&t, r->census, view);
	end = ms_text_finish(&t);
	if (!err)
		return end;
	ms_error_free(end);
	return err;
}
