#!/bin/bash
# go-toolchain.sh [RELEASE] - print the path of a go command of exactly that release.
#
#	$(tools/go-toolchain.sh 1.24.13) build -o program ./tests/programs/truth
#
# Without a release: any go of at least 1.21.  Use what is printed with GOTOOLCHAIN=local, or it
# may switch to the release that a go.mod asks for.
#
# A go of 1.21 or newer fetches other releases itself, as the module golang.org/toolchain.  Debian
# 12 has 1.19, which can fetch that module too but does not know what to do with it: a module has
# no execute bits and no src/go.mod, so we put both in place.
set -eu
release=${1:-}
bootstrap=1.24.13

say() {
	echo "go-toolchain.sh: $*" >&2
}

# The version of a go command as 1.19.8, empty when it does not run.  Without the user's settings:
# an old release refuses to say its version over a flag that it does not know.
version_of() {
	GOENV=off GOFLAGS= GOTOOLCHAIN=local "$1" version 2>/dev/null | sed -n 's/^go version go\([0-9.]*\).*/\1/p'
}

at_least_1_21() {
	[ "$(printf '%s\n' "$1" 1.21 | sort -V | head -n 1)" = 1.21 ]
}

# Every go command of this machine, the one in PATH first.
candidates() {
	command -v go || true
	ls -d /usr/lib/go/bin/go /usr/lib/go-*/bin/go /usr/local/go/bin/go 2>/dev/null || true
}

# Fetch the bootstrap release with an old go and make its files usable.
fetch_bootstrap() { # OLD_GO
	local version answer root
	version=v0.0.1-go$bootstrap.linux-$("$1" env GOARCH)
	answer=$(cd / && GOFLAGS=-mod=mod GO111MODULE=on "$1" mod download -json \
		"golang.org/toolchain@$version") || true
	root=$(sed -n 's/^\t"Dir": "\(.*\)",\?$/\1/p' <<<"$answer")
	if [ -z "$root" ]; then
		say "could not fetch golang.org/toolchain@$version"
		sed -n 's/^\t"Error": "\(.*\)",\?$/\1/p' <<<"$answer" >&2
		return 1
	fi
	if [ ! -x "$root/bin/go" ]; then
		chmod -R u+w "$root/bin" "$root/pkg/tool" "$root/src"
		[ -e "$root/src/go.mod" ] || cp "$root/src/_go.mod" "$root/src/go.mod"
		find "$root/pkg/tool" -type f -exec chmod +x {} +
		find "$root/bin" -type f -exec chmod +x {} + # The last, as it says that all is done.
	fi
	echo "$root/bin/go"
}

# A go that can fetch others.
fetcher() {
	local go version oldest=
	while read -r go; do
		version=$(version_of "$go")
		[ -n "$version" ] || continue
		if at_least_1_21 "$version"; then
			echo "$go"
			return
		fi
		oldest=$go
	done <<<"$(candidates)"
	if [ -z "$oldest" ]; then
		say "there is no go command; install Debian's golang-go, or Go 1.21 or newer"
		return 1
	fi
	fetch_bootstrap "$oldest"
}

if [ -n "$release" ]; then
	while read -r go; do
		if [ -n "$go" ] && [ "$(version_of "$go")" = "$release" ]; then
			echo "$go"
			exit 0
		fi
	done <<<"$(candidates)"
fi
go=$(fetcher)
if [ -n "$release" ] && [ "$(version_of "$go")" != "$release" ]; then
	root=$(cd / && GOFLAGS= GOTOOLCHAIN=go$release "$go" env GOROOT) ||
		{ say "could not fetch go$release"; exit 1; }
	go=$root/bin/go
	if [ "$(version_of "$go")" != "$release" ]; then
		say "$go is not go$release"
		exit 1
	fi
fi
echo "$go"
