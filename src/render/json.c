// json.c - yajl with lines, unknown values and strings that may be anything.
//
// yajl hands out its tokens one by one, the comma before an element included.  A line break that
// is due is put behind that comma, or before the first element.  yajl escapes what JSON demands;
// the rest of what a terminal acts upon, DEL and U+009B among it, is escaped on the way out.  It
// hands on the characters between two escapes of its own in one piece, so none is ever cut.
#include "render/json.h"

#include "render/escape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void print(void *context, const char *text, size_t size)
{
	struct ms_json *j = context;

	if (!j->row_due) {
		if (j->unsafe)
			ms_escape_json(j->sink, text, size);
		else
			ms_sink_write(j->sink, text, size);
		return;
	}
	j->row_due = false;
	if (size == 1 && *text == ',') {
		ms_sink_write(j->sink, ",\n", 2);
	} else {
		ms_sink_write(j->sink, "\n", 1);
		ms_sink_write(j->sink, text, size);
	}
}

/** A generator can only fail by our own misuse or for want of memory; the second is reported. */
static void check(struct ms_json *j, yajl_gen_status status)
{
	if (status != yajl_gen_status_ok)
		ms_sink_fail_no_memory(j->sink);
}

void ms_json_row(struct ms_json *j)
{
	j->row_due = true;
}

void ms_json_open_object(struct ms_json *j)
{
	check(j, yajl_gen_map_open(j->gen));
}

void ms_json_close_object(struct ms_json *j)
{
	check(j, yajl_gen_map_close(j->gen));
}

void ms_json_open_array(struct ms_json *j)
{
	check(j, yajl_gen_array_open(j->gen));
}

void ms_json_close_array(struct ms_json *j)
{
	check(j, yajl_gen_array_close(j->gen));
}

void ms_json_key(struct ms_json *j, const char *key)
{
	check(j, yajl_gen_string(j->gen, (const unsigned char *)key, strlen(key)));
}

void ms_json_null(struct ms_json *j)
{
	check(j, yajl_gen_null(j->gen));
}

void ms_json_bool(struct ms_json *j, int value)
{
	check(j, yajl_gen_bool(j->gen, value));
}

static void number(struct ms_json *j, const char *text)
{
	check(j, yajl_gen_number(j->gen, text, strlen(text)));
}

void ms_json_u64(struct ms_json *j, uint64_t value)
{
	char text[24];

	if (value == MS_UNKNOWN) {
		ms_json_null(j);
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64, value);
	number(j, text);
}

void ms_json_change(struct ms_json *j, uint64_t before, uint64_t after)
{
	char text[24];

	if (before == MS_UNKNOWN || after == MS_UNKNOWN) {
		ms_json_null(j);
		return;
	}
	snprintf(text, sizeof(text), "%s%" PRIu64, after < before ? "-" : "",
		 after < before ? before - after : after - before);
	number(j, text);
}

void ms_json_double(struct ms_json *j, double value)
{
	char text[32];

	if (!isfinite(value)) {
		ms_json_null(j);
		return;
	}
	snprintf(text, sizeof(text), "%.6g", value);
	number(j, text);
}

void ms_json_string(struct ms_json *j, const char *value)
{
	enum ms_text_kind kind;

	if (!value) {
		ms_json_null(j);
		return;
	}
	kind = ms_text_kind(value);
	if (kind == MS_TEXT_INVALID) {
		j->scratch.size = 0;
		ms_replace_text(&j->scratch, value, MS_REPLACE_INVALID);
		value = ms_sink_text(&j->scratch);
	}
	j->unsafe = kind != MS_TEXT_PLAIN;
	check(j, yajl_gen_string(j->gen, (const unsigned char *)(value ? value : ""),
				 value ? strlen(value) : 0));
	j->unsafe = false;
}

void ms_json_address(struct ms_json *j, ms_addr value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	ms_json_string(j, text);
}

void ms_json_put_bool(struct ms_json *j, const char *key, int value)
{
	ms_json_key(j, key);
	ms_json_bool(j, value);
}

void ms_json_put_u64(struct ms_json *j, const char *key, uint64_t value)
{
	ms_json_key(j, key);
	ms_json_u64(j, value);
}

void ms_json_put_double(struct ms_json *j, const char *key, double value)
{
	ms_json_key(j, key);
	ms_json_double(j, value);
}

void ms_json_put_string(struct ms_json *j, const char *key, const char *value)
{
	ms_json_key(j, key);
	ms_json_string(j, value);
}

void ms_json_put_address(struct ms_json *j, const char *key, ms_addr value)
{
	ms_json_key(j, key);
	ms_json_address(j, value);
}

void ms_json_put_number(struct ms_json *j, const char *key, const char *digits)
{
	ms_json_key(j, key);
	number(j, digits);
}

void ms_json_put_time(struct ms_json *j, const char *key, double seconds)
{
	char text[32];

	ms_json_key(j, key);
	if (!isfinite(seconds)) {
		ms_json_null(j);
		return;
	}
	snprintf(text, sizeof(text), "%.12g", seconds);
	number(j, text);
}

void ms_json_put_partial(struct ms_json *j, bool partial, const char *reason)
{
	ms_json_row(j);
	ms_json_put_bool(j, "partial", partial);
	ms_json_put_string(j, "partial_reason", partial ? reason : NULL);
}

void ms_json_put_target(struct ms_json *j, const char *key, const struct ms_report_target *target)
{
	ms_json_row(j);
	ms_json_key(j, key);
	ms_json_open_object(j);
	ms_json_put_u64(j, "pid", target->pid);
	ms_json_put_string(j, "core", target->core);
	ms_json_put_string(j, "exe", target->exe);
	ms_json_put_string(j, "go_version", target->go_version);
	ms_json_put_string(j, "libhmap", target->libhmap);
	ms_json_put_string(j, "experiments", target->experiments);
	ms_json_put_string(j, "arch", target->arch);
	if (target->symbols_unknown) {
		ms_json_key(j, "stripped");
		ms_json_null(j);
	} else {
		ms_json_put_bool(j, "stripped", target->stripped);
	}
	if (target->lacks_program)
		ms_json_put_bool(j, "lacks_program", true);
	ms_json_put_string(j, "layout_source", target->layout_source);
	ms_json_put_bool(j, "proved", target->proved);
	ms_json_put_u64(j, "start_ticks", target->start_ticks);
	ms_json_close_object(j);
}

static void put_cost(struct ms_json *j, const struct ms_report_cost *cost)
{
	ms_json_row(j);
	ms_json_key(j, "cost");
	ms_json_open_object(j);
	ms_json_put_double(j, "wall_s", cost->wall_s);
	ms_json_put_u64(j, "read_bytes", cost->read_bytes);
	ms_json_put_u64(j, "own_peak_bytes", cost->own_peak_bytes);
	ms_json_put_u64(j, "stops", cost->stops);
	ms_json_put_u64(j, "probes", cost->probes);
	ms_json_put_u64(j, "reads_retried", cost->reads_retried);
	ms_json_put_u64(j, "reads_given_up", cost->reads_given_up);
	ms_json_put_u64(j, "gc_cycle", cost->gc_cycle);
	ms_json_put_double(j, "gc_age_s", cost->gc_age_s);
	ms_json_close_object(j);
}

struct ms_error *ms_json_open(struct ms_json *j, struct ms_sink *sink)
{
	*j = (struct ms_json){ .gen = yajl_gen_alloc(NULL), .sink = sink };
	if (!j->gen)
		return ms_error_no_memory();
	ms_sink_init_memory(&j->scratch);
	yajl_gen_config(j->gen, yajl_gen_print_callback, print, j);
	return NULL;
}

struct ms_error *ms_json_begin(struct ms_json *j, struct ms_sink *sink, const char *schema,
			       const struct ms_report_target *target,
			       const struct ms_report_cost *cost)
{
	struct ms_error *err = ms_json_open(j, sink);

	if (err)
		return err;
	ms_json_open_object(j);
	ms_json_row(j);
	ms_json_put_string(j, "schema", schema);
	ms_json_row(j);
	ms_json_key(j, "tool");
	ms_json_open_object(j);
	ms_json_put_string(j, "name", "mapscope");
	ms_json_put_string(j, "version", MS_VERSION);
	ms_json_close_object(j);
	ms_json_put_target(j, "target", target);
	put_cost(j, cost);
	return NULL;
}

struct ms_error *ms_json_end(struct ms_json *j)
{
	ms_json_row(j);
	ms_json_close_object(j);
	ms_sink_puts(j->sink, "\n");
	yajl_gen_free(j->gen);
	if (ms_sink_failed(&j->scratch))
		ms_sink_fail_no_memory(j->sink);
	ms_sink_deinit(&j->scratch);
	return ms_sink_finish(j->sink);
}
