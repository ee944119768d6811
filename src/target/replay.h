// replay.h - a recording as a target.
//
// The file is not trusted: every length is bounded (record_format.h), every offset checked, and
// nothing is allocated on the word of a header alone.  Memory and parts of the executable that
// were not recorded are a FAULT; the target is never GONE.  What exe_fd gives is a sparse copy
// with zeros where nothing was recorded.
#pragma once

#include "target/record.h"
#include "target/target.h"

/**
 * Open the recording at @p path.  IO when it cannot be read, BAD_DATA when it is no recording or
 * is damaged, UNSUPPORTED when a newer release wrote it, LIMIT when it is too large.  The caller
 * destroys the result.
 */
MS_MUST_USE struct ms_error *ms_replay_open(const char *path, struct ms_target **ret_target);

/** Likewise from memory; @p bytes is not needed afterwards, @p name stands for it in errors. */
MS_MUST_USE struct ms_error *ms_replay_open_bytes(const uint8_t *bytes, size_t size,
						  const char *name, struct ms_target **ret_target);

/** What the recording says about itself; owned by @p replay. */
const struct ms_record_info *ms_replay_info(const struct ms_target *replay);
