package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
)

const bytesType = "application/octet-stream"

// shown are the types that browsers may show; none of them can hold a script.
var shown = map[string]bool{
	"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "image/avif": true, "image/bmp": true,
	"audio/mpeg": true, "audio/ogg": true, "audio/opus": true, "audio/wav": true, "audio/mp4": true, "audio/aac": true, "audio/webm": true,
	"audio/flac": true, "video/mp4": true, "video/webm": true, "video/ogg": true, "video/quicktime": true, "text/plain": true,
}

// ServeHTTP takes and gives files. The path is DOMAIN/SLOT/NAME.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Access-Control-Allow-Origin", "*") // web clients come from anywhere; nothing here depends on who they are
	h.Set("Referrer-Policy", "no-referrer")
	var status int
	switch r.Method {
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, PUT, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		h.Set("Access-Control-Max-Age", "7200")
		status = http.StatusNoContent
	case http.MethodPut:
		status = s.put(r)
	case http.MethodGet, http.MethodHead:
		status = s.get(w, r)
	default:
		h.Set("Allow", "GET, HEAD, PUT, OPTIONS")
		status = http.StatusMethodNotAllowed
	}
	switch {
	case status == 0: // it is said
	case status >= 400:
		http.Error(w, http.StatusText(status), status)
	default:
		w.WriteHeader(status)
	}
}

// split gives the parts of a path, all three or none.
func split(r *http.Request) []string {
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	if len(parts) != 3 || !isSlot(parts[1]) {
		return nil
	}
	return parts
}

// slot finds what a path names.
func (s *Service) slot(r *http.Request) (Slot, error) {
	parts := split(r)
	if parts == nil {
		return Slot{}, ErrSlot
	}
	domain, err1 := url.PathUnescape(parts[0])
	name, err2 := url.PathUnescape(parts[2])
	if err1 != nil || err2 != nil {
		return Slot{}, ErrSlot
	}
	slot, err := s.Store.Slot(r.Context(), domain, parts[1], s.Now())
	if err == nil && slot.Name != name {
		err = ErrSlot
	}
	return slot, err
}

// isSlot holds a slot to the letters that New makes it of, since it names a file.
func isSlot(id string) bool {
	return len(id) == slotSize && !strings.ContainsFunc(id, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '2' || r > '7') })
}

// file is where a slot's file lies.
func file(id string) string { return id[:2] + "/" + id[2:] }

// claim keeps a slot for who puts its file, from before it is looked at until it is stored: in between, the file is there and the slot not used
// yet, and a second one could be put over it, later too. False: somebody else has it.
func (s *Service) claim(id string) (release func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.putting[id] {
		return nil, false
	}
	s.putting[id] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.putting, id)
	}, true
}

// put takes the file of a slot (§6.1).
func (s *Service) put(r *http.Request) int {
	parts := split(r)
	if parts == nil {
		return http.StatusForbidden
	}
	release, ok := s.claim(parts[1])
	if !ok {
		return http.StatusForbidden
	}
	defer release()
	slot, err := s.slot(r)
	switch {
	case errors.Is(err, ErrSlot) || err == nil && slot.Stored:
		return http.StatusForbidden
	case err != nil:
		return http.StatusInternalServerError
	case r.ContentLength < 0:
		return http.StatusLengthRequired
	case r.ContentLength != slot.Size:
		return http.StatusRequestEntityTooLarge
	}
	// Bytes may be called what they like: as bytes they are served.
	if typ, ok := cleanType(r.Header.Get("Content-Type")); !ok || typ != slot.Type && slot.Type != bytesType {
		return http.StatusUnsupportedMediaType
	}
	err = s.keep(r.Context(), slot, r.Body)
	switch {
	case errors.Is(err, ErrSlot), errors.Is(err, fs.ErrExist):
		return http.StatusForbidden
	case errors.Is(err, errShort):
		return http.StatusBadRequest
	case err != nil:
		return http.StatusInternalServerError
	}
	return http.StatusCreated
}

var errShort = errors.New("the file has another size than its slot")

// keep writes the file under another name, and gives it its own when it is durable.
func (s *Service) keep(ctx context.Context, slot Slot, body io.Reader) (err error) {
	name := file(slot.ID)
	if err := s.root.Mkdir(slot.ID[:2], 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keep an upload: %w", err)
	}
	part := name + ".part"
	f, err := s.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // two at a time: the second is refused
	if err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	defer func() {
		if err != nil {
			_ = s.root.Remove(part) // Expire looks for what is left
		}
	}()
	n, err := io.Copy(f, io.LimitReader(body, slot.Size+1))
	if err == nil && n != slot.Size {
		err = errShort
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	if err := s.root.Rename(part, name); err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	if err := s.syncDir(slot.ID[:2]); err != nil {
		return err
	}
	return s.Store.MarkStored(ctx, slot.Domain, slot.ID, s.Now().Add(s.Keep))
}

func (s *Service) syncDir(name string) error {
	d, err := s.root.Open(name)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return fmt.Errorf("keep an upload: %w", err)
	}
	return nil
}

// get gives a file; zero says that it did.
func (s *Service) get(w http.ResponseWriter, r *http.Request) int {
	slot, err := s.slot(r)
	switch {
	case errors.Is(err, ErrSlot) || err == nil && !slot.Stored:
		return http.StatusNotFound
	case err != nil:
		return http.StatusInternalServerError
	}
	f, err := s.root.Open(file(slot.ID))
	if err != nil {
		return http.StatusInternalServerError
	}
	defer f.Close() // it was only read
	h := w.Header()
	typ, disposition := bytesType, "attachment"
	if shown[slot.Type] {
		typ, disposition = slot.Type, "inline"
	}
	if typ == "text/plain" {
		typ += "; charset=utf-8"
	}
	h.Set("Content-Type", typ)
	h.Set("Content-Disposition", disposition+"; filename="+strconv.Quote(slot.Name))
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	http.ServeContent(w, r, "", slot.Expires.Add(-s.Keep), f)
	return 0
}

// expireAtOnce bounds one round of Expire.
const expireAtOnce = 500

// Expire removes files whose time is over, and what is left of slots that were not used; it tells how many.
func (s *Service) Expire(ctx context.Context) (n int, err error) {
	for {
		old, err := s.Store.ExpiredSlots(ctx, s.Now(), expireAtOnce)
		if err != nil {
			return n, fmt.Errorf("expire uploads: %w", err)
		}
		before := n
		for _, slot := range old {
			removed, err := s.expire(ctx, slot)
			if err != nil {
				return n, fmt.Errorf("expire uploads: %w", err)
			}
			if removed {
				n++
			}
		}
		if len(old) < expireAtOnce || n == before {
			return n, nil
		}
	}
}

// expire removes one, but not from under who puts it right now: his turn comes later.
func (s *Service) expire(ctx context.Context, slot Slot) (removed bool, err error) {
	release, ok := s.claim(slot.ID)
	if !ok {
		return false, nil
	}
	defer release()
	if _, err := s.Store.Slot(ctx, slot.Domain, slot.ID, s.Now()); !errors.Is(err, ErrSlot) { // it has been put since it was listed
		return false, err
	}
	for _, name := range []string{file(slot.ID), file(slot.ID) + ".part"} {
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return true, s.Store.RemoveSlot(ctx, slot.Domain, slot.ID)
}
