# Compiler options, as one interface target that every library and program of ours links.
option(MS_WARNINGS_AS_ERRORS "Stop at the first warning (the presets of developers set it)" OFF)
set(MS_SANITIZE "" CACHE STRING "Sanitizers to build with, as for -fsanitize= (address,undefined)")
option(MS_FUZZ "Build the libFuzzer programs (clang)" OFF)
option(MS_COVERAGE "Count which lines ran" OFF)

add_library(ms_options INTERFACE)
target_include_directories(ms_options INTERFACE "${CMAKE_SOURCE_DIR}/src"
	"${CMAKE_SOURCE_DIR}/include")
target_compile_definitions(ms_options INTERFACE _GNU_SOURCE
	MS_VERSION="${PROJECT_VERSION}")
target_compile_options(ms_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wvla
	-Wmissing-prototypes -Wstrict-prototypes -fvisibility=hidden -fno-omit-frame-pointer)
target_link_options(ms_options INTERFACE -Wl,--as-needed)
if(MS_WARNINGS_AS_ERRORS)
	target_compile_options(ms_options INTERFACE -Werror)
endif()
if(MS_SANITIZE)
	target_compile_options(ms_options INTERFACE -fsanitize=${MS_SANITIZE}
		-fno-sanitize-recover=all)
	target_link_options(ms_options INTERFACE -fsanitize=${MS_SANITIZE})
endif()
if(MS_FUZZ)
	target_compile_options(ms_options INTERFACE -fsanitize=fuzzer-no-link)
	target_link_options(ms_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(MS_COVERAGE)
	target_compile_options(ms_options INTERFACE --coverage)
	target_link_options(ms_options INTERFACE --coverage)
endif()
