package audit_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/gateway/audit"
	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

// collector is a sink that keeps every head; it can be made to fail.
type collector struct {
	heads  []audit.Statement
	fail   error
	closed bool
}

func (c *collector) Put(line []byte) error {
	if c.fail != nil {
		return c.fail
	}
	h, err := audit.ParseStatement(line)
	if err != nil {
		return err
	}
	c.heads = append(c.heads, h)
	return nil
}

func (c *collector) Close() error {
	c.closed = true
	return nil
}

func TestHeadEachSecondAndAtClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs, sink := faulty.New(), &collector{}
		l := openLog(t, fs, func(o *audit.Options) {
			o.HeadEvery = 0
			o.Sinks = []audit.HeadSink{sink}
		})
		for range 5 {
			fill(t, l, newTold(), 3)
			<-time.After(time.Second) // of the synctest bubble
			synctest.Wait()
		}
		fill(t, l, newTold(), 1)
		closeLog(t, l)
		var seqs []uint64
		for i, h := range sink.heads {
			seqs = append(seqs, h.Seq)
			if err := h.Verify(publicKey()); err != nil {
				t.Error(err)
			}
			if i > 0 && i < 6 && h.Time.Sub(sink.heads[i-1].Time) != time.Second {
				t.Errorf("head %d came %v after the one before", i, h.Time.Sub(sink.heads[i-1].Time))
			}
		}
		if d := cmp.Diff([]uint64{0, 3, 6, 9, 12, 15, 16}, seqs); d != "" {
			t.Error(d)
		}
		if !sink.closed {
			t.Error("the sink was not closed")
		}
		if r := verify(t, fs, sink.heads...); !r.OK() || r.Heads != 8 {
			t.Errorf("%+v", r)
		}
	})
}

func TestFailingSinkIsCountedOnly(t *testing.T) {
	sink := &collector{fail: errors.New("gone")}
	l := openLog(t, faulty.New(), func(o *audit.Options) { o.Sinks = []audit.HeadSink{sink} })
	fill(t, l, newTold(), 1)
	if s := l.Stats(); s.SinkErrors != 1 || s.LastSinkError != "gone" || s.Err != nil {
		t.Errorf("%+v", s)
	}
	closeLog(t, l)
}

func TestHeadThatCannotBeWrittenFailsTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := faulty.New()
		l := openLog(t, fs, func(o *audit.Options) { o.HeadEvery = time.Second })
		fs.SetPlan(func(op faulty.Op) faulty.Fault {
			if op.Name == "head.json.new" && op.Kind == faulty.Sync {
				return faulty.Fault{Err: faulty.ErrIO}
			}
			return faulty.Fault{}
		})
		<-l.Failed()
		if _, err := l.Append(numbered(1, 0), nil, 0); !errors.Is(err, audit.ErrFailed) || !errors.Is(err, faulty.ErrIO) {
			t.Errorf("got %v", err)
		}
		if err := l.Close(); !errors.Is(err, audit.ErrFailed) {
			t.Errorf("close: %v", err)
		}
	})
}

// A crash can leave a segment with its header only: the head is then that of the segment before.
func TestOpenAfterAHeaderOnly(t *testing.T) {
	fs := faulty.New()
	l, d := openLog(t, fs, nil), newTold()
	d.settled = make(chan uint64, 1000)
	for l.Stats().Segment < 2 {
		fill(t, l, d, 1)
		<-d.settled
	}
	crashed := fs.Copy()
	closeLog(t, l)
	name := lastSegment(crashed)
	data := crashed.Contents(name)
	crashed.SetContents(name, data[:disk.FrameHeaderBytes+binary.BigEndian.Uint32(data)])
	var last audit.Entry
	for e, err := range audit.Read(crashed, audit.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	l = openLog(t, crashed, nil)
	if h := l.Head(); h.Seq != last.Seq || h.Hash != last.Hash {
		t.Errorf("head %d %x, last record %d %x", h.Seq, h.Hash, last.Seq, last.Hash)
	}
	closeLog(t, l)
	if r := verify(t, crashed); !r.OK() {
		t.Error(r.First())
	}
}

func TestStatements(t *testing.T) {
	l := openLog(t, faulty.New(), func(o *audit.Options) { o.Node = "gw \"1\"\n" })
	want := l.Head()
	closeLog(t, l)
	line := audit.AppendStatement(nil, &want)
	checkLine(t, append(line[:len(line):len(line)], '\n'))
	for _, text := range [][]byte{line, append([]byte("<109>1 2026 host sallyport 1 audit-head - "), line...), append(line[:len(line):len(line)], " \r\n"...)} {
		got, err := audit.ParseStatement(text)
		if err != nil || got.Verify(publicKey()) != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if got.Node != want.Node || got.Seq != want.Seq || !got.Time.Equal(want.Time) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	refused := map[string][]byte{
		"empty":          nil,
		"no JSON":        []byte("head"),
		"more after it":  append(line[:len(line):len(line)], "{}"...),
		"unknown field":  bytes.Replace(line, []byte(`{`), []byte(`{"x":1,`), 1),
		"unknown kind":   bytes.Replace(line, []byte(`"head"`), []byte(`"tail"`), 1),
		"short hash":     bytes.Replace(line, []byte(`"hash":"00`), []byte(`"hash":"`), 1),
		"negative":       bytes.Replace(line, []byte(`"seq":0`), []byte(`"seq":-1`), 1),
		"too long":       append(bytes.Repeat([]byte(" "), 5000), line...),
		"text for a key": bytes.Replace(line, []byte(`"sig":"`), []byte(`"sig":"!`), 1),
	}
	for name, text := range refused {
		if _, err := audit.ParseStatement(text); err == nil {
			t.Errorf("%s was accepted: %s", name, text)
		}
	}
	for field, changed := range map[string][]byte{
		"node": bytes.Replace(line, []byte("gw"), []byte("gx"), 1),
		"seq":  bytes.Replace(line, []byte(`"seq":0`), []byte(`"seq":1`), 1),
		"hash": bytes.Replace(line, []byte(`"hash":"00`), []byte(`"hash":"01`), 1),
		"kind": bytes.Replace(line, []byte(`"head"`), []byte(`"start"`), 1),
	} {
		s, err := audit.ParseStatement(changed)
		if err != nil || s.Verify(publicKey()) == nil {
			t.Errorf("changed %s: %v, signature still good", field, err)
		}
	}
	if want.Verify(nil) == nil {
		t.Error("no key at all verifies")
	}
}

func FuzzParseStatement(f *testing.F) {
	s := audit.Statement{Kind: audit.StartStatement, Node: "gw1", Segment: 3, Seq: 9, Began: time.Unix(1, 2), Time: time.Unix(3, 4)}
	f.Add(audit.AppendStatement(nil, &s))
	f.Add([]byte(`{"audit":"head"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := audit.ParseStatement(b)
		if err != nil {
			return
		}
		again, err := audit.ParseStatement(audit.AppendStatement(nil, &v))
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		v.Node = strings.ToValidUTF8(v.Node, "\ufffd")
		if !again.Time.Equal(v.Time) || !again.Began.Equal(v.Began) {
			t.Fatalf("%q: times %v %v", b, again, v)
		}
		again.Time, again.Began = v.Time, v.Began
		if again != v {
			t.Fatalf("%q: %v != %v", b, again, v)
		}
	})
}

func TestFileSinkAndVerifyOnDisk(t *testing.T) {
	base := t.TempDir()
	dir, second := filepath.Join(base, "audit"), filepath.Join(base, "second")
	key, err := audit.LoadOrCreateKey(filepath.Join(base, "keys", "audit.key"))
	if err != nil {
		t.Fatal(err)
	}
	sink, err := audit.OpenFileSink(second, "gw1.head")
	if err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(audit.Options{Dir: dir, Node: "gw1", Key: key, Sinks: []audit.HeadSink{sink}})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, l, newTold(), 20)
	closeLog(t, l)
	public, err := audit.LoadPublicKey(filepath.Join(base, "keys", "audit.key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	head := filepath.Join(second, "gw1.head")
	r, err := audit.Verify(dir, head, public)
	if err != nil || !r.OK() || r.Records != 20 || r.Heads != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := audit.Verify(dir, filepath.Join(second, "missing"), public); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing head file: %v", err)
	}
	if err := os.WriteFile(head, []byte("nothing of use\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(dir, head, public); err == nil {
		t.Error("a head file without a head was accepted")
	}
	n := 0
	for _, err := range audit.ReadDir(dir, audit.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 20 {
		t.Errorf("%d records read", n)
	}
}

func TestKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "audit.key")
	key, err := audit.LoadOrCreateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := audit.LoadOrCreateKey(path)
	if err != nil || !again.Equal(key) {
		t.Errorf("loaded another key: %v", err)
	}
	public, err := audit.LoadPublicKey(path + ".pub")
	if err != nil || !public.Equal(key.Public()) {
		t.Errorf("public key: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// P15: world-readable key file
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.LoadOrCreateKey(path); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("world-readable key: %v", err)
	}
	for name, content := range map[string]string{
		"empty": "", "noise": "xx", "public": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"garbled": strings.Replace(string(text), "M", "N", 1),
	} {
		bad := filepath.Join(t.TempDir(), "bad.key")
		if err := os.WriteFile(bad, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := audit.LoadOrCreateKey(bad)
		if err == nil {
			t.Errorf("%s was accepted: %d bytes", name, len(key))
			continue
		}
		if len(content) > 10 && strings.Contains(err.Error(), strings.Split(content, "\n")[1]) {
			t.Errorf("%s: the error quotes the key: %v", name, err)
		}
	}
}
