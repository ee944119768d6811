// runtime.h - the Go runtime of a target: what release it is, and where its roots lie.
//
// ms_go_open finds everything without symbols and believes none of it until ms_go_verify
// (verify.h) has held the layout row against the running process.
#pragma once

#include "golang/layout.h"
#include "image/build_info.h"
#include "image/elf_file.h"
#include "image/pclntab.h"

enum { MS_GO_MODULES_MAX = 64 };

/** One module's sections at run time (runtime.moduledata). */
struct ms_go_module {
	ms_addr address;
	ms_addr text, etext;
	ms_addr noptrdata, enoptrdata, data, edata, bss, ebss, noptrbss, enoptrbss;
	ms_addr types, etypes;
};

/** How the release was learnt. */
enum ms_version_source {
	MS_VERSION_BUILD_INFO, // The linker's blob.
	MS_VERSION_STRING,     // runtime.buildVersion, found among the program's strings.
};

struct ms_functions;
struct ms_types;
struct ms_code_facts;

struct ms_go_runtime {
	struct ms_target *target; // Borrowed.
	struct ms_elf elf;
	struct ms_pclntab pclntab;
	struct ms_build_info build;
	enum ms_version_source version_source;
	const struct ms_go_layout *layout;
	enum ms_layout_source layout_source;
	struct ms_go_layout dwarf_layout; // What layout points to when it came from DWARF.
	uint16_t dwarf_classes[128];
	struct ms_regions regions; // As of the last ms_go_refresh.
	struct ms_go_module modules[MS_GO_MODULES_MAX];
	size_t module_count;
	ms_addr allspans; // Address of the slice runtime.mheap_.allspans; 0 where it lacks spans.
	ms_addr allgs;    // Address of the slice runtime.allgs; 0 when it was not found.
	bool lacks_spans; // Its target was cut off, and the span table is in what is missing.
	struct ms_go_globals *globals;    // Set by the first ms_go_globals_load (globals.h).
	struct ms_types *types;           // See ms_go_types (types.h).
	struct ms_code_facts *code_facts; // See ms_go_code_facts (code_facts.h).
	struct ms_functions *functions;   // See ms_go_functions (functions.h).
};

struct ms_go_options {
	/** Read with this row whatever the release is: for the tests that walk all rows. */
	const struct ms_go_layout *force_layout;
};

/**
 * Find and verify the runtime.  UNSUPPORTED when this is not a Go program, or one whose release,
 * architecture or experiments have no row and no DWARF; the sentence says what is missing.
 * @p t stays the caller's and must outlive the runtime.  @p options may be NULL.
 */
MS_MUST_USE struct ms_error *ms_go_open(struct ms_target *t, const struct ms_go_options *options,
					struct ms_go_runtime **ret_runtime);

/** Take in the target's mappings anew. */
MS_MUST_USE struct ms_error *ms_go_refresh(struct ms_go_runtime *rt);

/**
 * mheap_.sweepgen as it is now; collections so far are half of it (runtime/mheap.go).  BAD_DATA
 * where the spans are missing.
 */
MS_MUST_USE struct ms_error *ms_go_sweepgen(struct ms_go_runtime *rt, uint32_t *ret_sweepgen);

/** True when objects with pointers over 512 bytes start with a word that names their type. */
bool ms_go_has_malloc_headers(const struct ms_go_layout *layout);

/**
 * The bytes that an allocation of @p size takes: its size class, or whole pages.  0 when the size
 * cannot be allocated (runtime/msize.go).
 */
uint64_t ms_go_alloc_bytes(const struct ms_go_layout *layout, uint64_t size, bool has_pointers);

/** Accepts NULL. */
void ms_go_close(struct ms_go_runtime *rt);
