//go:build !race

package xmlstream_test

const raceEnabled = false
