// crash.h - what a core file says of its end: who died of what, in which map, and who else was
// there.
#pragma once

#include "report/census.h"
#include "report/goroutine_rows.h"

enum ms_crash_error {
	MS_CRASH_NONE,  // No fatal error of map code is on a stack.
	MS_CRASH_OTHER, // A fatal error of the runtime, but not the map's.
	MS_CRASH_WRITES,
	MS_CRASH_READ_AND_WRITE,
	MS_CRASH_ITERATION_AND_WRITE,
};

/** What ended it, where that was not two goroutines in one map. */
enum ms_crash_end {
	MS_ENDED_UNKNOWN, // By a signal, as far as its stacks say.
	MS_ENDED_FATAL,   // A fatal error of the runtime.
	MS_ENDED_PANIC,
};

/** How sure it is that a goroutine was the other one. */
enum ms_crash_second {
	MS_SECOND_IN_MAP_CODE, // Its stack is in code of this very map.
	MS_SECOND_CAN_WRITE,   // A function on its stack writes such maps.
};

/** What says which map it was, the surest first. */
enum ms_crash_map_source {
	MS_CRASH_MAP_UNKNOWN,
	MS_CRASH_MAP_ARGUMENT, // The call still has it.
	MS_CRASH_MAP_CALLER,   // Where the caller's code had it from, as memory is now.
	MS_CRASH_MAP_WORDS,    // The only one that words of the call's frames lead to.
	MS_CRASH_MAP_TYPE,     // The only one of the type that the call was for.
};

/** A map that it may have been. */
struct ms_crash_candidate {
	const struct ms_map_row *map;
	bool is_written; // Its header says that somebody was writing as the program ended.
};

struct ms_crash_user {
	uint64_t goroutine;
	const char *state; // Static.
	uint32_t stack;    // Of the goroutines' report.
	uint8_t role;      // ms_map_role; MS_ROLE_NONE of one that can write.
	uint8_t how;       // ms_crash_second
};

enum { MS_CRASH_USERS_MAX = 16, MS_CRASH_CANDIDATES_MAX = 16 };

struct ms_crash_report {
	struct ms_report_target target;
	struct ms_report_cost cost;
	const char *signal;           // Static: "ABRT"; NULL: none, the core was asked for.
	uint32_t thread;              // That the core names first; 0 unknown.
	uint64_t threads;             // With registers.
	uint8_t error;                // ms_crash_error
	uint8_t ended_by;             // ms_crash_end
	const char *words;            // The runtime's, of that end; NULL: not known.
	const char *raised_in;        // The function that called panic; NULL: the runtime's own.
	uint64_t goroutine;           // That died of it; 0 unknown.
	uint32_t stack;               // Of it; MS_NO_STACK.
	uint8_t role;                 // ms_map_role: what it did.
	const struct ms_map_row *map; // Of the census; NULL unknown.
	ms_addr map_address;          // 0 unknown.
	ms_addr map_type_at;          // Descriptor of the call's map type; 0 unknown.
	uint8_t map_source;           // ms_crash_map_source
	const char *map_type;         // That the call was for; NULL unknown.
	// Where the map is not known: those that may be it, the likeliest first.
	struct ms_crash_candidate candidates[MS_CRASH_CANDIDATES_MAX];
	size_t candidate_count;
	uint64_t more_candidates; // That have no place there.
	struct ms_crash_user users[MS_CRASH_USERS_MAX];
	size_t user_count;
	uint64_t more_users;                // That have no place there.
	bool code_is_known;                 // Which functions write such maps.
	uint64_t missing_bytes, file_bytes; // Of a core that was cut off; 0: it is whole.
	const char *exe_is; // Static: what is known of the program's file; NULL: it is right.
	struct ms_census_report *census;
	struct ms_goroutines_report *goroutines; // NULL: a C program, or they could not be read.
	const char *no_goroutines;               // Why not.
	bool partial;
	const char *partial_reason;
};

/** "concurrent map writes", ...; NULL where there is none. */
const char *ms_crash_error_text(enum ms_crash_error error);

/** "argument", "caller", "words", "type"; NULL for an unknown map. */
const char *ms_crash_map_source_name(enum ms_crash_map_source source);

/** "fatal error", "panic"; NULL for unknown. */
const char *ms_crash_end_name(enum ms_crash_end end);
