package catalogue

import (
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

const nsGenericode = "http://docs.oasis-open.org/codelist/ns/genericode/1.0/"

func (f file) codeList(*xmlstream.Element, *labels.Registry) (*Catalogue, error) {
	return nil, errorf(0, "label catalogues in Genericode cannot be read yet")
}
