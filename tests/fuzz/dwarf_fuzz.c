// Layouts out of an executable's DWARF.  One that is accepted is read with: its offsets must lie
// inside the structs that it says they are in.
#include "golang/goroutines.h"
#include "golang/layout.h"
#include "golang/spans.h"
#include "maps/classic.h"
#include "maps/swiss.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_target.h"

static void read_maps(const struct ms_go_layout *l)
{
	bool is_swiss = l->maps == MS_GO_MAPS_SWISS;
	uint8_t *raw = calloc(1, is_swiss ? l->map_size : l->hmap_size);
	struct ms_classic_map classic;
	struct ms_swiss_map swiss;

	FUZZ_CHECK(raw);
	if (is_swiss) {
		struct ms_swiss_table table;
		uint8_t *raw_table = calloc(1, l->table_size);

		FUZZ_CHECK(raw_table);
		FUZZ_CHECK(ms_swiss_parse(l, raw, &swiss) == MS_SWISS_NOT);
		FUZZ_CHECK(!ms_swiss_table_parse(l, raw_table, &table));
		free(raw_table);
	} else {
		FUZZ_CHECK(ms_classic_parse(l, raw, &classic) == MS_CLASSIC_NOT);
	}
	free(raw);
}

static void read_rest(const struct ms_go_layout *l)
{
	uint8_t *span = calloc(1, l->mspan_size), *g = calloc(1, ms_goroutine_bytes(l));
	struct ms_goroutine goroutine;
	struct ms_span parsed;

	FUZZ_CHECK(span && g);
	ms_span_parse(l, span, 0, &parsed);
	ms_goroutine_parse(l, g, 0, &goroutine);
	free(span);
	free(g);
}

MS_FUZZ_TARGET(dwarf)
{
	struct ms_go_layout layout;
	struct fake_target fake;
	uint16_t classes[128];

	fake_target_init(&fake);
	fake_target_exe(&fake, data, size);
	if (fuzz_worked(
		ms_go_layout_from_dwarf(ms_target_exe_fd(&fake.target), &layout, classes))) {
		FUZZ_CHECK(layout.size_class_count <= MS_ARRAY_SIZE(classes));
		FUZZ_CHECK(ms_go_alloc_bytes(&layout, 1, true) > 0);
		read_maps(&layout);
		read_rest(&layout);
	}
	fake_target_deinit(&fake);
}
