package config

import (
	"testing"

	"github.com/BurntSushi/toml"
)

// This file looks inside the package: the index has no other face than line numbers.

const indexed = `# comment
a = 1
"b c" = "x # no comment" # comment
[t.u]
v = [
  "one", # first
  'two', [ "three" ],
]
w = { x = 1, "y.z" = { q = """
line
""" }, r = 2 }
s = '''
[not a table]
not = "a key"
'''
after.dotted.key = 1
[[l]]
n = 1
[[l]]
n = 2
[l.sub]
m = 3
[[l.list]]
k = 4
[[l.list]]
k = 5
`

func TestIndexLines(t *testing.T) {
	t.Parallel()
	x := newIndex([]byte(indexed))
	tests := map[string]int{
		"a": 2, `"b c"`: 3, "t": 4, "t.u": 4, "t.u.v": 5, "t.u.v[1]": 6, "t.u.v[2]": 7, "t.u.v[3]": 7, "t.u.v[3][1]": 7,
		"t.u.w": 9, "t.u.w.x": 9, `t.u.w."y.z".q`: 9, "t.u.w.r": 11, "t.u.s": 12, "t.u.after.dotted.key": 16, "t.u.after": 16,
		"l": 17, "l[1]": 17, "l[1].n": 18, "l[2].n": 20, "l[2].sub": 21, "l[2].sub.m": 22, "l[2].list[1].k": 24, "l[2].list[2].k": 26,
		"l[2].absent.key": 19, "absent": 0, "t.u.v[9]": 5, `"b c".x`: 3,
	}
	for key, want := range tests {
		if got := x.lineOf(key); got != want {
			t.Errorf("%s: line %d, want %d", key, got, want)
		}
	}
	if len(x.duplicates) > 0 || x.tooDeep > 0 {
		t.Errorf("duplicates %v, too deep in line %d", x.duplicates, x.tooDeep)
	}
}

// FuzzIndex: what the library accepts, the index knows every key of.
func FuzzIndex(f *testing.F) {
	f.Add(indexed)
	for _, s := range []string{"a.b = 1", "[a]\n[a.b]\n", "x = [{a = 1}, {a = 2}]", "[[a.b]]\nc = 1\n[[a.b]]", "\"\\e\" = 1", "a = 1979-05-27 07:32:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x := newIndex([]byte(s))
		if len(s) > 1<<14 || x.tooDeep > 0 {
			return
		}
		var tree map[string]any
		if _, err := toml.Decode(s, &tree); err != nil {
			return
		}
		if len(x.duplicates) > 0 {
			t.Errorf("accepted, and duplicates %v", x.duplicates)
		}
		checkIndexed(t, x, "", tree)
	})
}

func checkIndexed(t *testing.T, x *index, key string, v any) {
	if _, ok := x.lines[key]; key != "" && !ok {
		t.Errorf("no line for %s", key)
	}
	switch v := v.(type) {
	case map[string]any:
		for name, below := range v {
			checkIndexed(t, x, joinKey(key, name), below)
		}
	case []any:
		for i, below := range v {
			checkIndexed(t, x, entryKey(key, i+1), below)
		}
	case []map[string]any:
		for i, below := range v {
			checkIndexed(t, x, entryKey(key, i+1), below)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"domain-map", "domains", "default-label", "default", "side", "clearance"}
	tests := map[string]string{
		"domain": "domains", "doamins": "domains", "Default": "default", "sid": "side", "clearence": "clearance",
		"default-labels": "default-label", "deflt": "", "colour": "", "": "", "xy": "", "map": "domain-map",
	}
	for wrong, want := range tests {
		if got := nearest(wrong, names); got != want {
			t.Errorf("%q: %q, want %q", wrong, got, want)
		}
	}
}
