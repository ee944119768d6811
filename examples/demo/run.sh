#!/bin/bash
# run.sh - build the demo service, start it, and show the page mapscope makes of it in ten seconds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tool=${MAPSCOPE:-$root/build/mapscope}
seconds=${SECONDS_TO_LOOK:-10}
[ -x "$tool" ] || { echo "run.sh: there is no $tool; build it with: make build" >&2; exit 1; }

scratch=$(mktemp -d)
service=
finish() {
	[ -z "$service" ] || kill "$service" 2>/dev/null || true
	[ -z "$service" ] || wait "$service" 2>/dev/null || true
	rm -rf "$scratch"
}
trap finish EXIT

# The release our helper finds, or whatever go there is: the service builds with 1.18 and newer.
if go=$("$root/tools/go-toolchain.sh" 2>/dev/null); then
	export GOTOOLCHAIN=local
else
	go=go
fi
echo "building the demo service with $("$go" version)"
(cd "$here" && GOFLAGS=-buildvcs=false "$go" build -o "$scratch/demo" .)

mkfifo "$scratch/out"
"$scratch/demo" >"$scratch/out" &
service=$!
exec 3<"$scratch/out"
# The service says when its tables are filled; it ends the wait, too, if it ends itself.
if ! read -r line <&3 || [[ $line != ready* ]]; then
	echo "run.sh: the demo service did not start" >&2
	exit 1
fi
echo "$line"
echo "\$ mapscope $service --seconds $seconds"
"$tool" "$service" --seconds "$seconds"
