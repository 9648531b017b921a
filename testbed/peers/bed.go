package peers

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
)

// The hosts of a bed's block.
const (
	hostInnerNames = 1
	hostOuterNames = 2
	hostOwnNames   = 3
	hostProsody    = 10
	hostEjabberd   = 20
	hostInside     = 30 // the gateway's address towards Prosody
	hostOutside    = 31 // and towards ejabberd
	hostFarInside  = 32 // a second gateway's address towards the first
	hostFarOutside = 33 // and towards ejabberd
	hostSpare      = 40
)

// Bed is everything a scenario needs but a gateway: inside is Prosody with a domain, outside ejabberd with
// another; each asks a name server of its own, so what stands between them is decided by what is published.
type Bed struct {
	Dir      string
	Block    *Block
	CA       *CA
	Inner    *Names // asked by Prosody
	Outer    *Names // asked by ejabberd
	Between  *Names // for whatever stands between; knows nothing until it is told
	Prosody  *Server
	Ejabberd *Server
}

// Options change how the two servers are set up.
type Options struct {
	InsideDomain, OutsideDomain string                     // default a.test, b.test
	Prosody, Ejabberd           func(*Settings, *CA) error // last word on the settings; may be nil
}

// OpenBed lays out a bed under dir, which must exist; nothing runs but the name servers.
func OpenBed(dir string, o Options) (*Bed, error) {
	b := &Bed{Dir: dir}
	if err := b.open(o); err != nil {
		return nil, errors.Join(fmt.Errorf("open test bed: %w", err), b.Close())
	}
	return b, nil
}

func (b *Bed) open(o Options) error {
	if o.InsideDomain == "" {
		o.InsideDomain = "a.test"
	}
	if o.OutsideDomain == "" {
		o.OutsideDomain = "b.test"
	}
	var err error
	if b.Block, err = ClaimBlock(); err != nil {
		return err
	}
	if b.CA, err = NewCA(b.Dir); err != nil {
		return err
	}
	if b.Inner, err = ListenNames(b.Block.Addr(hostInnerNames)); err != nil {
		return err
	}
	if b.Outer, err = ListenNames(b.Block.Addr(hostOuterNames)); err != nil {
		return err
	}
	b.Outer.LiteralTargets = true
	if b.Between, err = ListenNames(b.Block.Addr(hostOwnNames)); err != nil {
		return err
	}
	inside := Settings{Domain: o.InsideDomain, Addr: b.Block.Addr(hostProsody), Resolver: b.Inner.Addr}
	outside := Settings{Domain: o.OutsideDomain, Addr: b.Block.Addr(hostEjabberd), Resolver: b.Outer.Addr}
	if b.Prosody, err = b.server("prosody", inside, o.Prosody, NewProsody); err != nil {
		return err
	}
	b.Ejabberd, err = b.server("ejabberd", outside, o.Ejabberd, NewEjabberd)
	return err
}

func (b *Bed) server(
	name string, s Settings, adjust func(*Settings, *CA) error, build func(Settings) (*Server, error),
) (*Server, error) {
	s.CA, s.Dir = b.CA.File, filepath.Join(b.Dir, name)
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if s.Pair, err = b.CA.Issue(name, s.Domain, s.Rooms()); err != nil {
		return nil, err
	}
	if adjust != nil {
		if err := adjust(&s, b.CA); err != nil {
			return nil, err
		}
	}
	return build(s)
}

// Start runs both servers side by side.
func (b *Bed) Start() error {
	failed := make(chan error, 2)
	for _, s := range []*Server{b.Prosody, b.Ejabberd} {
		go func() { failed <- s.Start() }()
	}
	return errors.Join(<-failed, <-failed)
}

// Inside is where a gateway listens for Prosody.
func (b *Bed) Inside() netip.Addr { return b.Block.Addr(hostInside) }

// Outside is where a gateway listens for ejabberd.
func (b *Bed) Outside() netip.Addr { return b.Block.Addr(hostOutside) }

// FarInside is where a second gateway, behind the first, listens for it.
func (b *Bed) FarInside() netip.Addr { return b.Block.Addr(hostFarInside) }

// FarOutside is where it listens for ejabberd.
func (b *Bed) FarOutside() netip.Addr { return b.Block.Addr(hostFarOutside) }

// Spare is an address for whatever else a scenario starts (n from 0).
func (b *Bed) Spare(n byte) netip.Addr { return b.Block.Addr(hostSpare + n) }

// PublishDirect lets the servers find each other without anything between.
func (b *Bed) PublishDirect() {
	for _, names := range []*Names{b.Inner, b.Outer} {
		for _, s := range []*Server{b.Prosody, b.Ejabberd} {
			b.publish(names, s, s.Servers())
		}
	}
}

// PublishThrough lets each server find the other's domains at the gateway, and its own at itself.
func (b *Bed) PublishThrough(inside, outside netip.AddrPort) {
	b.publish(b.Inner, b.Prosody, b.Prosody.Servers())
	b.publish(b.Inner, b.Ejabberd, inside)
	b.publish(b.Outer, b.Ejabberd, b.Ejabberd.Servers())
	b.publish(b.Outer, b.Prosody, outside)
}

func (b *Bed) publish(n *Names, s *Server, at netip.AddrPort) {
	for _, domain := range []string{s.Domain, s.Rooms()} {
		n.Withdraw(domain)
		n.Publish(domain, at)
	}
}

// PublishDirectTLS lets each server find the other's domains by direct TLS alone (XEP-0368).
func (b *Bed) PublishDirectTLS(inside, outside netip.AddrPort) {
	for _, p := range []struct {
		names *Names
		whose *Server
		at    netip.AddrPort
	}{{b.Inner, b.Ejabberd, inside}, {b.Outer, b.Prosody, outside}} {
		for _, domain := range []string{p.whose.Domain, p.whose.Rooms()} {
			p.names.Withdraw(domain)
			p.names.PublishDirectTLS(domain, p.at)
		}
	}
}

// Close stops all that Start and OpenBed started. The directory stays.
func (b *Bed) Close() error {
	var all []error
	stopped := make(chan error, 2)
	for _, s := range []*Server{b.Prosody, b.Ejabberd} {
		go func() {
			if s == nil {
				stopped <- nil
				return
			}
			stopped <- s.Stop()
		}()
	}
	all = append(all, <-stopped, <-stopped)
	for _, n := range []*Names{b.Inner, b.Outer, b.Between} {
		if n != nil {
			all = append(all, n.Close())
		}
	}
	if b.Block != nil {
		all = append(all, b.Block.Close())
	}
	return errors.Join(all...)
}
