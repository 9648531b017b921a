package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/config"
	"sallyport/server/archive"
	"sallyport/server/c2s"
	"sallyport/server/upload"
)

// Paths of what is reached by HTTP.
const (
	pathWebSocket = "/ws"
	pathBOSH      = "/bosh"
	pathFiles     = "/files/"
	pathMeta      = "/.well-known/host-meta"
)

const (
	webHeaderTimeout = 10 * time.Second
	webIdle          = 2 * time.Minute
	webHeaderBytes   = 32 << 10
	webStop          = 5 * time.Second
	filesEvery       = time.Hour // how late a file or a message may go
)

// webURL is how others reach what is reached by HTTP, without a slash at its end.
func webURL(cfg *config.Server) string {
	if cfg.Web.URL != "" || len(cfg.Web.Listen) == 0 || len(cfg.Domains) == 0 {
		return strings.TrimSuffix(cfg.Web.URL, "/")
	}
	return fmt.Sprintf("https://%s:%d", cfg.Domains[0], cfg.Web.Listen[0].Port())
}

// openFiles makes what keeps files; nil where none are taken.
func (c *clients) openFiles(cfg *config.Server) (*upload.Service, error) {
	f := &cfg.Web.Files
	if f.Quota == 0 || len(cfg.Web.Listen) == 0 {
		return nil, nil //nolint:nilnil // none is configured
	}
	if err := os.MkdirAll(string(f.Dir), 0o700); err != nil {
		return nil, err
	}
	return upload.New(upload.Config{
		Store: c.store, Dir: string(f.Dir), URL: webURL(cfg) + pathFiles, MaxSize: int64(f.MaxFile), Quota: int64(f.Quota), Keep: f.Keep, Now: c.g.now,
	})
}

// pages is what serves everything that is reached by HTTP. Streams inside it end with ctx.
func (c *clients) pages(ctx context.Context, cfg *config.Server) *http.Server {
	mux, options := http.NewServeMux(), c2s.WebOptions{Origins: cfg.Web.Origins}
	ws := "wss" + strings.TrimPrefix(webURL(cfg), "https")
	meta := c2s.HostMeta{WebSocket: []string{ws + pathWebSocket}}
	mux.Handle(pathWebSocket, c.c2s.WebSocket(ctx, options))
	if cfg.Web.BOSH {
		mux.Handle(pathBOSH, c.c2s.BOSH(ctx, options))
		meta.BOSH = []string{webURL(cfg) + pathBOSH}
	}
	mux.Handle(pathMeta, meta)
	mux.Handle(pathMeta+".json", meta)
	if c.files != nil {
		mux.Handle(pathFiles, http.StripPrefix(strings.TrimSuffix(pathFiles, "/"), c.files))
	}
	secure := c.tls(cfg)
	if cfg.Web.Certificates { // a ticket would outlive a change of trust
		secure.ClientAuth, secure.SessionTicketsDisabled = tls.RequestClientCert, true
	}
	pages := &http.Server{
		Handler: mux, ReadHeaderTimeout: webHeaderTimeout, IdleTimeout: webIdle, MaxHeaderBytes: webHeaderBytes,
		TLSConfig: secure,
		ErrorLog:  zap.NewStdLog(zap.NewNop()), // what strangers send is counted by c2s, and no line of ours
	}
	c2s.Guard(pages, c2s.Bounds{Each: cfg.Limits.WebConnections, Crowded: func(from netip.Addr) {
		c.observe(c2s.Observation{What: c2s.TooManyPending, From: from, Detail: "HTTPS"})
		c.g.log.Warn("too many HTTPS connections of one address, or of all: more of one are let in by server.limits.web-connections",
			zap.Stringer("address", from), zap.Int("web-connections", cfg.Limits.WebConnections))
	}})
	return pages
}

// serveWeb serves HTTP on a listener until ctx ends.
func (c *clients) serveWeb(ctx context.Context, l net.Listener, s *http.Server) error {
	ended := make(chan error, 1)
	go func() { ended <- s.ServeTLS(l, "", "") }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve HTTP on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.Background(), webStop)
	defer cancel()
	if err := s.Shutdown(stop); err != nil { // somebody fetches a file, and can do so again
		_ = s.Close()
	}
	<-ended
	return nil
}

// expireFiles removes files that are too old.
func (c *clients) expireFiles(ctx context.Context) {
	hourly(ctx, func() {
		if _, err := c.files.Expire(ctx); err != nil && ctx.Err() == nil {
			c.g.log.Error("old files cannot be removed", zap.Error(err))
		}
	})
}

// expireMessages forgets archived messages that are too old.
func (c *clients) expireMessages(ctx context.Context) {
	hourly(ctx, func() {
		cfg := &c.g.active().Server
		domains, err := domainsOf(cfg)
		names := make([]string, len(domains))
		for i, d := range domains {
			names[i] = d.Domain()
		}
		if err == nil {
			_, err = archive.Prune(ctx, c.store, names, c.g.now().Add(-cfg.Store.KeepMessages))
		}
		if err != nil && ctx.Err() == nil {
			c.g.log.Error("old messages cannot be forgotten", zap.Error(err))
		}
	})
}

// hourly does something now and then until ctx ends.
func hourly(ctx context.Context, do func()) {
	tick := time.NewTicker(filesEvery)
	defer tick.Stop()
	for {
		do()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
