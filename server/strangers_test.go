package server_test

import "testing"

// Since when nobody has touched a client is not for those who do not see whether it is there: they are not even asked for (XEP-0012 §4).
func TestHowLongAClientIsIdle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo", "tybalt", "nurse")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		tybalt, nurse := b.online("tybalt@im.example/hall"), b.online("nurse@im.example/n")
		friends(juliet, romeo)
		juliet.say("<presence to='nurse@im.example'/>")
		nurse.drain()
		chamber := b.online("juliet@im.example/chamber")
		juliet.drain()
		romeo.drain()
		for _, who := range []*client{romeo, nurse, chamber} {
			who.say("<iq to='juliet@im.example/balcony' type='get' id='l'><query xmlns='jabber:iq:last'/></iq>")
			juliet.gets("jabber:iq:last")
			who.gets()
		}
		tybalt.say("<iq to='juliet@im.example/balcony' type='get' id='l'><query xmlns='jabber:iq:last'/></iq>")
		juliet.gets()
		tybalt.gets("id='l'…type='error'…service-unavailable")
	})
}
