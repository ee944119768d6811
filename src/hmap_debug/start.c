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

enum { LINE_BYTES = 500, TICK_MS = 10, AUDITS_A_TICK_MOST = 4096 };

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

/** Accesses to ask for in one tick; what is left of them for the next. */
static unsigned audits_due(double *left)
{
	double due = *left + (double)words.audits * TICK_MS / 1000;
	unsigned whole = (unsigned)due;

	*left = due - whole;
	return whole < AUDITS_A_TICK_MOST ? whole : AUDITS_A_TICK_MOST;
}

static void *tick(void *unused)
{
	const struct timespec pause = { .tv_nsec = TICK_MS * 1000000L };
	double since_stats = 0, left = 0;

	for (unsigned n = 0;; n++) {
		(void)nanosleep(&pause, NULL);
		hd_serve_lines();
		if (words.audits) {
			hd_audit_ask(audits_due(&left));
			if (n % 5 == 0)
				hd_audit_drain();
		}
		since_stats += TICK_MS / 1000.0;
		if (words.stats_s > 0 && since_stats >= words.stats_s) {
			since_stats = 0;
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
