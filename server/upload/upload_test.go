package upload_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/tree"
	"sallyport/server"
	"sallyport/server/servertest"
	"sallyport/server/store"
	"sallyport/server/upload"
)

const romeo = "romeo@montague.tld/garden"

type world struct {
	server.Feature
	*testing.T
	service *upload.Service
	store   *store.Store
	dir     string
	now     time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, store: servertest.Store(t, "romeo@montague.tld"), dir: t.TempDir(), now: time.Unix(1e9, 0).UTC()}
	var err error
	w.service, err = upload.New(upload.Config{
		Store: w.store, Dir: w.dir, URL: "https://files.montague.tld/up", MaxSize: 1000, Quota: 2500, PutFor: time.Minute, Keep: time.Hour,
		Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.service.Close(); err != nil {
			t.Error(err)
		}
	})
	w.Feature = w.service.Feature()
	return w
}

func request(name string, size any, typ string) string {
	return fmt.Sprintf("<request xmlns='urn:xmpp:http:upload:0' filename='%s' size='%v' content-type='%s'/>", name, size, typ)
}

// slot gives the path of a new slot.
func (w *world) slot(name string, size int, typ string) string {
	w.Helper()
	a := servertest.Get(w.T, w.Feature, romeo, "montague.tld", request(name, size, typ))
	if a.Payload == nil {
		w.Fatal(servertest.Said(w.T, a))
	}
	put, get := tree.Value(a.Payload.Child(upload.Space, "put"), "url"), tree.Value(a.Payload.Child(upload.Space, "get"), "url")
	path, ok := strings.CutPrefix(put, "https://files.montague.tld/up/")
	if !ok || put != get {
		w.Fatalf("put %s, get %s", put, get)
	}
	return "/" + path
}

// does sends a request to the handler.
func (w *world) does(method, path, typ, body string) *http.Response {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, path, strings.NewReader(body))
	if typ != "" {
		r.Header.Set("Content-Type", typ)
	}
	rec := httptest.NewRecorder()
	w.service.ServeHTTP(rec, r)
	return rec.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSlot has the examples of XEP-0363 §5 and its errors.
func TestSlot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := w.slot("très cool.jpg", 23, "image/jpeg")
	if parts := strings.Split(path, "/"); len(parts) != 4 || parts[1] != "montague.tld" || parts[3] != "tr_s_cool.jpg" {
		t.Errorf("the path is %s", path)
	}
	tooLarge := "not-acceptable <file-too-large xmlns='urn:xmpp:http:upload:0'><max-file-size>1000</max-file-size></file-too-large>"
	for _, tc := range []struct{ name, kind, in, want string }{
		{"§5.1, too large", "get", request("a", 1001, ""), tooLarge},
		{"empty", "get", request("a", 0, ""), "bad-request"},
		{"negative", "get", request("a", -1, ""), "bad-request"},
		{"no number", "get", request("a", "x", ""), "bad-request"},
		{"no name", "get", request("", 1, ""), "bad-request"},
		{"no type", "get", request("a", 1, "nonsense"), "bad-request"},
		{"a line in a type", "get", request("a", 1, "text/plain&#xA;X-Evil: 1"), "bad-request"},
		{"as a set", "set", request("a", 1, ""), "bad-request"},
	} {
		if got := servertest.Said(t, servertest.Ask(t, w.Feature, tc.kind, romeo, "montague.tld", tc.in)); got != tc.want {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
	for range 2 {
		w.slot("a", 1000, "")
	}
	if got := servertest.Said(t, servertest.Get(t, w.Feature, romeo, "montague.tld", request("a", 1000, ""))); got != "resource-constraint" {
		t.Errorf("over the quota: %s", got)
	}
	q := &server.Request{Payload: servertest.Element(t, request("a", 1, "")), From: jid.MustParse("x@far.example/y"), Domain: jid.MustParse("montague.tld")}
	if a := w.IQ[0].Handle(t.Context(), q); a.Condition.String() != "forbidden" {
		t.Errorf("somebody from afar: %s", a.Condition)
	}
	if got := servertest.Text(t, w.service.Form().Element()); !strings.Contains(got, "<field var='max-file-size'><value>1000</value>") {
		t.Errorf("announced: %s", got)
	}
}

func TestPutAndGet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := w.slot("a.png", 5, "image/png")
	if r := w.does("GET", path, "", ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("got before it was put: %d", r.StatusCode)
	}
	for _, tc := range []struct {
		name, path, typ, body string
		want                  int
	}{
		{"too long", path, "image/png", "123456", http.StatusRequestEntityTooLarge},
		{"too short", path, "image/png", "1234", http.StatusRequestEntityTooLarge},
		{"another type", path, "text/html", "12345", http.StatusUnsupportedMediaType},
		{"another name", strings.Replace(path, "a.png", "b.png", 1), "image/png", "12345", http.StatusForbidden},
		{"another domain", strings.Replace(path, "montague", "capulet", 1), "image/png", "12345", http.StatusForbidden},
		{"another slot", "/montague.tld/AAAAAAAAAAAAAAAAAAAAAAAAAA/a.png", "image/png", "12345", http.StatusForbidden},
		{"it is right", path, "image/png", "12345", http.StatusCreated},
		{"twice", path, "image/png", "54321", http.StatusForbidden},
	} {
		if r := w.does("PUT", tc.path, tc.typ, tc.body); r.StatusCode != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, r.StatusCode, tc.want)
		}
	}
	r := w.does("GET", path, "", "")
	if got := body(t, r); r.StatusCode != http.StatusOK || got != "12345" {
		t.Errorf("got %d, %q", r.StatusCode, got)
	}
	if r := w.does("HEAD", path, "", ""); r.StatusCode != http.StatusOK || r.Header.Get("Content-Length") != "5" || body(t, r) != "" {
		t.Errorf("head: %d, %v", r.StatusCode, r.Header)
	}
	if r := w.does("OPTIONS", path, "", ""); r.StatusCode != http.StatusNoContent || r.Header.Get("Access-Control-Allow-Methods") == "" {
		t.Errorf("options: %d, %v", r.StatusCode, r.Header)
	}
	if r := w.does("DELETE", path, "", ""); r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("delete: %d", r.StatusCode)
	}
	r2 := httptest.NewRequestWithContext(t.Context(), "PUT", w.slot("b", 5, ""), io.MultiReader(strings.NewReader("12345"))) // a length that is not told
	rec := httptest.NewRecorder()
	w.service.ServeHTTP(rec, r2)
	if rec.Code != http.StatusLengthRequired {
		t.Errorf("without a length: %d", rec.Code)
	}
}

// A type is held to what was said of it before, if anything was (§6).
func TestTypeOfPut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tc := range []struct {
		name, asked, put string
		want             int
	}{
		{"neither", "", "", http.StatusCreated},
		{"not asked for", "", "image/png", http.StatusCreated},
		{"not put", "image/png", "", http.StatusUnsupportedMediaType},
		{"with parameters", "text/plain", "text/plain; charset=utf-8", http.StatusCreated},
		{"another letter case", "Image/PNG", "image/png", http.StatusCreated},
		{"no type at all", "", "nonsense", http.StatusUnsupportedMediaType},
	} {
		path := w.slot("a", 1, tc.asked)
		if r := w.does("PUT", path, tc.put, "x"); r.StatusCode != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, r.StatusCode, tc.want)
		}
		if r := w.does("GET", path, "", ""); tc.asked == "" && tc.want == http.StatusCreated && r.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: it is %s", tc.name, r.Header.Get("Content-Type"))
		}
	}
}

// No name and no type makes a browser run what is in a file, or a file lie elsewhere.
func TestHostileNamesAndTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tc := range []struct{ name, typ, want, disposition string }{
		{"a.html", "text/html", "application/octet-stream", "attachment; filename=\"a.html\""},
		{"a.svg", "image/svg+xml", "application/octet-stream", "attachment; filename=\"a.svg\""},
		{"a.js", "application/javascript", "application/octet-stream", "attachment; filename=\"a.js\""},
		{"a.xml", "application/xhtml+xml", "application/octet-stream", "attachment; filename=\"a.xml\""},
		{"a.txt", "text/plain; charset=utf-7", "text/plain; charset=utf-8", "inline; filename=\"a.txt\""},
		{"a.jpg", "image/jpeg", "image/jpeg", "inline; filename=\"a.jpg\""},
		{"../../etc/passwd", "", "application/octet-stream", "attachment; filename=\"passwd\""},
		{`..\..\boot.ini`, "", "application/octet-stream", "attachment; filename=\"boot.ini\""},
		{"..", "", "application/octet-stream", "attachment; filename=\"file\""},
		{".htaccess", "", "application/octet-stream", "attachment; filename=\"htaccess\""},
		{"a&quot;; b=&apos;c&#xA;", "", "application/octet-stream", "attachment; filename=\"a___b__c_\""},
		{"\u202egpj.exe", "", "application/octet-stream", "attachment; filename=\"_gpj.exe\""},
		{strings.Repeat("x", 500) + ".png", "", "application/octet-stream", "attachment; filename=\"" + strings.Repeat("x", 196) + ".png\""},
	} {
		path := w.slot(tc.name, 1, tc.typ)
		if r := w.does("PUT", path, tc.typ, "x"); r.StatusCode != http.StatusCreated {
			t.Errorf("%q: put: %d", tc.name, r.StatusCode)
		}
		r := w.does("GET", path, "", "")
		h := r.Header
		if h.Get("Content-Type") != tc.want || h.Get("Content-Disposition") != tc.disposition || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%q: %d, %v", tc.name, r.StatusCode, h)
		}
	}
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(w.dir, path); err == nil && !d.IsDir() && len(rel) != 27 {
			t.Errorf("a file lies at %s", rel)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/", "/a", "/a/b", "/montague.tld/../x", "/montague.tld/%2e%2e%2f%2e%2e%2fAAAAAAAAAAAAAAAAAA/x", "/%zz/AAAAAAAAAAAAAAAAAAAAAAAAAA/x", "/a/b/c/d"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.URL.Path, r.URL.RawPath = path, path
		rec := httptest.NewRecorder()
		if w.service.ServeHTTP(rec, r); rec.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

func TestExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	unused, used := w.slot("a", 1000, ""), w.slot("b", 1000, "")
	if r := w.does("PUT", used, "", strings.Repeat("x", 1000)); r.StatusCode != http.StatusCreated {
		t.Fatal(r.StatusCode)
	}
	w.now = w.now.Add(2 * time.Minute)
	if r := w.does("PUT", unused, "", strings.Repeat("x", 1000)); r.StatusCode != http.StatusForbidden {
		t.Errorf("too late: %d", r.StatusCode)
	}
	if n, err := w.service.Expire(t.Context()); err != nil || n != 1 {
		t.Errorf("%d expired, %v", n, err)
	}
	w.slot("c", 1000, "") // there is room again
	if r := w.does("GET", used, "", ""); r.StatusCode != http.StatusOK {
		t.Errorf("what is kept: %d", r.StatusCode)
	}
	w.now = w.now.Add(time.Hour)
	if r := w.does("GET", used, "", ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("what is over: %d", r.StatusCode)
	}
	if n, err := w.service.Expire(t.Context()); err != nil || n != 2 {
		t.Errorf("%d expired, %v", n, err)
	}
	left, err := filepath.Glob(filepath.Join(w.dir, "*", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := upload.Config{URL: "https://a.example/", MaxSize: 1, Quota: 1, Keep: 1, Dir: t.TempDir()}
	for name, change := range map[string]func(*upload.Config){
		"no URL": func(c *upload.Config) { c.URL = "x" }, "a file URL": func(c *upload.Config) { c.URL = "file:///etc" }, "no size": func(c *upload.Config) { c.MaxSize = 0 },
		"a small quota": func(c *upload.Config) { c.Quota = 0 }, "no directory": func(c *upload.Config) { c.Dir = filepath.Join(c.Dir, "none") },
	} {
		c := good
		change(&c)
		if _, err := upload.New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
