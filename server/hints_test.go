package server_test

import "testing"

// What is in no archive may wait for who is not there (XEP-0334 §4.1); what is not stored at all may not.
func TestNoPermanentStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		for _, hint := range []string{"no-permanent-store", "no-store"} {
			romeo.say("<message to='juliet@im.example' type='chat' id='" + hint + "'><body>" + hint + "</body><" + hint + " xmlns='urn:xmpp:hints'/></message>")
		}
		romeo.gets("id='no-store'…type='error'…service-unavailable")
		juliet := b.login("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.gets("<presence", "<body>no-permanent-store")
	})
}
