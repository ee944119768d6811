// quantity.c - one number with one unit: what has more of either is refused.
#include "cli/quantity.h"

#include "report/fail_if.h"

#include <stdlib.h>

static const double BYTES_MAX = 0x1p62;

/** The number that @p text begins with; false when that is no plain one. */
static bool number(const char *text, double *ret_value, const char **ret_unit)
{
	char *end;

	if (!strspn(text, "0123456789."))
		return false;
	*ret_value = strtod(text, &end);
	*ret_unit = end;
	return end == text + strspn(text, "0123456789.");
}

bool ms_duration_parse(const char *text, double *ret_seconds)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = { { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 }, { "d", 24 * 3600 } };
	const char *unit;
	double value;

	if (!number(text, &value, &unit))
		return false;
	if (!*unit && !(value > 0)) {
		*ret_seconds = 0;
		return true;
	}
	for (size_t i = 0; i < MS_ARRAY_SIZE(units); i++) {
		if (strcmp(units[i].name, unit) != 0 ||
		    value * units[i].seconds > MS_DURATION_S_MAX)
			continue;
		*ret_seconds = value * units[i].seconds;
		return true;
	}
	return false;
}

bool ms_bytes_parse(const char *text, uint64_t *ret_bytes)
{
	const char *unit;
	double value;

	if (!number(text, &value, &unit))
		return false;
	value *= ms_bytes_unit(unit);
	if (!(ms_bytes_unit(unit) > 0) || value > BYTES_MAX)
		return false;
	*ret_bytes = (uint64_t)value;
	return true;
}
