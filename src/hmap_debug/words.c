// words.c - the words of HMAP_DEBUG: each is known, or named.
#include "hmap_debug/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BYTES = 300, AUDITS_USUAL = 1000, AUDITS_MOST = 100000 };

struct word {
	char name[WORD_BYTES];
	const char *value; // In name; NULL: there is none.
};

static void complain_of(void (*complain)(const char *), const char *format, const char *a)
{
	char sentence[WORD_BYTES + 200];

	snprintf(sentence, sizeof(sentence), format, a);
	complain(sentence);
}

/** A whole number from @p least to @p most. */
static bool number_of(const char *text, double least, double most, double *ret)
{
	char *end;

	if (!text || !*text)
		return false;
	*ret = strtod(text, &end);
	return !*end && *ret >= least && *ret <= most;
}

static bool copy_of(const char *text, char *ret, size_t size)
{
	if (!text || !*text || strlen(text) >= size)
		return false;
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

/** Only who is on this machine may ask. */
static bool http_of(const char *text, char *ret, size_t size)
{
	const char *port = text ? strrchr(text, ':') : NULL;
	double number;

	if (!text)
		return false;
	if (!strncmp(text, "unix:/", 6))
		return copy_of(text, ret, size);
	port = port ? port + 1 : text;
	if (!number_of(port, 1, 65535, &number) || number != (double)(int)number)
		return false;
	if (port == text || (size_t)(port - text) == sizeof("localhost:") - 1)
		return snprintf(ret, size, "127.0.0.1:%d", (int)number) > 0 &&
		       (port == text || !strncmp(text, "localhost:", 10));
	return (!strncmp(text, "127.0.0.1:", (size_t)(port - text)) ||
		!strncmp(text, "[::1]:", (size_t)(port - text))) &&
	       copy_of(text, ret, size);
}

static bool take(const struct word *w, void (*complain)(const char *), struct hd_words *words)
{
	double number = 0;

	if (!strcmp(w->name, "maptrace")) {
		if (!number_of(w->value, 0, 3, &number)) {
			complain("maptrace=LEVEL takes 1 (all), 2 (no migrations) or 3 (tables "
				 "that grow or shrink)");
			return false;
		}
		words->trace = (unsigned)number;
	} else if (!strcmp(w->name, "shrinktrigger") || !strcmp(w->name, "gcshrinktrigger")) {
		if (!number_of(w->value, 0, 1, &number)) {
			complain_of(complain, "%s takes 1 (on) or 0", w->name);
			return false;
		}
		words->shrink = number > 0;
	} else if (!strcmp(w->name, "stats")) {
		words->stats_at_exit = w->value && !strcmp(w->value, "exit");
		if (!words->stats_at_exit && !number_of(w->value, 0.1, 86400, &words->stats_s)) {
			complain("stats=SECONDS takes 0.1 to 86400, or exit");
			return false;
		}
	} else if (!strcmp(w->name, "audit")) {
		if (!number_of(w->value, 0, AUDITS_MOST, &number)) {
			complain("audit=N takes 1 (1,000 accesses a second), or how many a second "
				 "up to 100000");
			return false;
		}
		words->audits = number == 1 ? AUDITS_USUAL : (unsigned)number;
	} else if (!strcmp(w->name, "file")) {
		if (!copy_of(w->value, words->file, sizeof(words->file))) {
			complain("file=PATH takes the path of a file");
			return false;
		}
	} else if (!strcmp(w->name, "otlp")) {
		if (!copy_of(w->value, words->otlp, sizeof(words->otlp))) {
			complain("otlp=PATH takes the path of a file");
			return false;
		}
	} else if (!strcmp(w->name, "http")) {
		if (!http_of(w->value, words->http, sizeof(words->http))) {
			complain("http= takes PORT, 127.0.0.1:PORT, [::1]:PORT or unix:/PATH: it "
				 "serves this machine only");
			return false;
		}
	} else {
		complain_of(complain,
			    "there is no word \"%s\"; there are maptrace, file, shrinktrigger, "
			    "stats, audit, otlp and http",
			    w->name);
		return false;
	}
	return true;
}

bool hd_words_parse(const char *text, void (*complain)(const char *), struct hd_words *ret_words)
{
	struct hd_words words = { 0 };
	bool good = true;

	while (*text) {
		size_t size = strcspn(text, ",");
		struct word w = { .value = NULL };
		char *equals;

		if (size && size < sizeof(w.name)) {
			memcpy(w.name, text, size);
			w.name[size] = '\0';
			equals = strchr(w.name, '=');
			if (equals) {
				*equals = '\0';
				w.value = equals + 1;
			}
			good &= take(&w, complain, &words);
		} else if (size) {
			complain("a word is too long");
			good = false;
		}
		text += size + (text[size] == ',');
	}
	*ret_words = words;
	return good;
}
