package pep

import (
	"errors"
	"slices"

	"sallyport/internal/xmpp/rsm"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
)

// MaxAnswer bounds the payloads of one answer, in bytes: it has to fit into a stanza.
const MaxAnswer = 256 << 10

// page answers with the items that are asked for, the newest first, or those of a page of them (XEP-0060 §6.5.4). What does not fit is
// left out, which the answer says.
func page(asked *xmlstream.Element, node string, all []Item) (server.Answer, error) {
	wants, err := rsm.Parse(asked, MaxItems)
	switch {
	case errors.Is(err, rsm.ErrIndex):
		return server.Answer{}, refuse(stanza.FeatureNotImplemented, "")
	case err != nil:
		return server.Answer{}, refuse(stanza.BadRequest, "")
	}
	list, is, ok := rsm.Of(wants, all, func(i Item) string { return i.ID })
	if !ok {
		return server.Answer{}, refuse(stanza.ItemNotFound, "")
	}
	whole := len(list)
	if wants.Last || wants.Before != "" { // what stands next to the page that is known
		slices.Reverse(list)
		list = list[:fitting(list)]
		slices.Reverse(list)
		is.Index += whole - len(list)
	} else {
		list = list[:fitting(list)]
	}
	in, err := itemsElement(node, list)
	if err != nil {
		return server.Answer{}, err
	}
	answer := tree.New(nsPubsub, "pubsub", tree.With(in))
	if len(list) < whole || asked.Child(rsm.Space, "set") != nil {
		if len(list) > 0 {
			is.First, is.Last = list[0].ID, list[len(list)-1].ID
		}
		answer = tree.Appended(answer, rsm.Result(is))
	}
	return server.Answer{Payload: answer}, nil
}

// fitting is how many of these items an answer holds, from the first on: at least one.
func fitting(list []Item) int {
	size, labels := 0, make(map[string]bool)
	for n, i := range list {
		size += len(i.Payload)
		labels[i.Label] = true
		if n > 0 && (size > MaxAnswer || len(labels) > MaxLabels) {
			return n
		}
	}
	return len(list)
}

// itemsElement writes items with their labels.
func itemsElement(node string, list []Item) (*xmlstream.Element, error) {
	var in, labels []*xmlstream.Element
	different := make(map[string]*xmlstream.Element)
	for _, i := range list {
		label, known := different[i.Label]
		payload, err := payload(i)
		if err == nil && !known {
			label, err = i.label()
		}
		if err != nil {
			return nil, err
		}
		different[i.Label] = label
		in, labels = append(in, tree.New(nsPubsub, "item", tree.Attr("id", i.ID), tree.With(payload))), append(labels, label)
	}
	return labelled(tree.New(nsPubsub, "items", tree.Attr("node", node), tree.With(in...)), labels)
}
