package prom

// Kind says how a metric moves. The zero value is none and shown nowhere.
type Kind uint8

// The kinds.
const (
	NoKind  Kind = iota
	Counter      // only grows, from the start of the process
	Gauge        // goes up and down
)

// Metric is one name with its labels.
type Metric struct {
	Name   string
	Help   string
	Kind   Kind
	Labels []string
}

// ID names a metric in the table.
type ID uint8

// The metrics. Values of labels come out of the configuration or from closed lists,
// never from a stanza, so that strangers cannot make new ones.
const (
	Info ID = iota
	StartTime
	StanzasAccepted
	Stanzas
	StanzasInside
	StanzasBalance
	Refusals
	Replies
	Reloads
	PeerStreams
	PeerStanzas
	PeerBytes
	PeerQueueStanzas
	PeerQueueBytes
	AnswersHome
	AnswersSaved
	AnswersKept
	Unanswered
	Folded
	ConnectionsRefused
	ConnectionsPending
	LimitHits
	Clients
	SpoolEntries
	SpoolBytes
	SpoolOldest
	SpoolBalance
	SpoolFailed
	Repetitions
	LinkUp
	LinkBytes
	LinkContentBytes
	LinkSaved
	LinkLoss
	LinkRoundTrip
	AuditRecords
	AuditBytes
	AuditSegments
	AuditUnsynced
	AuditFailed
	CertificateExpiry
	numMetrics
)

// Table describes every metric, by ID.
func Table() [numMetrics]Metric {
	return [numMetrics]Metric{
		Info:            {"sallyport_info", "Always 1; the labels say what runs.", Gauge, []string{"node", "version", "policy"}},
		StartTime:       {"sallyport_start_time_seconds", "When the node started, in Unix time.", Gauge, nil},
		StanzasAccepted: {"sallyport_stanzas_accepted_total", "Stanzas taken from a link.", Counter, nil},
		Stanzas:         {"sallyport_stanzas_total", "Stanzas by what became of them.", Counter, []string{"outcome"}},
		StanzasInside:   {"sallyport_stanzas_inside", "Stanzas that are being decided or wait for their link.", Gauge, []string{"state"}},
		StanzasBalance: {
			"sallyport_stanzas_balance", "Accepted minus all outcomes minus inside. More than a few at rest: something was lost.", Gauge, nil,
		},
		Refusals: {"sallyport_refusals_total", "Refused stanzas by stage and reason.", Counter, []string{"stage", "reason"}},
		Replies:  {"sallyport_replies_total", "Errors for senders: delivered or lost.", Counter, []string{"result"}},
		Reloads:  {"sallyport_reloads_total", "Reloads: done, or failed, which leaves the old configuration running.", Counter, []string{"result"}},

		PeerStreams:      {"sallyport_peer_streams", "Authenticated streams by peer and direction.", Gauge, []string{"peer", "direction"}},
		PeerStanzas:      {"sallyport_peer_stanzas_total", "Stanzas by peer and direction.", Counter, []string{"peer", "direction"}},
		PeerBytes:        {"sallyport_peer_bytes_total", "Bytes of stanzas by peer and direction.", Counter, []string{"peer", "direction"}},
		PeerQueueStanzas: {"sallyport_peer_queue_stanzas", "Stanzas that wait for a peer.", Gauge, []string{"peer"}},
		PeerQueueBytes:   {"sallyport_peer_queue_bytes", "Bytes that wait for a peer.", Gauge, []string{"peer"}},
		AnswersHome:      {"sallyport_answers_total", "Requests to a peer that were answered here in its place.", Counter, []string{"peer"}},
		AnswersSaved:     {"sallyport_answers_saved_bytes_total", "Bytes of these answers, which did not cross.", Counter, []string{"peer"}},
		AnswersKept:      {"sallyport_answers_kept", "Answers of a peer that are kept.", Gauge, []string{"peer"}},
		Unanswered:       {"sallyport_unanswered_total", "Requests whose sender was told that no answer came in time.", Counter, nil},
		Folded:           {"sallyport_folded_total", "Stanzas of which nothing was worth sending on a thin way; they count as superseded, too.", Counter, nil},

		ConnectionsRefused: {"sallyport_connections_refused_total", "Connections turned away, by side and reason.", Counter, []string{"side", "reason"}},
		ConnectionsPending: {"sallyport_connections_pending", "Connections that have not authenticated yet.", Gauge, []string{"side"}},
		LimitHits:          {"sallyport_limit_hits_total", "How often a limit was reached.", Counter, []string{"limit"}},

		Clients:      {"sallyport_clients", "Clients of the server: connected or waiting to be resumed, and of them those that are available.", Gauge, []string{"state"}},
		SpoolEntries: {"sallyport_spool_entries", "What the spool holds, by peer and precedence.", Gauge, []string{"peer", "class"}},
		SpoolBytes:   {"sallyport_spool_bytes", "Bytes of it.", Gauge, []string{"peer", "class"}},
		SpoolOldest:  {"sallyport_spool_oldest_timestamp_seconds", "When the oldest of it was taken, in Unix time.", Gauge, []string{"peer", "class"}},
		SpoolBalance: {
			"sallyport_spool_balance", "Taken into the spool minus all outcomes minus what is there. Not 0: something was lost or doubled.", Gauge, nil,
		},
		SpoolFailed: {"sallyport_spool_failed", "1 when the spool has stopped, or its disk is full.", Gauge, nil},
		Repetitions: {"sallyport_repetitions_total", "Stanzas that came again under custody and were dropped.", Counter, nil},
		LinkUp:      {"sallyport_link_up", "1 while a link takes stanzas.", Gauge, []string{"link", "peer"}},
		LinkBytes:   {"sallyport_link_bytes_total", "Bytes on a link, by direction.", Counter, []string{"link", "direction"}},
		LinkContentBytes: {
			"sallyport_link_content_bytes_total", "Bytes on a link by what they are for: stanzas of a class, acknowledgements, framing, overhead.", Counter,
			[]string{"link", "direction", "class", "content"},
		},
		LinkSaved:     {"sallyport_link_saved_bytes", "Bytes that compression and folding kept off a link.", Gauge, []string{"link", "by"}},
		LinkLoss:      {"sallyport_link_loss_ratio", "Share of what was sent that was lost, where it is measured.", Gauge, []string{"link"}},
		LinkRoundTrip: {"sallyport_link_round_trip_seconds", "Measured round trip.", Gauge, []string{"link"}},

		AuditRecords:  {"sallyport_audit_records_total", "Durable audit records since the start.", Counter, nil},
		AuditBytes:    {"sallyport_audit_bytes", "Size of the audit log on disk.", Gauge, nil},
		AuditSegments: {"sallyport_audit_segments", "Segments of the audit log on disk.", Gauge, nil},
		AuditUnsynced: {"sallyport_audit_unsynced_records", "Records that are not durable yet.", Gauge, nil},
		AuditFailed:   {"sallyport_audit_failed", "1 when the audit log has failed or is full: nothing is released any more.", Gauge, nil},

		CertificateExpiry: {
			"sallyport_certificate_expiry_seconds", "When a certificate of the gateway expires, in Unix time.", Gauge, []string{"file"},
		},
	}
}
