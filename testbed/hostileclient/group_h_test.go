package hostileclient_test

import "strings"

const ping = "<ping xmlns='urn:xmpp:ping'/>"

// groupH is addressing, as far as the edge decides it.
func groupH() []row {
	malformed, bad := stanzaError("jid-malformed", "modify"), stanzaError("bad-request", "modify")
	var addresses []string
	for _, a := range []string{
		"a@@b", "@b", "a@", "a@b/", strings.Repeat("a", 1_020) + "@b/" + strings.Repeat("r", 2_050), strings.Repeat("l", 1_024) + "@b", "a b@c", "a@b/&#x85;",
	} {
		addresses = append(addresses, strings.Replace(message("<body>x</body>"), "nurse@im.example", a, 1))
	}
	from := func(from string) string {
		return "<message to='nurse@im.example' from='" + from + "' id='$ID'><body>b</body></message>"
	}
	return []row{
		inStream("H02_from", variants(streamError("invalid-from"), from("admin@im.example"), from("juliet@im.example/other"), from(""), from("@@"))),
		inStream("H02_own_address", variants(accept("<body>b</body>"), from("juliet@im.example"), from("juliet@im.example/$DESK"))),
		inStream("H03_malformed_addresses", variants(malformed, addresses...)),
		inStream("H03_resource_is_a_slash", variants(accept("from='a@b//'"), strings.Replace(fineMessage("<body>x</body>"), "nurse@im.example", "a@b//", 1))),
		inStream("H04_one_canonical_address", variants(accept("from='nurse@im.example/R'"),
			strings.Replace(fineMessage("<body>x</body>"), "nurse@im.example", "NURSE@IM.Example/R", 1),
			strings.Replace(fineMessage("<body>x</body>"), "nurse@im.example", "ｎｕｒｓｅ@im.example/R", 1))),
		inStream("H08_requests", variants(bad, "<iq type='get' id='$ID'/>", "<iq type='get' id='$ID'>"+ping+ping+"</iq>", "<iq type='foo' id='$ID'>"+ping+"</iq>", "<iq type='get'>"+ping+"</iq>")),
		inStream("H08_id_of_100_KiB", variants(streamError("policy-violation"), "<iq type='get' id='"+strings.Repeat("i", 100<<10)+"'>"+ping+"</iq>")),
		inStream("H08_results", variants(want{outcome: silent}, "<iq type='result' id='$ID'>"+ping+ping+"</iq>")),
		inStream("H10_bogus_message", variants(accept("<body>x</body>"), strings.Replace(fineMessage("<body>x</body>"), "'chat'", "'bogus'", 1))),
		inStream("H10_bogus_presence", variants(bad, "<presence type='bogus' id='$ID'/>")),
	}
}
