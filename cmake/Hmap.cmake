# libhmap, from src/hmap/*.c: libc only, C11.
file(GLOB hmap_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/hmap/*.c")
add_library(hmap STATIC ${hmap_sources})
set_target_properties(hmap PROPERTIES C_STANDARD 11 POSITION_INDEPENDENT_CODE ON)
target_link_libraries(hmap PRIVATE ms_options)
target_include_directories(hmap PUBLIC "${CMAKE_SOURCE_DIR}/include")
