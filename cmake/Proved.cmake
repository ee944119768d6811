# ms_proved_rows(TARGET LIST): turn LIST (tests/live/proved.txt) into the table of cli/proved.h.
#
# A line is `go1.24.13 amd64 swiss normal,stripped`, maybe with +greentea and +splitgroup behind swiss.
function(ms_proved_rows target list)
	set(out "${CMAKE_BINARY_DIR}/generated/proved_rows.c")
	set(rows "")
	set(count 0)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${list}")
	file(STRINGS "${list}" lines)
	foreach(line IN LISTS lines)
		string(REGEX REPLACE "#.*" "" line "${line}")
		string(STRIP "${line}" line)
		if(line STREQUAL "")
			continue()
		endif()
		if(NOT line MATCHES "^go([0-9]+)\\.([0-9]+)(\\.([0-9]+))? (amd64|arm64) ([a-z+]+) [a-z,]+$")
			message(FATAL_ERROR "${list}: cannot read \"${line}\"")
		endif()
		set(patch "${CMAKE_MATCH_4}")
		if(patch STREQUAL "")
			set(patch 0)
		endif()
		set(release "MS_GO_PATCH(${CMAKE_MATCH_1}, ${CMAKE_MATCH_2}, ${patch})")
		string(TOUPPER "${CMAKE_MATCH_5}" arch)
		string(REPLACE "+" ";" kinds "${CMAKE_MATCH_6}")
		set(bits 0)
		foreach(kind IN LISTS kinds)
			if(kind STREQUAL "swiss")
				string(APPEND bits " | MS_GO_EXP_SWISS")
			elseif(kind STREQUAL "greentea")
				string(APPEND bits " | MS_GO_EXP_GREENTEA")
			elseif(kind STREQUAL "splitgroup")
				string(APPEND bits " | MS_GO_EXP_SPLIT_GROUP")
			elseif(NOT kind STREQUAL "classic")
				message(FATAL_ERROR "${list}: \"${kind}\" is no kind of maps")
			endif()
		endforeach()
		string(APPEND rows "\t{ ${release}, MS_ARCH_${arch}, ${bits} },\n")
		math(EXPR count "${count} + 1")
	endforeach()
	file(CONFIGURE OUTPUT "${out}" @ONLY CONTENT
"// Generated from tests/live/proved.txt.
#include \"cli/proved.h\"

const size_t ms_proved_row_count = @count@;
const struct ms_proved_row ms_proved_rows[] = {
@rows@	{ 0, MS_ARCH_UNKNOWN, 0 }, // So that the table is never empty.
};
")
	target_sources(${target} PRIVATE "${out}")
endfunction()
