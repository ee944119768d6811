// pprof_owners.c - what maps hold, as a profile for `go tool pprof`: the owner's path is the stack.
//
//	main.sessions  ->  session.Session.attrs  ->  map[string]string
//
// so that -peek and a flame graph fold many maps into the variable that holds them.  All values
// stand in one profile; a reader picks one with -sample_index=live_bytes, slack_bytes, entries or
// maps.  A value that is not known for some maps of an owner is the sum over the others, as
// everywhere, and a comment says of how many maps that is so.
#include "render/profile.h"
#include "render/render.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES = 4, STEPS_MAX = 32, LIVE_BYTES = 2 };

static const char ARROW[] = " <- ";

static int64_t value_of(uint64_t value)
{
	if (value == MS_UNKNOWN)
		return 0;
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/** A frame that stands for a piece of an owner's path; 0 when memory is short. */
static uint64_t location_of(struct ms_profile *p, const char *text, size_t size)
{
	struct ms_stack_call call = { .function = ms_arena_strndup(&p->arena, text, size) };

	if (!call.function) {
		p->no_memory = true;
		return 0;
	}
	return ms_profile_location(p, &call, 1);
}

/** Innermost first: the type, what holds the map, and so on to the variable. */
static size_t stack_of(struct ms_profile *p, const struct ms_owner_row *row,
		       uint64_t steps[STEPS_MAX])
{
	const char *type = row->type ? row->type : "map of unknown type";
	const char *at = row->owner ? row->owner : "[no owner]";
	size_t count = 0;

	steps[count++] = location_of(p, type, strlen(type));
	while (count < STEPS_MAX) {
		const char *end = strstr(at, ARROW);
		size_t size = end && count + 1 < STEPS_MAX ? (size_t)(end - at) : strlen(at);

		steps[count++] = location_of(p, at, size);
		if (!end || count == STEPS_MAX)
			break;
		at = end + sizeof(ARROW) - 1;
	}
	return count;
}

static void put_row(struct ms_profile *p, const struct ms_owner_row *row)
{
	int64_t values[VALUES] = { value_of(row->maps), value_of(row->entries),
				   value_of(row->live_bytes), value_of(row->slack_bytes) };
	Ms__Pprof__Profile piece = MS__PPROF__PROFILE__INIT;
	Ms__Pprof__Sample sample = MS__PPROF__SAMPLE__INIT, *list = &sample;
	Ms__Pprof__Label label = MS__PPROF__LABEL__INIT, *labels = &label;
	uint64_t steps[STEPS_MAX];

	sample.n_location_id = stack_of(p, row, steps);
	sample.location_id = steps;
	sample.n_value = VALUES;
	sample.value = values;
	label.key_text = ms_profile_text(p, "type");
	label.str_text = ms_profile_text(p, row->type ? row->type : "?");
	sample.n_label = 1;
	sample.label = &labels;
	piece.n_sample = 1;
	piece.sample = &list;
	ms_profile_put(p, &piece);
}

static void put_head(struct ms_profile *p, const struct ms_report_target *target)
{
	static const char *const names[VALUES][2] = { { "maps", "count" },
						      { "entries", "count" },
						      { "live_bytes", "bytes" },
						      { "slack_bytes", "bytes" } };
	Ms__Pprof__Profile piece = MS__PPROF__PROFILE__INIT;
	Ms__Pprof__ValueType types[VALUES], *type_list[VALUES];
	Ms__Pprof__Mapping mapping = MS__PPROF__MAPPING__INIT, *mapping_list = &mapping;

	for (size_t i = 0; i < VALUES; i++) {
		ms__pprof__value_type__init(&types[i]);
		types[i].type_text = ms_profile_text(p, names[i][0]);
		types[i].unit_text = ms_profile_text(p, names[i][1]);
		type_list[i] = &types[i];
	}
	mapping.id = 1;
	mapping.filename_text = ms_profile_text(p, target->exe);
	mapping.has_functions = true;
	piece.n_sample_type = VALUES;
	piece.sample_type = type_list;
	piece.n_mapping = 1;
	piece.mapping = &mapping_list;
	piece.default_sample_type_text = types[LIVE_BYTES].type_text;
	ms_profile_put(p, &piece);
}

static void put_comment(struct ms_profile *p, const char *text)
{
	Ms__Pprof__Profile piece = MS__PPROF__PROFILE__INIT;
	int64_t index = ms_profile_text(p, text);

	piece.n_comment_text = 1;
	piece.comment_text = &index;
	ms_profile_put(p, &piece);
}

struct ms_error *ms_render_owners_pprof(const struct ms_report_target *target,
					const struct ms_owner_row *rows, size_t count,
					const char *partial_reason, struct ms_sink *sink)
{
	struct ms_profile p;
	struct ms_error *err = ms_profile_begin(&p, sink);
	uint64_t unknown = 0;
	char text[96];

	if (err)
		return err;
	put_head(&p, target);
	for (size_t i = 0; i < count && !ms_sink_failed(sink); i++) {
		put_row(&p, &rows[i]);
		unknown += rows[i].unknown_bytes_maps;
	}
	if (unknown) {
		snprintf(text, sizeof(text),
			 "the bytes of %" PRIu64 " maps are not known and not in it", unknown);
		put_comment(&p, text);
	}
	if (partial_reason)
		put_comment(&p, partial_reason);
	return ms_profile_end(&p);
}
