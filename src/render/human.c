// human.c - grouping, decimal units and shares.  Rounding is done before the unit is chosen, so
// that 999.9 kB becomes 1.0 MB and never 1000 kB.
#include "render/human.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *set(struct ms_human *h, const char *text)
{
	snprintf(h->text, sizeof(h->text), "%s", text);
	return h->text;
}

const char *ms_human_count(struct ms_human *h, uint64_t count)
{
	char digits[24];
	size_t len, at = 0;

	if (count == MS_UNKNOWN)
		return set(h, "?");
	len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			h->text[at++] = ',';
		h->text[at++] = digits[i];
	}
	h->text[at] = '\0';
	return h->text;
}

static void format_bytes(struct ms_human *h, const char *sign, double bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	size_t unit = 0;

	if (bytes < 999.5) {
		snprintf(h->text, sizeof(h->text), "%s%.0f B", sign, bytes);
		return;
	}
	for (bytes /= 1000; bytes >= 999.5 && unit + 1 < MS_ARRAY_SIZE(units); unit++)
		bytes /= 1000;
	snprintf(h->text, sizeof(h->text), bytes < 9.95 ? "%s%.1f %s" : "%s%.0f %s", sign, bytes,
		 units[unit]);
}

const char *ms_human_bytes(struct ms_human *h, uint64_t bytes)
{
	if (bytes == MS_UNKNOWN)
		return set(h, "?");
	format_bytes(h, "", (double)bytes);
	return h->text;
}

const char *ms_human_bytes_change(struct ms_human *h, double bytes)
{
	if (!isfinite(bytes))
		return set(h, "?");
	format_bytes(h, bytes < 0 ? "-" : "+", fabs(bytes));
	return h->text;
}

const char *ms_human_rate(struct ms_human *h, double per_unit)
{
	struct ms_human digits;
	double size = fabs(per_unit);

	if (!(size < 1e18))
		return set(h, "?");
	if (size < 9.95)
		snprintf(h->text, sizeof(h->text), size == 0 ? "%.0f" : "%.1f", per_unit);
	else
		snprintf(h->text, sizeof(h->text), "%s%s", per_unit < 0 ? "-" : "",
			 ms_human_count(&digits, (uint64_t)llround(size)));
	return h->text;
}

const char *ms_human_change(struct ms_human *h, double change)
{
	static const char units[] = " kMG";
	unsigned unit = 0;

	if (isnan(change))
		return set(h, "?");
	for (; fabs(change) >= 99999.5 && unit + 1 < sizeof(units) - 1; unit++)
		change /= 1000;
	if (change == 0)
		return set(h, "0");
	if (unit)
		snprintf(h->text, sizeof(h->text), "%+.0f%c", change, units[unit]);
	else
		snprintf(h->text, sizeof(h->text), fabs(change) < 9.95 ? "%+.1f" : "%+.0f", change);
	return h->text;
}

const char *ms_human_seconds(struct ms_human *h, double seconds)
{
	if (!isfinite(seconds))
		return set(h, "?");
	if (seconds < 0.0095)
		snprintf(h->text, sizeof(h->text), "%.3f s", seconds);
	else if (seconds < 0.095)
		snprintf(h->text, sizeof(h->text), "%.2f s", seconds);
	else
		snprintf(h->text, sizeof(h->text), seconds < 9.95 ? "%.1f s" : "%.0f s", seconds);
	return h->text;
}

const char *ms_human_ahead(struct ms_human *h, double seconds)
{
	if (!isfinite(seconds) || seconds < 119.5)
		return ms_human_seconds(h, seconds);
	if (seconds < 119.5 * 60)
		snprintf(h->text, sizeof(h->text), "%.0f min", seconds / 60);
	else if (seconds < 47.5 * 3600)
		snprintf(h->text, sizeof(h->text), "%.0f h", seconds / 3600);
	else if (seconds < 999.5 * 86400)
		snprintf(h->text, sizeof(h->text), "%.0f days", seconds / 86400);
	else
		return set(h, "more than 1,000 days");
	return h->text;
}

const char *ms_human_pause(struct ms_human *h, double seconds)
{
	double ms = seconds * 1e3;

	if (!isfinite(seconds) || ms >= 999.5)
		return ms_human_seconds(h, seconds);
	if (ms < 0.0995)
		snprintf(h->text, sizeof(h->text), "%.0f us", ms * 1e3);
	else
		snprintf(h->text, sizeof(h->text), ms < 9.95 ? "%.1f ms" : "%.0f ms", ms);
	return h->text;
}

const char *ms_human_percent(struct ms_human *h, double share)
{
	if (!isfinite(share))
		return set(h, "?");
	if (share > 0 && share < 0.005)
		return set(h, "<1 %");
	// What is not quite whole never reads as whole: an evacuation at 99.9 % still runs.
	if (share < 1 && share >= 0.995)
		return set(h, "99 %");
	snprintf(h->text, sizeof(h->text), "%.0f %%", share * 100);
	return h->text;
}
