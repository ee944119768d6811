// debug.c - HMAP_DEBUG is looked at once, as the first map is made.
#include "hmap/debug.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

// A program that is linked statically has none, or one that would load a second libc beside its
// own.
extern __typeof__(dlopen) dlopen __attribute__((weak));
extern __typeof__(dlsym) dlsym __attribute__((weak));
extern __typeof__(dlerror) dlerror __attribute__((weak));

static const struct hmapi_debug_calls calls = {
	.version = HMAPI_DEBUG_VERSION,
	.size = sizeof(calls),
	.observe = hmap_observe,
	.each_map = hmap_each_map,
	.totals = hmap_totals,
	.totals_by_name = hmap_totals_by_name,
	.peek = hmap_peek,
	.created_at = hmap_created_at,
	.type_of = hmap_type_of,
	.name_of = hmap_name_of,
	.library_version = hmap_version,
	.audit_next = hmap_audit_next,
};

static void say(const char *a, const char *b)
{
	const char *parts[] = { "libhmap: no debugging: ", a, b, "\n" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
			return;
}

/** Whether the program has a dynamic linker: only then can a library be loaded into it. */
static bool has_linker(void)
{
	const ElfW(Phdr) *headers = (const void *)(uintptr_t)getauxval(AT_PHDR);
	size_t count = getauxval(AT_PHNUM);

	for (size_t i = 0; headers && i < count; i++)
		if (headers[i].p_type == PT_INTERP)
			return true;
	return false;
}

static enum hmap_status start(const char *words)
{
	hmapi_debug_start_fn begin;
	void *library;

	if (!dlopen || !dlsym || !dlerror || !has_linker()) {
		say("a program that is linked statically cannot load " HMAPI_DEBUG_LIBRARY, "");
		return HMAP_NOT_SUPPORTED;
	}
	library = dlopen(HMAPI_DEBUG_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		say("its library cannot be loaded: ", dlerror());
		return HMAP_NOT_SUPPORTED;
	}
	*(void **)&begin = dlsym(library, HMAPI_DEBUG_START);
	if (!begin) {
		say(HMAPI_DEBUG_LIBRARY " is none of libhmap's: it lacks ", HMAPI_DEBUG_START);
		return HMAP_NOT_SUPPORTED;
	}
	return begin(&calls, words);
}

enum hmap_status hmap_debug(const char *words)
{
	if (!words)
		return HMAP_BAD_ARGUMENT;
	return start(words);
}

static void start_by_environment(void)
{
	const char *words = secure_getenv("HMAP_DEBUG");

	if (words && *words)
		(void)start(words);
}

void hmapi_begin_debug(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start_by_environment);
}
