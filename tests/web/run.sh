#!/bin/bash
# run.sh BUILD - the HTML pages of the example reports, driven in a headless Chromium.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build-dev}
if [ ! -d "$build/web/node_modules/playwright-core" ]; then
	echo "skip page: this build has no HTML page"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
MS_PAGES=$folder "$build/mapscope-tests" --filter render_html_pages >/dev/null || exit 1
PAGE_PACKAGES=$PWD/$build/web node tests/web/page.mjs "$folder"/growing.html \
	"$folder"/kinds.html "$folder"/quiet.html "$folder"/partial.html "$folder"/hostile.html
