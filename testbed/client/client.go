package client

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Event is something a client received.
type Event struct {
	Kind      string   `json:"event"` // message, presence, iq, stream-error, disconnected
	From      string   `json:"from"`
	To        string   `json:"to"`
	Type      string   `json:"type"`
	ID        string   `json:"stanza_id"`
	Body      string   `json:"body"`
	Condition string   `json:"condition"` // of an error
	Names     []string `json:"names"`     // of all elements inside, in order, as {namespace}local
	XML       string   `json:"xml"`
}

// Has says whether an element of that name is anywhere inside.
func (e Event) Has(space, local string) bool {
	return slices.Contains(e.Names, "{"+space+"}"+local)
}

// Client is one session. Its methods may be called from one goroutine at a time.
type Client struct {
	JID    string // full address, as bound
	driver *Driver
	name   string

	mu     sync.Mutex
	seen   []Event       // received and not yet taken, oldest first
	change chan struct{} // closed and replaced at each arrival
}

// Account says where and as whom to log in.
type Account struct {
	User, Domain, Resource string
	Password               string
	Server                 netip.AddrPort
	CA                     string   // PEM file of the authority that the server's certificate must come from; empty: any will do
	Cert, Key              string   // PEM files: log in by certificate (SASL EXTERNAL)
	Register               bool     // make the account first (XEP-0077)
	Interests              []string // PEP nodes it wants to hear of (XEP-0163 §4.1.1, by XEP-0115)
}

// Login connects with STARTTLS, authenticates, binds, fetches the roster and sends presence.
func (d *Driver) Login(a Account) (*Client, error) {
	jid := a.User + "@" + a.Domain
	if a.Resource != "" {
		jid += "/" + a.Resource
	}
	c := &Client{driver: d, change: make(chan struct{})}
	d.mu.Lock()
	d.next++
	c.name = fmt.Sprintf("%s#%d", jid, d.next)
	d.sessions[c.name] = c
	d.mu.Unlock()
	bound, err := d.do(command{
		Do: "login", Session: c.name, JID: jid, Password: a.Password, Host: a.Server.Addr().String(),
		Port: a.Server.Port(), CA: a.CA, Register: a.Register, Interests: a.Interests, Cert: a.Cert, Key: a.Key,
	})
	c.JID = bound
	return c, err
}

// Component is a program that is a domain of its own (XEP-0114). Of the methods of a client it has those that take XML.
func (d *Driver) Component(domain, secret string, server netip.AddrPort) (*Client, error) {
	c := &Client{driver: d, change: make(chan struct{})}
	d.mu.Lock()
	d.next++
	c.name = fmt.Sprintf("%s#%d", domain, d.next)
	d.sessions[c.name] = c
	d.mu.Unlock()
	bound, err := d.do(command{Do: "login", Component: true, Session: c.name, JID: domain, Password: secret, Host: server.Addr().String(), Port: server.Port()})
	c.JID = bound
	return c, err
}

// Bare is the address without the resource.
func (c *Client) Bare() string {
	bare, _, _ := strings.Cut(c.JID, "/")
	return bare
}

func (c *Client) deliver(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, e)
	close(c.change)
	c.change = make(chan struct{})
}

// take removes and returns the oldest event that matches; otherwise the channel tells of the next arrival.
func (c *Client) take(match func(Event) bool) (Event, bool, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.seen, match); i >= 0 {
		e := c.seen[i]
		c.seen = slices.Delete(c.seen, i, i+1)
		return e, true, nil
	}
	return Event{}, false, c.change
}

// Expect waits for an event that matches and takes it; others stay for later calls.
func (c *Client) Expect(limit time.Duration, match func(Event) bool) (Event, error) {
	late := time.After(limit)
	for {
		e, ok, change := c.take(match)
		if ok {
			return e, nil
		}
		select {
		case <-change:
		case <-late:
			return Event{}, fmt.Errorf("%s: not received within %v; in the box:\n%s", c.name, limit, c.box())
		}
	}
}

// Received takes all events that match and are here already.
func (c *Client) Received(match func(Event) bool) []Event {
	var all []Event
	for {
		e, ok, _ := c.take(match)
		if !ok {
			return all
		}
		all = append(all, e)
	}
}

func (c *Client) box() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, e := range c.seen {
		fmt.Fprintf(&b, "  %s type=%q from=%s id=%s %s %.300s\n", e.Kind, e.Type, e.From, e.ID, e.Body, e.XML)
	}
	return b.String()
}

func (c *Client) do(cmd command) (string, error) {
	cmd.Session = c.name
	return c.driver.do(cmd)
}

// Close logs out.
func (c *Client) Close() error {
	_, err := c.do(command{Do: "logout"})
	c.driver.mu.Lock()
	delete(c.driver.sessions, c.name)
	c.driver.mu.Unlock()
	return err
}
