package rules

// federationProfile is two ordinary servers: everything of chatProfile, and discovery, capabilities, vCards, nicknames
// and avatar notices. It is still an allow-list: no files, no calls, no commands, no registration, no remote
// configuration, no forms in messages, nothing encrypted.
func federationProfile() ProfileSpec {
	return ProfileSpec{
		Name:       Federation,
		Mode:       modeStrip,
		Messages:   []string{"normal", "chat", "groupchat", "headline", "error"},
		Presence:   allPresence(),
		IQ:         []string{"get", "set", "result", "error"},
		Errors:     allErrors(),
		Attributes: []string{"xml:lang=lang"},
		Limits:     LimitSpec{BodyBytes: 32 << 10, TextBytes: 64 << 10, IDBytes: 512, Total: 128 << 10, Elements: 1024},
		Text:       TextSpec{Joiners: 32, VariationSelectors: 64},
		Elements: join(
			[]ElementSpec{
				{Name: "body", In: inMessage, Text: "any", Attributes: []string{"xml:lang=lang"}, Max: 4},
				{Name: "subject", In: inMessage, Text: "any", Attributes: []string{"xml:lang=lang"}, Max: 4},
				{Name: "thread", In: inMessage, Text: "token", Attributes: []string{"parent=token"}},
				{Name: "show", In: inPresence, Types: []string{available}, Text: showWords},
				{Name: "status", In: inPresence, Text: "any", Attributes: []string{"xml:lang=lang"}, Max: 4},
				{Name: "priority", In: inPresence, Types: []string{available}, Text: "number"},
			},
			labelElements(),
			courtesies(),
			roomElements(),
			identityElements(),
			notices(),
			requests(),
		),
	}
}

// allErrors are the conditions of RFC 6120 without redirect, which moves people to other addresses; gone can stay, because
// the address that may go with it is not told on.
func allErrors() []string {
	return []string{
		"bad-request", "conflict", "feature-not-implemented", "forbidden", "internal-server-error", "item-not-found",
		"jid-malformed", "not-acceptable", "not-allowed", "not-authorized", "policy-violation", "recipient-unavailable",
		"registration-required", "remote-server-not-found", "remote-server-timeout", "resource-constraint",
		"service-unavailable", "subscription-required", "undefined-condition", "unexpected-request", "gone",
	}
}

// identityElements accompany presence and messages (XEP-0115, 0153, 0172).
func identityElements() []ElementSpec {
	return []ElementSpec{
		{
			Name: "{http://jabber.org/protocol/caps}c", In: inPresence,
			Attributes: []string{"hash=token", "node", "ver=token", "ext=drop"},
		},
		{Name: "{vcard-temp:x:update}x", In: inPresence},
		{Name: "{vcard-temp:x:update}photo", In: []string{"{vcard-temp:x:update}x"}, Text: "any"},
		{Name: "{" + nsNick + "}nick", In: []string{"message", "presence", "{" + nsPubSubEvent + "}item"}, Text: "any"},
	}
}

// notices are the personal events that may cross: nickname and the description of an avatar, not its picture
// (XEP-0163, 0172, 0084).
func notices() []ElementSpec {
	return []ElementSpec{
		{Name: "{" + nsPubSubEvent + "}event", In: inMessage},
		{
			Name: "{" + nsPubSubEvent + "}items", In: []string{"{" + nsPubSubEvent + "}event"},
			Attributes: []string{"node=" + nsNick + "|" + nsAvatar},
		},
		{
			Name: "{" + nsPubSubEvent + "}item", In: []string{"{" + nsPubSubEvent + "}items"}, Max: 8,
			Attributes: []string{"id=id", "publisher=jid"},
		},
		{Name: "{" + nsPubSubEvent + "}retract", In: []string{"{" + nsPubSubEvent + "}items"}, Max: 8, Attributes: []string{"id=id"}},
		{Name: "{" + nsAvatar + "}metadata", In: []string{"{" + nsPubSubEvent + "}item"}},
		{
			Name: "{" + nsAvatar + "}info", In: []string{"{" + nsAvatar + "}metadata"}, Max: 4,
			Attributes: []string{"id=token", "type", "bytes=number", "width=number", "height=number", "url=drop"},
		},
	}
}

// requests are the kinds of iq that may cross (XEP-0030, 0054, 0199), lists of disco#items with labels (XEP-0314). Everything else is refused as iq-kind: files,
// calls, commands, registration, time, version, private data.
func requests() []ElementSpec {
	get, both := []string{"get"}, []string{"get", "result"}
	info, items := "{"+nsInfo+"}query", "{"+nsItems+"}query"
	rsm := "{http://jabber.org/protocol/rsm}set"
	return []ElementSpec{
		{Name: "{urn:xmpp:ping}ping", In: inIQ, Types: get},
		{Name: info, In: inIQ, Types: both, Attributes: []string{"node"}},
		{Name: "{" + nsInfo + "}identity", In: []string{info}, Max: 16, Attributes: []string{"category", "type", "name", "xml:lang=lang"}},
		{Name: "{" + nsInfo + "}feature", In: []string{info}, Max: 256, Attributes: []string{"var"}},
		{Name: "{jabber:x:data}x", In: []string{info}, Max: 8, Deep: true, Attributes: []string{"type=result|"}},
		{Name: items, In: inIQ, Types: both, Attributes: []string{"node"}},
		{Name: "{" + nsItems + "}item", In: []string{items}, Max: 512, Attributes: []string{"jid=jid", "node", "name", "{" + nsItemLabels + "}label=token"}},
		{Name: "{" + nsLabel + "}securitylabel", In: []string{items}, Max: 64, Attributes: []string{"{" + nsItemLabels + "}id=token"}},
		{Name: rsm, In: []string{items}, Deep: true},
		{Name: "{vcard-temp}vCard", In: inIQ, Types: both, Deep: true},
	}
}
