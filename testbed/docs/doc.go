// Package docs runs what the documents say: every command and every configuration in README.md,
// docs/operator.md, docs/labels.md and docs/links.md.
//
// A fenced block says in its first line what is done with it:
//
//	sh run          a shell runs it; all of one document in one shell, in order, in a copy of the checkout
//	sh run exit=5   the same; its last command has to end with that code
//	sh demo         the same, for "make run": the demonstration is started and left running
//	sh manual       it changes the machine or needs servers; that commands and flags of ours exist is checked
//	text output     lines that the block before printed, in order; "…" stands for any text, alone for any lines
//	text show       lines that testbed/demo/testdata/show.txt has, in order
//	toml file=NAME  a whole configuration, written where the shell is; it has to load
//	toml add        a part that is added to the last whole one (or to the document's example); together they have to load
//	toml of=FILE    an excerpt: lines that FILE of this repository has, in order, with "…" as above
//	xml of=FILE     the same
//
// Blocks of any other language (and plain text) are for people alone. Addresses on 127.0.0.x are replaced by free
// ones, so that a test does not meet a node that runs. Links to files of the repository have to lead somewhere.
//
// Inside: reading the blocks (blocks.go). The rest is tests.
package docs
