package spdu_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/spdu"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Vectors of A.3.1: the first two were sent by another implementation, the rest follow the tables.
func TestVectorsA31(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hex  string
		want spdu.PDU
	}{
		{"05 99 45 92DC", spdu.Data{Priority: 5, Source: 9, SAP: 9, TTD: spdu.TTD{Valid: true, Day: 5, Half: 0x92DC}}},
		{"04 66 CD 5878", spdu.Data{Priority: 4, Source: 6, SAP: 6, Confirm: true, TTD: spdu.TTD{Valid: true, Day: 13, Half: 0x5878}}},
		{"04 66 00 6869", spdu.Data{Priority: 4, Source: 6, SAP: 6, UPDU: []byte("hi")}},
		{"10 69 6869", spdu.Confirm{Source: 6, SAP: 9, Prefix: []byte("hi")}},
		{"21 69 68", spdu.Fail{Reason: spdu.NotBound, Source: 6, SAP: 9, Prefix: []byte("h")}},
		{"39 69", spdu.LinkRequest{Link: s5066.LinkFull, Priority: 1, Source: 6, Remote: 9}},
		{"40", spdu.LinkConfirm{}},
		{"54", spdu.LinkReject{Reason: s5066.LinkNoSAP}},
		{"62", spdu.LinkEnd{Reason: spdu.EndPreempted}},
		{"70", spdu.LinkEndConfirm{}},
	} {
		raw := unhex(t, c.hex)
		got, err := spdu.Parse(raw)
		if err != nil || got.Type() != c.want.Type() || !bytes.Equal(encode(t, got), raw) || !bytes.Equal(encode(t, c.want), raw) {
			t.Errorf("%s: %+v (%v), want %+v", c.hex, got, err, c.want)
		}
	}
}

func encode(t testing.TB, p spdu.PDU) []byte {
	t.Helper()
	b, err := spdu.Append(nil, p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// N17: what is no S_PDU.
func TestN17Refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hex  string
		want error
	}{
		"nothing":                    {"", spdu.ErrShort},
		"type 8":                     {"80 00 00", spdu.ErrUnknown},
		"type 15":                    {"F0", spdu.ErrUnknown},
		"DATA without flags":         {"04 66", spdu.ErrShort},
		"DATA without its time":      {"04 66 45 92", spdu.ErrShort},
		"second 86400 of a day":      {"04 66 45 A8C0", spdu.ErrValue},
		"CONFIRM without SAPs":       {"10", spdu.ErrShort},
		"hard link of type 3":        {"3C 69", spdu.ErrValue},
		"link request without SAPs":  {"30", spdu.ErrShort},
		"longer than anything is":    {strings.Repeat("00", 1<<16+1), spdu.ErrShort},
		"DELIVERY FAIL without SAPs": {"21", spdu.ErrShort},
	} {
		if p, err := spdu.Parse(unhex(t, c.hex)); !errors.Is(err, c.want) {
			t.Errorf("%s: %+v, %v, want %v", name, p, err, c.want)
		}
	}
	for name, p := range map[string]spdu.PDU{
		"priority 16": spdu.Data{Priority: 16}, "SAP 16": spdu.Confirm{SAP: 16}, "day 16": spdu.Data{TTD: spdu.TTD{Valid: true, Day: 16}},
		"link type 3": spdu.LinkRequest{Link: 3}, "reason 16": spdu.LinkReject{Reason: 16}, "nil": nil,
	} {
		if p == nil {
			continue
		}
		if _, err := spdu.Append(nil, p); !errors.Is(err, spdu.ErrValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTimeToDie(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if got := (spdu.TTD{Valid: true, Day: 5, Half: 0x92DC}); true {
		when, ok := got.Time(at("2026-01-05T01:00:00Z"))
		if !ok || !when.Equal(at("2026-01-05T20:53:12Z")) {
			t.Errorf("vector: %v %t", when, ok)
		}
	}
	for name, c := range map[string]struct {
		sent, dies, heard string
		dead              bool
	}{
		"same day":                     {"2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z", "2026-03-01T12:59:59Z", false},
		"past":                         {"2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z", "2026-03-01T13:00:10Z", true},
		"over midnight":                {"2026-03-01T23:00:00Z", "2026-03-02T01:00:00Z", "2026-03-02T00:30:00Z", false},
		"over the new year":            {"2025-12-31T23:00:00Z", "2026-01-01T01:00:00Z", "2025-12-31T23:59:00Z", false},
		"over the new year, past":      {"2025-12-31T23:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T01:00:10Z", true},
		"died last year":               {"2025-12-30T23:00:00Z", "2025-12-31T01:00:00Z", "2026-01-01T00:00:10Z", true},
		"over a leap year's last day":  {"2028-12-31T23:00:00Z", "2029-01-02T01:00:00Z", "2029-01-01T12:00:00Z", false},
		"six days":                     {"2026-05-01T00:00:00Z", "2026-05-07T00:00:00Z", "2026-05-06T23:00:00Z", false},
		"heard days after":             {"2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z", "2026-05-08T00:00:00Z", true},
		"eight days are not told":      {"2026-05-01T00:00:00Z", "2026-05-09T00:00:00Z", "2026-05-20T00:00:00Z", false},
		"already dead is not told":     {"2026-05-01T00:00:00Z", "2026-04-30T00:00:00Z", "2026-05-01T00:00:00Z", false},
		"elsewhere on earth, same day": {"2026-05-01T01:00:00+14:00", "2026-05-01T03:00:00+14:00", "2026-04-30T12:30:00Z", false},
	} {
		ttd := spdu.DieAt(at(c.sent), at(c.dies))
		if got := ttd.Dead(at(c.heard), 0); got != c.dead {
			when, ok := ttd.Time(at(c.heard))
			t.Errorf("%s: dead %t, want %t: %+v is %v (%t)", name, got, c.dead, ttd, when, ok)
		}
	}
}

func FuzzSPDU(f *testing.F) {
	for _, s := range []string{"059945 92DC", "0466CD5878", "10696869", "216968", "3969", "40", "54", "62", "70"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := spdu.Parse(b)
		if err != nil {
			return
		}
		again, err := spdu.Parse(encode(t, p))
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("% x: %+v became %+v (%v)", b, p, again, err)
		}
	})
}
