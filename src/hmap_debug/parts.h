// parts.h - what the parts of libhmap-debug know of each other.
#pragma once

#include "hmap/debug.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_gen.h>

/** What HMAP_DEBUG asked for. */
struct hd_words {
	unsigned trace; // Level: 0 none, 1 all, 2 without migrations, 3 tables that change.
	bool shrink;
	bool stats_at_exit;
	double stats_s;  // Between two lines of sums; 0: none.
	unsigned audits; // A second; 0: none.
	char file[256], otlp[256];
	char http[256]; // "127.0.0.1:PORT", "[::1]:PORT" or "unix:/path"; "": none.
};

/** Read @p text; false: something in it is wrong, and was named by @p complain. */
bool hd_words_parse(const char *text, void (*complain)(const char *sentence),
		    struct hd_words *ret_words);

/** The libhmap that loaded us. */
extern const struct hmapi_debug_calls *hd_calls;

// --- Text. ---

/** A text that grows; `failed` once memory was short. */
struct hd_text {
	char *bytes;
	size_t size, room;
	bool failed;
};

void hd_put(struct hd_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hd_put_bytes(struct hd_text *text, const void *bytes, size_t size);

/** @p name with what is no plain text replaced, for lines; at most @p size bytes with the NUL. */
void hd_plain(const char *name, char *ret, size_t size);

// --- JSON. ---

/** A document; NULL, with @p text failed, without memory.  hd_json_end puts it there. */
yajl_gen hd_json_begin(struct hd_text *text, bool is_indented);
void hd_json_end(yajl_gen g, struct hd_text *text);

void hd_json_text(yajl_gen g, const char *text); // Ours: keys, and what has no strangers' bytes.

/** A name of a map, which may be anything; null for "". */
void hd_json_name(yajl_gen g, const char *key, const char *name);
void hd_json_count(yajl_gen g, const char *key, uint64_t value);
void hd_json_real(yajl_gen g, const char *key, double value);

// --- Lines. ---

/** Lines go to @p path, or to stderr for "".  False, with a sentence, where it cannot be opened. */
bool hd_lines_open(const char *path);

/** Write one line whole, however many threads do, and hand it to all who listen. */
void hd_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The line of an event; "" for one that is not told. */
void hd_event_line(const struct hmap *map, const struct hmap_event *event, char *ret, size_t size);

/** Somebody who listens to lines; NULL when there are too many. */
struct hd_listener *hd_listen(void);

/** What has come in since: at most @p size bytes; 0: nothing. */
size_t hd_listener_take(struct hd_listener *listener, char *ret, size_t size);
bool hd_listener_has(struct hd_listener *listener);
void hd_listener_end(struct hd_listener *listener);

// --- Sums. ---

void hd_sums_line(char *ret, size_t size);
void hd_mapstats_json(struct hd_text *text, size_t maps);
void hd_metrics(struct hd_text *text);

// --- Things that are kept once each. ---

/** Where the things of a list are, by their hashes.  Zero-initialised is empty. */
struct hd_kept_once {
	struct hd_place {
		uint64_t hash;
		size_t number; // 0: a free place.
	} * places;
	size_t room, count;
};

/** Let @p number (not 0) be found by @p hash; false without memory. */
bool hd_kept_once_add(struct hd_kept_once *kept, uint64_t hash, size_t number);

/** The next number of that hash, 0 behind the last; *@p at is 0 at first. */
size_t hd_kept_once_next(const struct hd_kept_once *kept, uint64_t hash, size_t *at);

void hd_kept_once_end(struct hd_kept_once *kept);

// --- Profiles, gzip'd. ---

void hd_growth_take(const struct hmap *map, const struct hmap_event *event);
void hd_profile_maps(struct hd_text *text);
void hd_profile_growth(struct hd_text *text);

// --- Symbols of this process. ---

/** NULL: there are none. */
struct hd_symbols *hd_symbols_open(void);

/** The function at @p address, and its line; NULL and 0 where that is not known.  Texts live as
 * long as @p symbols, which may be NULL. */
const char *hd_symbols_at(struct hd_symbols *symbols, uint64_t address, const char **ret_file,
			  int *ret_line);

/** Accepts NULL. */
void hd_symbols_close(struct hd_symbols *symbols);

/** Names of the functions at "0x1+0x2", as pprof asks for them. */
void hd_symbols_text(const char *addresses, struct hd_text *text);

// --- Audit. ---

/** Begin to fold what hd_audit_take gets; @p otlp: a file for spans, "" for none. */
bool hd_audit_begin(const char *otlp);
void hd_audit_take(const struct hmap_access *access, void *state);
size_t hd_audit_ask(unsigned accesses); // Look at so many more; how many maps were met.
void hd_audit_drain(void);
void hd_audit_json(struct hd_text *text);
void hd_audit_otlp(struct hd_text *text);
bool hd_audit_is_on(void);

// --- The server. ---

/** Serve at @p where; false, with a sentence, where that is not possible. */
bool hd_serve(const char *where);

/** Let go of what waits for lines: now and then. */
void hd_serve_lines(void);
