package main

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/links/cost"
)

func recorded(t *testing.T, seed uint64) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := record(&out, 3, 2, 4, seed); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestRecording: what comes out is a recording of one day, in order, with what was asked for.
func TestRecording(t *testing.T) {
	const people, chats, room = 3, 2, 4
	r := cost.NewReader(bytes.NewReader(recorded(t, 1)))
	count := map[string]int{}
	var last time.Time
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Time.Before(last) || e.Time.Before(begin) || !e.Time.Before(begin.Add(24*time.Hour)) {
			t.Fatalf("%v after %v", e.Time, last)
		}
		last = e.Time
		count[e.Direction.String()+" "+e.Stanza.Kind().String()]++
		if e.Stanza.Type() == stanza.MessageGroupchat {
			count["room"]++
		}
		if ship := e.Stanza.From().Domain() == "ship.example"; ship != (e.Direction == cost.In) {
			t.Errorf("%v from %v", e.Direction, e.Stanza.From())
		}
	}
	// Each chat is typing, a text and the other side's receipt; the room has a copy for each of the other side.
	wantOut, wantIn := people*chats*3+room*people, people*chats*3
	if count["out message"] != wantOut || count["in message"] != wantIn || count["room"] != room*people {
		t.Errorf("%v", count)
	}
	for _, way := range []string{"out", "in"} {
		if n := count[way+" presence"]; n < people*3*2 {
			t.Errorf("%d presences %s: each comes and goes before three", n, way)
		}
	}
}

func TestSameSeedSameDay(t *testing.T) {
	if !bytes.Equal(recorded(t, 7), recorded(t, 7)) {
		t.Error("the same seed makes another day")
	}
	if bytes.Equal(recorded(t, 7), recorded(t, 8)) {
		t.Error("another seed makes the same day")
	}
}

// TestBadStanzaIsReported: nothing is written of a day that has one.
func TestBadStanzaIsReported(t *testing.T) {
	d := newDay(1, 1)
	d.add(begin, cost.Out, "<message from='a@b' to='c@%s'>", "d")
	var out bytes.Buffer
	if err := d.write(&out); err == nil || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}
