package rules_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"sallyport/internal/xmpp/stanza"
	"sallyport/labels"
	"sallyport/rules"
)

func compileRules(t testing.TB, specs ...rules.RuleSpec) *rules.Set {
	t.Helper()
	s, problems := rules.CompileRules(specs)
	if s == nil {
		t.Fatal(problems)
	}
	return s
}

func input(t testing.TB, text string) *rules.Input {
	t.Helper()
	return &rules.Input{Stanza: read(t, text), FromSide: "inside", ToSide: "outside", FromPeer: "pa", ToPeer: "pb"}
}

func refuse(id string, when rules.MatchSpec) rules.RuleSpec {
	return rules.RuleSpec{ID: id, When: when, Action: "refuse"}
}

func TestMatch(t *testing.T) {
	chat := message("<body>x</body><q xmlns='urn:q:1'/>")
	type spec = rules.MatchSpec
	tests := []struct {
		name string
		when spec
		in   string
		want bool
	}{
		{"everything", spec{}, chat, true},
		{"side", spec{FromSide: []string{"inside"}, ToSide: []string{"outside"}}, chat, true},
		{"other side", spec{FromSide: []string{"outside"}}, chat, false},
		{"peers", spec{FromPeer: []string{"x", "pa"}, ToPeer: []string{"pb"}}, chat, true},
		{"other peer", spec{ToPeer: []string{"pa"}}, chat, false},
		{"kind", spec{Kinds: []string{"message"}}, chat, true},
		{"other kind", spec{Kinds: []string{"presence", "iq"}}, chat, false},
		{"type", spec{Types: []string{"chat", "groupchat"}}, chat, true},
		{"other type", spec{Types: []string{"normal"}}, chat, false},
		{"type of several kinds", spec{Types: []string{"error"}}, "<iq type='error' id='1'" + addrs + "><error/></iq>", true},
		{"kind and type", spec{Kinds: []string{"message"}, Types: []string{"error"}}, "<iq type='error' id='1'" + addrs + "><error/></iq>", false},
		{"domain", spec{From: []string{"a.example"}, To: []string{"b.example"}}, chat, true},
		{"domain in another form", spec{From: []string{"A.Example."}}, chat, true},
		{"other domain", spec{From: []string{"b.example"}}, chat, false},
		{"domains below", spec{From: []string{"*.example"}}, chat, true},
		{"not itself below itself", spec{From: []string{"*.a.example"}}, chat, false},
		{"not by letters", spec{From: []string{"*.ple"}}, chat, false},
		{"bare address", spec{From: []string{"a@a.example"}, To: []string{"b@b.example"}}, chat, true},
		{"other address", spec{From: []string{"b@a.example"}}, chat, false},
		{"element of the stanza", spec{Elements: []string{"body"}}, chat, true},
		{"foreign element", spec{Elements: []string{"{urn:q:1}q"}}, chat, true},
		{"namespace", spec{Elements: []string{"{urn:q:1}*"}}, chat, true},
		{"other local name", spec{Elements: []string{"{urn:q:1}r"}}, chat, false},
		{"other namespace", spec{Elements: []string{"{urn:q}*", "subject"}}, chat, false},
		{"foreign body is none", spec{Elements: []string{"body"}}, message("<body xmlns='u'>x</body>"), false},
		{"no label", spec{Labels: []string{"SECRET"}}, chat, false},
		{"two keys, one fails", spec{Kinds: []string{"message"}, From: []string{"c.example"}}, chat, false},
	}
	for _, tt := range tests {
		out := compileRules(t, refuse("r", tt.when)).Apply(input(t, tt.in))
		if (out.Action == rules.Refuse) != tt.want {
			t.Errorf("%s: %v", tt.name, out.Action)
		}
		if tt.want != (out.NFired == 1) || tt.want != (out.Rule == "r") {
			t.Errorf("%s: fired %d, rule %q", tt.name, out.NFired, out.Rule)
		}
	}
}

// TestMatchLabel: a classification matches by its name in the policy, and only where there is a label.
func TestMatchLabel(t *testing.T) {
	policy, problems := labels.Compile(labels.PolicySpec{Name: "P", ID: "1.2.3", Classes: []labels.ClassSpec{
		{Name: "OPEN", LACV: 1, Hierarchy: 1}, {Name: "CLOSED", LACV: 2, Hierarchy: 2},
	}})
	if policy == nil {
		t.Fatal(problems)
	}
	set := compileRules(t, refuse("r", rules.MatchSpec{Labels: []string{"CLOSED", "BURIED"}}))
	for class, want := range map[uint32]rules.Action{1: rules.Allow, 2: rules.Refuse} {
		l, err := policy.Label(labels.LabelForm{Policy: "1.2.3", Class: class})
		if err != nil {
			t.Fatal(err)
		}
		in := input(t, message("<body>x</body>"))
		in.Label = l
		if out := set.Apply(in); out.Action != want {
			t.Errorf("%s: %v, want %v", l.ClassName(), out.Action, want)
		}
	}
}

func TestZeroRulesRefuse(t *testing.T) {
	var none *rules.Set
	if out := none.Apply(input(t, message("<body>x</body>"))); out.Action != rules.Refuse || out.Condition == stanza.NoCondition {
		t.Errorf("the nil set says %v %v", out.Action, out.Condition)
	}
	if out := compileRules(t).Apply(&rules.Input{}); out.Action != rules.Refuse {
		t.Errorf("the zero stanza is %v", out.Action)
	}
	if (rules.Outcome{}).Action != rules.Refuse {
		t.Error("the zero outcome allows")
	}
	if out := compileRules(t).Apply(input(t, message("<body>x</body>"))); out.Action != rules.Allow || out.Rule != "" {
		t.Errorf("no rules: %v", out)
	}
}

func TestOrder(t *testing.T) {
	set := compileRules(t,
		rules.RuleSpec{ID: "good", When: rules.MatchSpec{From: []string{"a@a.example"}}, Action: "allow"},
		rules.RuleSpec{
			ID: "bad", When: rules.MatchSpec{From: []string{"a.example"}, Kinds: []string{"message"}}, Action: "refuse",
			Condition: "not-acceptable", Reply: "silent",
		},
		rules.RuleSpec{ID: "later", Action: "hold"},
	)
	if out := set.Apply(input(t, message("<body>x</body>"))); out.Action != rules.Allow || out.Rule != "good" || out.Changed {
		t.Errorf("allow first: %v by %q", out.Action, out.Rule)
	}
	other := strings.Replace(message("<body>x</body>"), "a@a.example", "c@a.example", 1)
	out := set.Apply(input(t, other))
	if out.Action != rules.Refuse || out.Rule != "bad" || out.Condition != stanza.NotAcceptable || out.Reply != rules.ReplySilent {
		t.Errorf("then refuse: %v by %q, %v %v", out.Action, out.Rule, out.Condition, out.Reply)
	}
	if !out.Stanza.IsZero() || set.ID(int(out.Fired[0])) != "bad" || out.NFired != 1 {
		t.Errorf("refused, but %v with %d fired", out.Stanza, out.NFired)
	}
	for _, part := range []string{"from a.example", "kind message", `"bad"`} {
		if !strings.Contains(out.Allowing, part) {
			t.Errorf("what would have allowed it: %q does not say %q", out.Allowing, part)
		}
	}
	if out := set.Apply(input(t, strings.Replace(presence(""), "a@a.example", "c@a.example", 1))); out.Action != rules.Hold || out.Rule != "later" {
		t.Errorf("then hold: %v by %q", out.Action, out.Rule)
	}
}

func TestChanges(t *testing.T) {
	muc := "<x xmlns='http://jabber.org/protocol/muc'/>"
	tests := []struct {
		name     string
		rule     rules.RuleSpec
		in, want string // an empty want is a refusal, the same as in means unchanged
	}{
		{"strip", rules.RuleSpec{Action: "strip", Elements: []string{"subject", "{u}*"}}, message("<subject>s</subject><body>x</body><y xmlns='u'/>"), message("<body>x</body>")},
		{"strip nothing", rules.RuleSpec{Action: "strip", Elements: []string{"{u}*"}}, message("<body>x</body>"), message("<body>x</body>")},
		{"strip all", rules.RuleSpec{Action: "strip", Elements: []string{"body"}}, message("<body>x</body>" + label), ""},
		{"strip a payload", rules.RuleSpec{Action: "strip", Elements: []string{"{u}*"}}, iq("get", "<q xmlns='u'/>"), ""},
		{"fold to online", rules.RuleSpec{Action: "fold"}, presence("<show>away</show><status>s</status><priority>5</priority>" + muc), presence("")},
		{
			"fold keeps",
			rules.RuleSpec{Action: "fold", Fold: rules.FoldSpec{Show: []string{"online", "away"}, Keep: []string{"{http://jabber.org/protocol/muc}x"}}},
			presence("<status>s</status><show>away</show>" + muc), presence("<show>away</show>" + muc),
		},
		{"fold to another", rules.RuleSpec{Action: "fold", Fold: rules.FoldSpec{Show: []string{"online", "dnd"}, Other: "dnd"}}, presence("<show>xa</show>"), presence("<show>dnd</show>")},
		{"fold what is no word", rules.RuleSpec{Action: "fold", Fold: rules.FoldSpec{Show: []string{"away"}, Other: "away"}}, presence("<show>secret</show>"), presence("<show>away</show>")},
		{"fold unavailable", rules.RuleSpec{Action: "fold"}, "<presence type='unavailable'" + addrs + "><status>s</status></presence>", "<presence type='unavailable'" + addrs + "/>"},
		{"fold what is folded", rules.RuleSpec{Action: "fold"}, presence(""), presence("")},
		{"fold a message", rules.RuleSpec{Action: "fold"}, message("<body>x</body>"), message("<body>x</body>")},
		{"typing beside text", rules.RuleSpec{Action: "drop-chat-states"}, message("<body>x</body><active xmlns='http://jabber.org/protocol/chatstates'/>"), message("<body>x</body>")},
		{"typing alone", rules.RuleSpec{Action: "drop-chat-states"}, message("<composing xmlns='http://jabber.org/protocol/chatstates'/><no-store xmlns='urn:xmpp:hints'/><thread>t</thread>" + label), ""},
		{"no typing", rules.RuleSpec{Action: "drop-chat-states"}, message("<no-store xmlns='urn:xmpp:hints'/>"), message("<no-store xmlns='urn:xmpp:hints'/>")},
		{"subject set", rules.RuleSpec{Action: "rewrite", Rewrite: rules.RewriteSpec{Subject: "n"}}, message("<subject xml:lang='de'>s</subject><body>x</body>"), message("<subject>n</subject><body>x</body>")},
		{"subject and thread removed", rules.RuleSpec{Action: "rewrite", Rewrite: rules.RewriteSpec{Remove: []string{"subject", "thread"}}}, message("<subject>s</subject><body>x</body><thread>t</thread>"), message("<body>x</body>")},
		{"resource removed", rules.RuleSpec{Action: "rewrite", Rewrite: rules.RewriteSpec{Remove: []string{"from-resource"}}}, message("<body>x</body>"), strings.Replace(message("<body>x</body>"), "/r'", "'", 1)},
		{"resource set", rules.RuleSpec{Action: "rewrite", Rewrite: rules.RewriteSpec{FromResource: "gw"}}, message("<body>x</body>"), strings.Replace(message("<body>x</body>"), "/r'", "/gw'", 1)},
		{"marked", rules.RuleSpec{Action: "mark", Mark: "[{marking}]"}, message("<body>x</body>"), message("<body>[UNCLASSIFIED]\nx</body>")},
		{"marked, no body", rules.RuleSpec{Action: "mark", Mark: "[{marking}]"}, message("<subject>x</subject>"), message("<subject>x</subject>")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.ID = "r"
			in := input(t, tt.in)
			in.Marking = "UNCLASSIFIED"
			out := compileRules(t, tt.rule).Apply(in)
			if tt.want == "" {
				if out.Action != rules.Refuse || !out.Stanza.IsZero() || out.Allowing == "" {
					t.Fatalf("%v: %v", out.Action, out.Stanza)
				}
				return
			}
			if out.Action != rules.Allow {
				t.Fatalf("refused by %q", out.Rule)
			}
			if got, want := write(t, out.Stanza), write(t, read(t, tt.want)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if out.Changed != (tt.in != tt.want) {
				t.Errorf("changed: %v", out.Changed)
			}
		})
	}
}

func TestMarkNeedsALabel(t *testing.T) {
	set := compileRules(t, rules.RuleSpec{ID: "flot", Action: "mark", Mark: "{marking}"})
	if out := set.Apply(input(t, message("<body>x</body>"))); out.Action != rules.Refuse || !strings.Contains(out.Allowing, "label") {
		t.Errorf("%v, allowed by %q", out.Action, out.Allowing)
	}
}

// TestLaterRulesSeeChanges: what one rule removed, the next does not match.
func TestLaterRulesSeeChanges(t *testing.T) {
	set := compileRules(t,
		rules.RuleSpec{ID: "cut", Action: "strip", Elements: []string{"{u}y"}},
		rules.RuleSpec{ID: "anonymous", Action: "rewrite", Rewrite: rules.RewriteSpec{Remove: []string{"from-resource"}}, Downgrade: true},
		refuse("no y", rules.MatchSpec{Elements: []string{"{u}*"}}),
	)
	out := set.Apply(input(t, message("<body>x</body><y xmlns='u'/>")))
	if out.Action != rules.Allow || !out.Changed || out.NFired != 2 || !out.Downgrade {
		t.Errorf("%v, changed %v, fired %d, downgrade %v", out.Action, out.Changed, out.NFired, out.Downgrade)
	}
	if got := write(t, out.Stanza); strings.Contains(got, "<y") || strings.Contains(got, "/r'") {
		t.Errorf("got %s", got)
	}
}

func TestRate(t *testing.T) {
	set := compileRules(t,
		rules.RuleSpec{ID: "typing", When: rules.MatchSpec{Kinds: []string{"message"}}, Action: "rate", Rate: rules.RateSpec{PerMinute: 6}, Reply: "silent"},
		rules.RuleSpec{ID: "all", Action: "rate", Condition: "resource-constraint", Rate: rules.RateSpec{PerMinute: 100, Burst: 10, Per: "sender"}},
	)
	want := []rules.Bucket{{Rule: "typing", PerMinute: 6, Burst: 6}, {Rule: "all", PerMinute: 100, Burst: 10, PerSender: true}}
	if got := set.Buckets(); !slices.Equal(got, want) {
		t.Errorf("buckets %v, want %v", got, want)
	}
	tests := []struct {
		name   string
		in     string
		levels []uint32
		rule   string
		take   []uint16
	}{
		{"both full", message("<body/>"), []uint32{1, 1}, "", []uint16{0, 1}},
		{"first empty", message("<body/>"), []uint32{0, 1}, "typing", nil},
		{"second empty", message("<body/>"), []uint32{1, 0}, "all", nil},
		{"no levels", message("<body/>"), nil, "typing", nil},
		{"first does not match", presence(""), []uint32{0, 1}, "", []uint16{1}},
	}
	for _, tt := range tests {
		in := input(t, tt.in)
		in.Levels = tt.levels
		out := set.Apply(in)
		if out.Rule != tt.rule || (out.Action == rules.Refuse) != (tt.rule != "") || !slices.Equal(out.Take[:out.NTake], tt.take) {
			t.Errorf("%s: %v by %q, take %v", tt.name, out.Action, out.Rule, out.Take[:out.NTake])
		}
	}
}

func TestRuleProblems(t *testing.T) {
	type spec = rules.RuleSpec
	tests := []struct {
		name string
		spec spec
		key  string
	}{
		{"no id", spec{Action: "allow"}, "id"},
		{"no action", spec{ID: "r"}, "action"},
		{"bad action", spec{ID: "r", Action: "ponder"}, "action"},
		{"bad condition", spec{ID: "r", Action: "refuse", Condition: "oops"}, "condition"},
		{"bad reply", spec{ID: "r", Action: "refuse", Reply: "maybe"}, "reply"},
		{"bad kind", spec{ID: "r", Action: "allow", When: rules.MatchSpec{Kinds: []string{"mail"}}}, "when.kinds"},
		{"empty list", spec{ID: "r", Action: "allow", When: rules.MatchSpec{Kinds: []string{}}}, "when.kinds"},
		{"empty list of peers", spec{ID: "r", Action: "allow", When: rules.MatchSpec{FromPeer: []string{}}}, "when.from-peer"},
		{"empty name", spec{ID: "r", Action: "allow", When: rules.MatchSpec{ToSide: []string{""}}}, "when.to-side"},
		{"bad type", spec{ID: "r", Action: "allow", When: rules.MatchSpec{Types: []string{"shout"}}}, "when.types"},
		{"types of another kind", spec{ID: "r", Action: "allow", When: rules.MatchSpec{Kinds: []string{"iq"}, Types: []string{"chat"}}}, "when.types"},
		{"bad address", spec{ID: "r", Action: "allow", When: rules.MatchSpec{From: []string{"a@@b"}}}, "when.from"},
		{"full address", spec{ID: "r", Action: "allow", When: rules.MatchSpec{To: []string{"a@b/c"}}}, "when.to"},
		{"star alone", spec{ID: "r", Action: "allow", When: rules.MatchSpec{To: []string{"*"}}}, "when.to"},
		{"bad element", spec{ID: "r", Action: "allow", When: rules.MatchSpec{Elements: []string{"urn:x"}}}, "when.elements"},
		{"star element", spec{ID: "r", Action: "allow", When: rules.MatchSpec{Elements: []string{"*"}}}, "when.elements"},
		{"strip nothing", spec{ID: "r", Action: "strip"}, "elements"},
		{"bad show", spec{ID: "r", Action: "fold", Fold: rules.FoldSpec{Show: []string{"busy"}}}, "fold.show"},
		{"other not shown", spec{ID: "r", Action: "fold", Fold: rules.FoldSpec{Show: []string{"away"}, Other: "xa"}}, "fold.other"},
		{"rewrite nothing", spec{ID: "r", Action: "rewrite"}, "rewrite"},
		{"rewrite a part that is none", spec{ID: "r", Action: "rewrite", Rewrite: rules.RewriteSpec{Remove: []string{"body"}}}, "rewrite.remove"},
		{"bad resource", spec{ID: "r", Action: "rewrite", Rewrite: rules.RewriteSpec{FromResource: "a\x00"}}, "rewrite.from-resource"},
		{"mark of two lines", spec{ID: "r", Action: "mark", Mark: "a\nb"}, "mark"},
		{"no rate", spec{ID: "r", Action: "rate"}, "rate.per-minute"},
		{"bad scope", spec{ID: "r", Action: "rate", Rate: rules.RateSpec{PerMinute: 1, Per: "world"}}, "rate.per"},
		{"condition of another action", spec{ID: "r", Action: "allow", Condition: "forbidden"}, "condition"},
		{"mark of another action", spec{ID: "r", Action: "allow", Mark: "x"}, "mark"},
		{"downgrade and refuse", spec{ID: "r", Action: "refuse", Downgrade: true}, "downgrade"},
	}
	for _, tt := range tests {
		set, problems := rules.CompileRules([]rules.RuleSpec{tt.spec})
		if set != nil || !slices.ContainsFunc(problems, func(p rules.Problem) bool { return p.Key == tt.key }) {
			t.Errorf("%s: %v, want a problem with %s", tt.name, problems, tt.key)
		}
	}
	if set, _ := rules.CompileRules([]rules.RuleSpec{{ID: "r", Action: "allow"}, {ID: "r", Action: "allow"}}); set != nil {
		t.Error("two rules of one id")
	}
}

func TestRulesInTOML(t *testing.T) {
	const text = `
[[rule]]
id = "no-typing"
action = "drop-chat-states"
[rule.when]
to-side = ["radio"]

[[rule]]
id = "away-only"
action = "fold"
when = { kinds = ["presence"], to = ["*.ships.example"] }
fold = { show = ["online", "away"], other = "away", keep = ["{http://jabber.org/protocol/muc}*"] }

[[rule]]
id = "one-a-second"
action = "rate"
reply = "silent"
rate = { per-minute = 60, burst = 5, per = "sender" }
`
	var file struct {
		Rules []rules.RuleSpec `toml:"rule"`
	}
	meta, err := toml.Decode(text, &file)
	if err != nil || len(meta.Undecoded()) > 0 {
		t.Fatalf("%v, undecoded %v", err, meta.Undecoded())
	}
	set := compileRules(t, file.Rules...)
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(file); err != nil || set.Len() != 3 {
		t.Errorf("%v, %d rules", err, set.Len())
	}
}

// fifty rules, none of which is about a chat message from a to b; each fails at another test.
func fifty() []rules.RuleSpec {
	var specs []rules.RuleSpec
	for i := range 10 {
		n := fmt.Sprint(i)
		for j, when := range []rules.MatchSpec{
			{Kinds: []string{"presence"}},
			{Types: []string{"groupchat"}},
			{FromPeer: []string{"peer" + n}},
			{From: []string{"*.domain" + n + ".example"}},
			{Kinds: []string{"message"}, FromSide: []string{"inside"}, Elements: []string{"{urn:example:" + n + "}*"}},
		} {
			specs = append(specs, refuse(fmt.Sprintf("r%d-%d", i, j), when))
		}
	}
	return specs
}

func TestApplyAllocations(t *testing.T) {
	s := read(t, plain())
	for name, specs := range map[string][]rules.RuleSpec{
		"nothing matches": fifty(),
		"allowed":         append(fifty(), rules.RuleSpec{ID: "yes", Action: "allow"}),
		"nothing changes": append(fifty(), rules.RuleSpec{ID: "strip", Action: "rewrite", Rewrite: rules.RewriteSpec{Remove: []string{"subject"}}}),
	} {
		set := compileRules(t, specs...)
		if n := testing.AllocsPerRun(100, func() {
			in := rules.Input{Stanza: s, FromSide: "inside", ToSide: "outside", FromPeer: "pa", ToPeer: "pb"}
			if set.Apply(&in).Action != rules.Allow {
				t.Fatal("refused")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, budget 0", name, n)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	set, in := compileRules(b, fifty()...), input(b, plain())
	b.ReportAllocs()
	for b.Loop() {
		if set.Apply(in).Action != rules.Allow {
			b.Fatal("refused")
		}
	}
}
