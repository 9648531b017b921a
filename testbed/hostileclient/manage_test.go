package hostileclient_test

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// unconfirmed is how many stanzas may be.
const unconfirmed = 5_000

// neverAcknowledges: D18. Who reads and never says so is disconnected when too much is unconfirmed. Each message is in his archive, or waits for him,
// once; beyond what may wait its sender has it back.
func neverAcknowledges(t *testing.T, b *bed) {
	const n = unconfirmed + 200
	mute, sender := b.loginAs(t, "paris"), b.loginAs(t, "mallory")
	mute.managed()
	mute.say("<presence/>")
	mute.until("<presence")
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, "<message to='paris@im.example' type='chat' id='d18-%d'><body>fine</body></message>", i)
	}
	go sender.sayIn(whole, all.String())
	said := mute.end(patience)
	if !strings.Contains(said, "<stream:error><resource-constraint xmlns='"+nsStreams+"'/>") && !strings.Contains(said, "<stream:error><resource-constraint xmlns='"+nsStreams+"'/><text") {
		t.Errorf("it ended with %s", said[max(0, len(said)-500):])
	}
	if got := strings.Count(said, "<message "); got > unconfirmed {
		t.Errorf("%d messages are unconfirmed", got)
	}
	told, waiting := sender.keepsReading(), b.loginAs(t, "paris")
	waiting.say("<presence/>")
	offline := waiting.keepsReading()
	reader := b.loginAs(t, "paris")
	for end := time.Now().Add(patience); ; <-time.After(20 * pace) {
		times, back, came := reader.archived(), told(), offline()
		var missing []string
		for i := range n {
			id := fmt.Sprintf("d18-%d", i)
			if times[id] > 1 || came[id] > 1 {
				t.Fatalf("%s is in the archive %d times, and came %d times", id, times[id], came[id])
			}
			if times[id]+came[id]+back[id] == 0 {
				missing = append(missing, id)
			}
		}
		if len(missing) == 0 {
			t.Logf("of %d messages %d are in the archive, %d came when somebody was there, %d came back", n, len(times), len(came), len(back))
			return
		}
		if time.Now().After(end) {
			t.Fatalf("of %d messages %d are in the archive, %d came when somebody was there, %d came back; nowhere are %d, %.5v", n, len(times), len(came), len(back), len(missing), missing)
		}
	}
}

var messageID = regexp.MustCompile(`<message [^>]*id='([^']*)'`)

// keepsReading reads until the connection ends: how often it has heard each message, by id.
func (c *client) keepsReading() func() map[string]int {
	var mu sync.Mutex
	heard := map[string]int{}
	_ = c.conn.SetReadDeadline(time.Time{})
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := c.conn.Read(buf)
			c.text += string(buf[:n])
			mu.Lock()
			for m := messageID.FindStringSubmatchIndex(c.text); m != nil; m = messageID.FindStringSubmatchIndex(c.text) {
				heard[c.text[m[2]:m[3]]]++
				c.text = c.text[m[1]:]
			}
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return func() map[string]int {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(heard)
	}
}

var (
	resultID = regexp.MustCompile(`<forwarded .*?<message [^>]*id='([^']*)'`)
	lastOf   = regexp.MustCompile(`<last>([^<]*)</last>`)
)

// archived reads the archive: how often it has each message, by id.
func (c *client) archived() map[string]int {
	c.t.Helper()
	times, after := map[string]int{}, ""
	for {
		c.say("<iq type='set' id='page'><query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>250</max>" + after + "</set></query></iq>")
		page := c.until("</fin></iq>", "<error ")
		for _, m := range resultID.FindAllStringSubmatch(page, -1) {
			times[m[1]]++
		}
		last := lastOf.FindStringSubmatch(page)
		if strings.Contains(page, "complete='true'") || last == nil {
			return times
		}
		after = "<after>" + last[1] + "</after>"
	}
}
