#!/bin/bash
# setup.sh GROUP... - install what is missing, with apt, on Debian 12 and its relatives.
#
#	build   compile the tool              check   run the tests
#	demo    build the example service     long    run the long tier
#	bench   measure libhmap beside others
#
# Nothing is installed over something that works: a command or library that is there counts, from
# wherever it came.  What is only wanted (a program that some live test looks into) is a warning
# when it cannot be had, because the tests skip and count what they miss; the rest is an error.
set -u
cd "$(dirname "$0")/.." || exit 1
[ $# -gt 0 ] || { echo "usage: tools/setup.sh build|check|demo|long|bench..." >&2; exit 1; }
missing=() wanted=()

has() {
	command -v "$1" >/dev/null 2>&1
}

library() {
	has pkg-config && pkg-config --exists "$1"
}

go_is_there() {
	has go || compgen -G '/usr/lib/go*/bin/go' >/dev/null || [ -x /usr/local/go/bin/go ]
}

certificates() {
	[ -e /etc/ssl/certs/ca-certificates.crt ] || [ -d /etc/pki/tls/certs ]
}

# The C library's headers come with gcc only as a recommendation.
compiles() {
	has gcc && echo '#include <stdio.h>' | gcc -E - >/dev/null 2>&1
}

header() {
	has gcc && echo "#include <$1>" | gcc -E - >/dev/null 2>&1
}

clang_sanitizes() {
	local runtime=libclang_rt.fuzzer-$(uname -m).a

	has clang-14 && [ -e "$(clang-14 -print-file-name="$runtime")" ] ||
		compgen -G "/usr/lib/llvm-14/lib/clang/*/lib/linux/$runtime" >/dev/null
}

bpftool_is_there() { # Users other than root do not search /usr/sbin.
	has bpftool || [ -x /usr/sbin/bpftool ]
}

# need PACKAGE TEST...: without it the group does not work.
need() {
	local package=$1
	shift
	"$@" || missing+=("$package")
}

# want PACKAGE TEST...: without it some tests are skipped.
want() {
	local package=$1
	shift
	"$@" || wanted+=("$package")
}

group_build() {
	need make has make
	need gcc has gcc
	need libc6-dev compiles
	need cmake has cmake
	need ninja-build has ninja
	need pkg-config has pkg-config
	need libelf-dev library libelf
	need libdw-dev library libdw
	need libyajl-dev library yajl
	need libncurses-dev library ncursesw
	need libcap-dev library libcap
	need zlib1g-dev library zlib
	need protobuf-c-compiler has protoc-c
	need libprotobuf-c-dev library libprotobuf-c
	need libcapstone-dev library capstone
	need libzydis-dev header Zydis/Zydis.h
	need libbpf-dev library libbpf
	need libmicrohttpd-dev library libmicrohttpd
	need systemtap-sdt-dev header sys/sdt.h
	need bpftool bpftool_is_there
	need clang-14 has clang-14
	want npm has npm # The page of -o FILE.html; without it the tool says so.
}

group_check() {
	need binutils has nm
	need g++ has g++
	need git has git
	need python3 has python3
	need libclang-rt-14-dev clang_sanitizes
	need clang-format-14 has clang-format-14
	need llvm-14 has llvm-cov-14
	want gdb has gdb
	want tmux has tmux
	want qemu-user-static has qemu-aarch64-static
	want golang-go go_is_there
	want ca-certificates certificates # Go fetches toolchains by https.
	want prometheus has prometheus
	want etcd-server has etcd
	want caddy has caddy
	want delve has dlv
	want chromium has chromium
}

exists() {
	[ -e "$1" ]
}

group_bench() { # What libhmap is measured beside.
	need g++ has g++
	need python3 has python3
	need libboost1.81-dev exists /usr/include/boost/unordered/unordered_flat_map.hpp
	need libabsl-dev library absl_hash
	need libhts-dev library htslib
	need robin-map-dev exists /usr/include/tsl/robin_map.h
	need libglib2.0-dev library glib-2.0
	need uthash-dev exists /usr/include/uthash.h
	need golang-go go_is_there
	need ca-certificates certificates
}

group_demo() {
	need golang-go go_is_there
	need ca-certificates certificates
}

group_long() {
	want valgrind has valgrind
	want gdb has gdb
	want tmux has tmux
	want gcc-multilib exists /usr/include/x86_64-linux-gnu/sys/cdefs.h
	want gcc-s390x-linux-gnu has s390x-linux-gnu-gcc
	want gcc-aarch64-linux-gnu has aarch64-linux-gnu-gcc
	want libc6-dev-s390x-cross exists /usr/s390x-linux-gnu/include
	want libc6-dev-arm64-cross exists /usr/aarch64-linux-gnu/include
	want qemu-user has qemu-s390x
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif has sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		sudo "$@"
	else
		return 1
	fi
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends "$@" </dev/null >"$log" 2>&1
}

# Install the packages; the lists are fetched only when that does not work without.
install() {
	has apt-get || { echo "there is no apt-get" >"$log"; return 1; }
	as_root true || { echo "not root, and no sudo without a password" >"$log"; return 1; }
	echo "installing: $*"
	apt_install "$@" && return
	as_root apt-get update -q </dev/null >"$log" 2>&1
	apt_install "$@"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for group in "$@"; do
	case $group in
	build | check | demo | long | bench) "group_$group" ;;
	*) echo "setup.sh: there is no group $group" >&2; exit 1 ;;
	esac
done
if [ ${#missing[@]} -gt 0 ] && ! install "${missing[@]}"; then
	tail -n 5 "$log" >&2
	echo "setup.sh: could not install ${missing[*]}; as root: apt-get install ${missing[*]}" >&2
	exit 1
fi
if [ ${#wanted[@]} -gt 0 ] && ! install "${wanted[@]}"; then
	for package in "${wanted[@]}"; do # One that is unknown here must not keep out the others.
		install "$package" >/dev/null ||
			echo "setup.sh: $package is missing and could not be installed; tests that need it are skipped" >&2
	done
fi
exit 0
