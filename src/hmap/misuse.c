// The report of a misuse.
#include "hmap/misuse.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return; // nobody to tell
}

void hmap_misuse_found(const struct hmap *map, const char *text, uintptr_t other)
{
	struct hmap_misuse misuse = { map, text, 0, other, NULL, 0, NULL, 0 };
	hmap_misuse_fn hook;
	void *state;

	hmap_misuse_hook(map, &hook, &state);
	if (hook) {
		hook(&misuse, state);
		return;
	}
	say("fatal error: ");
	say(text);
	say("\n");
	abort();
}
