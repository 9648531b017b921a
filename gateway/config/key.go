package config

import (
	"strconv"
	"strings"
)

// joinKey appends one part to a key, quoted where TOML wants it.
func joinKey(key, part string) string {
	if !allBare(part) {
		part = strconv.Quote(part)
	}
	if key == "" {
		return part
	}
	return key + "." + part
}

// entryKey is the key of the n-th entry of a list, counted from 1.
func entryKey(list string, n int) string { return list + "[" + strconv.Itoa(n) + "]" }

// parentKey takes the last part or entry number away.
func parentKey(key string) string {
	quoted := false
	for i := len(key) - 1; i >= 0; i-- {
		switch key[i] {
		case '"':
			if i == 0 || key[i-1] != '\\' {
				quoted = !quoted
			}
		case '.', '[':
			if !quoted {
				return key[:i]
			}
		}
	}
	return ""
}

func allBare(s string) bool {
	for i := range len(s) {
		if !isBare(s[i]) {
			return false
		}
	}
	return s != ""
}

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// nearest returns the name that a misspelt one most likely means, or "". Of two that
// are equally near, the first. A name that contains the other is near, but less than a slip of a key.
func nearest(wrong string, names []string) string {
	limit := max(len(wrong)/3, 1)
	best, bestCost := "", limit+2
	for _, name := range names {
		cost := distance(strings.ToLower(wrong), name)
		if cost > limit {
			cost = limit + 2
			if len(wrong) >= 3 && (strings.Contains(name, wrong) || strings.Contains(wrong, name)) {
				cost = limit + 1
			}
		}
		if cost < bestCost {
			best, bestCost = name, cost
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap to make b of a
// (Damerau and Levenshtein, neighbouring swaps only).
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return max(len(a), len(b))
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
