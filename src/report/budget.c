// budget.c - lines of a budget, and the largest value that each of its limits met.
//
// What is kept is the worst value and where it was, not every violation: a map that is too large is
// so in each of a hundred censuses.
#include "report/budget.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <math.h>
#include <stdlib.h>

enum { RULES_MAX = 10000, WORD_MAX = 1024 };

struct rule_vec {
	struct ms_budget_rule *items;
	size_t count, capacity;
};

/** What is left of a line. */
struct line {
	const char *at, *end;
	const char *name;
	unsigned number;
};

const char *ms_budget_limit_name(enum ms_budget_limit limit)
{
	static const char *const names[] = {
		[MS_BUDGET_ENTRIES] = "entries",
		[MS_BUDGET_BYTES] = "bytes",
		[MS_BUDGET_SLACK] = "slack",
		[MS_BUDGET_MAPS] = "maps",
	};

	return names[limit];
}

static struct ms_error *wrong(const struct line *line, const char *what, const char *word)
{
	return ms_error_new(MS_ERR_USAGE, "%s:%u: %s%s%s", line->name, line->number, word,
			    word[0] ? " " : "", what);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/** The next word, without the quotes it may stand in; empty at the end of the line. */
static struct ms_error *next_word(struct line *line, char ret_word[WORD_MAX])
{
	size_t size = 0;
	bool quoted;

	while (line->at < line->end && is_space(*line->at))
		line->at++;
	ret_word[0] = '\0';
	quoted = line->at < line->end && *line->at == '"';
	line->at += quoted;
	for (; line->at < line->end; line->at++) {
		if (quoted ? *line->at == '"' : is_space(*line->at))
			break;
		if (size == WORD_MAX - 1 || *line->at == '\0')
			return wrong(line, "this is no text, or a word is too long", "");
		ret_word[size++] = *line->at;
	}
	ret_word[size] = '\0';
	if (quoted && line->at == line->end)
		return wrong(line, "a quote is not closed", "");
	line->at += quoted;
	return NULL;
}

/** What a unit behind a number stands for; 0 when there is no such unit. */
static uint64_t unit_of(const char *text)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "kB", 1000 },
		{ "KB", 1000 },
		{ "MB", 1000 * 1000 },
		{ "GB", 1000 * 1000 * 1000 },
		{ "TB", UINT64_C(1000000000000) },
		{ "KiB", 1 << 10 },
		{ "MiB", 1 << 20 },
		{ "GiB", 1 << 30 },
		{ "TiB", UINT64_C(1) << 40 },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(units); i++) {
		if (strcmp(units[i].name, text) == 0)
			return units[i].bytes;
	}
	return 0;
}

/** "64MB"; a unit only where bytes are counted. */
static bool parse_value(const char *text, enum ms_budget_limit limit, uint64_t *ret_value)
{
	size_t digits = strspn(text, "0123456789");
	bool sized = limit == MS_BUDGET_BYTES || limit == MS_BUDGET_SLACK;
	uint64_t value = 0, unit = sized ? unit_of(text + digits) : text[digits] == '\0';

	if (digits == 0 || digits > 19 || unit == 0)
		return false;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	if (value > (MS_UNKNOWN - 1) / unit)
		return false;
	*ret_value = value * unit;
	return true;
}

static struct ms_error *parse_limit(const struct line *line, const char *word,
				    struct ms_budget_rule *rule)
{
	for (unsigned i = 0; i < MS_BUDGET_COUNT; i++) {
		const char *name = ms_budget_limit_name((enum ms_budget_limit)i);
		size_t size = strlen(name);

		if (strncmp(word, name, size) != 0 || strncmp(word + size, "<=", 2) != 0)
			continue;
		if (rule->limits[i] != MS_UNKNOWN)
			return wrong(line, "is given twice; type it once", name);
		if (!parse_value(word + size + 2, (enum ms_budget_limit)i, &rule->limits[i]))
			return wrong(
			    line,
			    i == MS_BUDGET_BYTES || i == MS_BUDGET_SLACK
				? "has no size; type a number, and kB, MB, GB or KiB, MiB, "
				  "GiB behind it"
				: "has no count; type a whole number without a unit",
			    word);
		return NULL;
	}
	return wrong(line, "is no limit; type entries<=N, bytes<=N, slack<=N or maps<=N", word);
}

static struct ms_error *parse_limits(struct line *line, struct ms_budget_rule *rule)
{
	char word[WORD_MAX];
	unsigned count = 0;

	for (;; count++) {
		struct ms_error *err = next_word(line, word);

		if (err)
			return err;
		if (!word[0] || word[0] == '#')
			break;
		err = parse_limit(line, word, rule);
		if (err)
			return err;
	}
	if (count == 0)
		return wrong(line, "has no limit; type one behind it, like bytes<=64MB",
			     rule->text);
	return NULL;
}

static struct ms_error *parse_rule(struct line *line, const char *owner, struct ms_arena *arena,
				   struct rule_vec *rules)
{
	struct ms_budget_rule rule = { .line = line->number };
	struct ms_error *err;

	for (unsigned i = 0; i < MS_BUDGET_COUNT; i++) {
		rule.limits[i] = MS_UNKNOWN;
		rule.worst[i] =
		    (struct ms_budget_worst){ .value = MS_UNKNOWN, .pid = MS_UNKNOWN, .at_s = NAN };
	}
	rule.text = ms_arena_strndup(arena, owner, strlen(owner));
	if (!rule.text)
		return ms_error_no_memory();
	err = parse_limits(line, &rule);
	if (!err && rules->count == RULES_MAX)
		err = wrong(line, "a budget can have 10,000 rules", "");
	if (!err && strcmp(owner, "*") != 0) {
		err = ms_pattern_init(&rule.pattern, "the owner", rule.text);
		if (err && ms_error_code(err) == MS_ERR_USAGE)
			err = ms_error_wrap(err, "%s:%u", line->name, line->number);
	}
	if (!err && !ms_vec_push(rules, rule)) {
		ms_pattern_deinit(&rule.pattern);
		err = ms_error_no_memory();
	}
	return err;
}

struct ms_error *ms_budget_parse(const char *text, size_t size, const char *name,
				 struct ms_budget *ret_budget)
{
	struct ms_budget b = { 0 };
	struct rule_vec rules = { 0 };
	struct line line = { .at = text, .name = name };
	struct ms_error *err = NULL;

	b.name = ms_arena_strndup(&b.arena, name, strlen(name));
	if (!b.name)
		return ms_error_no_memory();
	while (!err && line.at < text + size) {
		const char *newline = memchr(line.at, '\n', (size_t)(text + size - line.at));
		char owner[WORD_MAX];

		line.end = newline ? newline : text + size;
		line.number++;
		err = next_word(&line, owner);
		if (!err && owner[0] && owner[0] != '#')
			err = parse_rule(&line, owner, &b.arena, &rules);
		line.at = line.end + (newline != NULL);
	}
	b.rules = rules.items;
	b.rule_count = rules.count;
	if (!err && b.rule_count == 0)
		err = ms_error_new(MS_ERR_USAGE,
				   "%s: there is no rule in it; type one, like main\\. bytes<=64MB",
				   name);
	if (err) {
		ms_budget_deinit(&b);
		return err;
	}
	*ret_budget = b;
	return NULL;
}

// --- Checking. ---

/** All maps of one owner in one census. */
struct owner_sum {
	const char *owner;
	uint64_t values[MS_BUDGET_COUNT];
};

static void sum_add(struct owner_sum *sum, const struct ms_owner_row *row)
{
	sum->values[MS_BUDGET_ENTRIES] += row->entries;
	sum->values[MS_BUDGET_BYTES] += row->total_bytes;
	sum->values[MS_BUDGET_SLACK] += row->slack_bytes;
	sum->values[MS_BUDGET_MAPS] += row->maps;
}

static int by_owner(const void *a, const void *b)
{
	const struct ms_owner_row *x = *(const struct ms_owner_row *const *)a;
	const struct ms_owner_row *y = *(const struct ms_owner_row *const *)b;

	if (!x->owner || !y->owner)
		return (x->owner != NULL) - (y->owner != NULL);
	return strcmp(x->owner, y->owner);
}

/** The owners of a census, each once; NULL: no memory. */
static struct owner_sum *sum_owners(const struct ms_census_report *census, size_t *ret_count)
{
	size_t n = census->owner_count, count = 0;
	MS_AUTO_FREE const struct ms_owner_row **rows = malloc((n + 1) * sizeof(*rows));
	MS_AUTO_FREE struct owner_sum *sums = calloc(n + 1, sizeof(*sums));

	if (!rows || !sums)
		return NULL;
	for (size_t i = 0; i < n; i++)
		rows[i] = &census->owners[i];
	qsort(rows, n, sizeof(*rows), by_owner);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || by_owner(&rows[i - 1], &rows[i]) != 0)
			sums[count++].owner = rows[i]->owner;
		sum_add(&sums[count - 1], rows[i]);
	}
	*ret_count = count;
	return MS_STEAL(sums);
}

/** A copy that lives as long as the budget; @p old itself when it is the same text. */
static bool keep(struct ms_arena *arena, const char *text, const char **old)
{
	if (text && *old && strcmp(text, *old) == 0)
		return true;
	*old = text ? ms_arena_strndup(arena, text, strlen(text)) : NULL;
	return !text || *old;
}

static bool rule_take(struct ms_budget *b, struct ms_budget_rule *rule, const struct owner_sum *sum,
		      const struct ms_census_report *census, double at_s)
{
	rule->matched = true;
	for (unsigned i = 0; i < MS_BUDGET_COUNT; i++) {
		struct ms_budget_worst *worst = &rule->worst[i];

		if (rule->limits[i] == MS_UNKNOWN ||
		    (worst->value != MS_UNKNOWN && worst->value >= sum->values[i]))
			continue;
		worst->value = sum->values[i];
		worst->pid = census->target.pid;
		worst->at_s = at_s;
		if (!keep(&b->arena, sum->owner, &worst->owner) ||
		    !keep(&b->arena, census->target.exe, &worst->exe))
			return false;
	}
	return true;
}

struct ms_error *ms_budget_check(struct ms_budget *b, const struct ms_census_report *census,
				 double at_s)
{
	size_t count = 0;
	MS_AUTO_FREE struct owner_sum *sums = sum_owners(census, &count);
	struct owner_sum everything = { 0 };

	if (!sums)
		return ms_error_no_memory();
	for (size_t i = 0; i < census->owner_count; i++)
		sum_add(&everything, &census->owners[i]);
	for (size_t r = 0; r < b->rule_count; r++) {
		struct ms_budget_rule *rule = &b->rules[r];

		if (!rule->pattern.text && !rule_take(b, rule, &everything, census, at_s))
			return ms_error_no_memory();
		rule->pattern.last = NULL; // An address of the census before.
		for (size_t i = 0; i < count && rule->pattern.text; i++) {
			if (ms_pattern_matches(&rule->pattern, sums[i].owner) &&
			    !rule_take(b, rule, &sums[i], census, at_s))
				return ms_error_no_memory();
		}
	}
	return NULL;
}

bool ms_budget_rule_is_broken(const struct ms_budget_rule *rule)
{
	for (unsigned i = 0; i < MS_BUDGET_COUNT; i++) {
		if (rule->worst[i].value != MS_UNKNOWN && rule->worst[i].value > rule->limits[i])
			return true;
	}
	return false;
}

size_t ms_budget_broken(const struct ms_budget *budget)
{
	size_t broken = 0;

	for (size_t i = 0; i < budget->rule_count; i++)
		broken += ms_budget_rule_is_broken(&budget->rules[i]);
	return broken;
}

void ms_budget_deinit(struct ms_budget *budget)
{
	for (size_t i = 0; i < budget->rule_count; i++)
		ms_pattern_deinit(&budget->rules[i].pattern);
	free(budget->rules);
	ms_arena_deinit(&budget->arena);
	*budget = (struct ms_budget){ 0 };
}
