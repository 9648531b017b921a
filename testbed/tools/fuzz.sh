#!/usr/bin/env bash
# Runs every fuzz target of the module, one after the other, for the time given each. Making an input smaller has a
# second at most: by default it has a minute, which would eat the time of targets that are slow.
set -eu
cd "$(dirname "$0")/../.."
each=${1:-20s}
grep -rl --include='*_test.go' '^func Fuzz' . | sort | while read -r file; do
	dir=$(dirname "$file")
	grep -o '^func Fuzz[A-Za-z0-9_]*' "$file" | sed 's/^func //' | while read -r target; do
		echo "== $dir $target ($each)"
		go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$each" -fuzzminimizetime 1s
	done
done
