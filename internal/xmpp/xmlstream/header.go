package xmlstream

// Header is a stream header (RFC 6120 §4.7).
type Header struct {
	Name      Name
	To        string
	From      string
	ID        string
	Version   string
	Lang      string // xml:lang
	ContentNS string // the default namespace
	Dialback  bool   // the dialback namespace was declared (XEP-0220 §2)
	Attrs     []Attr // all attributes as read, those above too; not written
}

// AppendHeader appends an XML declaration and the start tag of a stream. A stream between servers declares the dialback
// namespace as db. Empty fields are left out, and so is a value with a character that XML does not have.
func AppendHeader(dst []byte, h Header) []byte {
	dst = append(dst, "<?xml version='1.0'?><stream:stream"...)
	w := writer{dst: dst}
	w.attribute("xmlns", h.ContentNS)
	if h.ContentNS == NSServer {
		w.attribute("xmlns:db", NSDialback)
	}
	w.attribute("xmlns:stream", NSStream)
	w.attribute("from", h.From)
	w.attribute("id", h.ID)
	w.attribute("to", h.To)
	w.attribute("version", h.Version)
	w.attribute("xml:lang", h.Lang)
	return append(w.dst, '>')
}

// AppendEnd appends the end of a stream.
func AppendEnd(dst []byte) []byte { return append(dst, "</stream:stream>"...) }

func (w *writer) attribute(name, value string) {
	if value == "" {
		return
	}
	before := len(w.dst)
	w.dst = append(append(append(w.dst, ' '), name...), "='"...)
	w.escaped(value, escValue)
	w.dst = append(w.dst, '\'')
	if w.fault != "" {
		w.dst, w.fault = w.dst[:before], ""
	}
}
