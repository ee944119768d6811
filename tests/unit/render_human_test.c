// Goal: numbers read as people say them, at every edge between two units.
#include "render/human.h"
#include "tests/support/test.h"

#include <math.h>

MS_TEST(render_human_counts)
{
	struct ms_human h;

	CHECK_STR(ms_human_count(&h, 0), "0");
	CHECK_STR(ms_human_count(&h, 999), "999");
	CHECK_STR(ms_human_count(&h, 1000), "1,000");
	CHECK_STR(ms_human_count(&h, 1234567), "1,234,567");
	CHECK_STR(ms_human_count(&h, MS_UNKNOWN - 1), "18,446,744,073,709,551,614");
	CHECK_STR(ms_human_count(&h, MS_UNKNOWN), "?");
}

MS_TEST(render_human_bytes_units)
{
	struct ms_human h;

	CHECK_STR(ms_human_bytes(&h, 0), "0 B");
	CHECK_STR(ms_human_bytes(&h, 512), "512 B");
	CHECK_STR(ms_human_bytes(&h, 999), "999 B");
	CHECK_STR(ms_human_bytes(&h, 1000), "1.0 kB");
	CHECK_STR(ms_human_bytes(&h, 9949), "9.9 kB");
	CHECK_STR(ms_human_bytes(&h, 9960), "10 kB");
	CHECK_STR(ms_human_bytes(&h, 999499), "999 kB");
	CHECK_STR(ms_human_bytes(&h, 999500), "1.0 MB");
	CHECK_STR(ms_human_bytes(&h, 310000000), "310 MB");
	CHECK_STR(ms_human_bytes(&h, 1912602624), "1.9 GB");
	CHECK_STR(ms_human_bytes(&h, MS_UNKNOWN - 1), "18 EB");
	CHECK_STR(ms_human_bytes(&h, MS_UNKNOWN), "?");
	CHECK_STR(ms_human_bytes_change(&h, 96400000), "+96 MB");
	CHECK_STR(ms_human_bytes_change(&h, -1200), "-1.2 kB");
	CHECK_STR(ms_human_bytes_change(&h, NAN), "?");
}

MS_TEST(render_human_rates_and_shares)
{
	struct ms_human h;

	CHECK_STR(ms_human_rate(&h, 18240.4), "18,240");
	CHECK_STR(ms_human_rate(&h, 0.5), "0.5");
	CHECK_STR(ms_human_rate(&h, 9.96), "10");
	CHECK_STR(ms_human_rate(&h, 0), "0");
	CHECK_STR(ms_human_rate(&h, -1200), "-1,200");
	CHECK_STR(ms_human_rate(&h, INFINITY), "?");
	CHECK_STR(ms_human_rate(&h, NAN), "?");
	CHECK_STR(ms_human_percent(&h, 0.82), "82 %");
	CHECK_STR(ms_human_percent(&h, 0), "0 %");
	CHECK_STR(ms_human_percent(&h, 0.001), "<1 %");
	CHECK_STR(ms_human_percent(&h, 0.999), "99 %");
	CHECK_STR(ms_human_percent(&h, 1), "100 %");
	CHECK_STR(ms_human_percent(&h, 1.5), "150 %");
	CHECK_STR(ms_human_percent(&h, NAN), "?");
}

MS_TEST(render_human_changes_fit_seven_characters)
{
	struct ms_human h;

	CHECK_STR(ms_human_change(&h, 0), "0");
	CHECK_STR(ms_human_change(&h, -0.5), "-0.5");
	CHECK_STR(ms_human_change(&h, 9.94), "+9.9");
	CHECK_STR(ms_human_change(&h, 9.96), "+10");
	CHECK_STR(ms_human_change(&h, -99999), "-99999");
	CHECK_STR(ms_human_change(&h, 99999.6), "+100k");
	CHECK_STR(ms_human_change(&h, -2.5e8), "-250M");
	CHECK_STR(ms_human_change(&h, NAN), "?");
}

MS_TEST(render_human_times)
{
	struct ms_human h;

	CHECK_STR(ms_human_seconds(&h, 0.0042), "0.004 s");
	CHECK_STR(ms_human_seconds(&h, 0.042), "0.04 s");
	CHECK_STR(ms_human_seconds(&h, 0.0999), "0.1 s");
	CHECK_STR(ms_human_seconds(&h, 0.42), "0.4 s");
	CHECK_STR(ms_human_seconds(&h, 9.96), "10 s");
	CHECK_STR(ms_human_seconds(&h, 300), "300 s");
	CHECK_STR(ms_human_seconds(&h, NAN), "?");
	CHECK_STR(ms_human_ahead(&h, 27.4), "27 s");
	CHECK_STR(ms_human_ahead(&h, 240), "4 min");
	CHECK_STR(ms_human_ahead(&h, 3 * 3600), "3 h");
	CHECK_STR(ms_human_ahead(&h, 2 * 86400), "2 days");
	CHECK_STR(ms_human_ahead(&h, 1e12), "more than 1,000 days");
	CHECK_STR(ms_human_ahead(&h, INFINITY), "?");
}

MS_TEST(human_pause)
{
	struct ms_human h;

	CHECK_STR(ms_human_pause(&h, 0), "0 us");
	CHECK_STR(ms_human_pause(&h, 35.4e-6), "35 us");
	CHECK_STR(ms_human_pause(&h, 99.4e-6), "99 us");
	CHECK_STR(ms_human_pause(&h, 99.6e-6), "0.1 ms");
	CHECK_STR(ms_human_pause(&h, 3.14e-3), "3.1 ms");
	CHECK_STR(ms_human_pause(&h, 9.96e-3), "10 ms");
	CHECK_STR(ms_human_pause(&h, 0.9994), "999 ms");
	CHECK_STR(ms_human_pause(&h, 0.9996), "1.0 s");
	CHECK_STR(ms_human_pause(&h, 12), "12 s");
	CHECK_STR(ms_human_pause(&h, NAN), "?");
}
