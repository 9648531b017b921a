package catalogue

import "bytes"

// lineOf returns the line of an offset, counted from 1.
func lineOf(b []byte, offset int) int {
	offset = min(max(offset, 0), len(b))
	return 1 + bytes.Count(b[:offset], []byte("\n"))
}

// places returns where the start tags at that depth begin (the root has depth 1), with a local name only those that have
// it. The document is one that the tokenizer has accepted, so that it holds no comment and no document type, and every
// tag is whole; anything else gives places that are wrong and never a fault.
func places(b []byte, depth int, local ...string) []int {
	var out []int
	level := 0
	for i := 0; i < len(b); {
		open := bytes.IndexByte(b[i:], '<')
		if open < 0 {
			break
		}
		i += open
		rest := b[i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			i += end(rest, "]]>")
			continue
		case bytes.HasPrefix(rest, []byte("<?")):
			i += end(rest, "?>")
			continue
		case bytes.HasPrefix(rest, []byte("</")):
			level--
			i += end(rest, ">")
			continue
		}
		if level++; level == depth && (len(local) == 0 || string(localName(rest)) == local[0]) {
			out = append(out, i)
		}
		n := tagEnd(rest)
		if n >= 2 && rest[n-2] == '/' {
			level--
		}
		i += n
	}
	return out
}

// end returns the offset behind the mark, or behind everything.
func end(b []byte, mark string) int {
	if n := bytes.Index(b, []byte(mark)); n >= 0 {
		return n + len(mark)
	}
	return len(b)
}

// tagEnd returns the length of a start tag: > may stand inside quotes.
func tagEnd(b []byte) int {
	quote := byte(0)
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(b)
}

func localName(tag []byte) []byte {
	name := tag[1:]
	if n := bytes.IndexAny(name, " \t\r\n/>"); n >= 0 {
		name = name[:n]
	}
	return name[bytes.LastIndexByte(name, ':')+1:]
}
