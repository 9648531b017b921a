package c2s

import (
	"encoding/json"
	"net/http"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// Relations of links in host-meta (XEP-0156 §3).
const (
	relWebSocket = "urn:xmpp:alt-connections:websocket"
	relBOSH      = "urn:xmpp:alt-connections:xbosh"
	nsXRD        = "http://docs.oasis-open.org/ns/xri/xrd-1.0"
)

// HostMeta tells web clients where to connect (XEP-0156): the addresses are wss and https ones. It answers
// /.well-known/host-meta and, with the name ending in .json, the same in JSON.
type HostMeta struct{ WebSocket, BOSH []string }

type metaLink struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

func (h HostMeta) links() []metaLink {
	list := []metaLink{}
	for _, href := range h.WebSocket {
		list = append(list, metaLink{relWebSocket, href})
	}
	for _, href := range h.BOSH {
		list = append(list, metaLink{relBOSH, href})
	}
	return list
}

// ServeHTTP answers pages of everywhere (XEP-0156 §3.1).
func (h HostMeta) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only to be read", http.StatusMethodNotAllowed)
		return
	}
	kind, write := "application/xrd+xml", h.xml
	if strings.HasSuffix(r.URL.Path, ".json") {
		kind, write = "application/json", h.json
	}
	data, err := write()
	if err != nil {
		http.Error(w, "unwritable", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(data) // a client that is gone needs no answer
}

func (h HostMeta) json() ([]byte, error) {
	return json.Marshal(map[string][]metaLink{"links": h.links()})
}

func (h HostMeta) xml() ([]byte, error) {
	nodes := []xmlstream.Node{}
	for _, l := range h.links() {
		nodes = append(nodes, xmlstream.Node{Element: xmlstream.NewElement(xmlstream.Name{Space: nsXRD, Local: "Link"}, []xmlstream.Attr{
			{Name: xmlstream.Name{Local: "rel"}, Value: l.Rel}, {Name: xmlstream.Name{Local: "href"}, Value: l.Href},
		})})
	}
	head := []byte("<?xml version='1.0' encoding='UTF-8'?>")
	return xmlstream.AppendElement(head, xmlstream.NewElement(xmlstream.Name{Space: nsXRD, Local: "XRD"}, nil, nodes...), "")
}
