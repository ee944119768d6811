// What statuses say.
#include <hmap/hmap.h>

#define TEXT2(number) #number
#define TEXT(number) TEXT2(number)

const char *hmap_status_text(enum hmap_status status)
{
	switch (status) {
	case HMAP_OK:
		return "done";
	case HMAP_NOT_FOUND:
		return "the key is not in the map";
	case HMAP_NO_MEMORY:
		return "no memory; the map is as it was";
	case HMAP_NULL_MAP:
		return "a write to a map that is not there";
	case HMAP_BAD_ARGUMENT:
		return "an argument that cannot be meant";
	case HMAP_TOO_LARGE:
		return "more than an address space holds";
	case HMAP_MISUSE:
		return "another thread was using the map";
	case HMAP_FROZEN:
		return "a write to a frozen map";
	case HMAP_BROKEN:
		return "something in the table does not hold";
	case HMAP_BUSY:
		return "a call from within a call to the same map";
	case HMAP_NOT_SUPPORTED:
		return "not to be had from this engine or on this system";
	}
	return "a status that this version does not know";
}

const char *hmap_version(void)
{
	return TEXT(HMAP_VERSION_MAJOR) "." TEXT(HMAP_VERSION_MINOR) "." TEXT(HMAP_VERSION_PATCH);
}
