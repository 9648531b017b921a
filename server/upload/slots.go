package upload

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/server"
)

// Space is the namespace.
const Space = "urn:xmpp:http:upload:0"

const (
	maxName  = 200 // bytes of a file's name in an address
	maxType  = 128 // bytes of a content type
	slotSize = 26  // characters of a slot: rand.Text has 128 bits and more
)

// What a store says.
var (
	ErrQuota = errors.New("the account has uploaded as much as it may")
	ErrSlot  = errors.New("no such slot, or it was used or is too old")
)

// Slot is one file, put or to be put.
type Slot struct {
	Domain  string
	ID      string
	Owner   jid.JID // bare
	Name    string  // safe, see cleanName
	Type    string
	Size    int64     // bytes
	Expires time.Time // until when it has to be put, or is kept
	Stored  bool
}

// Store keeps slots. What it has changed is durable when it returns without error.
type Store interface {
	// PutSlot adds one, unless its owner would have more than quota bytes. ErrQuota.
	PutSlot(ctx context.Context, s Slot, quota int64) error
	// Slot gives one that has not expired. ErrSlot.
	Slot(ctx context.Context, domain, id string, now time.Time) (Slot, error)
	// MarkStored says that the file of a slot is durable, once. ErrSlot.
	MarkStored(ctx context.Context, domain, id string, expires time.Time) error
	// ExpiredSlots gives up to limit slots of all domains that have expired, RemoveSlot forgets one.
	ExpiredSlots(ctx context.Context, now time.Time, limit int) ([]Slot, error)
	RemoveSlot(ctx context.Context, domain, id string) error
}

// Config is what the service needs. All of it.
type Config struct {
	Store Store
	Dir   string // where the files are; it exists
	// URL is under which the handler is reached, as "https://files.example/up/". Its path is cut off by who mounts the handler.
	URL     string
	MaxSize int64         // bytes of a file
	Quota   int64         // bytes of an account
	PutFor  time.Duration // how long a slot can be used [5 min]
	Keep    time.Duration // how long a file is kept
	Now     func() time.Time
}

// Service gives slots and serves files. It is safe for concurrent use.
type Service struct {
	Config
	root *os.Root
	base string

	mu      sync.Mutex
	putting map[string]bool // slots, by their ids
}

// New opens the directory. Whoever makes the service closes it.
func New(c Config) (*Service, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("upload: the address of the files is no URL of http")
	}
	if c.MaxSize <= 0 || c.Quota < c.MaxSize || c.Keep <= 0 {
		return nil, errors.New("upload: sizes and times must be positive, and a file must fit into the quota")
	}
	if c.PutFor <= 0 {
		c.PutFor = 5 * time.Minute
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the directory of uploads: %w", err)
	}
	return &Service{Config: c, root: root, base: strings.TrimSuffix(c.URL, "/") + "/", putting: make(map[string]bool)}, nil
}

// Close closes the directory.
func (s *Service) Close() error { return s.root.Close() }

// Feature gives slots to accounts of this server.
func (s *Service) Feature() server.Feature {
	return server.Feature{
		Name:           "file upload",
		ServerFeatures: []string{Space},
		IQ: []server.IQRoute{{
			Space: Space, Local: "request", At: []server.Target{server.AtServer},
			Handle: s.request,
		}},
	}
}

// Form is what disco#info of the server says of it (§4), beside the identity store/file.
func (s *Service) Form() form.Form {
	return form.Typed("result", Space, form.One("max-file-size", strconv.FormatInt(s.MaxSize, 10)))
}

func (s *Service) request(ctx context.Context, q *server.Request) server.Answer {
	if q.Set {
		return server.Answer{Condition: stanza.BadRequest}
	}
	if !q.Local {
		return server.Answer{Condition: stanza.Forbidden}
	}
	name, nameOK := cleanName(tree.Value(q.Payload, "filename"))
	size, err := strconv.ParseInt(tree.Value(q.Payload, "size"), 10, 64)
	typ, typeOK := cleanType(tree.Value(q.Payload, "content-type"))
	switch {
	case !nameOK || !typeOK || err != nil || size <= 0:
		return server.Answer{Condition: stanza.BadRequest}
	case size > s.MaxSize:
		limit := tree.New(Space, "max-file-size", tree.Text(strconv.FormatInt(s.MaxSize, 10)))
		return server.Answer{
			Condition: stanza.NotAcceptable, Text: "The file is too large.", App: tree.New(Space, "file-too-large", tree.With(limit)),
		}
	}
	slot := Slot{
		Domain: q.Domain.Domain(), ID: rand.Text(), Owner: q.From.Bare(), Name: name, Type: typ, Size: size, Expires: s.Now().Add(s.PutFor),
	}
	err = s.Store.PutSlot(ctx, slot, s.Quota)
	switch {
	case errors.Is(err, ErrQuota):
		return server.Answer{Condition: stanza.ResourceConstraint, Text: "The quota is used up."}
	case err != nil:
		return server.Answer{Condition: stanza.InternalServerError}
	}
	address := tree.Attr("url", s.base+url.PathEscape(slot.Domain)+"/"+slot.ID+"/"+url.PathEscape(slot.Name))
	return server.Answer{Payload: tree.New(Space, "slot", tree.With(tree.New(Space, "put", address), tree.New(Space, "get", address)))}
}

// cleanName makes a name that means nothing to any file system, shell or browser: the last element of a path, letters, digits and few
// signs of ASCII, no leading dot. ok is false for what is no name.
func cleanName(s string) (name string, ok bool) {
	if s == "" || len(s) > 1024 {
		return "", false
	}
	s = path.Base(strings.ReplaceAll(s, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '_'
	}, s)
	if len(name) > maxName { // its end says what it is
		name = name[len(name)-maxName:]
	}
	name = strings.TrimLeft(name, ".")
	if name == "" {
		name = "file"
	}
	return name, true
}

// cleanType reads a media type without its parameters; none is bytes.
func cleanType(s string) (typ string, ok bool) {
	if s == "" {
		return bytesType, true
	}
	typ, _, err := mime.ParseMediaType(s)
	return typ, err == nil && len(s) <= maxType && strings.Contains(typ, "/")
}
