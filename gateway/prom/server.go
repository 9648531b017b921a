package prom

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Bounds on what a client of the page can make it spend.
const (
	maxScrapes  = 4
	maxHeader   = 8 << 10 // bytes
	requestTime = 10 * time.Second
	answerTime  = 30 * time.Second
	closeTime   = 2 * time.Second
)

// ErrRemote says that the address can be reached from other machines.
var ErrRemote = errors.New("is not a loopback address, and remote access is not permitted")

// Handler answers /metrics, /healthz and /readyz.
func Handler(s Source) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(s), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: maxScrapes, Timeout: answerTime / 2, ErrorHandling: promhttp.ContinueOnError,
	}))
	mux.Handle("GET /healthz", health(s.Alive))
	mux.Handle("GET /readyz", health(s.Ready))
	return mux
}

// health answers 200 ok, or 503 with the reason.
func health(ask func() error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if err := ask(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, err)
			return
		}
		fmt.Fprintln(w, "ok")
	})
}

// Server is the page on an address.
type Server struct {
	listener net.Listener
	http     http.Server
}

// Listen takes the address. One that other machines reach needs [Remote].
func Listen(addr netip.AddrPort, access Access, s Source) (*Server, error) {
	if !addr.Addr().IsLoopback() && access != Remote {
		return nil, fmt.Errorf("metrics: %s %w", addr, ErrRemote)
	}
	l, err := net.Listen("tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return &Server{listener: l, http: http.Server{
		Handler: Handler(s), ReadTimeout: requestTime, WriteTimeout: answerTime, IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader,
	}}, nil
}

// Access says who may reach the page. The zero value is this machine alone.
type Access uint8

// The choices.
const (
	Loopback Access = iota
	Remote
)

// Addr is where the page is.
func (s *Server) Addr() netip.AddrPort { return s.listener.Addr().(*net.TCPAddr).AddrPort() }

// Serve answers until Close.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

// Close lets scrapes that run finish for a short time and ends the others.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	_ = s.listener.Close() // Serve may never have been called
	return nil
}
