// filter.c - regular expressions over the owners and types of a million rows.
//
// Rows of one owner stand next to each other more often than not and share the string, so the last
// answer is kept by address: a fleet of maps costs one match.
#include "report/filter.h"

struct ms_error *ms_pattern_init(struct ms_pattern *pattern, const char *option, const char *text)
{
	char why[128];
	int status;

	*pattern = (struct ms_pattern){ 0 };
	if (!text)
		return NULL;
	status = regcomp(&pattern->compiled, text, REG_EXTENDED | REG_NOSUB);
	if (status == REG_ESPACE)
		return ms_error_no_memory();
	if (status) {
		regerror(status, &pattern->compiled, why, sizeof(why));
		return ms_error_new(MS_ERR_USAGE,
				    "%s %s is no regular expression: %s; put a backslash before "
				    "what is meant as it stands",
				    option, text, why);
	}
	pattern->text = text;
	return NULL;
}

bool ms_pattern_matches(struct ms_pattern *pattern, const char *text)
{
	if (!pattern->text)
		return true;
	if (!text)
		return false;
	if (pattern->last != text) {
		pattern->last = text;
		pattern->last_matches = regexec(&pattern->compiled, text, 0, NULL, 0) == 0;
	}
	return pattern->last_matches;
}

void ms_pattern_deinit(struct ms_pattern *pattern)
{
	if (pattern->text)
		regfree(&pattern->compiled);
	*pattern = (struct ms_pattern){ 0 };
}

struct ms_error *ms_row_filter_init(struct ms_row_filter *filter, const char *owner,
				    const char *type)
{
	struct ms_error *err;

	*filter = (struct ms_row_filter){ 0 };
	err = ms_pattern_init(&filter->owner, "--owner", owner);
	if (!err)
		err = ms_pattern_init(&filter->type, "--type", type);
	if (err)
		ms_row_filter_deinit(filter);
	return err;
}

struct ms_error *ms_row_filter_init_either(struct ms_row_filter *filter, const char *text)
{
	struct ms_error *err = ms_row_filter_init(filter, text, text);

	filter->either = !err;
	return err;
}

bool ms_row_filter_passes(struct ms_row_filter *filter, const char *owner, const char *type)
{
	if (filter && filter->either)
		return ms_pattern_matches(&filter->owner, owner) ||
		       ms_pattern_matches(&filter->type, type);
	return !filter || (ms_pattern_matches(&filter->owner, owner) &&
			   ms_pattern_matches(&filter->type, type));
}

bool ms_row_filter_is_set(const struct ms_row_filter *filter)
{
	return filter && (filter->owner.text || filter->type.text);
}

void ms_row_filter_deinit(struct ms_row_filter *filter)
{
	if (!filter)
		return;
	ms_pattern_deinit(&filter->owner);
	ms_pattern_deinit(&filter->type);
}
