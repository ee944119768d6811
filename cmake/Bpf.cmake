# ms_bpf(NAME): src/trace/bpf/NAME.bpf.c compiled for the kernel, and the header that holds it as
# trace/NAME.skel.h for the library ms_trace.  Building needs no type information of a kernel.
#
# Without MS_BPF nothing of this is needed to build: traces then poll, and say why.
option(MS_BPF "Build the probes on growth (clang, bpftool, libbpf)" ON)

function(ms_bpf name)
	set(source "${CMAKE_SOURCE_DIR}/src/trace/bpf/${name}.bpf.c")
	set(out "${CMAKE_BINARY_DIR}/generated/trace")
	if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
		set(arch arm64)
	else()
		set(arch x86)
	endif()
	find_program(MS_BPF_CLANG NAMES clang-14 clang clang-15 clang-16 clang-19 REQUIRED)
	find_program(MS_BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)
	file(MAKE_DIRECTORY "${out}")
	file(GLOB headers CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/trace/bpf/*.h")
	add_custom_command(OUTPUT "${out}/${name}.skel.h"
		COMMAND "${MS_BPF_CLANG}" -target bpf -mcpu=v3 -O2 -g -ffreestanding
			-D__TARGET_ARCH_${arch} -Wall -Wextra -Werror
			"-I${CMAKE_SOURCE_DIR}/src"
			-idirafter "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}" -c "${source}" -o "${out}/${name}.bpf.o"
		COMMAND "${MS_BPFTOOL}" gen skeleton "${out}/${name}.bpf.o" name ${name}_bpf
			> "${out}/${name}.skel.h"
		DEPENDS "${source}" ${headers}
		COMMENT "Building ${name}.bpf.c for the kernel"
		VERBATIM)
	target_sources(ms_trace PRIVATE "${out}/${name}.skel.h")
	target_compile_definitions(ms_trace PRIVATE MS_HAVE_BPF)
	target_include_directories(ms_trace SYSTEM PRIVATE "${CMAKE_BINARY_DIR}/generated")
endfunction()
