package client

// Message is what Send sends. Type is chat when empty.
type Message struct {
	To, Type, ID, Body string
	Extra              []string // raw XML payloads, such as a security label
}

// Send sends a message.
func (c *Client) Send(m Message) error {
	_, err := c.do(command{Do: "send", To: m.To, Type: m.Type, MessageID: m.ID, Body: m.Body, Extra: m.Extra})
	return err
}

// SendRaw sends bytes on the stream as they are.
func (c *Client) SendRaw(xml string) error {
	_, err := c.do(command{Do: "raw", XML: xml})
	return err
}

// Presence sends presence of a type ("" is available) to somebody, or to the server when to is empty.
func (c *Client) Presence(to, kind, status string, extra ...string) error {
	_, err := c.do(command{Do: "presence", To: to, Type: kind, Body: status, Extra: extra})
	return err
}

// IQ sends a request with the payload and returns the result as XML; a *Refused error is an error stanza.
func (c *Client) IQ(kind, to, payload string) (string, error) {
	return c.do(command{Do: "iq", Type: kind, To: to, Extra: []string{payload}})
}

// Join enters a room and returns when it is inside (XEP-0045 §7.2).
func (c *Client) Join(room, nick string) error {
	_, err := c.do(command{Do: "join", To: room, Nick: nick})
	return err
}

// Leave leaves a room.
func (c *Client) Leave(room, nick string) error {
	_, err := c.do(command{Do: "leave", To: room, Nick: nick})
	return err
}

// Subject sets the subject of a room.
func (c *Client) Subject(room, text string) error {
	_, err := c.do(command{Do: "subject", To: room, Body: text})
	return err
}

// Publish publishes an item at one of the account's own nodes (XEP-0163).
func (c *Client) Publish(node, item, payload string) error {
	_, err := c.do(command{Do: "publish", Node: node, Item: item, Extra: []string{payload}})
	return err
}

// DiscoInfo asks what somebody is and can (XEP-0030 §3).
func (c *Client) DiscoInfo(to string) (string, error) {
	return c.do(command{Do: "disco_info", To: to})
}

// DiscoItems asks what belongs to somebody (XEP-0030 §4).
func (c *Client) DiscoItems(to string) (string, error) {
	return c.do(command{Do: "disco_items", To: to})
}

// Commands asks for the commands of somebody (XEP-0050 §2.2).
func (c *Client) Commands(of string) (string, error) {
	return c.do(command{Do: "disco_items", To: of, Node: "http://jabber.org/protocol/commands"})
}

// Run runs a command of somebody (XEP-0050) and gives its last answer. Its form, if there is one, is filled in with values of the form
// name=value.
func (c *Client) Run(of, node string, values ...string) (string, error) {
	return c.do(command{Do: "adhoc", To: of, Node: node, Extra: values})
}

// VCard fetches somebody's vCard (XEP-0054).
func (c *Client) VCard(of string) (string, error) {
	return c.do(command{Do: "vcard_get", To: of})
}

// SetVCard publishes one's own with this full name.
func (c *Client) SetVCard(fullName string) error {
	_, err := c.do(command{Do: "vcard_set", Body: fullName})
	return err
}

// OfferBytestream asks somebody to open an in-band bytestream (XEP-0047 §2.1).
func (c *Client) OfferBytestream(to string) error {
	_, err := c.do(command{Do: "bytestream", To: to})
	return err
}
