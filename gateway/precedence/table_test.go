package precedence_test

import (
	"slices"
	"strings"
	"testing"

	"sallyport/gateway/precedence"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/rules"
)

func read(t testing.TB, text string) stanza.Stanza {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

const addrs = " from='u@a.example/r' to='v@b.example'"

// label is a label of an example policy, by classification.
func label(t testing.TB, class string) *labels.Label {
	t.Helper()
	p, problems := spif.Load("../../labels/testdata/acme/ACME-SPIF-example.xml")
	if p == nil {
		t.Fatal(problems)
	}
	for n := range uint32(256) {
		if l, err := p.Label(labels.LabelForm{Policy: p.ID(), Class: n}); err == nil && l.ClassName() == class {
			return l
		}
	}
	t.Fatalf("no classification %s", class)
	return nil
}

func TestOf(t *testing.T) {
	t.Parallel()
	secret := label(t, "CONFIDENTIAL")
	marking := secret.String()
	spec := precedence.Spec{
		Marking:        map[string]string{marking: "flash"},
		Classification: map[string]string{"CONFIDENTIAL": "immediate"},
		Kind:           map[string]string{"message": "priority", "message.groupchat": "routine", "presence.subscribe": "flash"},
	}
	byClass := spec
	byClass.Marking = nil
	usual := precedence.Spec{Overtake: true}
	chat, room := "<message type='chat'"+addrs+"><body>x</body></message>", "<message type='groupchat'"+addrs+"><body>x</body></message>"
	tests := []struct {
		name  string
		spec  precedence.Spec
		said  rules.Precedence
		label *labels.Label
		in    string
		want  rules.Precedence
		from  precedence.Source
	}{
		{"nothing configured", precedence.Spec{}, rules.NoPrecedence, nil, chat, rules.Routine, precedence.ByKind},
		{"nothing configured, labelled", precedence.Spec{}, rules.NoPrecedence, secret, chat, rules.Routine, precedence.ByKind},
		{"rule before all", spec, rules.Routine, secret, chat, rules.Routine, precedence.ByRule},
		{"marking before classification", spec, rules.NoPrecedence, secret, chat, rules.Flash, precedence.ByMarking},
		{"classification before kind", byClass, rules.NoPrecedence, secret, chat, rules.Immediate, precedence.ByClassification},
		{"kind", spec, rules.NoPrecedence, nil, chat, rules.Priority, precedence.ByKind},
		{"kind and type", spec, rules.NoPrecedence, nil, room, rules.Routine, precedence.ByKind},
		{"type of another kind", spec, rules.NoPrecedence, nil, "<presence type='subscribe'" + addrs + "/>", rules.Flash, precedence.ByKind},
		{"kind not said", spec, rules.NoPrecedence, nil, "<iq type='get' id='1'" + addrs + "><q xmlns='urn:q'/></iq>", rules.Routine, precedence.ByKind},
		{"overtaking: chat", usual, rules.NoPrecedence, nil, chat, rules.Priority, precedence.ByKind},
		{"overtaking: room", usual, rules.NoPrecedence, nil, room, rules.Routine, precedence.ByKind},
		{"overtaking: presence", usual, rules.NoPrecedence, nil, "<presence" + addrs + "/>", rules.Routine, precedence.ByKind},
		{"overtaking: request", usual, rules.NoPrecedence, nil, "<iq type='get' id='1'" + addrs + "><q xmlns='urn:q'/></iq>", rules.Priority, precedence.ByKind},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			table, problems := precedence.Compile(tc.spec)
			if table == nil {
				t.Fatal(problems)
			}
			got := table.Of(tc.said, "r1", tc.label, read(t, tc.in))
			if got.Precedence != tc.want || got.Source != tc.from || got.Name == "" {
				t.Errorf("got %v by %v (%q), want %v by %v", got.Precedence, got.Source, got.Name, tc.want, tc.from)
			}
		})
	}
	var none *precedence.Table
	if got := none.Of(rules.NoPrecedence, "", secret, read(t, chat)); got.Precedence != rules.Routine {
		t.Errorf("no table: %v", got)
	}
}

func TestCompileProblems(t *testing.T) {
	t.Parallel()
	type m = map[string]string
	tests := []struct {
		name string
		spec precedence.Spec
		want []string
		risk bool
	}{
		{"word", precedence.Spec{Marking: m{"X": "urgent"}}, []string{`marking.X: "urgent" is none of`}, false},
		{"empty word", precedence.Spec{Classification: m{"X": ""}}, []string{`classification.X: "" is none of`}, false},
		{"empty name", precedence.Spec{Classification: m{"": "flash"}}, []string{"classification: has an empty name"}, false},
		{"kind", precedence.Spec{Kind: m{"mesage": "flash"}}, []string{`kind.mesage: "mesage" is neither`}, false},
		{"type", precedence.Spec{Kind: m{"iq.chat": "flash"}}, []string{`kind.iq.chat: "chat" is no type of iq`}, false},
		{"all at once", precedence.Spec{Kind: m{"iq": "x"}, Marking: m{"": "x"}}, []string{"marking", "marking.", "kind.iq"}, false},
		{"rooms before presence", precedence.Spec{Kind: m{"message": "priority"}}, []string{"kind: groupchat is priority and presence routine"}, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			table, problems := precedence.Compile(tc.spec)
			if (table != nil) != tc.risk || len(problems) != len(tc.want) {
				t.Fatalf("table %v, problems %v", table != nil, problems)
			}
			for i, p := range problems {
				if !strings.HasPrefix(p.String(), tc.want[i]) || p.Risk != tc.risk {
					t.Errorf("got %q (risk %v), want %q", p, p.Risk, tc.want[i])
				}
			}
		})
	}
}

func TestSourcesHaveWords(t *testing.T) {
	t.Parallel()
	var words []string
	for s := precedence.ByKind; s <= precedence.ByRule+1; s++ {
		words = append(words, s.String())
	}
	if want := []string{"kind", "classification", "marking", "rule", "source(4)"}; !slices.Equal(words, want) {
		t.Errorf("got %q, want %q", words, want)
	}
}
