package churn_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/testbed/imserver"
)

// posts is BOSH (XEP-0124): one request is always open, and another one brings what is to be said.
type posts struct {
	client *http.Client
	url    string

	mu      sync.Mutex
	cond    *sync.Cond
	sid     string
	rid     uint64
	queue   []string
	open    int
	over    error
	next    uint64                          // rid whose answer is read next
	answers map[uint64][]*xmlstream.Element // by rid
	inbox   []*xmlstream.Element
	gone    bool
}

func dialPosts(addr string, t *tls.Config) (*posts, error) {
	p := &posts{url: "https://" + imserver.Domain + ":5443/bosh", rid: 1000, next: 1000, answers: map[uint64][]*xmlstream.Element{}}
	p.cond = sync.NewCond(&p.mu)
	p.client = &http.Client{Transport: &http.Transport{TLSClientConfig: t.Clone(), DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	}}, Timeout: 30 * time.Second}
	return p, nil
}

const nsBind = "http://jabber.org/protocol/httpbind"

func (p *posts) restart() error {
	p.mu.Lock()
	sid := p.sid
	p.mu.Unlock()
	if sid == "" {
		p.post(fmt.Sprintf(`<body xmlns='%s' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' ver='1.11' to='%s' wait='3' hold='1' rid='%d' content='text/xml; charset=utf-8'/>`, nsBind, imserver.Domain, p.take()))
	} else {
		p.post(fmt.Sprintf(`<body xmlns='%s' xmlns:xmpp='urn:xmpp:xbosh' sid='%s' rid='%d' to='%s' xmpp:restart='true'/>`, nsBind, sid, p.take(), imserver.Domain))
	}
	return awaitFeatures(p)
}

func (p *posts) take() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open++
	p.rid++
	return p.rid - 1
}

// post sends one body, and goes on with what has to be said when its answer is there.
func (p *posts) post(body string) {
	_, rest, _ := strings.Cut(body, " rid='")
	var rid uint64
	_, _ = fmt.Sscanf(rest, "%d", &rid)
	go func() {
		e, err := p.ask(body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.open--
		if err != nil {
			p.fail(err)
			return
		}
		if sid, ok := e.Attr("sid"); ok && p.sid == "" {
			p.sid = sid
		}
		list := []*xmlstream.Element{}
		for c := range e.Children() {
			list = append(list, c.Clone())
		}
		p.answers[rid] = list
		for list, ok := p.answers[p.next]; ok; list, ok = p.answers[p.next] {
			p.inbox = append(p.inbox, list...)
			delete(p.answers, p.next)
			p.next++
		}
		if typ, _ := e.Attr("type"); typ == "terminate" {
			p.fail(io.EOF)
		}
		p.pump()
		p.cond.Broadcast()
	}()
}

func (p *posts) fail(err error) {
	if p.over == nil {
		p.over = err
	}
	p.cond.Broadcast()
}

func (p *posts) ask(body string) (*xmlstream.Element, error) {
	r, err := p.client.Post(p.url, "text/xml; charset=utf-8", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if r.StatusCode != http.StatusOK {
		return nil, errors.New(r.Status)
	}
	return xmlstream.ParseDocument(b, xmlstream.Options{Limits: xmlstream.Limits{ElementBytes: 8 << 20}})
}

// pump has one request open, and says what is to be said; mu is held.
func (p *posts) pump() {
	if p.gone || p.over != nil || p.sid == "" {
		return
	}
	if len(p.queue) > 0 && p.open < 2 || p.open == 0 && len(p.queue) == 0 && p.next > 1002 {
		p.open++
		body := fmt.Sprintf(`<body xmlns='%s' sid='%s' rid='%d'>%s</body>`, nsBind, p.sid, p.rid, strings.Join(p.queue, ""))
		p.rid++
		p.queue = nil
		p.post(body)
	}
}

func (p *posts) write(text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over != nil {
		return p.over
	}
	p.queue = append(p.queue, split(text)...)
	p.pump()
	return nil
}

func (p *posts) read() (*xmlstream.Element, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.inbox) == 0 && p.over == nil && !p.gone {
		p.cond.Wait()
	}
	if len(p.inbox) == 0 {
		return nil, errors.Join(p.over, io.EOF)
	}
	e := p.inbox[0]
	p.inbox = p.inbox[1:]
	return e, nil
}

func (p *posts) cut() {
	p.mu.Lock()
	p.gone = true
	p.fail(net.ErrClosed)
	p.mu.Unlock()
	p.client.CloseIdleConnections()
}

func (p *posts) half() { p.cut() }

func (p *posts) leave() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over != nil || p.sid == "" {
		return p.over
	}
	p.open++
	body := fmt.Sprintf(`<body xmlns='%s' sid='%s' rid='%d' type='terminate'/>`, nsBind, p.sid, p.rid)
	p.rid++
	p.post(body)
	return nil
}
