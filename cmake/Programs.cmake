# ms_program(NAME sources...): a program for developers over all layers; it is not installed.
function(ms_program name)
	add_executable(${name} ${ARGN})
	target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
	target_compile_definitions(${name} PRIVATE MS_TEST_ROOT="${CMAKE_SOURCE_DIR}")
	target_link_libraries(${name} PRIVATE hmap ms_cli ms_snapshot ms_render ms_diagnose ms_trace ms_registry ms_goroutines
		ms_stacks ms_walk ms_census ms_report ms_maps
		ms_golang ms_image ms_target ms_base PkgConfig::DW PkgConfig::ELF PkgConfig::YAJL
		PkgConfig::ZLIB PkgConfig::PROTOBUF_C PkgConfig::CAPSTONE Zydis::Zydis Threads::Threads ms_options m)
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
endfunction()
