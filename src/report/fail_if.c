// fail_if.c - a value that is not known neither hits a rule nor passes it silently: it is counted.
#include "report/fail_if.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct what_row {
	const char *name;
	enum ms_fail_what what;
	bool is_bytes, is_share, is_rate;
} whats[] = {
	{ "entries", MS_FAIL_ENTRIES, false, false, false },
	{ "maps", MS_FAIL_MAPS, false, false, false },
	{ "bytes", MS_FAIL_BYTES, true, false, false },
	{ "slack", MS_FAIL_SLACK, true, true, false },
	{ "load", MS_FAIL_LOAD, false, true, false },
	{ "growth", MS_FAIL_GROWTH, true, false, true },
	{ "retained", MS_FAIL_RETAINED, true, false, false },
	{ "waiting", MS_FAIL_WAITING, false, false, false },
	{ "verdict", MS_FAIL_VERDICT, false, false, false },
	{ "findings", MS_FAIL_FINDINGS, false, false, false },
};

static struct ms_error *wrong(const char *text, const char *why)
{
	return ms_error_new(MS_ERR_USAGE, "--fail-if %s: %s", text, why);
}

double ms_bytes_unit(const char *unit)
{
	static const struct {
		const char *name;
		double bytes;
	} units[] = { { "", 1 },         { "B", 1 },       { "kB", 1e3 },  { "KB", 1e3 },
		      { "MB", 1e6 },     { "GB", 1e9 },    { "TB", 1e12 }, { "KiB", 0x1p10 },
		      { "MiB", 0x1p20 }, { "GiB", 0x1p30 } };

	for (size_t i = 0; i < MS_ARRAY_SIZE(units); i++) {
		if (!strcmp(units[i].name, unit))
			return units[i].bytes;
	}
	return 0;
}

static struct ms_error *verdict_parse(const char *text, const char *word, struct ms_fail_if *rule)
{
	for (int v = MS_VERDICT_RACE; v <= MS_VERDICT_STABLE; v++) {
		if (strcmp(ms_verdict_name((enum ms_verdict)v), word) != 0)
			continue;
		rule->value = v;
		return NULL;
	}
	return wrong(text,
		     "no such verdict; type race, growing, suspect, churn, sawtooth, slack or "
		     "stable");
}

static struct ms_error *value_parse(const char *text, const char *at, const struct what_row *row,
				    struct ms_fail_if *rule)
{
	char unit[16];
	char *end;
	size_t size;
	double number = strtod(at, &end), scale = 1;

	if (end == at || !isfinite(number) || number < 0)
		return wrong(text, "there is no number; type one, like growth>100MB/min");
	if (row->is_share && !strcmp(end, "%")) {
		rule->value = number / 100;
		if (row->what == MS_FAIL_SLACK)
			rule->what = MS_FAIL_SLACK_SHARE;
		return NULL;
	}
	if (row->is_share && !row->is_bytes)
		return wrong(text, "load is a share; type it with %, like load<10%");
	size = strcspn(end, "/");
	if (size >= sizeof(unit))
		return wrong(text, "the unit is not known");
	memcpy(unit, end, size);
	unit[size] = '\0';
	end += size;
	if (row->is_rate && !strcmp(end, "/s"))
		scale = 60;
	else if (row->is_rate ? strcmp(end, "/min") != 0 : *end != '\0')
		return wrong(text, row->is_rate ? "growth is a rate; type /min or /s behind it"
						: "only growth is a rate");
	scale *= row->is_bytes ? ms_bytes_unit(unit) : unit[0] == '\0';
	if (!(scale > 0))
		return wrong(text, row->is_bytes ? "the unit is not known; type kB, MB, GB or KiB, "
						   "MiB, GiB"
						 : "it is a count; type it without a unit");
	rule->value = number * scale;
	return NULL;
}

/** The operator at *at, which moves behind it; false when there is none. */
static bool op_parse(const char **at, enum ms_fail_op *ret_op)
{
	bool is_more = **at == '>', has_equal;

	if (!is_more && **at != '<')
		return false;
	(*at)++;
	has_equal = **at == '=';
	*at += has_equal;
	*ret_op = is_more ? (has_equal ? MS_FAIL_AT_LEAST : MS_FAIL_MORE)
			  : (has_equal ? MS_FAIL_AT_MOST : MS_FAIL_LESS);
	return true;
}

static struct ms_error *condition_parse(const char *text, const char *at, struct ms_fail_if *rule)
{
	const struct what_row *row = NULL;
	size_t size = strcspn(at, "<>=");

	for (size_t i = 0; i < MS_ARRAY_SIZE(whats) && !row; i++) {
		if (strlen(whats[i].name) == size && !strncmp(whats[i].name, at, size))
			row = &whats[i];
	}
	if (!row)
		return wrong(text,
			     "it is not known what that is; type entries, maps, bytes, slack, "
			     "load, growth, retained, waiting, verdict or findings, and > or < "
			     "behind it");
	at += size;
	rule->what = row->what;
	if (row->what == MS_FAIL_VERDICT)
		return *at == '='
			   ? verdict_parse(text, at + 1, rule)
			   : wrong(text, "a verdict is compared with =, like verdict=growing");
	if (!op_parse(&at, &rule->op))
		return wrong(text, "there is no comparison; type >, >=, < or <=");
	return value_parse(text, at, row, rule);
}

struct ms_error *ms_fail_if_parse(const char *text, struct ms_fail_if *ret_rule)
{
	static const char owner[] = "owner~";
	struct ms_fail_if rule = { .text = text };
	const char *at = text, *colon;
	struct ms_error *err;

	if (!strncmp(text, owner, sizeof(owner) - 1)) {
		at = text + sizeof(owner) - 1;
		colon = strrchr(at, ':');
		if (!colon)
			return wrong(text,
				     "no condition behind the owner; type owner~REGEX:bytes>1GB");
		rule.owner_text = strndup(at, (size_t)(colon - at));
		err = rule.owner_text
			  ? ms_pattern_init(&rule.owner, "--fail-if owner~", rule.owner_text)
			  : ms_error_no_memory();
		if (err) {
			free(rule.owner_text);
			return err;
		}
		at = colon + 1;
	}
	err = condition_parse(text, at, &rule);
	if (err) {
		ms_fail_if_deinit(&rule);
		return err;
	}
	*ret_rule = rule;
	return NULL;
}

bool ms_fail_if_is_of_census(const struct ms_fail_if *rule)
{
	return rule->what <= MS_FAIL_LOAD;
}

// --- Checking. ---

static double number(uint64_t value)
{
	return value == MS_UNKNOWN ? NAN : (double)value;
}

static double owner_value(const struct ms_owner_row *row, enum ms_fail_what what)
{
	switch (what) {
	case MS_FAIL_ENTRIES:
		return number(row->entries);
	case MS_FAIL_MAPS:
		return number(row->maps);
	case MS_FAIL_BYTES:
		return number(row->total_bytes);
	case MS_FAIL_SLACK:
		return number(row->slack_bytes);
	case MS_FAIL_SLACK_SHARE:
		return row->total_bytes ? number(row->slack_bytes) / number(row->total_bytes) : NAN;
	default:
		return row->capacity ? number(row->entries) / number(row->capacity) : NAN;
	}
}

static double finding_value(const struct ms_finding *f, enum ms_fail_what what)
{
	switch (what) {
	case MS_FAIL_GROWTH:
		return f->kind == MS_FINDING_CODE ? 0 : f->bytes_per_min;
	case MS_FAIL_RETAINED:
		return f->kind == MS_FINDING_CODE ? 0 : number(f->retained.bytes);
	case MS_FAIL_WAITING:
		return (double)ms_max_u64(f->users.by_role[MS_ROLE_WAITS], f->waiters.most);
	default:
		return (double)f->verdict;
	}
}

static bool is_hit(const struct ms_fail_if *rule, double value)
{
	if (rule->what == MS_FAIL_VERDICT)
		return (int)value == (int)rule->value;
	switch (rule->op) {
	case MS_FAIL_MORE:
		return value > rule->value;
	case MS_FAIL_AT_LEAST:
		return value >= rule->value;
	case MS_FAIL_LESS:
		return value < rule->value;
	case MS_FAIL_AT_MOST:
		break;
	}
	return value <= rule->value;
}

static struct ms_error *hit(const struct ms_fail_if *rule, const char *who, double value,
			    struct ms_fail_result *result)
{
	int size;

	if (result->hit)
		return NULL; // The first is the largest.
	result->hit = true;
	if (rule->what == MS_FAIL_VERDICT)
		size = asprintf(&result->sentence, "--fail-if %s: %s is %s", rule->text, who,
				ms_verdict_name((enum ms_verdict)value));
	else if (rule->what == MS_FAIL_SLACK_SHARE || rule->what == MS_FAIL_LOAD)
		size = asprintf(&result->sentence, "--fail-if %s: %s has %.1f %%", rule->text, who,
				100 * value);
	else
		size = asprintf(&result->sentence, "--fail-if %s: %s has %.0f", rule->text, who,
				value);
	if (size >= 0)
		return NULL;
	result->sentence = NULL;
	return ms_error_no_memory();
}

static bool is_meant(struct ms_fail_if *rule, const char *owner)
{
	return !rule->owner_text || ms_pattern_matches(&rule->owner, owner ? owner : "");
}

static struct ms_error *take(struct ms_fail_if *rule, const char *owner, double value,
			     struct ms_fail_result *result)
{
	if (!is_meant(rule, owner))
		return NULL;
	if (isnan(value)) {
		result->unknown++;
		return NULL;
	}
	return is_hit(rule, value)
		   ? hit(rule, owner ? owner : "a map without an owner", value, result)
		   : NULL;
}

static struct ms_error *findings_count(struct ms_fail_if *rule,
				       const struct ms_diagnosis_report *diagnosis,
				       struct ms_fail_result *result)
{
	size_t count = 0;

	for (size_t i = 0; i < diagnosis->finding_count; i++)
		count += diagnosis->findings[i].verdict != MS_VERDICT_STABLE &&
			 is_meant(rule, diagnosis->findings[i].map.owner);
	return is_hit(rule, (double)count) ? hit(rule, "the page", (double)count, result) : NULL;
}

struct ms_error *ms_fail_if_check(struct ms_fail_if *rule, const struct ms_owner_row *owners,
				  size_t count, const struct ms_diagnosis_report *diagnosis,
				  struct ms_fail_result *ret_result)
{
	struct ms_fail_result result = { 0 };
	struct ms_error *err = NULL;

	if (rule->what == MS_FAIL_FINDINGS) {
		err = diagnosis ? findings_count(rule, diagnosis, &result) : NULL;
	} else if (ms_fail_if_is_of_census(rule)) {
		for (size_t i = 0; i < count && !err; i++)
			err = take(rule, owners[i].owner, owner_value(&owners[i], rule->what),
				   &result);
	} else {
		for (size_t i = 0; diagnosis && i < diagnosis->finding_count && !err; i++)
			err = take(rule, diagnosis->findings[i].map.owner,
				   finding_value(&diagnosis->findings[i], rule->what), &result);
	}
	*ret_result = result;
	return err;
}

void ms_fail_if_deinit(struct ms_fail_if *rule)
{
	if (rule->owner_text)
		ms_pattern_deinit(&rule->owner);
	free(rule->owner_text);
	rule->owner_text = NULL;
}
