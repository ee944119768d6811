#!/bin/bash
# run.sh - build the session service with libhmap, start it, trace its maps and show the page mapscope
# makes of it in ten seconds.
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

echo "building the session service with libhmap"
cc -std=gnu11 -O2 -g -Wall -I"$root/include" "$here/sessions.c" "$(dirname "$tool")/libhmap.a" \
	-o "$scratch/sessions" -pthread

mkfifo "$scratch/out"
HMAP_DEBUG=maptrace=2,file=$scratch/trace,http=unix:$scratch/socket LD_LIBRARY_PATH=$(dirname "$tool") \
	"$scratch/sessions" >"$scratch/out" &
service=$!
exec 3<"$scratch/out"
if ! read -r line <&3 || [[ $line != ready* ]]; then
	echo "run.sh: the session service did not start" >&2
	exit 1
fi
echo "\$ mapscope $service --seconds $seconds"
"$tool" "$service" --seconds "$seconds"
echo
echo '$ HMAP_DEBUG=maptrace=2 sessions: the last of its lines'
tail -n 4 "$scratch/trace"
if command -v curl >/dev/null; then
	echo
	echo '$ curl http://localhost:6060/metrics | grep entries'
	curl -sS --unix-socket "$scratch/socket" http://localhost/metrics | grep '^hmap_entries'
fi
