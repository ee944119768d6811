// version.c - every string variable in the executable's writable segments whose text is wholly a
// Go version ("go1.26.5", "devel go1.28-…").  One of them is runtime.buildVersion.
#include "golang/version.h"

#include "base/cleanup.h"

enum {
	SCAN_STEP = 1 << 20,
	TEXT_MIN = 5,
	TEXT_MAX = 96,
	BATCH = 512,
	TEXTS_MAX = 4 << 20, // Strings looked at, of a program made to have too many.
};

struct search {
	struct ms_go_runtime *rt;
	struct ms_build_info *found;
	size_t count;
	struct ms_read reads[BATCH];
	size_t queued, seen;
	char text[BATCH][TEXT_MAX];
};

static void note(struct search *s, const char *text, size_t size)
{
	struct ms_build_info info;

	if (memcmp(text, "go1", 3) != 0 && memcmp(text, "devel", 5) != 0)
		return;
	if (!ms_build_info_parse(text, size, &info) || s->count == MS_GO_VERSIONS_MAX)
		return;
	for (size_t i = 0; i < s->count; i++) {
		if (!strcmp(s->found[i].version, info.version) &&
		    !strcmp(s->found[i].experiments, info.experiments))
			return;
	}
	s->found[s->count++] = info;
}

static struct ms_error *flush(struct search *s)
{
	size_t n = s->queued;
	struct ms_error *err;

	s->queued = 0;
	err = n ? ms_target_read_many(s->rt->target, s->reads, n) : NULL;
	for (size_t i = 0; i < n && !err; i++) {
		if (s->reads[i].status == MS_READ_OK)
			note(s, s->text[i], s->reads[i].size);
	}
	return err;
}

static struct ms_error *words_scan(struct search *s, const uint8_t *buf, size_t size)
{
	for (size_t i = 0; i + 16 <= size; i += 8) {
		ms_addr at = ms_load_u64(buf + i);
		uint64_t len = ms_load_u64(buf + i + 8);
		const struct ms_region *region;

		if (len < TEXT_MIN || len > TEXT_MAX || s->seen == TEXTS_MAX)
			continue;
		region = ms_regions_find(&s->rt->regions, at);
		if (!region || region->kind != MS_REGION_EXE || (region->prot & MS_PROT_WRITE))
			continue;
		s->seen++;
		s->reads[s->queued] =
		    (struct ms_read){ at, s->text[s->queued], (uint32_t)len, MS_READ_OK };
		if (++s->queued == BATCH) {
			struct ms_error *err = flush(s);

			if (err)
				return err;
		}
	}
	return NULL;
}

static struct ms_error *region_scan(struct search *s, const struct ms_region *region)
{
	MS_AUTO_FREE uint8_t *buf = malloc(SCAN_STEP);

	if (!buf)
		return ms_error_no_memory();
	for (ms_addr at = region->start; at < region->end; at += SCAN_STEP - 8) {
		size_t size = (size_t)ms_min_u64(SCAN_STEP, region->end - at);
		struct ms_error *err = ms_target_read(s->rt->target, at, buf, size);

		if (err && ms_error_code(err) == MS_ERR_FAULT) {
			ms_error_free(err);
			continue;
		}
		if (!err)
			err = words_scan(s, buf, size);
		if (err)
			return err;
		if (size < SCAN_STEP)
			break;
	}
	return flush(s);
}

struct ms_error *ms_go_versions_find(struct ms_go_runtime *rt,
				     struct ms_build_info ret_found[MS_GO_VERSIONS_MAX],
				     size_t *ret_count)
{
	MS_AUTO_FREE struct search *s = calloc(1, sizeof(*s));
	uint64_t left = MS_ELF_IMAGE_BYTES_MAX;

	if (!s)
		return ms_error_no_memory();
	s->rt = rt;
	s->found = ret_found;
	for (size_t i = 0; i < rt->regions.count; i++) {
		const struct ms_region *r = &rt->regions.items[i];
		struct ms_error *err;

		if (r->kind != MS_REGION_EXE || (r->prot & MS_PROT_EXEC) ||
		    !(r->prot & MS_PROT_READ) || r->end - r->start > left)
			continue;
		left -= r->end - r->start;
		err = region_scan(s, r);
		if (err)
			return err;
	}
	*ret_count = s->count;
	return NULL;
}
