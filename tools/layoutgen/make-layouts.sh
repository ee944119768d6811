#!/bin/bash
# make-layouts.sh - the layout table, its evidence and the support table, from real toolchains.
#
#	tools/layoutgen/make-layouts.sh			write them into the tree (make layouts)
#	tools/layoutgen/make-layouts.sh --check		make them elsewhere and compare with the tree
#	tools/layoutgen/make-layouts.sh --experiments	also write what each experiment moves; slow
#
# A row is said to hold for all patches of its minor releases: the first and the last of each are
# built, too, and one that moves something fails the run.  Both sides of it belong into the list.
#
# LAYOUT_RELEASES names the toolchains ("1.24.13 1.27.4"); with --check, only the evidence of
# these is compared.  A new release: add it to the list below and run this.
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C GOFLAGS= GOTOOLCHAIN=local GOOS=linux GOWORK=off

# The newest patch release of each minor release, and both sides of a change between two patches.
releases=${LAYOUT_RELEASES:-1.18.8 1.18.10 1.19.2 1.19.4 1.20.14 1.21.13 1.22.12 1.23.11 1.23.12
	1.24.5 1.24.6 1.24.13 1.25.14 1.26.11 1.27.4}
# The other ends of the minor releases, which have to agree with the nearest of the above.
other_patches="1.18 1.19 1.19.13 1.20 1.21.0 1.22.0 1.23.0 1.24.0 1.25.0 1.26.0 1.27.0"
check=false experiments=false
for word; do
	case $word in
	--check) check=true ;;
	--experiments) experiments=true ;;
	*) sed -n '2,9s/^# \?//p' "$0" >&2; exit 1 ;;
	esac
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=.
if $check; then
	tree=$scratch/tree
	mkdir -p "$tree/src/golang" "$tree/tests/golden/layouts" "$tree/docs"
fi

# The experiments of a release that have rows of their own.
moving() { # RELEASE
	case $1 in
	1.24.*) echo noswissmap ;;
	1.25.*) echo noswissmap greenteagc noswissmap,greenteagc ;;
	1.26.*) echo nogreenteagc ;;
	1.27.*) echo nogreenteagc mapsplitgroup nogreenteagc,mapsplitgroup ;;
	esac
}

# Build the program and append it to a list; a build that fails is written to $scratch/failed.
build() { # LIST RELEASE ARCH LABEL [GO BUILD FLAG]...
	local list=$1 release=$2 arch=$3 label=$4 experiment=$4 go
	local program=$scratch/go$2-$3-$4
	shift 4
	case $label in -*) experiment= ;; esac
	go=$(tools/go-toolchain.sh "$release")
	if (cd tests/programs/layout && GOARCH=$arch GOEXPERIMENT=$experiment \
		"$go" build -buildvcs=false "$@" -o "$program" .) >"$scratch/log" 2>&1; then
		echo "go$release $arch $label $program" >>"$list"
	else
		echo "go$release $arch $label: $(grep -v '^#' "$scratch/log" | head -n 1 |
			sed 's/.*\(internal compiler error\).*/\1/')" >>"$scratch/failed"
	fi
}

# The other ends, beside the rows' own builds: what they move.
compare_patches() {
	local release arch
	awk '$3 == "-"' "$scratch/rows" >"$scratch/patches"
	for release in $other_patches; do
		for arch in amd64 arm64; do
			build "$scratch/patches" "$release" $arch -patch
		done
	done
	"$scratch/layoutgen" moves "$scratch/patches" | grep -v ': moves nothing,' || true
}

# What each experiment, other patch release and kind of linking moves, on amd64.
build_comparisons() { # LIST
	local list=$1 release name try flip go
	for release in $releases; do
		build "$list" "$release" amd64 -
		go=$(tools/go-toolchain.sh "$release")
		for name in $(grep -E '^\s+[A-Z][A-Za-z0-9]+ +bool' \
			"$("$go" env GOROOT)/src/internal/goexperiment/flags.go" |
			awk '{ print tolower($1) }'); do
			flip=
			for try in "$name" "no$name"; do
				# The version names what is not as by default.
				if GOEXPERIMENT=$try "$go" tool compile -V | grep -q X:; then
					flip=$try
				fi
			done
			if [ -n "$flip" ]; then
				build "$list" "$release" amd64 "$flip"
			else
				echo "go$release amd64 $name: cannot be switched" >>"$scratch/failed"
			fi
		done
		case $release in 1.19.4 | 1.23.* | 1.24.* | 1.27.*)
			CGO_ENABLED=1 build "$list" "$release" amd64 -cgo
			CGO_ENABLED=1 build "$list" "$release" amd64 -race -race
			;;
		esac
	done
}

cc=${CC:-gcc}
$cc -std=gnu17 -D_GNU_SOURCE -O1 -Isrc -Itools/layoutgen -o "$scratch/layoutgen" \
	tools/layoutgen/*.c src/golang/layout.c src/golang/layout_dwarf.c src/golang/dwarf_file.c \
	src/golang/layout_experiments.c src/image/debug_image.c src/base/{arena,error,vec}.c \
	-ldw -lelf -lz

export CGO_ENABLED=0
: >"$scratch/failed"
for release in $releases; do
	for arch in amd64 arm64; do
		for label in - $(moving "$release"); do
			build "$scratch/rows" "$release" $arch "$label"
		done
	done
done
if [ -s "$scratch/failed" ]; then
	cat "$scratch/failed" >&2
	exit 1
fi

if [ -z "${LAYOUT_RELEASES:-}" ]; then
	moved=$(compare_patches)
	if [ -n "$moved" ] || [ -s "$scratch/failed" ]; then
		cat "$scratch/failed" - >&2 <<<"$moved"
		echo "make-layouts.sh: rows do not hold for these patches: list both sides of what moved" >&2
		exit 1
	fi
fi

evidence=$tree/tests/golden/layouts
"$scratch/layoutgen" rows "$scratch/rows" >"$scratch/layout_rows.c"
"$scratch/layoutgen" support "$scratch/rows" tests/live/proved.txt >"$scratch/support.md"
"$scratch/layoutgen" evidence "$scratch/rows" "$evidence"
cp "$scratch/layout_rows.c" "$tree/src/golang/layout_rows.c"
cp "$scratch/support.md" "$tree/docs/support.md"
if $experiments; then
	build_comparisons "$scratch/comparisons"
	{
		cat tools/layoutgen/experiments-head.txt
		"$scratch/layoutgen" moves "$scratch/comparisons"
		printf '\nNot built, so not compared:\n\n'
		cat "$scratch/failed"
	} >"$scratch/experiments.txt"
	cp "$scratch/experiments.txt" "$evidence/experiments.txt"
fi

if $check; then
	status=0
	for file in $(cd "$tree" && find . -type f | sort); do
		case $file in
		*/layout_rows.c | */support.md) [ -z "${LAYOUT_RELEASES:-}" ] || continue ;;
		esac
		diff -u "$file" "$tree/$file" || status=1
	done
	[ $status = 0 ] && echo "layouts: as the toolchains say ($(wc -l <"$scratch/rows") builds)"
	exit $status
fi
