#!/bin/bash
# run.sh - build the session service with libhmap, start it, trace its maps and show the page mapscope
# makes of it in ten seconds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../service.sh"
libraries=$(dirname "$tool")

echo "building the session service with libhmap"
cc -std=gnu11 -O2 -g -Wall -I"$root/include" "$here/sessions.c" "$libraries/libhmap.a" \
	-o "$scratch/sessions" -pthread

start_service session env HMAP_DEBUG="maptrace=2,file=$scratch/trace,http=unix:$scratch/socket" \
	LD_LIBRARY_PATH="$libraries" "$scratch/sessions"
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
