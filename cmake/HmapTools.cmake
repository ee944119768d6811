# The small programs beside libhmap: hmap-hash, hmap-layout, hmap-growth.
function(hmap_tool name)
	add_executable(${name} ${ARGN})
	target_link_libraries(${name} PRIVATE hmap ms_options m)
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
	install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()

hmap_tool(hmap-hash src/hmap_tools/hash_main.c)
hmap_tool(hmap-layout src/hmap_tools/layout_main.c src/hmap_tools/type_name.c)
hmap_tool(hmap-growth src/hmap_tools/growth_main.c src/hmap_tools/film.c)
# XXH3 is shown beside the others where its header is there.
find_path(XXHASH_INCLUDE xxhash.h)
if(XXHASH_INCLUDE)
	target_compile_definitions(hmap-hash PRIVATE HMAP_WITH_XXHASH)
	target_include_directories(hmap-hash SYSTEM PRIVATE "${XXHASH_INCLUDE}")
endif()
