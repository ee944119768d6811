// Goal: what other programs read of a trace is what they can read: Chrome trace events, profiles,
// and a million growths that go through without being held in memory.
// Method: the examples through tests/golden/chrome_check.py, and with one thing wrong; unpacked by
// protobuf-c, and read by go tool pprof; a trace of a million growths into a pipe, whose reader
// looks at the memory in use.
#include "base/cleanup.h"
#include "render/render.h"
#include "tests/support/pipe.h"
#include "tests/support/test.h"
#include "tests/support/trace_reports.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <profile.pb-c.h>
#include <zlib.h>

static int check_chrome(const char *text, size_t size, char **ret_output)
{
	MS_AUTO_FREE char *checker = ms_test_path("tests/golden/chrome_check.py");
	const char *const command[] = { "python3", "-B", checker, NULL };

	return ms_test_pipe(command, text, size, ret_output);
}

static void chrome_fits(struct ms_trace_report report, const char *phases)
{
	MS_AUTO_FREE char *output = NULL;
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_chrome(&report, &sink));
	CHECK_EQ(check_chrome(ms_sink_text(&sink), sink.size, &output), 0);
	CHECK_STR(output, phases);
	ms_sink_deinit(&sink);
}

MS_TEST(render_chrome_is_what_viewers_ask_for)
{
	chrome_fits(ms_trace_example_classic(), "C=16 M=13 X=10 i=8\n");
	chrome_fits(ms_trace_example_swiss(), "M=5 i=3\n");
	chrome_fits(ms_trace_example_polled(), "M=5 X=1 i=2\n");
	chrome_fits(ms_trace_example_empty(), "M=1\n");
	chrome_fits(ms_trace_example_hostile(), "C=3 M=9 X=3 i=3\n");
}

/** The checker refuses @p from with @p to in its place. */
static void chrome_refused(const char *from, const char *to)
{
	const struct ms_trace_report report = ms_trace_example_classic();
	struct ms_sink sink;
	char *at;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_chrome(&report, &sink));
	CHECK(ms_sink_text(&sink) != NULL);
	CHECK_EQ(strlen(from), strlen(to));
	at = strstr(sink.bytes, from);
	CHECK(at != NULL);
	memcpy(at, to, strlen(to));
	CHECK_EQ(check_chrome(sink.bytes, sink.size, NULL), 1);
	ms_sink_deinit(&sink);
}

MS_TEST(render_chrome_checker_sees_what_is_wrong)
{
	chrome_refused("\"ph\":\"i\"", "\"ph\":\"I\"");
	chrome_refused("\"ts\":7250002.000", "\"ts\":1150002.000");
	chrome_refused("\"dur\":31000.000", "\"dur\":7.5e+006 ");
	chrome_refused("\"dur\":31000.000", "\"dur\":-1000.000");
	chrome_refused("\"name\":\"thread_name\"", "\"name\":\"thread-name\"");
	chrome_refused("\"ts\":0.000", "\"ts\":  NaN");
}

/** The sanitizers have their own heap, and say what is in use of it. */
__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

static size_t allocated(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

/** The other end of a pipe: how much came, and the most memory that was in use meanwhile. */
struct reader {
	int fd;
	uint64_t bytes;
	size_t most;
};

static void *read_all(void *context)
{
	static char buffer[1 << 16];
	struct reader *reader = context;
	ssize_t n;

	while ((n = read(reader->fd, buffer, sizeof(buffer))) > 0) {
		reader->bytes += (uint64_t)n;
		if (allocated() > reader->most)
			reader->most = allocated();
	}
	return NULL;
}

typedef struct ms_error *(*render_fn)(const struct ms_trace_report *report, struct ms_sink *sink);

static struct ms_error *render_maptrace(const struct ms_trace_report *report, struct ms_sink *sink)
{
	struct ms_trace_mark mark = { 0 };

	return ms_render_trace_maptrace(report, &mark, sink);
}

static void check_streams(render_fn render, const struct ms_trace_report *report,
			  uint64_t least_bytes)
{
	enum { ROOM_BYTES = 4 << 20 };
	struct reader reader = { 0 };
	struct ms_sink sink;
	pthread_t thread;
	int ends[2];
	FILE *in;
	size_t before = allocated();

	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	reader.fd = ends[0];
	in = fdopen(ends[1], "w");
	CHECK(in && pthread_create(&thread, NULL, read_all, &reader) == 0);
	ms_sink_init_file(&sink, in);
	CHECK_OK(render(report, &sink));
	ms_sink_deinit(&sink);
	fclose(in);
	CHECK(pthread_join(thread, NULL) == 0);
	close(ends[0]);
	CHECK(reader.bytes >= least_bytes);
	CHECK(reader.most < before + ROOM_BYTES);
}

/** The documents with all stacks are large: of these, a part is enough to tell. */
MS_TEST(render_trace_streams_a_million_growths)
{
	enum { EVENTS = 1000000, PART = 20000 };
	struct ms_trace_report report = ms_trace_example_classic();
	struct ms_growth_event *events = calloc(EVENTS, sizeof(*events));

	CHECK(events != NULL);
	for (size_t i = 0; i < EVENTS; i++) {
		events[i] = report.events[i % report.event_count];
		events[i].time_s = events[i].earliest_s = (double)i * 1e-5;
		events[i].duration_s = 2e-5;
		events[i].number = i + 1;
		events[i].map += i % 1000;
	}
	report.events = events;
	report.sum_count = 0;
	report.event_count = EVENTS;
	check_streams(render_maptrace, &report, UINT64_C(70) * EVENTS);
	check_streams(ms_render_trace_folded, &report, 100);
	check_streams(ms_render_trace_svg, &report, 1000);
	report.event_count = PART;
	check_streams(ms_render_trace_csv, &report, UINT64_C(250) * PART);
	check_streams(ms_render_trace_json, &report, UINT64_C(1000) * PART);
	check_streams(ms_render_trace_chrome, &report, UINT64_C(700) * PART);
	check_streams(ms_render_trace_pprof, &report, PART / 10);
	free(events);
}

/** The profile unpacked; the caller frees it. */
static Ms__Pprof__Profile *unpack(const struct ms_trace_report *report)
{
	enum { ROOM = 1 << 20 };
	MS_AUTO_FREE unsigned char *bytes = malloc(ROOM);
	Ms__Pprof__Profile *profile;
	struct ms_sink sink;
	z_stream z = { 0 };

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_pprof(report, &sink));
	z.next_in = (Bytef *)sink.bytes;
	z.avail_in = (uInt)sink.size;
	z.next_out = bytes;
	z.avail_out = ROOM;
	CHECK(bytes && inflateInit2(&z, MAX_WBITS + 16) == Z_OK);
	CHECK_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
	CHECK_EQ(z.avail_in, 0);
	profile = ms__pprof__profile__unpack(NULL, z.total_out, bytes);
	CHECK(profile != NULL);
	inflateEnd(&z);
	ms_sink_deinit(&sink);
	return profile;
}

/** Every index leads somewhere, and no string is there twice. */
static void check_profile(const Ms__Pprof__Profile *p)
{
	CHECK_STR(p->string_table[0], "");
	for (size_t i = 0; i < p->n_string_table; i++) {
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(p->string_table[i], p->string_table[k]) != 0);
	}
	for (size_t i = 0; i < p->n_function; i++) {
		CHECK_EQ(p->function[i]->id, i + 1);
		CHECK((size_t)p->function[i]->name_text < p->n_string_table);
		CHECK((size_t)p->function[i]->filename_text < p->n_string_table);
	}
	for (size_t i = 0; i < p->n_location; i++) {
		CHECK_EQ(p->location[i]->id, i + 1);
		CHECK(p->location[i]->n_line > 0);
		for (size_t k = 0; k < p->location[i]->n_line; k++)
			CHECK(p->location[i]->line[k]->function_id - 1 < p->n_function);
	}
	for (size_t i = 0; i < p->n_sample; i++) {
		CHECK_EQ(p->sample[i]->n_value, 2);
		CHECK(p->sample[i]->n_location_id > 0);
		for (size_t k = 0; k < p->sample[i]->n_location_id; k++)
			CHECK(p->sample[i]->location_id[k] - 1 < p->n_location);
	}
}

static void profile_fits(struct ms_trace_report report, size_t samples, int64_t growths)
{
	Ms__Pprof__Profile *p = unpack(&report);
	int64_t sum = 0;

	check_profile(p);
	CHECK_EQ(p->n_sample, samples);
	for (size_t i = 0; i < p->n_sample; i++)
		sum += p->sample[i]->value[0];
	CHECK_EQ(sum, growths);
	CHECK_EQ(p->time_nanos, report.began_unix_ns);
	ms__pprof__profile__free_unpacked(p, NULL);
}

MS_TEST(render_pprof_is_whole)
{
	profile_fits(ms_trace_example_classic(), 5, 7);
	profile_fits(ms_trace_example_swiss(), 5, 1243);
	profile_fits(ms_trace_example_polled(), 2, 2);
	profile_fits(ms_trace_example_empty(), 0, 0);
	profile_fits(ms_trace_example_hostile(), 3, 3);
}

/** What `go tool pprof` says of the trace; it builds itself when it is first asked. */
static char *pprof(struct ms_trace_report report, const char *option, const char *more)
{
	const char *const command[] = { "timeout", "40", "go",         "tool", "pprof",
					option,    more, "/dev/stdin", NULL };
	enum { EXIT_TIMEOUT = 124, EXIT_NOT_FOUND = 127 };
	struct ms_sink sink;
	char *output;
	int code;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_pprof(&report, &sink));
	code = ms_test_pipe(command, ms_sink_text(&sink), sink.size, &output);
	ms_sink_deinit(&sink);
	if (code == EXIT_TIMEOUT || code == EXIT_NOT_FOUND)
		SKIP("go tool pprof is not there, or was not ready in 40 s");
	CHECK_EQ(code, 0);
	return output;
}

MS_TEST(render_pprof_is_read_by_go)
{
	MS_AUTO_FREE char *raw = pprof(ms_trace_example_classic(), "-raw", "-symbolize=none");
	MS_AUTO_FREE char *top = pprof(ms_trace_example_swiss(), "-top", "-sample_index=growths");

	CHECK_CONTAINS(raw, "growths/count[dflt] allocated/bytes\n");
	CHECK_CONTAINS(raw, "2       4896: 1 2 3 4 5 \n");
	CHECK_CONTAINS(raw, "owner:[main.prices]");
	CHECK_CONTAINS(raw, "goroutine:[22]");
	CHECK_CONTAINS(raw, "1: 0x5b2310 M=1 example.org/shop/internal/session.(*Registry).put "
			    "/src/shop/internal/session/registry.go:88");
	CHECK_CONTAINS(raw, "Duration: 10s");
	CHECK_CONTAINS(top, "100% of 1243 total");
	CHECK_CONTAINS(top, "example.org/orders/ledger.Index[...].Put (inline)");
}

MS_TEST(render_trace_text_joins_what_the_program_does_not_tell_apart)
{
	static struct ms_stack_call calls[][3] = {
		{ { "runtime.hashGrow", NULL, 0, false, true, 0 },
		  { "runtime.mapassign", NULL, 0, false, true, 0 },
		  { "main.fill", "main.go", 7, false, false, 0 } },
		{ { "runtime.hashGrow", NULL, 0, false, true, 0 },
		  { "main.fill", "main.go", 7, false, false, 0 } },
		{ { "runtime.hashGrow", NULL, 0, false, true, 0 } },
		{ { "main.fill", "main.go", 8, false, false, 0 } },
	};
	static struct ms_stack stacks[] = { { calls[0], 3, NULL },
					    { calls[1], 2, NULL },
					    { calls[2], 1, NULL },
					    { calls[3], 1, NULL } };
	static struct ms_growth_sum sums[] = {
		{ .map = 1, .stack = 3, .count = 10, .to_bytes = 1 },
		{ .map = 1, .stack = 2, .count = 20, .to_bytes = 2 },
		{ .map = 1, .stack = 1, .count = 30, .to_bytes = 3 },
		{ .map = 1, .stack = MS_NO_STACK, .count = 1, .to_bytes = 4 },
		{ .map = 1, .stack = 0, .count = 39, .to_bytes = 5 },
	};
	const struct ms_trace_report report = {
		.target = { .pid = 1, .exe = "/srv/shop" },
		.window_s = 1,
		.counted = 100,
		.sums = sums,
		.sum_count = MS_ARRAY_SIZE(sums),
		.stacks = { stacks, MS_ARRAY_SIZE(stacks), MS_ARRAY_SIZE(stacks) },
	};
	const struct ms_text_style style = { 0 };
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	CHECK_OK(ms_render_trace_text(&report, &style, &sink));
	CHECK_CONTAINS(ms_sink_text(&sink), "69 % of growths (69), 53 % of bytes (8 B)\n"
					    "      main.fill main.go:7\n");
	CHECK_CONTAINS(ms_sink_text(&sink), "10 % of growths (10)");
	CHECK_CONTAINS(ms_sink_text(&sink), "20 % of growths (20)");
	CHECK_CONTAINS(ms_sink_text(&sink), "1 % of growths (1), 27 % of bytes (4 B): no stack");
	ms_sink_deinit(&sink);
}
