package main

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"time"
)

// dialling is one outbound stream while it is set up.
type dialling struct {
	*xstream
	w        *world
	from, to string
	id       string // of the stream, as the other side gave it
	timeout  time.Duration
}

// dial opens a stream as domain from to domain to and authenticates it.
func (w *world) dial(addr, from, to string, timeout time.Duration) (*xstream, error) {
	nc, err := net.DialTimeout("tcp", addr, timeout)
	if err != nil {
		return nil, err
	}
	d := &dialling{xstream: newXstream(nc), w: w, from: from, to: to, timeout: timeout}
	d.deadline(timeout)
	if err := d.setUp(); err != nil {
		nc.Close()
		return nil, err
	}
	d.deadline(0)
	return d.xstream, nil
}

func (d *dialling) setUp() error {
	if d.w.tlsMode == "direct" {
		if err := d.secure(); err != nil {
			return err
		}
	}
	feat, err := d.open()
	if err != nil {
		return err
	}
	if d.w.tlsMode == "starttls" {
		if feat, err = d.startTLSAndReopen(feat); err != nil {
			return err
		}
	}
	if d.w.auth == "external" {
		return d.authExternal(feat)
	}
	return d.authDialback()
}

// open sends the header and returns the features.
func (d *dialling) open() (string, error) {
	if err := d.send(s2sOpen(d.from, d.to, "")); err != nil {
		return "", err
	}
	for {
		el, err := d.next()
		if err != nil {
			return "", err
		}
		switch elName(el) {
		case "stream":
			d.id = attr(el, "id")
		case "features":
			return string(el), nil
		case "error":
			return "", fmt.Errorf("%s", el)
		}
	}
}

func (d *dialling) secure() error {
	if err := d.startTLS(d.w.clientTLS(d.to), false); err != nil {
		return err
	}
	return d.raw.SetDeadline(time.Now().Add(d.timeout))
}

func (d *dialling) startTLSAndReopen(feat string) (string, error) {
	if !strings.Contains(feat, "xmpp-tls") {
		return "", fmt.Errorf("no STARTTLS offered: %s", feat)
	}
	d.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	if _, _, err := d.expect("proceed"); err != nil {
		return "", err
	}
	if err := d.secure(); err != nil {
		return "", err
	}
	return d.open()
}

func (d *dialling) authExternal(feat string) error {
	if !strings.Contains(feat, "EXTERNAL") {
		return fmt.Errorf("no EXTERNAL offered: %s", feat)
	}
	d.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>" + base64.StdEncoding.EncodeToString([]byte(d.from)) + "</auth>")
	if _, _, err := d.expect("success"); err != nil {
		return err
	}
	_, err := d.open()
	return err
}

func (d *dialling) authDialback() error {
	d.send("<db:result from='" + esc(d.from) + "' to='" + esc(d.to) + "'>" + d.w.key(d.to, d.from, d.id) + "</db:result>")
	_, el, err := d.expect("result")
	if err != nil {
		return err
	}
	if attr([]byte(el), "type") != "valid" {
		return fmt.Errorf("dialback: %s", el)
	}
	return nil
}

func (w *world) clientTLS(to string) *tls.Config {
	cfg := w.cfg.Clone()
	cfg.ServerName = to
	if !w.noCert {
		cfg.Certificates = w.cert
	}
	return cfg
}
