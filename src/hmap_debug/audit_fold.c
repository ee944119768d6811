// audit_fold.c - looks at accesses, from the threads that make them to what they say together.
//
// Each thread has a ring that it alone writes and the folding thread alone reads: no lock, and what
// does not fit is counted.  Folded are, for each map: how far lookups go, which buckets are asked
// most, and whether hashes are even - by chi-squared over their lowest bits and over their tags.
#include "hmap_debug/parts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	RING = 1024, // A power of two.
	MAPS = 512,
	HOT = 32,
	PROBES = 16,
	BINS = 64,
	KEPT = 256, // Looks with a trace id, for OTLP.
	ENOUGH = 500,
	FEW = 100,
};

struct ring {
	struct ring *next;
	struct hmap_access items[RING];
	uint64_t written, read; // Each by one thread.
	uint64_t lost;
	bool is_taken; // By a thread that lives.
};

static struct ring *rings; // Never freed: a thread's ring goes to the next one.
static pthread_key_t ring_key;
static __thread struct ring *own_ring;
static bool is_on;

/** A bucket, counted: the least of them gives way to one that is new. */
struct hot {
	size_t bucket;
	uint64_t count, error; // At most so many too many.
};

struct folded {
	const struct hmap *map;
	char name[HMAP_NAME_BYTES];
	uint64_t looks, found, probes[PROBES], probe_sum, by_kind[4];
	uint32_t shift, prefix_least, prefixes;
	uint64_t tags[BINS], lows[BINS];
	struct hot hot[HOT];
};

static struct folded *maps;
static size_t map_count;
static uint64_t unfolded; // Looks at maps for which there was no place.
static struct hmap_access kept[KEPT];
static uint64_t kept_count;
static int otlp_fd = -1;
static uint64_t otlp_written;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // Of everything folded.

static void ring_leave(void *ring)
{
	__atomic_store_n(&((struct ring *)ring)->is_taken, false, __ATOMIC_RELEASE);
}

bool hd_audit_begin(const char *otlp)
{
	maps = calloc(MAPS, sizeof(*maps));
	if (!maps || pthread_key_create(&ring_key, ring_leave) != 0)
		return false;
	is_on = true;
	if (!*otlp)
		return true;
	otlp_fd = open(otlp, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (otlp_fd < 0)
		hd_line("libhmap: otlp=%s cannot be written", otlp);
	return true;
}

bool hd_audit_is_on(void)
{
	return is_on;
}

static struct ring *ring_get(void)
{
	struct ring *r;

	for (r = __atomic_load_n(&rings, __ATOMIC_ACQUIRE); r; r = r->next) {
		bool free_one = false;

		if (__atomic_compare_exchange_n(&r->is_taken, &free_one, true, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			break;
	}
	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r)
			return NULL;
		r->is_taken = true;
		r->next = __atomic_load_n(&rings, __ATOMIC_RELAXED);
		while (!__atomic_compare_exchange_n(&rings, &r->next, r, false, __ATOMIC_RELEASE,
						    __ATOMIC_RELAXED))
			;
	}
	(void)pthread_setspecific(ring_key, r);
	return r;
}

/** On the thread that accesses, in the middle of its call. */
void hd_audit_take(const struct hmap_access *access, void *state)
{
	struct ring *r = own_ring ? own_ring : (own_ring = ring_get());
	uint64_t written;

	(void)state;
	if (!r)
		return;
	written = r->written;
	if (written - __atomic_load_n(&r->read, __ATOMIC_ACQUIRE) == RING) {
		__atomic_store_n(&r->lost, r->lost + 1, __ATOMIC_RELAXED);
		return;
	}
	r->items[written & (RING - 1)] = *access;
	__atomic_store_n(&r->written, written + 1, __ATOMIC_RELEASE);
}

// --- Asking. ---

struct asking {
	unsigned left;
	size_t skip, seen;
};

static bool ask(const struct hmap *map, void *state)
{
	struct asking *a = state;

	if (a->seen++ < a->skip)
		return true;
	if (a->left && hd_calls->audit_next(map))
		a->left--;
	return a->left > 0;
}

/** In turn, from where the last time ended: each map is asked as often as any other. */
size_t hd_audit_ask(unsigned accesses)
{
	static size_t turn;
	struct asking a = { .left = accesses, .skip = turn };

	hd_calls->each_map(ask, &a);
	turn = a.left ? 0 : a.seen;
	return a.seen;
}

// --- Folding. ---

static struct folded *folded_of(const struct hmap_access *a)
{
	for (size_t i = 0; i < map_count; i++)
		if (maps[i].map == a->map)
			return &maps[i];
	if (map_count == MAPS)
		return NULL;
	maps[map_count] = (struct folded){ .map = a->map, .prefix_least = UINT32_MAX };
	return &maps[map_count++];
}

static void hot_add(struct folded *f, size_t bucket)
{
	struct hot *least = &f->hot[0];

	for (size_t i = 0; i < HOT; i++) {
		struct hot *h = &f->hot[i];

		if (h->count && h->bucket == bucket) {
			h->count++;
			return;
		}
		if (h->count < least->count)
			least = h;
	}
	*least = (struct hot){ bucket, least->count + 1, least->count };
}

static void fold(const struct hmap_access *a)
{
	struct folded *f = folded_of(a);
	static const uint8_t none[sizeof(a->trace_id)];

	if (!f) {
		unfolded++;
		return;
	}
	if (f->shift != a->shift) { // Its buckets have other numbers now.
		memset(f->hot, 0, sizeof(f->hot));
		f->shift = a->shift;
	}
	f->looks++;
	f->found += a->found;
	f->by_kind[a->kind & 3]++;
	f->probes[a->probes < PROBES ? a->probes : PROBES - 1]++;
	f->probe_sum += a->probes;
	f->lows[a->hash % BINS]++;
	f->tags[a->tag % BINS]++;
	if (a->prefix) {
		f->prefixes++;
		f->prefix_least = a->prefix < f->prefix_least ? a->prefix : f->prefix_least;
	}
	hot_add(f, a->bucket);
	if (memcmp(a->trace_id, none, sizeof(none)) != 0)
		kept[kept_count++ % KEPT] = *a;
}

static bool name_take(const struct hmap *map, void *state)
{
	(void)state;
	for (size_t i = 0; i < map_count; i++)
		if (maps[i].map == map && !maps[i].name[0])
			hd_plain(hd_calls->name_of(map), maps[i].name, sizeof(maps[i].name));
	return true;
}

static void otlp_write(void);

void hd_audit_drain(void)
{
	size_t known;

	pthread_mutex_lock(&lock);
	known = map_count;
	for (struct ring *r = __atomic_load_n(&rings, __ATOMIC_ACQUIRE); r; r = r->next) {
		uint64_t written = __atomic_load_n(&r->written, __ATOMIC_ACQUIRE);

		for (uint64_t read = r->read; read < written; read++) {
			fold(&r->items[read & (RING - 1)]);
			__atomic_store_n(&r->read, read + 1, __ATOMIC_RELEASE);
		}
	}
	if (map_count > known)
		hd_calls->each_map(name_take, NULL);
	pthread_mutex_unlock(&lock);
	otlp_write();
}

/** Chi-squared over even bins, over its degrees of freedom: about 1 for even hashes. */
static double unevenness(const uint64_t bins[BINS])
{
	uint64_t sum = 0;
	double expected, chi = 0;

	for (size_t i = 0; i < BINS; i++)
		sum += bins[i];
	expected = (double)sum / BINS;
	for (size_t i = 0; i < BINS && sum; i++)
		chi += ((double)bins[i] - expected) * ((double)bins[i] - expected) / expected;
	return chi / (BINS - 1);
}

static const struct hot *hottest(const struct folded *f)
{
	const struct hot *best = &f->hot[0];

	for (size_t i = 1; i < HOT; i++)
		if (f->hot[i].count - f->hot[i].error > best->count - best->error)
			best = &f->hot[i];
	return best;
}

/** What to do, or "". */
static void advise(const struct folded *f, char *ret, size_t size)
{
	const struct hot *h = hottest(f);
	double share = f->looks ? (double)(h->count - h->error) / (double)f->looks : 0;
	double even = 1.0 / (double)((uint64_t)1 << (f->shift & 63));
	bool is_hot = f->looks >= FEW && f->shift && share > 0.1 && share > 8 * even;

	ret[0] = '\0';
	if (f->looks >= ENOUGH && !is_hot && unevenness(f->lows) > 3) {
		if (f->prefixes * 2 > f->looks)
			snprintf(ret, size,
				 "hashes are skewed, and keys share at least %u leading bytes, a "
				 "common prefix that the hash does not mix: use the default hash, "
				 "or hmap_hash_murmur3_64, over the whole key",
				 f->prefix_least);
		else
			snprintf(ret, size,
				 "hashes are skewed: use the default hash, or "
				 "hmap_hash_murmur3_64, over the whole key (hmap-hash "
				 "measures yours)");
	} else if (is_hot) {
		snprintf(ret, size,
			 "bucket %zu takes %.0f %% of the accesses: few keys are asked again and "
			 "again; keep their values at hand, or split the map by them",
			 h->bucket, 100 * share);
	} else if (f->looks >= FEW && (double)f->probe_sum > 2.5 * (double)f->looks) {
		snprintf(
		    ret, size,
		    "lookups go through %.1f groups and nodes: chains are long; lower .load, or "
		    "look at the hash with hmap-hash",
		    (double)f->probe_sum / (double)f->looks);
	}
}

static void folded_put(yajl_gen g, const struct folded *f)
{
	const struct hot *h = hottest(f);
	char advice[300];

	yajl_gen_map_open(g);
	hd_json_name(g, "name", f->name);
	hd_json_count(g, "looks", f->looks);
	hd_json_count(g, "found", f->found);
	hd_json_count(g, "gets", f->by_kind[HMAP_ACCESS_GET]);
	hd_json_count(g, "puts", f->by_kind[HMAP_ACCESS_PUT]);
	hd_json_count(g, "erases", f->by_kind[HMAP_ACCESS_ERASE]);
	hd_json_count(g, "bucket_shift", f->shift);
	hd_json_text(g, "probe_lengths");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < PROBES; i++)
		yajl_gen_integer(g, (long long)f->probes[i]);
	yajl_gen_array_close(g);
	hd_json_text(g, "hottest_bucket");
	yajl_gen_map_open(g);
	hd_json_count(g, "bucket", h->bucket);
	hd_json_count(g, "at_least", h->count - h->error);
	yajl_gen_map_close(g);
	hd_json_real(g, "unevenness_of_hashes", unevenness(f->lows));
	hd_json_real(g, "unevenness_of_tags", unevenness(f->tags));
	advise(f, advice, sizeof(advice));
	hd_json_text(g, "advice");
	advice[0] ? hd_json_text(g, advice) : (void)yajl_gen_null(g);
	yajl_gen_map_close(g);
}

void hd_audit_json(struct hd_text *text)
{
	yajl_gen g = hd_json_begin(text, true);
	uint64_t lost = 0;

	if (!g)
		return;
	hd_audit_drain();
	pthread_mutex_lock(&lock);
	for (struct ring *r = __atomic_load_n(&rings, __ATOMIC_ACQUIRE); r; r = r->next)
		lost += __atomic_load_n(&r->lost, __ATOMIC_RELAXED);
	yajl_gen_map_open(g);
	hd_json_text(g, "schema");
	hd_json_text(g, "hmap.audit/1");
	hd_json_count(g, "lost", lost);
	hd_json_count(g, "of_maps_without_place", unfolded);
	hd_json_text(g, "maps");
	yajl_gen_array_open(g);
	for (size_t i = 0; i < map_count; i++)
		folded_put(g, &maps[i]);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	pthread_mutex_unlock(&lock);
	hd_json_end(g, text);
}

// --- OTLP. ---

static void hex_put(yajl_gen g, const char *key, const uint8_t *bytes, size_t size)
{
	char hex[2 * 16 + 1];

	for (size_t i = 0; i < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	hd_json_text(g, key);
	hd_json_text(g, hex);
}

static void attribute_put(yajl_gen g, const char *name, uint64_t value)
{
	char number[32];

	snprintf(number, sizeof(number), "%" PRIu64, value);
	yajl_gen_map_open(g);
	hd_json_text(g, "key");
	hd_json_text(g, name);
	hd_json_text(g, "value");
	yajl_gen_map_open(g);
	hd_json_text(g, "intValue"); // 64 bits are texts in OTLP's JSON.
	hd_json_text(g, number);
	yajl_gen_map_close(g);
	yajl_gen_map_close(g);
}

static void record_put(yajl_gen g, const struct hmap_access *a)
{
	char number[32];

	yajl_gen_map_open(g);
	snprintf(number, sizeof(number), "%" PRIu64, a->time_ns);
	hd_json_text(g, "timeUnixNano");
	hd_json_text(g, number);
	hex_put(g, "traceId", a->trace_id, sizeof(a->trace_id));
	hex_put(g, "spanId", a->span_id, sizeof(a->span_id));
	hd_json_text(g, "body");
	yajl_gen_map_open(g);
	hd_json_text(g, "stringValue");
	hd_json_text(g, "hmap access");
	yajl_gen_map_close(g);
	hd_json_text(g, "attributes");
	yajl_gen_array_open(g);
	attribute_put(g, "hmap.bucket", a->bucket);
	attribute_put(g, "hmap.bucket_shift", a->shift);
	attribute_put(g, "hmap.tag", a->tag);
	attribute_put(g, "hmap.hash", a->hash & INT64_MAX);
	attribute_put(g, "hmap.probes", a->probes);
	attribute_put(g, "hmap.found", a->found);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
}

/** An ExportLogsServiceRequest: a look is a moment, not a span of time. */
static void otlp_put(struct hd_text *text, uint64_t from)
{
	yajl_gen g = hd_json_begin(text, false);

	if (!g)
		return;
	pthread_mutex_lock(&lock);
	if (kept_count > KEPT && from < kept_count - KEPT)
		from = kept_count - KEPT;
	yajl_gen_map_open(g);
	hd_json_text(g, "resourceLogs");
	yajl_gen_array_open(g);
	yajl_gen_map_open(g);
	hd_json_text(g, "scopeLogs");
	yajl_gen_array_open(g);
	yajl_gen_map_open(g);
	hd_json_text(g, "scope");
	yajl_gen_map_open(g);
	hd_json_text(g, "name");
	hd_json_text(g, "libhmap");
	yajl_gen_map_close(g);
	hd_json_text(g, "logRecords");
	yajl_gen_array_open(g);
	for (; from < kept_count; from++)
		record_put(g, &kept[from % KEPT]);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	yajl_gen_array_close(g);
	yajl_gen_map_close(g);
	pthread_mutex_unlock(&lock);
	hd_json_end(g, text);
}

void hd_audit_otlp(struct hd_text *text)
{
	otlp_put(text, 0);
}

/** What is new since the last time, as a line of a file that collectors read. */
static void otlp_write(void)
{
	struct hd_text text = { 0 };

	if (otlp_fd < 0 || otlp_written == kept_count)
		return;
	otlp_put(&text, otlp_written);
	otlp_written = kept_count;
	if (!text.failed) {
		hd_put(&text, "\n");
		if (write(otlp_fd, text.bytes, text.size) < 0) {
			close(otlp_fd);
			otlp_fd = -1;
		}
	}
	free(text.bytes);
}
