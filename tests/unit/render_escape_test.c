// Goal: nothing that a target calls its things reaches a terminal as anything but text.
// Method: known cases; then random bytes, whose escaped form must hold printable ASCII only.
#include "render/escape.h"
#include "tests/support/test.h"

static void escapes_to(const char *text, const char *unicode, const char *ascii)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	ms_escape_text(&sink, text, MS_CHARSET_UNICODE);
	CHECK_STR(ms_sink_text(&sink), unicode);
	sink.size = 0;
	ms_escape_text(&sink, text, MS_CHARSET_ASCII);
	CHECK_STR(ms_sink_text(&sink), ascii);
	ms_sink_deinit(&sink);
}

MS_TEST(render_escape_known_cases)
{
	escapes_to("map[string]int", "map[string]int", "map[string]int");
	escapes_to("", "", "");
	escapes_to("a\x1b[2Jb", "a\\x1b[2Jb", "a\\x1b[2Jb");
	escapes_to("\n\t\r\x7f\x01", "\\n\\t\\x0d\\x7f\\x01", "\\n\\t\\x0d\\x7f\\x01");
	escapes_to("json:\"a\\b\"", "json:\"a\\\\b\"", "json:\"a\\\\b\"");
	escapes_to("caf\xc3\xa9", "caf\xc3\xa9", "caf\\u00e9");
	escapes_to("\xf0\x9f\x97\xba", "\xf0\x9f\x97\xba", "\\U0001f5fa");
	escapes_to("\xc2\x9b", "\\u009b", "\\u009b"); // CSI in one character.
	escapes_to("\xe2\x80\xae\xe2\x81\xa6", "\\u202e\\u2066", "\\u202e\\u2066"); // Reordering.
	escapes_to("\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80",
		   "\\xc0\\xaf\\xed\\xa0\\x80"); // Overlong; half a surrogate pair.
	escapes_to("\xf4\x90\x80\x80\xff", "\\xf4\\x90\\x80\\x80\\xff",
		   "\\xf4\\x90\\x80\\x80\\xff");            // Beyond the last character.
	escapes_to("\xe2\x82", "\\xe2\\x82", "\\xe2\\x82"); // Cut short by the end.
}

MS_TEST(render_escape_random_bytes)
{
	for (unsigned round = 0; round < 20000; round++) {
		char text[24] = "";
		struct ms_sink sink;
		size_t size = ms_test_random() % sizeof(text);

		for (size_t i = 0; i < size; i++)
			text[i] = (char)(ms_test_random() % 255 + 1);
		text[size < sizeof(text) ? size : sizeof(text) - 1] = '\0';
		ms_sink_init_memory(&sink);
		ms_escape_text(&sink, text, MS_CHARSET_ASCII);
		for (const char *p = ms_sink_text(&sink); *p; p++)
			CHECK(*p >= 0x20 && *p < 0x7f);
		sink.size = 0;
		ms_replace_text(&sink, text, MS_REPLACE_INVALID);
		CHECK(ms_text_kind(ms_sink_text(&sink)) != MS_TEXT_INVALID);
		sink.size = 0;
		ms_escape_text(&sink, text, MS_CHARSET_UNICODE);
		CHECK_EQ(ms_text_kind(ms_sink_text(&sink)), MS_TEXT_PLAIN);
		ms_sink_deinit(&sink);
	}
}

MS_TEST(render_escape_columns)
{
	const char *text = "a\xc3\xa9\xe6\x97\xa5z";

	CHECK_EQ(ms_text_columns(text), 4);
	CHECK_EQ(ms_text_prefix(text, 0), 0);
	CHECK_EQ(ms_text_prefix(text, 2), 3);
	CHECK_EQ(ms_text_prefix(text, 3), 6);
	CHECK_EQ(ms_text_prefix(text, 9), 7);
}

static void json_escapes_to(const char *text, const char *want)
{
	struct ms_sink sink;

	ms_sink_init_memory(&sink);
	ms_escape_json(&sink, text, strlen(text));
	CHECK_STR(ms_sink_text(&sink), want);
	ms_sink_deinit(&sink);
}

MS_TEST(render_escape_json)
{
	json_escapes_to("a\xc3\xa9\x7f\xc2\x9b", "a\xc3\xa9\\u007f\\u009b");
	json_escapes_to("\xf3\xa0\x80\x81", "\\udb40\\udc01"); // U+E0001 as a surrogate pair.
}
