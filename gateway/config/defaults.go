package config

import "time"

// Defaults is what holds where the file says nothing. Paths that depend on the state
// directory, and lists of peers and sides, are filled in by Load.
func Defaults() Config {
	return Config{
		Log:    Log{Level: LogInfo, Format: LogJSON},
		Audit:  Audit{SegmentBytes: 64 << 20, IOUring: true},
		Spool:  Spool{MaxBytes: 1 << 30, MaxPeerBytes: 512 << 20, Lifetime: 24 * time.Hour, DelayAfter: 30 * time.Second},
		Server: DefaultServer(),
		Policy: Policy{
			Profile: "strict",
		},
		Limits: Limits{
			UnauthenticatedPerAddress: 50,
			Unauthenticated:           10_000,
			AuthenticateTimeout:       time.Minute,
			HandshakeTimeout:          10 * time.Second,
			CloseTimeout:              5 * time.Second,
			UnackedStanzas:            5_000,
			UnackedBytes:              4 << 20,
			ResumeWindow:              5 * time.Minute,
		},
	}
}

// DefaultPeer is what holds where the table of a peer says nothing.
func DefaultPeer() Peer {
	return Peer{
		Authenticate:     []Authentication{External},
		MinTLS:           TLS12,
		Usage:            UsageAny,
		TLS:              STARTTLS,
		Bidi:             true,
		StreamManagement: true,
		InDoubt:          Bounce,
		Confirm:          ConfirmPing,
		Idle:             2 * time.Hour,
		QueueStanzas:     10_000,
		QueueBytes:       64 << 20,
		QueueAge:         5 * time.Minute,
		MaxStanzaBytes:   512 << 10,
		Unlabelled:       UnlabelledRefuse,
		LabelSyntaxes:    []LabelSyntax{SyntaxESS, SyntaxNATO4774},
		SendLabels:       SendAsReceived,
		TranslateOut:     TranslateNone,
		TranslateIn:      TranslateNone,
		AddEquivalent:    EquivalentNone,
		Subjects:         SubjectsJudge,
		Thin:             DefaultThin(),
		Answers:          DefaultAnswers(),
	}
}

// DefaultPair is what holds where a pair says nothing.
func DefaultPair() Pair { return Pair{Direction: Both} }
