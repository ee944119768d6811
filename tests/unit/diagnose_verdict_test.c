// Goal: each verdict's rule holds for the histories it was written for, and an oscillation that
// stays within bounds is never called growing.
// Method: histories made by a formula, a hundred looks over ten seconds unless said otherwise.
#include "diagnose/verdict.h"
#include "tests/support/test.h"

enum { LOOKS = 100, MB = 1 << 20 };

static struct ms_sample samples[LOOKS];

/** entries(i) for every look, the table large enough for all of them. */
static struct ms_history history(uint64_t (*entries)(size_t i))
{
	for (size_t i = 0; i < LOOKS; i++)
		samples[i] =
		    (struct ms_sample){ (double)i * 0.1, entries(i), MS_UNKNOWN, MS_UNKNOWN };
	return ms_history_of(samples, LOOKS);
}

static const char *verdict(uint64_t (*entries)(size_t i))
{
	struct ms_history h = history(entries);

	return ms_verdict_name(ms_verdict_judge(&h));
}

/** Noise of at most +-amplitude, the same in every run. */
static uint64_t noisy(uint64_t level, size_t i, uint64_t amplitude)
{
	uint64_t hash = (i + 1) * 0x9e3779b97f4a7c15u;

	hash ^= hash >> 29;
	hash *= 0xbf58476d1ce4e5b9u;
	return level + (hash >> 33) % (2 * amplitude + 1) - amplitude;
}

static uint64_t triangle(size_t i, size_t period, uint64_t height)
{
	size_t at = i % period;

	return height * (at < period / 2 ? at : period - at) / (period / 2);
}

static uint64_t linear(size_t i)
{
	return 1000 + i * 50;
}

static uint64_t with_deletes(size_t i)
{
	return 100000 + i * 500 - (i % 7 == 3 ? 900 : 0);
}

static uint64_t with_one_mass_delete(size_t i)
{
	return 100000 + i * 5000 - (i >= 40 ? 60000 : 0);
}

static uint64_t steps(size_t i)
{
	return 10000 + i / 20 * 3000;
}

static uint64_t filled_once(size_t i)
{
	return i < 15 ? i * 2000 : 30000;
}

static uint64_t slow_under_noise(size_t i)
{
	return noisy(100000 + i * 100, i, 2000);
}

static uint64_t noise_alone(size_t i)
{
	return noisy(100000, i, 2000);
}

static uint64_t shrinking(size_t i)
{
	return 100000 - i * 900;
}

static uint64_t refilled_after_clear(size_t i)
{
	return i < 50 ? 20000 : (i - 50) * 300;
}

static uint64_t rising_floor(size_t i)
{
	return 20000 + i / 20 * 4000 + triangle(i, 20, 6000);
}

static uint64_t constant(size_t i)
{
	return 12345 + i * 0;
}

MS_TEST(verdict_of_rises)
{
	CHECK_STR(verdict(linear), "suspect");
	CHECK_STR(verdict(steps), "suspect");
	CHECK_STR(verdict(with_deletes), "growing");
	CHECK_STR(verdict(with_one_mass_delete), "growing");
	CHECK_STR(verdict(slow_under_noise), "growing");
	CHECK_STR(verdict(rising_floor), "growing");
}

MS_TEST(verdict_of_what_does_not_grow)
{
	CHECK_STR(verdict(constant), "stable");
	CHECK_STR(verdict(filled_once), "stable");
	CHECK_STR(verdict(noise_alone), "stable");
	CHECK_STR(verdict(shrinking), "stable");
	CHECK_STR(verdict(refilled_after_clear), "sawtooth");
}

MS_TEST(verdict_bounded_oscillation_never_grows)
{
	for (size_t period = 4; period <= 90; period++) {
		for (size_t phase = 0; phase < period; phase++) {
			struct ms_history h;
			enum ms_verdict v;

			for (size_t i = 0; i < LOOKS; i++)
				samples[i] =
				    (struct ms_sample){ (double)i * 0.1,
							5000 + triangle(i + phase, period, 20000),
							MS_UNKNOWN, MS_UNKNOWN };
			h = ms_history_of(samples, LOOKS);
			v = ms_verdict_judge(&h);
			if (v != MS_VERDICT_SAWTOOTH)
				ms_test_fail(__FILE__, __LINE__, "period %zu, phase %zu: %s",
					     period, phase, ms_verdict_name(v));
		}
	}
}

/** Filled to the top and cleared, over and over. */
MS_TEST(verdict_fill_and_clear_never_grows)
{
	for (size_t period = 4; period <= 90; period++) {
		for (size_t phase = 0; phase < period; phase++) {
			struct ms_history h;

			for (size_t i = 0; i < LOOKS; i++)
				samples[i] = (struct ms_sample){ (double)i * 0.1,
								 (i + phase) % period * 1000,
								 MS_UNKNOWN, MS_UNKNOWN };
			h = ms_history_of(samples, LOOKS);
			CHECK_EQ(ms_verdict_judge(&h), MS_VERDICT_SAWTOOTH);
		}
	}
}

MS_TEST(verdict_random_within_bounds_never_grows)
{
	for (unsigned round = 0; round < 2000; round++) {
		struct ms_history h;
		enum ms_verdict v;

		for (size_t i = 0; i < LOOKS; i++)
			samples[i] =
			    (struct ms_sample){ (double)i * 0.1, 50000 + ms_test_random() % 10000,
						MS_UNKNOWN, MS_UNKNOWN };
		h = ms_history_of(samples, LOOKS);
		v = ms_verdict_judge(&h);
		CHECK(v == MS_VERDICT_SAWTOOTH || v == MS_VERDICT_STABLE);
	}
}

MS_TEST(verdict_suspect_needs_the_whole_window)
{
	struct ms_history h = history(linear);

	CHECK_EQ(ms_verdict_judge(&h), MS_VERDICT_SUSPECT);
	h.falls = 1; // In a look that was left out of the samples.
	CHECK_EQ(ms_verdict_judge(&h), MS_VERDICT_GROWING);
	h = history(linear);
	h.count = h.looks = 15;
	CHECK_EQ(ms_verdict_judge(&h), MS_VERDICT_GROWING);
	h = history(linear);
	h.count = h.looks = 40; // Four seconds.
	CHECK_EQ(ms_verdict_judge(&h), MS_VERDICT_GROWING);
}

static enum ms_verdict two_looks(uint64_t before, uint64_t after)
{
	const struct ms_sample two[] = { { 0, before, MS_UNKNOWN, MS_UNKNOWN },
					 { 10, after, MS_UNKNOWN, MS_UNKNOWN } };
	struct ms_history h = ms_history_of(two, 2);

	return ms_verdict_judge(&h);
}

MS_TEST(verdict_of_one_and_two_looks)
{
	struct ms_history none = ms_history_of(NULL, 0), one = history(linear);

	one.count = one.looks = 1;
	CHECK_EQ(ms_verdict_judge(&none), MS_VERDICT_STABLE);
	CHECK_EQ(ms_verdict_judge(&one), MS_VERDICT_STABLE);
	CHECK_EQ(two_looks(1000, 1100), MS_VERDICT_GROWING);
	CHECK_EQ(two_looks(1000000, 1000099), MS_VERDICT_STABLE);
	CHECK_EQ(two_looks(1000, 1010), MS_VERDICT_STABLE);
	CHECK_EQ(two_looks(1000, 1011), MS_VERDICT_GROWING);
	CHECK_EQ(two_looks(1100, 1000), MS_VERDICT_STABLE);
	CHECK_EQ(two_looks(0, UINT64_MAX - 1), MS_VERDICT_GROWING);
	CHECK_EQ(two_looks(UINT64_MAX - 1, 0), MS_VERDICT_STABLE);
}

static enum ms_verdict held(uint64_t entries, uint64_t capacity, uint64_t bytes, uint64_t slack)
{
	const struct ms_sample two[] = { { 0, entries, capacity, bytes },
					 { 10, entries, capacity, bytes } };
	struct ms_history h = ms_history_of(two, 2);

	h.slack_bytes = slack;
	return ms_verdict_judge(&h);
}

MS_TEST(verdict_of_slack)
{
	CHECK_EQ(held(0, 100000, 4 * MB, 4 * MB), MS_VERDICT_SLACK);
	CHECK_EQ(held(25000, 100000, 4 * MB, 3 * MB), MS_VERDICT_SLACK);
	CHECK_EQ(held(25001, 100000, 4 * MB, 3 * MB), MS_VERDICT_STABLE);
	CHECK_EQ(held(0, 100000, 4 * MB, MB - 1), MS_VERDICT_STABLE);
	CHECK_EQ(held(0, 100000, 4 * MB, MS_UNKNOWN), MS_VERDICT_SLACK);
	CHECK_EQ(held(0, MS_UNKNOWN, 4 * MB, 4 * MB), MS_VERDICT_STABLE);
	CHECK_EQ(held(0, 100000, MS_UNKNOWN, MS_UNKNOWN), MS_VERDICT_STABLE);
	CHECK_EQ(held(0, 0, 4 * MB, 4 * MB), MS_VERDICT_STABLE);
}

/** Emptied by the end: the table's size tells of a higher past. */
MS_TEST(verdict_of_an_emptied_map)
{
	struct ms_history h = history(shrinking);

	for (size_t i = 0; i < LOOKS; i++) {
		samples[i].capacity = 1 << 17;
		samples[i].bytes = 8 * MB;
	}
	h.slack_bytes = 7 * MB;
	CHECK_EQ(ms_verdict_judge(&h), MS_VERDICT_SLACK);
}

MS_TEST(verdict_of_an_evacuation)
{
	const struct ms_sample same[] = { { 0, 1000, 2048, 4 * MB }, { 10, 1000, 2048, 4 * MB } };
	struct ms_history h = ms_history_of(same, 2);

	h.evacuating = true;
	CHECK_EQ(ms_verdict_judge(&h), MS_VERDICT_GROWING);
	h = history(refilled_after_clear);
	h.evacuating = true;
	CHECK_EQ(ms_verdict_judge(&h), MS_VERDICT_SAWTOOTH);
}

MS_TEST(verdict_of_owners)
{
	const struct ms_owner_sample more_maps[] = { { 0, 41000, 90000, 328000, 9 * MB },
						     { 10, 43000, 89000, 344000, 9 * MB } };
	const struct ms_owner_sample more_entries[] = { { 0, 3, 1000, 2000, MB },
							{ 10, 3, 3000, 4000, MB } };
	const struct ms_owner_sample few[] = { { 0, 3, 1000, 2000, MB }, { 10, 4, 990, 2000, MB } };
	const struct ms_owner_sample empty[] = { { 0, 9000, 8, 900000, 90 * MB },
						 { 10, 9000, 8, 900000, 90 * MB } };

	CHECK_EQ(ms_verdict_judge_owner(more_maps, 2, 0), MS_VERDICT_GROWING);
	CHECK_EQ(ms_verdict_judge_owner(more_entries, 2, 0), MS_VERDICT_GROWING);
	CHECK_EQ(ms_verdict_judge_owner(few, 2, 0), MS_VERDICT_STABLE);
	CHECK_EQ(ms_verdict_judge_owner(empty, 2, 80 * MB), MS_VERDICT_SLACK);
	CHECK_EQ(ms_verdict_judge_owner(NULL, 0, MS_UNKNOWN), MS_VERDICT_STABLE);
}
