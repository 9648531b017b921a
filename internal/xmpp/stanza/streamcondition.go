package stanza

// StreamCondition is one of the 25 stream error conditions of RFC 6120 §4.9.3. The zero value is none of them.
type StreamCondition uint8

// The conditions, in the order of the RFC. The prefix keeps them apart from the stanza conditions of the same name.
const (
	NoStreamCondition StreamCondition = iota
	StreamBadFormat
	StreamBadNamespacePrefix
	StreamConflict
	StreamConnectionTimeout
	StreamHostGone
	StreamHostUnknown
	StreamImproperAddressing
	StreamInternalServerError
	StreamInvalidFrom
	StreamInvalidNamespace
	StreamInvalidXML
	StreamNotAuthorized
	StreamNotWellFormed
	StreamPolicyViolation
	StreamRemoteConnectionFailed
	StreamReset
	StreamResourceConstraint
	StreamRestrictedXML
	StreamSeeOtherHost
	StreamSystemShutdown
	StreamUndefinedCondition
	StreamUnsupportedEncoding
	StreamUnsupportedFeature
	StreamUnsupportedStanzaType
	StreamUnsupportedVersion
	numStreamConditions
)

var streamConditions = [numStreamConditions]string{
	NoStreamCondition:            "",
	StreamBadFormat:              "bad-format",
	StreamBadNamespacePrefix:     "bad-namespace-prefix",
	StreamConflict:               "conflict",
	StreamConnectionTimeout:      "connection-timeout",
	StreamHostGone:               "host-gone",
	StreamHostUnknown:            "host-unknown",
	StreamImproperAddressing:     "improper-addressing",
	StreamInternalServerError:    "internal-server-error",
	StreamInvalidFrom:            "invalid-from",
	StreamInvalidNamespace:       "invalid-namespace",
	StreamInvalidXML:             "invalid-xml",
	StreamNotAuthorized:          "not-authorized",
	StreamNotWellFormed:          "not-well-formed",
	StreamPolicyViolation:        "policy-violation",
	StreamRemoteConnectionFailed: "remote-connection-failed",
	StreamReset:                  "reset",
	StreamResourceConstraint:     "resource-constraint",
	StreamRestrictedXML:          "restricted-xml",
	StreamSeeOtherHost:           "see-other-host",
	StreamSystemShutdown:         "system-shutdown",
	StreamUndefinedCondition:     "undefined-condition",
	StreamUnsupportedEncoding:    "unsupported-encoding",
	StreamUnsupportedFeature:     "unsupported-feature",
	StreamUnsupportedStanzaType:  "unsupported-stanza-type",
	StreamUnsupportedVersion:     "unsupported-version",
}

// String returns the element name, or the empty string for NoStreamCondition.
func (c StreamCondition) String() string {
	if c >= numStreamConditions {
		return ""
	}
	return streamConditions[c]
}

// ParseStreamCondition is the inverse of String. It also reads the two names that only RFC 3920 §4.7.3 had;
// invalid-id, which spoke of a stream or dialback id, has no successor and becomes undefined-condition.
func ParseStreamCondition(name string) (c StreamCondition, ok bool) {
	for c := StreamBadFormat; c < numStreamConditions; c++ {
		if streamConditions[c] == name {
			return c, true
		}
	}
	switch name {
	case "xml-not-well-formed":
		return StreamNotWellFormed, true
	case "invalid-id":
		return StreamUndefinedCondition, true
	}
	return NoStreamCondition, false
}
