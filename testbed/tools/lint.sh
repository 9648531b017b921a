#!/usr/bin/env bash
# Formatting, vet, staticcheck and known vulnerabilities. VULNDB names a folder with the
# Go vulnerability database; without it (and without ../shared/vulndb) that step is left out
# and the script says so.
set -eu
cd "$(dirname "$0")/../.."
tool() { go tool -modfile=testbed/tools/go.mod "$@"; }

unformatted=$(git ls-files '*.go' | xargs -r go tool -modfile=testbed/tools/go.mod gofumpt -l)
if [ -n "$unformatted" ]; then
	printf 'gofumpt would change these files; run it with -w on them:\n%s\n' "$unformatted" >&2
	exit 1
fi
go vet ./...
tool staticcheck ./...

db=${VULNDB:-}
if [ -z "$db" ] && [ -d ../shared/vulndb ]; then
	db=../shared/vulndb
fi
if [ -z "$db" ]; then
	echo "lint: no VULNDB folder given, known vulnerabilities were NOT checked" >&2
	exit 0
fi
tool govulncheck -db "file://$(cd "$db" && pwd)" ./...
