package docs_test

import (
	"testing"

	"sallyport/testbed/docs"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	got, err := docs.Blocks("a\n```sh run exit=5\nx\ny\n```\n```toml file=s.toml\n```\n```lua\nz\n```\n")
	want := []docs.Block{
		{Line: 2, Language: "sh", Mark: "run", Option: "5", Text: "x\ny\n"},
		{Line: 6, Language: "toml", Mark: "file", Option: "s.toml"},
		{Line: 8, Language: "lua", Text: "z\n"},
	}
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("block %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
	for _, bad := range []string{"```sh\n```\n", "```sh later\n```\n", "```toml\n```\n", "```xml\n```\n", "```text run\n```\n", "```sh run\n"} {
		if got, err := docs.Blocks(bad); err == nil {
			t.Errorf("%q: got %+v, want an error", bad, got)
		}
	}
}

func TestContains(t *testing.T) {
	t.Parallel()
	const printed = "node    gate1, version 3\nready   yes\n\nSIDE\ninside  1\noutside 2\n"
	for _, row := range []struct {
		want    string
		missing string
	}{
		{"ready   yes", ""},
		{"node    gate1, …\nready   yes\n…\noutside 2", ""},
		{"node    …, version …\n", ""},
		{"ready   yes\nSIDE", "SIDE"},
		{"inside  1\n…\nSIDE", "SIDE"},
		{"gate1", "gate1"},
		{"node    …, version 4", "node    …, version 4"},
	} {
		if missing, ok := docs.Contains(printed, row.want); missing != row.missing || ok != (row.missing == "") {
			t.Errorf("%q: missing %q, want %q", row.want, missing, row.missing)
		}
	}
}
