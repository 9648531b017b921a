package gateway

import (
	"sallyport/gateway/config"
	"sallyport/internal/xmpp/jid"
	"sallyport/peering"
)

// subjects lays down what users, rooms and domains are cleared for.
func (b *policyBuild) subjects() {
	for i := range b.cfg.Clearances {
		c := &b.cfg.Clearances[i]
		b.def.Subjects = append(b.def.Subjects, peering.SubjectClearance{
			Users: b.addresses(c.Users), Rooms: b.addresses(c.Rooms), Domains: patterns(c.Domains), Clearances: b.resolved.Subjects[i],
		})
	}
}

func (b *policyBuild) addresses(in []string) []jid.JID {
	var out []jid.JID
	for _, text := range in {
		j, ok := config.ParseAddress(text)
		if !ok {
			b.bad("clearance: %q is not an address like name@domain", text)
			continue
		}
		out = append(out, j)
	}
	return out
}
