// verdict.c - the rules, in the order in which they are asked:
//
//	growing		the last quarter of the window holds more than the first, by 1 % or 100
//			entries, and by more than the largest fall in between; not where the
//			rise ended in the first half of the window
//	suspect		growing, and in at least 20 looks over 5 s never once with fewer entries
//			than the look before, with rises in every quarter of the window
//	growing		also a swinging map whose floor rises: three or more troughs, each
//			higher than the one before, together by half of a swing; and a table
//			seen to move to a larger one while nothing was taken out
//	sawtooth	a fall and a rise of more than a tenth of the peak
//	slack		a quarter full or less, and at least 1 MB held for nothing.  A table
//			that grew to its size is at least 40 % full after a doubling (13/32 for
//			classic maps, 7/16 for Swiss), and Go never makes one smaller: entries
//			are gone, or the hint was too large
//	stable		none of these
//
// Means of a quarter are compared, not two looks, so that noise around a level is no growth.  A
// bounded oscillation seen for a whole period moves these means by less than it falls on its way
// down; that is why growth has to beat the largest fall.
#include "diagnose/verdict.h"

enum {
	GREW_ENTRIES_MIN = 100,
	GREW_PERCENT_MIN = 1,
	SWING_PERCENT_MIN = 10,
	SWING_ENTRIES_MIN = 16,
	QUARTERS = 4,
	MEANS_MIN = 8, // Fewer looks than this are compared one by one.
	SUSPECT_LOOKS_MIN = 20,
	SUSPECT_SECONDS_MIN = 5,
	TROUGHS_MIN = 3,
	SLACK_LOAD_PERCENT = 25,
	SLACK_BYTES_MIN = 1 << 20,
};

/** What the samples say of the way up and down. */
struct course {
	double first, last;    // Means of the first and last quarter.
	double middle;         // Mean of the third quarter.
	uint64_t largest_fall; // From any peak to any later trough.
	uint64_t largest_rise;
	uint64_t troughs;
	bool floor_rises;    // Every trough is higher than the one before.
	uint64_t floor_rise; // From the first to the last trough.
	uint64_t swings_sum; // Of the falls into the troughs.
	bool rose_in[QUARTERS];
};

struct ms_history ms_history_of(const struct ms_sample *samples, size_t count)
{
	struct ms_history h = {
		.samples = samples, .count = count, .looks = count, .slack_bytes = MS_UNKNOWN
	};

	if (!count)
		return h;
	h.low = h.high = samples[0].entries;
	for (size_t i = 1; i < count; i++) {
		h.rises += samples[i].entries > samples[i - 1].entries;
		h.falls += samples[i].entries < samples[i - 1].entries;
		h.low = ms_min_u64(h.low, samples[i].entries);
		h.high = ms_max_u64(h.high, samples[i].entries);
	}
	return h;
}

static uint64_t entries_at(const struct ms_history *h, size_t i)
{
	return h->samples[i].entries;
}

static double mean(const struct ms_history *h, size_t from, size_t to)
{
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += (double)entries_at(h, i);
	return sum / (double)(to - from);
}

/** Whether a fall or rise of so many entries is a swing and no noise. */
static bool is_swing(const struct ms_history *h, uint64_t entries)
{
	return entries >= SWING_ENTRIES_MIN &&
	       (double)entries * 100 >= (double)h->high * SWING_PERCENT_MIN;
}

static void trough_take(struct course *c, uint64_t *last_trough, uint64_t trough, uint64_t fall)
{
	if (c->troughs) {
		c->floor_rises = c->floor_rises && trough > *last_trough;
		if (c->floor_rises)
			c->floor_rise += trough - *last_trough;
	} else {
		c->floor_rises = true;
	}
	c->troughs++;
	c->swings_sum += fall;
	*last_trough = trough;
}

/** Follow peaks and troughs; what is smaller than a swing is noise on the way. */
static void swings_follow(const struct ms_history *h, struct course *c)
{
	uint64_t peak = entries_at(h, 0), trough = peak, last_trough = 0;
	uint64_t most = peak, least = peak;
	bool is_down = false;

	for (size_t i = 1; i < h->count; i++) {
		uint64_t n = entries_at(h, i);

		most = ms_max_u64(most, n);
		least = ms_min_u64(least, n);
		c->largest_fall = ms_max_u64(c->largest_fall, most - n);
		c->largest_rise = ms_max_u64(c->largest_rise, n - least);
		if (is_down && n < trough) {
			trough = n;
		} else if (is_down && is_swing(h, n - trough)) {
			trough_take(c, &last_trough, trough, peak - trough);
			is_down = false;
			peak = n;
		} else if (!is_down && n > peak) {
			peak = n;
		} else if (!is_down && is_swing(h, peak - n)) {
			is_down = true;
			trough = n;
		}
	}
}

static void quarters_compare(const struct ms_history *h, struct course *c)
{
	size_t n = h->count, quarter = n / QUARTERS;

	if (n < MEANS_MIN) {
		c->first = (double)entries_at(h, 0);
		c->last = (double)entries_at(h, n - 1);
		c->middle = c->first;
		return;
	}
	c->first = mean(h, 0, quarter);
	c->middle = mean(h, n / 2, n - quarter);
	c->last = mean(h, n - quarter, n);
	for (size_t i = 1; i < n; i++) {
		if (entries_at(h, i) > entries_at(h, i - 1))
			c->rose_in[i * QUARTERS / n] = true;
	}
}

static struct course course_of(const struct ms_history *h)
{
	struct course c = { 0 };

	swings_follow(h, &c);
	quarters_compare(h, &c);
	return c;
}

static bool is_growth(const struct ms_history *h, double more)
{
	double share = (double)h->high * GREW_PERCENT_MIN / 100;

	return more > 0 && (more >= GREW_ENTRIES_MIN || more >= share || h->growths);
}

/** A rise that was over by the middle of the window: a table was filled and is in use now. */
static bool has_settled(const struct ms_history *h, const struct course *c)
{
	if (h->count < MEANS_MIN || is_growth(h, c->last - c->middle))
		return false;
	for (size_t i = h->count / 2 + 1; i < h->count; i++) {
		if (entries_at(h, i) > entries_at(h, i - 1) &&
		    is_growth(h, (double)entries_at(h, i) - c->middle))
			return false;
	}
	return true;
}

static bool grows(const struct ms_history *h, const struct course *c)
{
	double more = c->last - c->first;
	double swing = c->troughs ? (double)c->swings_sum / (double)c->troughs : 0;

	if (is_growth(h, more) && more > (double)c->largest_fall)
		return !has_settled(h, c);
	if (c->troughs >= TROUGHS_MIN && c->floor_rises && (double)c->floor_rise >= swing / 2)
		return true;
	return h->evacuating && !c->largest_fall;
}

static bool is_suspect(const struct ms_history *h, const struct course *c)
{
	double seconds = h->samples[h->count - 1].time_s - h->samples[0].time_s;

	return h->looks >= SUSPECT_LOOKS_MIN && seconds >= SUSPECT_SECONDS_MIN && !h->falls &&
	       c->rose_in[0] && c->rose_in[1] && c->rose_in[2] && c->rose_in[3];
}

static bool holds_slack(const struct ms_history *h)
{
	const struct ms_sample *last = &h->samples[h->count - 1];
	uint64_t spare = h->slack_bytes != MS_UNKNOWN ? h->slack_bytes : last->bytes;

	return last->capacity != MS_UNKNOWN && last->bytes != MS_UNKNOWN && last->capacity &&
	       !h->evacuating && last->entries <= last->capacity / 100 * SLACK_LOAD_PERCENT &&
	       spare >= SLACK_BYTES_MIN;
}

enum ms_verdict ms_verdict_judge(const struct ms_history *h)
{
	struct course c;

	if (!h->count)
		return MS_VERDICT_STABLE;
	c = course_of(h);
	if (grows(h, &c))
		return is_suspect(h, &c) ? MS_VERDICT_SUSPECT : MS_VERDICT_GROWING;
	if (h->rises && h->falls && is_swing(h, c.largest_fall) && is_swing(h, c.largest_rise))
		return MS_VERDICT_SAWTOOTH;
	return holds_slack(h) ? MS_VERDICT_SLACK : MS_VERDICT_STABLE;
}

static bool is_rise(enum ms_verdict verdict)
{
	return verdict == MS_VERDICT_GROWING || verdict == MS_VERDICT_SUSPECT;
}

enum ms_verdict ms_verdict_judge_owner(const struct ms_owner_sample *samples, size_t count,
				       uint64_t slack_bytes)
{
	struct ms_sample maps[MS_OWNER_SAMPLES_MAX], entries[MS_OWNER_SAMPLES_MAX];
	struct ms_history by_maps, by_entries;
	enum ms_verdict verdict;

	if (count > MS_OWNER_SAMPLES_MAX)
		count = MS_OWNER_SAMPLES_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct ms_owner_sample *s = &samples[i];

		maps[i] = (struct ms_sample){ s->time_s, s->maps, MS_UNKNOWN, MS_UNKNOWN };
		entries[i] = (struct ms_sample){ s->time_s, s->entries, s->capacity, s->bytes };
	}
	by_maps = ms_history_of(maps, count);
	by_entries = ms_history_of(entries, count);
	by_entries.slack_bytes = slack_bytes;
	verdict = ms_verdict_judge(&by_entries);
	if (is_rise(verdict) || by_maps.high < SWING_ENTRIES_MIN)
		return verdict;
	return is_rise(ms_verdict_judge(&by_maps)) ? MS_VERDICT_GROWING : verdict;
}
