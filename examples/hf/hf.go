// Package hf holds the files of the example in this folder, so that the demonstration runs the very configuration that a reader sees: the air between a
// ship and a shore station, a node for each, a gateway for each, and their policy.
//
// Not inside: certificates, which everybody has to make for himself (docs/hf.md says how), and any meaning: packages gateway/config and gateway/radio read
// the files, as they read every other configuration.
package hf

import (
	"embed"
	"io/fs"
)

//go:embed *.toml policy
var files embed.FS

// Files are all of them.
func Files() fs.FS { return files }
