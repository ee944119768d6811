// hmap-growth: both engines of libhmap filling side by side, bucket by bucket.
//
// The same keys go into a classic map and a steady one.  A frame shows each bucket as a cell: how
// full it is, whether it belongs to the old array, whether the growth under way has been there.
// Frames are drawn in the terminal, or gathered into a film.
#include "hmap_tools/film.h"

#include <errno.h>
#include <getopt.h>
#include <hmap/hmap.h>
#include <hmap/hmap_hash.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: hmap-growth [OPTIONS] [-o FILE.svg|FILE.html]\n"
    "\n"
    "Fills a classic map (Go's, in C) and a steady one (libhmap's own) with the same keys and "
    "shows\n"
    "their buckets as they grow; in the terminal, or as a film.\n"
    "\n"
    "  --entries N    how many (default 4000)\n"
    "  --frames N     of a film, or of text where there is no terminal (default 120; text: 6)\n"
    "  --speed N      frames a second in the terminal (default 20)\n"
    "  --seed N       keys and maps repeat with it (default 1)\n"
    "  --no-time      leave out what differs from run to run\n"
    "  -o FILE        write a film instead: by its ending .svg or .html\n"
    "  --help         this page\n";

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static uint64_t hash(const void *key, uint64_t seed, void *state)
{
	uint64_t number;

	(void)state;
	memcpy(&number, key, sizeof(number));
	return hmap_hash_u64(number, seed);
}

struct wishes {
	uint64_t entries, frames, speed, seed;
	bool timed;
	const char *output;
};

/** A map being filled, and what was seen of it. */
struct subject {
	struct hmap *map;
	double last_us, worst_us;
	size_t peak_bytes;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static bool put(struct subject *s, uint64_t key)
{
	double began = now_us();
	enum hmap_status status = hmap_put(s->map, &key, &key);
	struct hmap_stats stats;

	s->last_us = now_us() - began;
	if (s->last_us > s->worst_us)
		s->worst_us = s->last_us;
	hmap_stats(s->map, HMAP_STATS_QUICK, &stats);
	if (stats.total_bytes > s->peak_bytes)
		s->peak_bytes = stats.total_bytes;
	return status == HMAP_OK;
}

/** Buckets folded into cells, as many as a row has room for. */
struct folding {
	struct film_side *side;
	size_t old_count, count; // of buckets in each array
};

static bool fold(const struct hmap_bucket_view *view, void *state)
{
	struct folding *f = state;
	size_t buckets = view->old ? f->old_count : f->count;
	size_t cells = buckets < FILM_CELLS ? buckets : FILM_CELLS;
	struct film_cell *cell =
	    &(view->old ? f->side->old_cells : f->side->cells)[view->number * cells / buckets];

	cell->slots += (unsigned)view->slots;
	cell->entries += (unsigned)(view->entries + view->overflow_entries);
	cell->overflow |= view->overflow_nodes > 0;
	cell->moved += view->moved;
	cell->buckets++;
	return true;
}

static void look(const struct subject *s, bool timed, struct film_side *side)
{
	struct hmap_stats stats;
	struct folding f = { .side = side };
	bool classic;

	memset(side, 0, sizeof(*side));
	if (hmap_stats(s->map, HMAP_STATS_QUICK, &stats) != HMAP_OK || !stats.buckets)
		return;
	classic = stats.engine == HMAP_CLASSIC;
	f.count = stats.buckets;
	f.old_count = classic && stats.pass ? stats.pass_of : 0;
	side->old_cell_count = f.old_count < FILM_CELLS ? f.old_count : FILM_CELLS;
	side->cell_count = f.count < FILM_CELLS ? f.count : FILM_CELLS;
	hmap_each_bucket(s->map, fold, &f);
	side->entries = stats.entries;
	side->slots = stats.slots;
	side->total_bytes = stats.total_bytes;
	side->peak_bytes = s->peak_bytes;
	side->last_us = timed ? s->last_us : -1;
	side->worst_us = timed ? s->worst_us : -1;
	if (stats.pass && classic)
		snprintf(side->sentence, sizeof(side->sentence),
			 "old bucket %zu of %zu evacuates to X %zu and Y %zu", stats.pass_done,
			 stats.pass_of, stats.pass_done, stats.pass_done + stats.pass_of);
	else if (stats.pass)
		snprintf(side->sentence, sizeof(side->sentence),
			 "block %zu of %zu splits: half stays, half to %zu", stats.pass_done,
			 stats.pass_of, stats.pass_done + stats.pass_of);
	else
		snprintf(side->sentence, sizeof(side->sentence), "fills up to %zu entries",
			 stats.grow_at);
}

static bool make_map(enum hmap_engine engine, uint64_t seed, struct subject *ret_subject)
{
	static const struct hmap_type type = {
		.name = "growth", .key_size = 8, .value_size = 8, .hash = hash
	};
	struct hmap_options options = { .engine = engine, .seed = seed };

	memset(ret_subject, 0, sizeof(*ret_subject));
	return hmap_create(&type, &options, &ret_subject->map) == HMAP_OK;
}

static bool passes(const struct subject *s)
{
	struct hmap_stats stats;

	return hmap_stats(s->map, HMAP_STATS_QUICK, &stats) == HMAP_OK && stats.pass;
}

static void pause_between(uint64_t speed)
{
	const struct timespec rest = { (time_t)(1 / speed),
				       speed > 1 ? (long)(1000000000 / speed) : 0 };

	nanosleep(&rest, NULL);
}

/** Fills both maps; a frame every so many entries, twice as many while one of them grows. */
static bool fill(const struct wishes *w, struct film *film, bool live)
{
	struct subject subjects[2];
	uint64_t every = w->entries / w->frames + 1, since = 0;
	bool good = make_map(HMAP_CLASSIC, w->seed, &subjects[0]);

	good = make_map(HMAP_STEADY, w->seed, &subjects[1]) && good;
	for (uint64_t i = 1; good && i <= w->entries && !interrupted; i++) {
		bool growing = false;

		for (int s = 0; s < 2; s++) {
			good =
			    put(&subjects[s], hmap_hash_u64(i, w->seed * 2654435761 + 1)) && good;
			growing |= passes(&subjects[s]);
		}
		since += growing ? 2 : 1;
		if (since < every && i != w->entries)
			continue;
		since = 0;
		for (int s = 0; s < 2; s++)
			look(&subjects[s], w->timed, &film->now[s]);
		if (live)
			film_draw(film, stdout);
		else if (!film_add(film))
			good = false;
		if (live)
			pause_between(w->speed);
	}
	for (int s = 0; s < 2; s++)
		hmap_destroy(subjects[s].map);
	return good;
}

static bool number(const char *text, uint64_t most, uint64_t *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && *ret_number && *ret_number <= most)
		return true;
	fprintf(stderr, "hmap-growth: '%.40s' is no number from 1 to %llu\n", text,
		(unsigned long long)most);
	return false;
}

static bool ends_with(const char *text, const char *ending)
{
	size_t size = strlen(text), tail = strlen(ending);

	return size > tail && strcmp(text + size - tail, ending) == 0;
}

/** Through a file beside it, so that a film is there whole or not at all. */
static int write_film(struct film *film, const char *name)
{
	char *other = malloc(strlen(name) + 8);
	FILE *file;
	bool good;

	if (!other)
		return 70;
	memcpy(other, name, strlen(name));
	memcpy(other + strlen(name), ".part", sizeof(".part"));
	file = fopen(other, "w");
	if (!file) {
		fprintf(stderr, "hmap-growth: cannot write %s: %s\n", name, strerror(errno));
		free(other);
		return 6;
	}
	if (ends_with(name, ".html"))
		film_write_html(film, file);
	else
		film_write_svg(film, file);
	good = !ferror(file);
	good = fclose(file) == 0 && good;
	if (!good || rename(other, name) != 0) {
		fprintf(stderr, "hmap-growth: could not write %s: %s\n", name, strerror(errno));
		remove(other);
		good = false;
	}
	free(other);
	return good ? 0 : 6;
}

static bool take_options(int argc, char **argv, struct wishes *w, int *ret_code)
{
	static const struct option options[] = {
		{ "entries", required_argument, NULL, 'e' },
		{ "frames", required_argument, NULL, 'f' },
		{ "speed", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ "no-time", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*ret_code = 1;
	while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			*ret_code = 0;
			return false;
		}
		if (option == '?') {
			fputs("hmap-growth: see hmap-growth --help\n", stderr);
			return false;
		}
		if ((option == 'e' && !number(optarg, 1000000, &w->entries)) ||
		    (option == 'f' && !number(optarg, FILM_FRAMES_MOST, &w->frames)) ||
		    (option == 's' && !number(optarg, 1000, &w->speed)) ||
		    (option == 'r' && !number(optarg, UINT64_MAX, &w->seed)))
			return false;
		if (option == 'o')
			w->output = optarg;
		w->timed &= option != 't';
	}
	if (optind != argc) {
		fputs("hmap-growth: takes options only; see hmap-growth --help\n", stderr);
		return false;
	}
	if (w->output && !ends_with(w->output, ".svg") && !ends_with(w->output, ".html")) {
		fprintf(stderr, "hmap-growth: %s ends in neither .svg nor .html\n", w->output);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct wishes w = { .entries = 4000, .speed = 20, .seed = 1, .timed = true };
	struct film film = { .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") };
	bool live;
	int code;

	if (!take_options(argc, argv, &w, &code))
		return code;
	live = !w.output && isatty(STDOUT_FILENO);
	if (!w.frames)
		w.frames = live ? 400 : w.output ? 120 : 6;
	signal(SIGINT, interrupt);
	if (live)
		film_begin_screen(stdout);
	if (!fill(&w, &film, live)) {
		fputs("hmap-growth: no memory\n", stderr);
		return 70;
	}
	if (live)
		film_end_screen(stdout);
	code = w.output ? write_film(&film, w.output) : 0;
	if (!w.output && !live)
		film_write_text(&film, stdout);
	film_free(&film);
	return code ? code : ferror(stdout) ? 6 : 0;
}
