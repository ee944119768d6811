// registry.h - every map is listed while it is there, and what happens to it is told.
#pragma once

#include <hmap/hmap_registry.h>
#include <hmap/hmap_table.h>

/** Of what another thread may be writing, on purpose: each word is read, or exchanged, once. */
#if defined(__has_attribute)
#if __has_attribute(no_sanitize)
#define HMAPI_RACY __attribute__((no_sanitize("thread")))
#endif
#endif
#if !defined(HMAPI_RACY)
#define HMAPI_RACY
#endif

/** Lists a map that is complete; @p created_at is where its maker was called. */
void hmapi_list(struct hmap *m, const void *created_at);

/** Takes a map that is about to end off the list. */
void hmapi_unlist(struct hmap *m);

/** What @p options ask to be told of, and what the observer does. */
uint32_t hmapi_kinds(const struct hmap_options *options);

/** Whether the observer wants maps without a shrink policy to have one. */
bool hmapi_wants_shrink(void);

/** Tells an event: to whoever probes the program, to the observer, to the map's hooks. */
void hmapi_notify(const struct hmap *m, const struct hmap_event *event);

/** Tells the observer and whoever probes of a misuse, before anything else happens. */
void hmapi_notify_misuse(const struct hmap_misuse *misuse);

/** As a pass begins: whether its moves are told, also because somebody probes them. */
void hmapi_ask_for_moves(struct hmap *m);

/** Whoever watches all maps, or NULL. */
const struct hmap_observer *hmapi_observing(void);

/** What a part of a call took, where somebody keeps such figures. */
uint64_t hmapi_clock(const struct hmap *m);
void hmapi_note_time(struct hmap *m, uint64_t began);
