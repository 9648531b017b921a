// Package config turns one TOML file into one value that a gateway can run.
//
// [Load] is the only way in. It reports every problem it can find at once, each with
// the line, the key and what to do about it, and gives a configuration only when
// nothing but warnings is left. A key that is not in the structs of this package is an
// error; so is a value of another type, a file that cannot be read and a name that
// nothing else defines. The result is never changed afterwards: a reload loads
// another one.
//
// The doc comments of the structs are the reference for operators, too:
// docs/configuration.md is made from them (go test ./gateway/config -update).
//
// The package must never open a network connection, create or change a file, or take
// a secret from the configuration itself: secrets are named by file, and never shown.
package config
