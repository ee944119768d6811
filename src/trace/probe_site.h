// probe_site.h - the instruction of a function on which a probe costs little and still finds the
// arguments in their registers.
#pragma once

#include "image/code.h"

enum { MS_PROBE_CODE_BYTES_MAX = 1 << 16 };

/** How the flags tell that a branch of the stack check is about to be taken. */
enum ms_probe_condition {
	MS_PROBE_ALWAYS, // Each hit is one call.
	MS_PROBE_BELOW_EQUAL,
	MS_PROBE_BELOW,
};

struct ms_probe_site {
	uint32_t offset;                   // From the entry.
	uint8_t length;                    // Of the instruction.
	enum ms_probe_condition condition; // Where the hit is one that comes again.
};

/**
 * Choose it among @p size bytes of a function that lie at @p entry.  @p keep has a bit for each
 * register that must be as the caller left it.  UNSUPPORTED, with the reason, where there is no
 * such instruction: stepping through another one would cost twenty times as much.
 */
MS_MUST_USE struct ms_error *ms_probe_site_find(struct ms_code *code, enum ms_arch arch,
						const uint8_t *bytes, size_t size, ms_addr entry,
						uint32_t keep, struct ms_probe_site *ret_site);
