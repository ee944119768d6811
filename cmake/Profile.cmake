# ms_profile(TARGET): the code of src/render/profile.proto, generated and compiled into TARGET.
#
# It is made by protobuf-c's compiler and not checked with our warnings.
find_program(MS_PROTOC_C protoc-c REQUIRED)

function(ms_profile target)
	set(folder "${CMAKE_BINARY_DIR}/generated/${target}") # Two targets may have it.
	set(source "${folder}/profile.pb-c.c")
	add_custom_command(
		OUTPUT "${source}" "${folder}/profile.pb-c.h"
		COMMAND "${CMAKE_COMMAND}" -E make_directory "${folder}"
		COMMAND "${MS_PROTOC_C}" "--proto_path=${CMAKE_SOURCE_DIR}/src/render"
			"--c_out=${folder}" profile.proto
		DEPENDS "${CMAKE_SOURCE_DIR}/src/render/profile.proto" VERBATIM)
	set_source_files_properties("${source}" PROPERTIES COMPILE_OPTIONS "-w")
	target_sources(${target} PRIVATE "${source}" "${folder}/profile.pb-c.h")
	target_include_directories(${target} SYSTEM PUBLIC "${folder}")
endfunction()
