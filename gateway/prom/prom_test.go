package prom_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sallyport/gateway/prom"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// source is a node with fixed numbers.
type source struct {
	numbers      func(prom.Emit)
	alive, ready error
}

func (s source) Numbers(emit prom.Emit) {
	if s.numbers != nil {
		s.numbers(emit)
	}
}
func (s source) Alive() error { return s.alive }
func (s source) Ready() error { return s.ready }

func get(t *testing.T, h http.Handler, method, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w.Code, w.Body.String()
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	h := prom.Handler(source{numbers: func(emit prom.Emit) {
		emit(prom.StanzasAccepted, 7)
		emit(prom.Stanzas, 5, "delivered")
		emit(prom.Stanzas, 2, "refused")
		emit(prom.Refusals, 2, "label-in", "no-label")
		emit(prom.StanzasBalance, 0)
		emit(prom.PeerStreams, 1, `quo"te`, "in")
	}})
	code, body := get(t, h, http.MethodGet, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("code %d: %s", code, body)
	}
	for _, want := range []string{
		"# TYPE sallyport_stanzas_accepted_total counter",
		"sallyport_stanzas_accepted_total 7",
		`sallyport_stanzas_total{outcome="delivered"} 5`,
		`sallyport_stanzas_total{outcome="refused"} 2`,
		`sallyport_refusals_total{reason="no-label",stage="label-in"} 2`,
		"# TYPE sallyport_stanzas_balance gauge",
		`sallyport_peer_streams{direction="in",peer="quo\"te"} 1`,
		"go_goroutines ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no line %q", want)
		}
	}
}

func TestOneWrongNumberDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	h := prom.Handler(source{numbers: func(emit prom.Emit) {
		emit(prom.Stanzas, 1)                // a label is missing
		emit(prom.Stanzas, 1, "\xff\xfe")    // not UTF-8
		emit(prom.ID(255), 1)                // no such metric
		emit(prom.StanzasAccepted, 3)        //
		emit(prom.PeerStreams, 1, "a", "in") //
		emit(prom.PeerStreams, 2, "a", "in") // twice
	}})
	code, body := get(t, h, http.MethodGet, "/metrics")
	if code != http.StatusOK || !strings.Contains(body, "sallyport_stanzas_accepted_total 3") {
		t.Errorf("code %d: %s", code, body)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^sallyport_[a-z_]+$`)
	seen := map[string]bool{}
	for id, m := range prom.Table() {
		if !name.MatchString(m.Name) || m.Help == "" || m.Kind == prom.NoKind || seen[m.Name] {
			t.Errorf("metric %d is incomplete or double: %+v", id, m)
		}
		if strings.HasSuffix(m.Name, "_total") != (m.Kind == prom.Counter) {
			t.Errorf("%s: counters, and nothing else, end in _total", m.Name)
		}
		seen[m.Name] = true
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	h := prom.Handler(source{ready: errors.New("audit log full: archive or prune it")})
	tests := []struct {
		method, path string
		code         int
		body         string
	}{
		{http.MethodGet, "/healthz", 200, "ok\n"},
		{http.MethodGet, "/readyz", 503, "audit log full: archive or prune it\n"},
		{http.MethodPost, "/readyz", 405, ""},
		{http.MethodGet, "/", 404, ""},
		{http.MethodGet, "/debug/pprof/", 404, ""},
	}
	for _, tt := range tests {
		code, body := get(t, h, tt.method, tt.path)
		if code != tt.code || tt.body != "" && body != tt.body {
			t.Errorf("%s %s: %d %q, want %d %q", tt.method, tt.path, code, body, tt.code, tt.body)
		}
	}
}

func TestListenStaysAtHome(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", "192.0.2.1:0"} {
		if s, err := prom.Listen(netip.MustParseAddrPort(addr), prom.Loopback, source{}); !errors.Is(err, prom.ErrRemote) {
			t.Errorf("%s: %v, %v", addr, s, err)
		}
	}
	if _, err := prom.Listen(netip.AddrPort{}, prom.Loopback, source{}); err == nil {
		t.Error("the zero address")
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	s, err := prom.Listen(netip.MustParseAddrPort("127.0.0.1:0"), prom.Loopback, source{})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + s.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || string(b) != "ok\n" {
		t.Errorf("%q, %v", b, err)
	}
	if err := errors.Join(s.Close(), <-served); err != nil {
		t.Error(err)
	}
}
