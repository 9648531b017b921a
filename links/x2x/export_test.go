package x2x

// For tests of the record alone.
var (
	AppendMarks = appendMarks
	ParseMarks  = parseMarks
)
