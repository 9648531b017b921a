//go:build race

package xmlstream_test

// raceEnabled: the race detector makes our code slower than that of the standard library by no fixed factor.
const raceEnabled = true
