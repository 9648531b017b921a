package jid_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
)

func TestParseParts(t *testing.T) {
	long := strings.Repeat("a", jid.MaxPart)
	longDomain := strings.Repeat(strings.Repeat("d", 63)+".", 15) + strings.Repeat("d", 63)
	tests := []struct {
		name, in, local, domain, resource string
	}{
		{"domain", "b.example", "", "b.example", ""},
		{"one label", "localhost", "", "localhost", ""},
		{"bare", "a@b.example", "a", "b.example", ""},
		{"full", "a@b.example/r", "a", "b.example", "r"},
		{"domain with resource", "b.example/r", "", "b.example", "r"},
		{"at sign in resource", "b.example/a@c", "", "b.example", "a@c"},
		{"H03 resource is a slash", "a@b//", "a", "b", "/"},
		{"slashes in resource", "a@b/c/d", "a", "b", "c/d"},
		{"spaces in resource", "a@b/ c d ", "a", "b", " c d "},
		{"digits", "1@2b.3c/4", "1", "2b.3c", "4"},
		{"punctuation", "!#$%()*+,-.;=?[\\]^_`{|}~@b", "!#$%()*+,-.;=?[\\]^_`{|}~", "b", ""},
		{"limits", long + "@" + longDomain + "/" + long, long, longDomain, long},
		{"resource keeps case", "a@b/RÉSUMÉ", "a", "b", "RÉSUMÉ"},
		{"resource composed", "a@b/e\u0301", "a", "b", "\u00e9"},
		{"resource space mapped", "a@b/x\u00a0y", "a", "b", "x y"},
		{"symbols in resource", "a@b/♥", "a", "b", "♥"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, err := jid.Parse(tt.in)
			if err != nil {
				t.Fatalf("Parse(%q): %v", tt.in, err)
			}
			if j.Local() != tt.local || j.Domain() != tt.domain || j.Resource() != tt.resource {
				t.Errorf("Parse(%q) = %q, %q, %q", tt.in, j.Local(), j.Domain(), j.Resource())
			}
			again, err := jid.New(tt.local, tt.domain, tt.resource)
			if err != nil || again != j {
				t.Errorf("New of the parts = %v, %v, want %v", again, err, j)
			}
		})
	}
}

// TestH03 has the addresses of bad-inputs H03 and their neighbours: none of them is an address.
func TestH03(t *testing.T) {
	for _, in := range []string{
		"", "@", "/", "a@@b", "@b", "a@", "a@b/", "@b/r", "/r", "a@/r",
		"a b@c", "a@b/\x00", "a@b/\x1f", "a@b/\x7f", "a\x00@b", "a@b\x00",
		"a@b.exa mple", "a@b c", "a@b@c", `a"@b`, "a&@b", "a'@b", "a:@b", "a<@b", "a>@b",
		"a@b/\xff", "\xc0\xbc@b", "a@\xe2\x82",
		"a@b/\u202e", "a\u200b@b", "a@b/\U000e0041", "a\u2065@b", "a@b/\ufffe",
		strings.Repeat("a", jid.MaxPart+1) + "@b", "a@b/" + strings.Repeat("r", jid.MaxPart+1),
		strings.Repeat("d.", 512) + "d", "a@b/" + strings.Repeat("r", 3072-4),
		"\uff20@b", "a\uff20b@c", "a\uff0f@c", // full-width at sign and slash, forbidden after the mapping too
		"♥@b", "a@b/" + "\u0378",
	} {
		if j, err := jid.Parse(in); err == nil {
			t.Errorf("H03: Parse(%q) = %v, want it refused", in, j)
		} else if !errors.Is(err, jid.ErrMalformed) {
			t.Errorf("H03: Parse(%q): %v does not wrap ErrMalformed", in, err)
		} else if !j.IsZero() {
			t.Errorf("H03: Parse(%q) refused but returned %v", in, j)
		}
	}
}

// TestH04 pins the one canonical form of each address in bad-inputs H04.
func TestH04(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"upper case", "A@B.Example/r", "a@b.example/r"},
		{"upper case resource stays", "a@b.example/R", "a@b.example/R"},
		{"full-width localpart", "\uff41\uff4c\uff49\uff43\uff45@b.example", "alice@b.example"},
		{"sharp s stays", "stra\u00dfe@b.example", "stra\u00dfe@b.example"},
		{"ss stays", "strasse@b.example", "strasse@b.example"},
		{"final sigma stays", "\u03c3\u03bf\u03c6\u03cc\u03c2@b.example", "\u03c3\u03bf\u03c6\u03cc\u03c2@b.example"},
		{"sigma stays", "\u03c3\u03bf\u03c6\u03cc\u03c3@b.example", "\u03c3\u03bf\u03c6\u03cc\u03c3@b.example"},
		{"dotless i stays", "\u0131@b.example", "\u0131@b.example"},
		{"capital I has a dot when small", "I@b.example", "i@b.example"},
		{"decomposed", "e\u0301@b.example", "\u00e9@b.example"},
		{"sharp s in the domain stays", "a@stra\u00dfe.example", "a@stra\u00dfe.example"},
		{"capital sharp s in the domain", "a@STRASSE.example", "a@strasse.example"},
	}
	for _, tt := range tests {
		j, err := jid.Parse(tt.in)
		if err != nil || j.String() != tt.want {
			t.Errorf("H04 %s: Parse(%q) = %q, %v, want %q", tt.name, tt.in, j, err, tt.want)
		}
	}
}

func TestNewAbsentParts(t *testing.T) {
	if j, err := jid.New("", "b.example", ""); err != nil || !j.IsDomain() {
		t.Errorf("New of a domain = %v, %v", j, err)
	}
	for _, bad := range [][3]string{{"a", "", "r"}, {"a@b", "c", ""}, {"a/b", "c", ""}, {"a", "b@c", ""}, {"a", "b/c", ""}} {
		if j, err := jid.New(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("New(%q) = %v, want it refused", bad, j)
		}
	}
}

func TestParts(t *testing.T) {
	j := jid.MustParse("a@b.example/r")
	if got := j.Bare(); got != jid.MustParse("a@b.example") {
		t.Errorf("Bare = %v", got)
	}
	if got := j.DomainJID(); got != jid.MustParse("b.example") {
		t.Errorf("DomainJID = %v", got)
	}
	if got, err := j.WithResource("s"); err != nil || got != jid.MustParse("a@b.example/s") {
		t.Errorf("WithResource = %v, %v", got, err)
	}
	if got, err := j.WithResource(""); err != nil || got != j.Bare() {
		t.Errorf("WithResource of nothing = %v, %v", got, err)
	}
	if got, err := j.WithDomain("C.Example"); err != nil || got != jid.MustParse("a@c.example/r") {
		t.Errorf("WithDomain = %v, %v", got, err)
	}
	if got, err := j.WithResource("\x00"); err == nil {
		t.Errorf("WithResource of a NUL = %v", got)
	}
	if got, err := j.WithDomain("a@b"); err == nil {
		t.Errorf("WithDomain of a bare address = %v", got)
	}
}

func TestIs(t *testing.T) {
	tests := []struct {
		j                        jid.JID
		zero, bare, full, domain bool
	}{
		{jid.JID{}, true, false, false, false},
		{jid.MustParse("b"), false, false, false, true},
		{jid.MustParse("a@b"), false, true, false, false},
		{jid.MustParse("b/r"), false, false, true, false},
		{jid.MustParse("a@b/r"), false, false, true, false},
	}
	for _, tt := range tests {
		if tt.j.IsZero() != tt.zero || tt.j.IsBare() != tt.bare || tt.j.IsFull() != tt.full || tt.j.IsDomain() != tt.domain {
			t.Errorf("%q: zero %v bare %v full %v domain %v", tt.j, tt.j.IsZero(), tt.j.IsBare(), tt.j.IsFull(), tt.j.IsDomain())
		}
	}
}

// TestZero: the zero value is safe to ask and cannot be turned into an address by giving it a resource.
func TestZero(t *testing.T) {
	var j jid.JID
	if j.String()+j.Local()+j.Domain()+j.Resource() != "" || j.Bare() != j || j.DomainJID() != j || j.Clone() != j {
		t.Error("the zero JID is not empty")
	}
	if got, err := j.WithResource("r"); err == nil {
		t.Errorf("WithResource on the zero JID = %v", got)
	}
}

func TestErrorsHoldNoInput(t *testing.T) {
	for _, in := range []string{"canary \x00@b", "a@canary..b", "a@b/canary\x00", "a@xn--canary-.b"} {
		if _, err := jid.Parse(in); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("Parse(%q): %v", in, err)
		}
	}
}

func TestAllocations(t *testing.T) {
	in := "some.user@conference.b.example/Some Nick"
	if n := testing.AllocsPerRun(100, func() {
		j, err := jid.Parse(in)
		if err != nil || j.Bare().String() == "" || j.DomainJID().Domain() == "" || j.Resource() == "" {
			t.Fatal(j, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a canonical address, budget 0", n)
	}
}

func BenchmarkParse(b *testing.B) {
	for name, in := range map[string]string{
		"canonical": "some.user@conference.b.example/Some Nick",
		"unicode":   "jürgen@bücher.example/Büro",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := jid.Parse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/cache", func(b *testing.B) {
			b.ReportAllocs()
			c := jid.NewCache(16)
			for b.Loop() {
				if _, err := c.Parse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
