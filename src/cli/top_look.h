// top_look.h - the looks of `mapscope top`, within a share of one core.
//
//	headers of maps, the collector      at every look
//	census with types and owners        as often as a fiftieth of a core allows
//	who waits for locks                 likewise, a two-hundredth
#pragma once

#include "cli/session.h"
#include "golang/collections.h"
#include "goroutines/waiters_of.h"
#include "top/live_maps.h"

struct ms_top_look {
	struct ms_session *session;
	struct ms_options options; // The session's, but for how often it looks.
	struct ms_live_maps maps;
	struct ms_go_collections collections;
	struct ms_go_collections_now gc;
	const char *gc_unknown; // NULL: gc is known.
	bool has_collections;
	uint64_t writable_bytes;
	struct ms_waiters *waiters;
	unsigned waiters_looks;
	double census_due, waiters_due, waiters_at;
	double every_s; // Between looks: what was asked for, or least_s where that is more.
	double least_s; // What a look costs, over the share of a core that it may take.
	char *trouble;  // Why the last census failed; NULL: it did not.
};

void ms_top_look_init(struct ms_top_look *look, struct ms_session *session);

/**
 * Look once.  GONE when the process is, or became another; what fails for a moment is kept in
 * trouble once there was a census.
 */
MS_MUST_USE struct ms_error *ms_top_look_now(struct ms_top_look *look);

/** What there is to show.  The caller frees report->rows; strings are borrowed till the next look.
 */
MS_MUST_USE struct ms_error *ms_top_look_report(const struct ms_top_look *look,
						const struct ms_live_view *view,
						struct ms_top_report *ret_report);

void ms_top_look_deinit(struct ms_top_look *look);
