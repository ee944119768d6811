// start.c - the one entry: words, the observer of all maps, and a thread for what is not theirs.
#include "hmap_debug/parts.h"

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

enum { LINE_BYTES = 500, AUDITS_A_TICK_MOST = 4096 };
static const double TICK_S = 0.01, SHORTEST_TICK_S = 100e-6;

const struct hmapi_debug_calls *hd_calls;
static struct hd_words words;

static void complain(const char *sentence)
{
	hd_line("libhmap: HMAP_DEBUG: %s", sentence);
}

static bool is_told(enum hmap_event_kind kind)
{
	switch (words.trace) {
	case 0:
		return false;
	case 1:
		return true;
	case 2:
		return kind != HMAP_EVENT_MIGRATES;
	default:
		return kind == HMAP_EVENT_GROWS || kind == HMAP_EVENT_SHRINKS ||
		       kind == HMAP_EVENT_COMPACTS;
	}
}

static void take_event(const struct hmap *map, const struct hmap_event *event, void *state)
{
	char line[LINE_BYTES];

	(void)state;
	if (event->kind == HMAP_EVENT_GROWS && words.http[0])
		hd_growth_take(map, event);
	if (!is_told(event->kind))
		return;
	hd_event_line(map, event, line, sizeof(line));
	if (line[0])
		hd_line("%s", line);
}

static void take_misuse(const struct hmap_misuse *m, void *state)
{
	(void)state;
	hd_line("map[%p] MISUSE: %s by thread %llu and thread %llu", (const void *)m->map, m->text,
		(unsigned long long)m->thread, (unsigned long long)m->other);
}

static void sums_line(void)
{
	char line[LINE_BYTES];

	hd_sums_line(line, sizeof(line));
	hd_line("%s", line);
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pause_for(double seconds)
{
	const struct timespec pause = { .tv_nsec = (long)(seconds * 1e9) };

	(void)nanosleep(&pause, NULL);
}

/** Asks for what is due since @p since; how long to pause: of each map, one access is looked at. */
static double audit_some(double since, double *left)
{
	double due = *left + (double)words.audits * since;
	unsigned whole = due < AUDITS_A_TICK_MOST ? (unsigned)due : AUDITS_A_TICK_MOST;
	size_t met = hd_audit_ask(whole);
	double pause = (double)met / words.audits;

	*left = due - whole < 1 ? due - whole : 0;
	return pause < SHORTEST_TICK_S ? SHORTEST_TICK_S : pause < TICK_S ? pause : TICK_S;
}

static void *tick(void *unused)
{
	double left = 0, pause = TICK_S, before = now_s(), next_tick = before,
	       next_stats = before + words.stats_s;

	for (;;) {
		double now;

		pause_for(pause);
		now = now_s();
		if (words.audits)
			pause = audit_some(now - before, &left);
		before = now;
		if (now < next_tick)
			continue;
		next_tick = now + TICK_S;
		hd_serve_lines();
		if (words.audits)
			hd_audit_drain();
		if (words.stats_s > 0 && now >= next_stats) {
			next_stats = now + words.stats_s;
			sums_line();
		}
	}
	return unused;
}

/** A thread that takes none of the program's signals. */
static bool start_thread(void)
{
	sigset_t all, before;
	pthread_t thread;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, NULL, tick, NULL) == 0;
	if (started)
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

static bool serve_quietly(void)
{
	sigset_t all, before;
	bool served;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	served = hd_serve(words.http);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return served;
}

static uint32_t kinds_wanted(void)
{
	uint32_t kinds = 0;

	for (unsigned kind = HMAP_EVENT_CREATED; kind <= HMAP_EVENT_FREED; kind++)
		if (is_told((enum hmap_event_kind)kind))
			kinds |= 1u << kind;
	return words.http[0] ? kinds | 1u << HMAP_EVENT_GROWS : kinds;
}

EXPORTED enum hmap_status hmap_debug_start(const struct hmapi_debug_calls *calls, const char *text);
EXPORTED enum hmap_status hmap_debug_start(const struct hmapi_debug_calls *calls, const char *text)
{
	static struct hmap_observer observer;
	void *first[1];
	bool good;

	if (hd_calls) {
		complain("it was begun before, and goes on as it was");
		return HMAP_NOT_SUPPORTED;
	}
	if (calls->version != HMAPI_DEBUG_VERSION || calls->size < sizeof(*calls)) {
		complain("libhmap and libhmap-debug are of different versions");
		return HMAP_NOT_SUPPORTED;
	}
	hd_calls = calls;
	good = hd_words_parse(text, complain, &words);
	good &= hd_lines_open(words.file);
	(void)backtrace(first, 1); // Loads what it needs now, not in the middle of a map's call.
	if (words.audits)
		good &= hd_audit_begin(words.otlp);
	observer = (struct hmap_observer){ .event = take_event,
					   .misuse = words.trace ? take_misuse : NULL,
					   .access = words.audits ? hd_audit_take : NULL,
					   .kinds = kinds_wanted(),
					   .figures = words.stats_s > 0 || words.stats_at_exit ||
						      words.http[0],
					   .shrink = words.shrink };
	if (calls->observe(&observer) != HMAP_OK)
		complain("the program watches its maps itself: there are no lines");
	if (words.http[0])
		good &= serve_quietly();
	if (words.stats_at_exit)
		atexit(sums_line);
	if ((words.http[0] || words.audits || words.stats_s > 0) && !start_thread())
		complain("there is no thread for statistics");
	return good ? HMAP_OK : HMAP_BAD_ARGUMENT;
}
