// json_doctor.c - "mapscope.doctor/1".
#include "render/json.h"

struct ms_error *ms_render_doctor_json(const struct ms_doctor_report *report, struct ms_sink *sink)
{
	struct ms_json j;
	struct ms_error *err =
	    ms_json_begin(&j, sink, "mapscope.doctor/1", &report->target, &report->cost);

	if (err)
		return err;
	ms_json_row(&j);
	ms_json_put_string(&j, "verdict", report->verdict);
	ms_json_row(&j);
	ms_json_put_string(&j, "change", report->change);
	ms_json_row(&j);
	ms_json_key(&j, "checks");
	ms_json_open_array(&j);
	for (size_t i = 0; i < report->check_count; i++) {
		const struct ms_check *check = &report->checks[i];

		ms_json_row(&j);
		ms_json_open_object(&j);
		ms_json_put_string(&j, "name", check->name);
		ms_json_put_string(&j, "state", ms_check_state_name(check->state));
		ms_json_put_string(&j, "text", check->text);
		ms_json_put_string(&j, "fix", check->fix);
		ms_json_close_object(&j);
	}
	ms_json_close_array(&j);
	return ms_json_end(&j);
}
