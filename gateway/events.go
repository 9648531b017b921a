package gateway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sallyport/gateway/audit"
	"sallyport/gateway/config"
)

// waiter is told that a record is durable; it may be waited for.
type waiter chan error

// Durable implements audit.Committed.
func (w waiter) Durable(_, _ uint64, err error) { w <- err }

// recordEvent writes down something other than a decision and waits until it is durable.
func (g *Gateway) recordEvent(kind audit.Kind, what string) error {
	rec := audit.Record{Kind: kind, Time: g.now(), Node: g.node, Reason: what}
	if p := g.engine.Policy(); p != nil {
		rec.PolicyVersion = g.versionText(p.Version())
	}
	return g.append(&rec)
}

func (g *Gateway) append(rec *audit.Record) error { return appendTo(g.audit, rec) }

// appendTo returns when the record is durable.
func appendTo(log *audit.Log, rec *audit.Record) error {
	w := make(waiter, 1)
	if _, err := log.Append(rec, w, 0); err != nil {
		return err
	}
	return <-w
}

// openAudit opens the log that the configuration names, with its key and sinks.
func openAudit(cfg *config.Config, policy string, opts *Options) (*audit.Log, error) {
	key, err := audit.LoadOrCreateKey(string(cfg.Audit.SignKey))
	if err != nil {
		return nil, fmt.Errorf("audit key: %w", err)
	}
	o := audit.Options{
		Dir: string(cfg.Audit.Dir), Node: cfg.Node.Name, Key: key, Policy: policy,
		SegmentBytes: int64(cfg.Audit.SegmentBytes), MaxBytes: int64(cfg.Audit.MaxBytes), NoRing: !cfg.Audit.IOUring, Clock: opts.Now, FS: opts.seams.disk, HeadEvery: opts.seams.heads,
	}
	for _, s := range cfg.Audit.HeadSinks {
		sink, err := openSink(s)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("audit head-sink %s: %w", s, err), closeSinks(o.Sinks))
		}
		o.Sinks = append(o.Sinks, sink)
	}
	log, err := audit.Open(o)
	if err != nil {
		return nil, errors.Join(err, closeSinks(o.Sinks))
	}
	return log, nil
}

func closeSinks(sinks []audit.HeadSink) error {
	var errs []error
	for _, s := range sinks {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

func joinClose(err error, c io.Closer) error { return errors.Join(err, c.Close()) }

// openSink opens a second place for the head of the log.
func openSink(s config.HeadSink) (audit.HeadSink, error) {
	switch s.Kind {
	case config.FileSink:
		if err := os.MkdirAll(filepath.Dir(s.Target), 0o700); err != nil {
			return nil, err
		}
		return audit.OpenFileSink(filepath.Dir(s.Target), filepath.Base(s.Target))
	case config.SyslogSink:
		host, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		if socket, local := s.Socket(); local {
			return audit.DialSyslog("unixgram", socket, host)
		}
		return audit.DialSyslog("udp", s.Target, host)
	case config.NoSink:
	}
	return nil, fmt.Errorf("unknown kind of sink %q", s)
}
