package hf_test

import "sallyport/links/hf"

// modes are all that there are.
var modes = []hf.Mode{hf.RCOP, hf.Stream, hf.Compact}
