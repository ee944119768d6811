// Goal: an owner in few columns keeps what tells it from others: its last words.
// Method: a path at the widths where its forms change.
#include "render/text.h"
#include "tests/support/test.h"

#include <string.h>

static void expect_owner(const char *owner, size_t columns, const char *expected)
{
	const struct ms_text_style style = { .charset = MS_CHARSET_UNICODE };
	struct ms_sink sink;
	struct ms_text t;

	ms_sink_init_memory(&sink);
	ms_text_init(&t, &style, &sink);
	ms_text_owner(&t, owner, columns);
	ms_text_end_whole(&t);
	CHECK_OK(ms_text_finish(&t));
	CHECK_STR(ms_sink_text(&sink), expected);
	ms_sink_deinit(&sink);
}

MS_TEST(text_owner_named)
{
	static const char owner[] =
	    "example.org/shop/session.Registry.byConn <- example.org/shop.registry";

	expect_owner(owner, 0,
		     "example.org/shop/session.Registry.byConn <- "
		     "example.org/shop.registry\n");
	expect_owner(owner, 48, "…/session.Registry.byConn <- …/shop.registry\n");
	expect_owner(owner, 30, "…/session.Registry.byConn\n");
	expect_owner(owner, 10, "…ry.byConn\n");
}

MS_TEST(text_owner_nameless)
{
	static const char owner[] = "global 0x5a3e20 (example.org/shop.(*Store).load, "
				    "example.org/shop.find, main.main)[]";

	expect_owner(owner, 0, "global 0x5a3e20 (example.org/shop.(*Store).load, …)[]\n");
	expect_owner(owner, 45, "global 0x5a3e20 (…/shop.(*Store).load, …)[]\n");
	expect_owner(owner, 36, "global (…/shop.(*Store).load, …)[]\n");
	expect_owner(owner, 30, "(…/shop.(*Store).load, …)[]\n");
	expect_owner(owner, 16, "…ore).load, …)[]\n");
}

MS_TEST(text_owner_of_nameless)
{
	static const char owner[] = "shop.Store.byName <- global 0x5a3e20 (main.load, main.find)";

	expect_owner(owner, 0, "shop.Store.byName <- global 0x5a3e20 (main.load, …)\n");
	expect_owner(owner, 44, "shop.Store.byName <- global (main.load, …)\n");
	expect_owner(owner, 20, "shop.Store.byName\n");
	expect_owner("global 0x5a3e20 (main.load)", 0, "global 0x5a3e20 (main.load)\n");
	expect_owner("global 0x5a3e20", 12, "…al 0x5a3e20\n");
	expect_owner("global 0x5a3e20 (", 0, "global 0x5a3e20 (\n");
	expect_owner("global 0x5a3e20 (a, b", 0, "global 0x5a3e20 (a, b\n");
}
