package main

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"hash"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

type target struct {
	addr, domain string
	tlsMode      string // starttls, direct, none
	auth         string // plain, scram-sha-1, scram-sha-256
	tlsCfg       *tls.Config
	timeout      time.Duration
}

type client struct {
	*xstream
	t         target
	user      string
	pw        string
	res       string
	jid       string
	loginTime time.Duration
}

func streamOpen(ns, to, from string) string {
	f := ""
	if from != "" {
		f = " from='" + from + "'"
	}
	return "<?xml version='1.0'?><stream:stream xmlns='" + ns + "' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='" + to + "'" + f + " xml:lang='en'>"
}

// connect opens the stream up to (and past) TLS and returns the features.
func (c *client) connect() (string, error) {
	d := net.Dialer{Timeout: c.t.timeout}
	nc, err := d.Dial("tcp", c.t.addr)
	if err != nil {
		return "", err
	}
	c.xstream = newXstream(nc)
	c.deadline(c.t.timeout)
	cfg := c.t.tlsCfg.Clone()
	cfg.ServerName = c.t.domain
	if c.t.tlsMode == "direct" {
		if err := c.startTLS(cfg, false); err != nil {
			return "", err
		}
	}
	open := streamOpen("jabber:client", c.t.domain, "")
	if err := c.send(open); err != nil {
		return "", err
	}
	_, feat, err := c.expect("features")
	if err != nil {
		return "", err
	}
	if c.t.tlsMode == "starttls" {
		if !strings.Contains(feat, "xmpp-tls") {
			return "", fmt.Errorf("no STARTTLS offered")
		}
		c.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		if _, _, err := c.expect("proceed"); err != nil {
			return "", err
		}
		if err := c.startTLS(cfg, false); err != nil {
			return "", err
		}
		if err := c.send(open); err != nil {
			return "", err
		}
		if _, feat, err = c.expect("features"); err != nil {
			return "", err
		}
	}
	return feat, nil
}

func (c *client) login(presence bool) error {
	begin := time.Now()
	feat, err := c.connect()
	if err != nil {
		return err
	}
	mech := strings.ToUpper(c.t.auth)
	if !strings.Contains(feat, ">"+mech+"<") {
		return fmt.Errorf("mechanism %s not offered: %s", mech, feat)
	}
	if mech == "PLAIN" {
		c.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + base64.StdEncoding.EncodeToString([]byte("\x00"+c.user+"\x00"+c.pw)) + "</auth>")
		if n, el, err := c.expect("success", "failure"); err != nil || n == "failure" {
			return fmt.Errorf("auth: %v %s", err, el)
		}
	} else if err := c.scram(mech); err != nil {
		return err
	}
	if err := c.send(streamOpen("jabber:client", c.t.domain, "")); err != nil {
		return err
	}
	_, feat, err = c.expect("features")
	if err != nil {
		return err
	}
	res := ""
	if c.res != "" {
		res = "<resource>" + c.res + "</resource>"
	}
	c.send("<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" + res + "</bind></iq>")
	el, err := c.iqResult("b1")
	if err != nil {
		return err
	}
	c.jid = unescape(string(childText([]byte(el), "jid")))
	if strings.Contains(feat, "xmpp-session") && !strings.Contains(feat, "<optional") {
		c.send("<iq type='set' id='s1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>")
		if _, err := c.iqResult("s1"); err != nil {
			return err
		}
	}
	if presence {
		c.send("<presence/>")
		for { // own presence comes back: the session is available
			el, err := c.next()
			if err != nil {
				return err
			}
			if elName(el) == "presence" && attr(el, "from") == c.jid {
				break
			}
		}
	}
	c.loginTime = time.Since(begin)
	c.deadline(0)
	return nil
}

// prefer tells the archive of the account what to keep of all that comes and goes (XEP-0441): always or never.
func (c *client) prefer(keep string) error {
	c.send("<iq type='set' id='p1'><prefs xmlns='urn:xmpp:mam:2' default='" + keep + "'><always/><never/></prefs></iq>")
	_, err := c.iqResult("p1")
	return err
}

func (c *client) iqResult(id string) (string, error) {
	for {
		el, err := c.next()
		if err != nil {
			return "", err
		}
		if elName(el) == "iq" && attr(el, "id") == id {
			if attr(el, "type") != "result" {
				return string(el), fmt.Errorf("iq error: %s", el)
			}
			return string(el), nil
		}
	}
}

var saltCache sync.Map

func (c *client) scram(mech string) error {
	var h func() hash.Hash = sha1.New
	size := 20
	if mech == "SCRAM-SHA-256" {
		h, size = sha256.New, 32
	}
	nb := make([]byte, 15)
	rand.Read(nb)
	nonce := base64.StdEncoding.EncodeToString(nb)
	bare := "n=" + c.user + ",r=" + nonce
	c.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='" + mech + "'>" + base64.StdEncoding.EncodeToString([]byte("n,,"+bare)) + "</auth>")
	n, el, err := c.expect("challenge", "failure")
	if err != nil || n == "failure" {
		return fmt.Errorf("scram: %v %s", err, el)
	}
	sf, _ := base64.StdEncoding.DecodeString(string(childText([]byte(el), "challenge")))
	var snonce, salt string
	iter := 0
	for p := range strings.SplitSeq(string(sf), ",") {
		switch {
		case strings.HasPrefix(p, "r="):
			snonce = p[2:]
		case strings.HasPrefix(p, "s="):
			salt = p[2:]
		case strings.HasPrefix(p, "i="):
			iter, _ = strconv.Atoi(p[2:])
		}
	}
	sb, _ := base64.StdEncoding.DecodeString(salt)
	key := mech + c.pw + salt + strconv.Itoa(iter)
	var sp []byte
	if v, ok := saltCache.Load(key); ok {
		sp = v.([]byte)
	} else {
		sp, err = pbkdf2.Key(h, c.pw, sb, iter, size)
		if err != nil {
			return err
		}
		saltCache.Store(key, sp)
	}
	mac := func(k, m []byte) []byte { x := hmac.New(h, k); x.Write(m); return x.Sum(nil) }
	ck := mac(sp, []byte("Client Key"))
	hh := h()
	hh.Write(ck)
	sk := hh.Sum(nil)
	fin := "c=biws,r=" + snonce
	am := bare + "," + string(sf) + "," + fin
	sig := mac(sk, []byte(am))
	proof := make([]byte, len(ck))
	for i := range ck {
		proof[i] = ck[i] ^ sig[i]
	}
	c.send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + base64.StdEncoding.EncodeToString([]byte(fin+",p="+base64.StdEncoding.EncodeToString(proof))) + "</response>")
	n, el, err = c.expect("success", "failure", "challenge")
	if err != nil || n != "success" {
		return fmt.Errorf("scram: %v %s", err, el)
	}
	return nil
}

// register makes an account in-band (XEP-0077); "conflict" counts as done.
func (c *client) register() error {
	if _, err := c.connect(); err != nil {
		return err
	}
	defer c.conn.Close()
	c.send("<iq type='set' id='r1'><query xmlns='jabber:iq:register'><username>" + esc(c.user) + "</username><password>" + esc(c.pw) + "</password></query></iq>")
	el, err := c.iqResult("r1")
	if err != nil && !strings.Contains(el, "conflict") {
		return err
	}
	return nil
}
