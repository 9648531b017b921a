// Package house holds the tests that police the structure of the project: who may import
// whom and why, that every package says what is in it, how large a file may grow, and
// where encoding/xml must not be. It has no code of its own.
package house
