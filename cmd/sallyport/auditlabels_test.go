package main

import (
	"crypto/tls"
	"encoding/json"
	"strings"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// recorded is the record of a refusal: a label was translated, and its recipient is not cleared.
func recorded(t *testing.T) *audit.Entry {
	t.Helper()
	p := builtBoundary(t, boundaryText)
	e, err := xmlstream.ParseDocument([]byte(guardMessage), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatal(err)
	}
	a := peering.Arrival{Stanza: s, Link: "s2s", Peer: "in", Time: noon, Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13}}
	p.FillClearances(&a)
	v := p.Judge(&a)
	if v.Refusal.Reason != peering.Clearance {
		t.Fatalf("%+v", v.Refusal)
	}
	facts, err := peering.AppendFacts(nil, &a.Facts)
	if err != nil {
		t.Fatal(err)
	}
	rec := &audit.Entry{Seq: 7}
	rec.Kind, rec.Outcome, rec.Reason, rec.LabelIn = audit.Decision, "refused", "clearance", v.Facts.MarkingIn
	rec.Facts = peering.AppendLabelFacts(facts, &v)
	return rec
}

func TestAuditShowsLabelFacts(t *testing.T) {
	t.Parallel()
	e := recorded(t)
	text := string(appendLabelsText(nil, e))
	for _, want := range []string{
		"  label from  its own label\n", "  syntax      ess\n", "  sha256      ", "  in numbers  2.999.258.1 class 2, 2.999.258.1.3 enumerated permissive 826\n",
		"  sender      user juliet@in.example, with a clearance under 2.999.258.1\n", "  recipient   domain out.example, without a clearance\n",
		"  translated  for the peer it goes to: ok\n", "  checked     label-in, peer in, clearance under 2.999.258.1: granted\n",
		"  checked     label-out, recipient domain out.example, clearance none: denied\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nlacks %q", text, want)
		}
	}
	if strings.Contains(text, "sent as") {
		t.Errorf("%s\nsays how something was sent that was not", text)
	}
	e.Outcome = "released" // which Sent is there for
	if text := string(appendLabelsText(nil, e)); !strings.Contains(text, "  sent as     2.999.258.1 class 2") {
		t.Errorf("%s\ndoes not say how it was sent", text)
	}
	for line := range strings.Lines(text) {
		if n := len(strings.TrimSuffix(line, "\n")); strings.HasPrefix(line, " ") && n > screen {
			t.Errorf("%d characters in %q", n, line)
		}
	}
	var got struct {
		Seq   int            `json:"seq"`
		Facts labelFactsJSON `json:"label_facts"`
		Hash  string         `json:"hash"`
	}
	if err := json.Unmarshal(appendLabelsJSON(nil, e), &got); err != nil {
		t.Fatal(err)
	}
	if f := got.Facts; got.Seq != 7 || got.Hash == "" || f.ExplainedLabel == nil || len(f.Checks) != 4 || len(f.Translations[0].Steps) == 0 || f.Recipient == nil || f.Recipient.Policies == nil {
		t.Errorf("%+v", got)
	}
}

// What has no label facts is printed as without the flag, and what cannot be read says so.
func TestAuditShowsOtherRecords(t *testing.T) {
	t.Parallel()
	plain, err := peering.AppendFacts(nil, &peering.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		kind  audit.Kind
		facts []byte
		want  string
	}{
		{"no facts", audit.Decision, nil, ""},
		{"no label", audit.Decision, plain, ""},
		{"not a decision", audit.Reload, []byte("x"), ""},
		{"cut short", audit.Decision, plain[:3], "cannot be read"},
		{"hostile", audit.Decision, []byte("\x1b[2J"), "cannot be read"},
	} {
		e := &audit.Entry{Seq: 1}
		e.Kind, e.Facts = c.kind, c.facts
		text, line := string(appendLabelsText(nil, e)), string(appendLabelsJSON(nil, e))
		if extra := strings.TrimPrefix(text, string(audit.AppendTableRow(nil, e))); !strings.Contains(extra, c.want) || (c.want == "") != (extra == "") {
			t.Errorf("%s: %q, want %q", c.name, extra, c.want)
		}
		if !json.Valid([]byte(line)) || strings.Contains(line, `"label_facts":{"error"`) != (c.want != "") || strings.ContainsRune(text+line, 0x1b) {
			t.Errorf("%s: %s", c.name, line)
		}
	}
}
