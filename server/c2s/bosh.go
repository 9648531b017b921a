package c2s

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/bosh"
)

const (
	maxBOSH     = 10_000           // sessions of one handler
	bodyTimeout = 30 * time.Second // for the whole body of a request
	// smallBody is how large a body may be of who is not logged in: an element, and what stands around it.
	smallBody = 16 << 10
)

// BOSH is the handler of streams by XEP-0124 and XEP-0206. Its sessions end with ctx, and Close waits for them.
func (s *Server) BOSH(ctx context.Context, o WebOptions) http.Handler {
	return &boshHandler{server: s, ctx: ctx, options: o, sessions: make(map[string]*requests)}
}

type boshHandler struct {
	server  *Server
	ctx     context.Context //nolint:containedctx // of all sessions
	options WebOptions

	mu       sync.Mutex
	sessions map[string]*requests
}

// ServeHTTP takes one request.
func (h *boshHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.options.allows(r) {
		http.Error(w, "not from that page", http.StatusForbidden)
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Vary", "Origin")
	}
	switch r.Method {
	case http.MethodPost:
		h.post(w, r)
	case http.MethodOptions:
		w.Header().Set("Access-Control-Allow-Methods", "POST")
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		w.Header().Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "POST, OPTIONS")
		http.Error(w, "only to be posted to", http.StatusMethodNotAllowed)
	}
}

// allows reports whether a page may connect: ours, or one that was let in.
func (o WebOptions) allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	if strings.EqualFold(u.Host, r.Host) {
		return true
	}
	for _, pattern := range o.Origins {
		if ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(u.Host)); ok && err == nil {
			return true
		}
	}
	return false
}

func (h *boshHandler) post(w http.ResponseWriter, r *http.Request) {
	data, p, err := h.read(w, r)
	if err != nil {
		http.Error(w, "unreadable", http.StatusRequestEntityTooLarge)
		return
	}
	limits := h.server.stream.Load().FirstLimits()
	if p != nil {
		limits = p.current()
	}
	limits.ElementBytes, limits.Depth = len(data)+1, limits.Depth+1 // of the body; its elements are measured one by one
	body, err := bosh.ParseBody(data, limits)
	switch {
	case err != nil:
		if p != nil {
			p.malformed(err)
		}
		reply(w, bosh.Refusal(bosh.BadRequest))
		return
	case body.SID == "":
		if p = h.open(w, r, body); p == nil {
			return
		}
	case p == nil || p.id != body.SID:
		reply(w, bosh.Refusal(bosh.ItemNotFound))
		return
	}
	handle, answer := p.request(body)
	select {
	case said := <-answer:
		reply(w, said)
	case <-r.Context().Done():
		p.gone(handle)
	}
}

func reply(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // who is gone asks again
}

// read reads a body, and finds its session by the look of it: only who is logged in may send a large one.
func (h *boshHandler) read(w http.ResponseWriter, r *http.Request) ([]byte, *requests, error) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // not all of them can
	head := make([]byte, smallBody)
	n, err := io.ReadFull(r.Body, head)
	head = head[:n]
	p := h.find(head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return head, p, nil
	}
	if err != nil {
		return nil, nil, err
	}
	most := smallBody
	if p != nil {
		most = max(most, 2*p.current().ElementBytes)
	}
	rest, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(most-n)))
	return append(head, rest...), p, err
}

// find looks for the session id in the first tag. Whether it really is one is seen when it is parsed.
func (h *boshHandler) find(head []byte) *requests {
	tag, _, _ := bytes.Cut(head, []byte{'>'})
	_, rest, ok := bytes.Cut(tag, []byte("sid="))
	if !ok || len(rest) < 2 {
		return nil
	}
	id, _, ok := bytes.Cut(rest[1:], rest[:1])
	if !ok {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[string(id)]
}

// open begins a session; nil: it was refused and that is answered.
func (h *boshHandler) open(w http.ResponseWriter, r *http.Request, body bosh.Request) *requests {
	s := h.server
	addr := h.options.client(r)
	if !s.admit(addr) {
		s.crowded(addr)
		reply(w, bosh.Refusal(bosh.PolicyViolation))
		return nil
	}
	id, err := newSID(s.stream.Load().Rand)
	if err != nil || h.ctx.Err() != nil || !s.enter() {
		s.release(addr)
		reply(w, bosh.Refusal(bosh.SystemShutdown))
		return nil
	}
	cfg := *s.stream.Load()
	cfg.Framing, cfg.OfferTLS = stream.WebSocket, false
	p := newRequests(h, id, body, cfg.FirstLimits())
	if !h.add(p) {
		s.web.Done()
		s.release(addr)
		reply(w, bosh.Refusal(bosh.PolicyViolation))
		return nil
	}
	start := stream.Start{TLS: s.facts(h.options, r)}
	go func() {
		defer s.web.Done()
		newLink(s, p, addr, cfg).run(h.ctx, start, &s.web)
	}()
	return p
}

func (h *boshHandler) add(p *requests) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.sessions) >= maxBOSH {
		return false
	}
	h.sessions[p.id] = p
	return true
}

func (h *boshHandler) remove(p *requests) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, p.id)
}

func newSID(random io.Reader) (string, error) {
	raw := make([]byte, 18)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", err
	}
	return encode(raw), nil
}

// measure gives an element as a decoder with limits would.
func measure(e *xmlstream.Element, limits xmlstream.Limits) xmlstream.Event {
	data, err := xmlstream.AppendElement(nil, e, "")
	ev := xmlstream.Event{Kind: xmlstream.ElementEvent, Element: e, Bytes: len(data)}
	if err != nil || len(data) > limits.ElementBytes {
		ev.Kind = xmlstream.OversizeEvent
	}
	return ev
}
