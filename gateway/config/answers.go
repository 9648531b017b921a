package config

import "time"

// Answers says which requests to a peer are answered here, from what it answered before. The memory is lost with a restart, and with a
// reload that changes anything.
type Answers struct {
	// The questions that are answered here once the peer has answered them: `disco-info` and `disco-items` (XEP-0030), what a device can do by the hash in its presence (`caps`, XEP-0115), `vcard` (XEP-0054, XEP-0292), `version` (XEP-0092). None, unless said here. Each answer is judged for who asks now, as if it came from the peer, and recorded. What presence and events show to be untrue is forgotten; of what comes without either, people see for `keep` what was true before.
	Questions []Question `toml:"questions" enum:"disco-info,disco-items,caps,vcard,version"`
	// How long an answer is kept.
	Keep time.Duration `toml:"keep" min:"1m" max:"30d"`
	// The same for `disco-items`, such as the list of rooms, which changes without a word.
	KeepItems time.Duration `toml:"keep-items" min:"1m" max:"30d"`
	// The same for what a hash stands for, which never changes (`caps`).
	KeepCaps time.Duration `toml:"keep-caps" min:"1m" max:"365d"`
	// Answers of the peer that are kept. Beyond, what was not asked for the longest time is forgotten.
	MaxAnswers int `toml:"max-answers" min:"1" max:"1000000"`
	// Bytes of them in memory.
	MaxBytes Size `toml:"max-bytes" min:"64 KiB" max:"1 GiB"`
}

// Question is what may be asked again and again.
type Question string

// The questions.
const (
	AskDiscoInfo  Question = "disco-info"
	AskDiscoItems Question = "disco-items"
	AskCaps       Question = "caps"
	AskVCard      Question = "vcard"
	AskVersion    Question = "version"
)

// DefaultAnswers answers nothing.
func DefaultAnswers() Answers {
	return Answers{Keep: 24 * time.Hour, KeepItems: time.Hour, KeepCaps: 30 * 24 * time.Hour, MaxAnswers: 8192, MaxBytes: 16 << 20}
}
