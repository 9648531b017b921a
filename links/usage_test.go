package links_test

import (
	"testing"
	"time"

	"sallyport/links"
)

func TestContentWords(t *testing.T) {
	for c := range links.NumContents {
		if back, err := links.ParseContent(c.String()); err != nil || back != c {
			t.Errorf("%v: %v %v", c, back, err)
		}
	}
	if _, err := links.ParseContent("letters"); err == nil {
		t.Error("a content of nobody is taken")
	}
	for words, want := range map[[2]string]links.Content{
		{"message", "chat"}: links.Messages, {"message", ""}: links.Messages, {"message", "groupchat"}: links.RoomMessages,
		{"presence", "unavailable"}: links.Presence, {"iq", "get"}: links.IQ,
	} {
		if got := links.ContentOf(words[0], words[1]); got != want {
			t.Errorf("%v is %v, want %v", words, got, want)
		}
	}
}

// TestUsage: what was used when, in the last hour and the last day, as time passes.
func TestUsage(t *testing.T) {
	begin := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	var u links.Usage
	put := func(after time.Duration, bytes uint64) {
		u.Add(begin.Add(after), links.Use{Lane: 2, Content: links.Presence, Stanzas: 1, Plain: 2 * bytes, Wire: bytes})
	}
	put(0, 1)
	put(4*time.Minute, 10)
	put(50*time.Minute, 100)
	put(90*time.Minute, 1000)
	for _, row := range []struct {
		at        time.Duration
		hour, day uint64
	}{
		{90 * time.Minute, 1100, 1111},
		{110 * time.Minute, 1000, 1111},
		{150 * time.Minute, 0, 1111},
		{24 * time.Hour, 0, 1000},
		{26 * time.Hour, 0, 0},
		{10_000 * time.Hour, 0, 0},
		{9_000 * time.Hour, 0, 0}, // a clock that went back
	} {
		all := u.Tell(begin.Add(row.at))
		if len(all) != 1 {
			t.Fatalf("%v", all)
		}
		want := links.Use{Lane: 2, Content: links.Presence, Stanzas: 4, Plain: 2222, Wire: 1111, Hour: row.hour, Day: row.day}
		if all[0] != want {
			t.Errorf("after %v: %+v, want %+v", row.at, all[0], want)
		}
	}
}

func TestUsageRefuses(t *testing.T) {
	var none *links.Usage
	none.Add(time.Now(), links.Use{Wire: 1})
	var u links.Usage
	for _, bad := range []links.Use{{Lane: links.Lanes, Wire: 1}, {Lane: -2, Wire: 1}, {Content: links.NumContents, Wire: 1}} {
		u.Add(time.Unix(0, 0), bad)
	}
	if all := append(u.Tell(time.Now()), none.Tell(time.Now())...); len(all) > 0 {
		t.Errorf("%v", all)
	}
	u.Add(time.Now(), links.Use{Lane: links.NoLane, Content: links.Overhead, Inbound: true, Wire: 1})
	if all := u.Tell(time.Now()); len(all) != 1 || !all[0].Inbound || all[0].Lane != links.NoLane {
		t.Errorf("%v", all)
	}
}
