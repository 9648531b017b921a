package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"strconv"
	"sync"

	"go.uber.org/zap"

	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/gateway/prom"
	"sallyport/internal/role"
)

// ErrRestart is what Run returns after an orderly end that is to be followed by a start.
var ErrRestart = errors.New("an administrator wants the node to start again")

// Run runs the node until ctx ends, then stops it in order: links first, then what is in
// the air has to land, then the audit log. A value on reload reads the configuration
// again.
func (g *Gateway) Run(ctx context.Context, reload <-chan struct{}) error {
	var background sync.WaitGroup
	background.Go(g.bounces.run)
	background.Go(g.saveLoop)
	background.Go(g.eventLoop)
	background.Go(g.watchAudit)
	background.Go(g.notes.run)
	err := g.serve(ctx, reload)
	again := err == ErrRestart //nolint:errorlint // nobody has wrapped it
	if again {
		err = nil
	}
	g.listening.Store(false)
	g.closeLinks("the node is stopping")
	g.landed(context.Background()) // the links take no more, and report all they had
	if g.clients != nil {
		g.clients.end()
		g.landed(context.Background()) // what the server said last
		err = errors.Join(err, g.clients.close())
	}
	err = errors.Join(err, g.depot.close())
	g.replies.wg.Wait()
	g.bounces.close()
	g.cancel()
	background.Wait()
	err = errors.Join(err, g.recordEvent(audit.Stop, "node stopped"), g.saveConversations(), g.audit.Close())
	if err == nil && again {
		return ErrRestart
	}
	return err
}

// serve opens every door, waits, and closes those an operator uses last.
func (g *Gateway) serve(ctx context.Context, reload <-chan struct{}) error {
	if err := g.recordEvent(audit.Start, "node started, version "+g.version); err != nil {
		return fmt.Errorf("record the start: %w", err)
	}
	if err := g.rememberAtStart(); err != nil {
		return err
	}
	services, err := g.services()
	defer func() {
		for _, s := range services {
			if err := s.Close(); err != nil {
				g.log.Warn("a service did not end in order", zap.Error(err))
			}
		}
	}()
	if err != nil {
		return unheard(err)
	}
	if err := g.link.Start(ctx); err != nil {
		return fmt.Errorf("listen: %w", unheard(err))
	}
	if err := g.carriers.start(ctx); err != nil {
		return fmt.Errorf("links: %w", unheard(err))
	}
	g.depot.start(g.active())
	if g.clients != nil {
		if err := g.clients.start(&g.active().Server); err != nil {
			return fmt.Errorf("listen for clients: %w", unheard(err))
		}
	}
	g.listening.Store(true)
	g.log.Info("ready", zap.String("node", g.node), zap.Stringer("policy", g.engine.Policy().Version()))
	for {
		select {
		case <-ctx.Done():
			g.halt()
			return nil
		case again := <-g.ended:
			g.halt()
			if again {
				return ErrRestart
			}
			return nil
		case <-reload:
			_, _ = g.reload("signal HUP", RefuseRollbacks) // logged, recorded and shown by status
		}
	}
}

func (g *Gateway) halt() {
	g.log.Info("stopping")
	g.listening.Store(false)
	g.closeLinks("the node is stopping")
}

// openServices opens the control socket and the monitoring page. What it opened it
// returns also with an error.
func (g *Gateway) openServices() ([]io.Closer, error) {
	cfg := g.active()
	var out []io.Closer
	socket, err := control.Listen(control.Options{
		Path: string(cfg.Control.Socket), Group: controlGroup(cfg), Grants: grants(&cfg.Control), Desk: g.desk,
	})
	if err != nil {
		return out, err
	}
	out = append(out, socket)
	g.mu.Lock()
	g.setGrants = socket.SetGrants
	g.mu.Unlock()
	go func() {
		if err := socket.Serve(); err != nil {
			g.log.Error("the control socket has ended; live commands do not work", zap.Error(err))
		}
	}()
	if !cfg.Metrics.Listen.IsValid() {
		return out, nil
	}
	access := prom.Loopback
	if cfg.Metrics.AllowRemote {
		access = prom.Remote
	}
	page, err := prom.Listen(cfg.Metrics.Listen, access, (*numbers)(g))
	if err != nil {
		return out, err
	}
	go func() {
		if err := page.Serve(); err != nil {
			g.log.Error("the monitoring page has ended", zap.Error(err))
		}
	}()
	return append(out, page), nil
}

func grants(c *config.Control) []control.Grant {
	var out []control.Grant
	for _, r := range []struct {
		has role.Role
		who []config.Principal
	}{{role.View, c.View}, {role.Operate, c.Operate}, {role.Policy, c.Policy}} {
		for _, p := range r.who {
			out = append(out, control.Grant{Role: r.has, Group: p.Group, ID: p.ID})
		}
	}
	return out
}

// closeLinks ends every stream in order, within the time limit of the configuration. Who
// comes second waits for the first.
func (g *Gateway) closeLinks(why string) {
	if !g.stopping.CompareAndSwap(false, true) {
		<-g.closed
		return
	}
	defer close(g.closed)
	g.log.Info("closing links", zap.String("because", why))
	if g.clients != nil {
		g.clients.stop() // what people say last still crosses
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*g.active().Limits.CloseTimeout)
	defer cancel()
	g.depot.stop()
	if err := errors.Join(g.carriers.shutdown(ctx), g.link.Shutdown(ctx)); err != nil {
		g.log.Warn("links did not end in order", zap.Error(err))
	}
}

// controlGroup is the Unix group that may open the socket, -1 if none is named.
func controlGroup(cfg *config.Config) int {
	if cfg.Control.Group == "" {
		return -1
	}
	group, err := user.LookupGroup(cfg.Control.Group)
	if err != nil {
		return -1
	}
	id, err := strconv.Atoi(group.Gid)
	if err != nil {
		return -1
	}
	return id
}
