# libhmap has a build of its own, which this one takes in.
add_subdirectory("${CMAKE_SOURCE_DIR}/src/hmap")
