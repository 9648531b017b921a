package control

// LinkUse is what one direction, class of precedence and content had of a link.
type LinkUse struct {
	Inbound bool   `json:"inbound,omitempty"`
	Class   string `json:"class,omitempty"` // empty where there is none
	Content string `json:"content"`
	Stanzas uint64 `json:"stanzas,omitempty"`
	Plain   uint64 `json:"plain"` // bytes before compression
	Wire    uint64 `json:"wire"`  // on the link
	Hour    uint64 `json:"hour"`  // of these in the last hour
	Day     uint64 `json:"day"`
	// The shares are those of everything in that direction, in the same time.
	HourShare float64 `json:"hour_share"`
	DayShare  float64 `json:"day_share"`
	// The seconds are those that the bytes occupy the line by its configured rate; absent where that is no concern.
	HourAir float64 `json:"hour_air_seconds,omitempty"`
	DayAir  float64 `json:"day_air_seconds,omitempty"`
}

// LinkBudget is what a class of precedence may have of a link.
type LinkBudget struct {
	Class    string  `json:"class"`
	Bytes    int     `json:"bytes"` // in a period
	Period   float64 `json:"period_seconds"`
	Left     int     `json:"left"` // bytes; below 0: what went last was larger than what was left
	Waits    bool    `json:"waits,omitempty"`
	Reopened float64 `json:"reopened_seconds,omitempty"` // until something may go again
}
