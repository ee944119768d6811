# ms_layer(NAME [USES layers...] [LIBRARIES targets...])
#
# The library ms_NAME from src/NAME/*.c; main.c belongs to the program, not to a library.  A folder
# without sources becomes a library of headers.
function(ms_layer name)
	cmake_parse_arguments(LAYER "" "" "USES;LIBRARIES" ${ARGN})
	file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.c")
	list(FILTER sources EXCLUDE REGEX "/main\\.c$")
	list(TRANSFORM LAYER_USES PREPEND ms_)
	if(sources)
		add_library(ms_${name} STATIC ${sources})
		target_link_libraries(ms_${name} PRIVATE ${LAYER_USES} ${LAYER_LIBRARIES} ms_options)
	else()
		add_library(ms_${name} INTERFACE)
		target_link_libraries(ms_${name} INTERFACE ${LAYER_USES} ${LAYER_LIBRARIES})
	endif()
endfunction()
