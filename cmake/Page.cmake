# ms_page(TARGET): web/ bundled into one script and one style, which TARGET holds.
#
# The packages are those of web/package-lock.json, installed into the build folder.  Without npm the
# tool builds all the same, and says that it has no page when one is asked for.
option(MS_PAGE "Build the page of -o FILE.html (npm)" ON)
find_program(MS_NPM npm)
find_program(MS_NODE NAMES node nodejs)

function(ms_page target)
	if(NOT MS_PAGE OR NOT MS_NPM OR NOT MS_NODE)
		message(STATUS "no npm: mapscope will have no HTML page")
		return()
	endif()
	set(web "${CMAKE_SOURCE_DIR}/web")
	set(work "${CMAKE_BINARY_DIR}/web")
	file(GLOB sources CONFIGURE_DEPENDS "${web}/src/*")
	set(manifest "${web}/package.json" "${web}/package-lock.json" "${web}/.npmrc")
	add_custom_command(OUTPUT "${work}/installed"
		COMMAND "${CMAKE_COMMAND}" -E make_directory "${work}"
		COMMAND "${CMAKE_COMMAND}" -E copy ${manifest} "${work}"
		COMMAND "${MS_NPM}" ci --ignore-scripts --no-audit --no-fund --loglevel=error
		COMMAND "${CMAKE_COMMAND}" -E touch "${work}/installed"
		DEPENDS ${manifest} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}/web"
		COMMENT "Fetching the packages of the page" VERBATIM)
	file(MAKE_DIRECTORY "${work}")
	add_custom_command(OUTPUT "${work}/page_assets.c"
		COMMAND "${CMAKE_COMMAND}" -E copy_directory "${web}/src" "${work}/src"
		COMMAND "${CMAKE_COMMAND}" -E copy "${web}/build.mjs" "${work}"
		COMMAND "${MS_NODE}" build.mjs .
		DEPENDS ${sources} "${web}/build.mjs" "${work}/installed"
		WORKING_DIRECTORY "${work}"
		COMMENT "Bundling the page" VERBATIM)
	target_sources(${target} PRIVATE "${work}/page_assets.c")
	set_source_files_properties("${work}/page_assets.c" PROPERTIES COMPILE_OPTIONS "-w")
	target_compile_definitions(${target} PRIVATE MS_HAVE_PAGE)
endfunction()
