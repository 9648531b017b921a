package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"sallyport/gateway/audit"
)

// printReport writes what verify found, the verdict last.
func (a *app) printReport(r *audit.Report, elsewhere bool) {
	count := func(n uint64) string { return strconv.FormatUint(n, 10) }
	facts := [][]string{{"node", r.Node}}
	if !r.Began.IsZero() { // a directory without a log has no beginning
		facts = append(facts, []string{"begun", r.Began.UTC().Format(time.RFC3339)})
	}
	records := "none"
	if r.Records > 0 {
		records = fmt.Sprintf("%d, from %d to %d", r.Records, r.FirstSeq, r.LastSeq)
	}
	facts = append(facts, []string{"segments", fmt.Sprintf("%d, %s", r.Segments, bytesOf(r.Bytes))}, []string{"records", records})
	if r.Heads > 0 {
		facts = append(facts, []string{"signed head", fmt.Sprintf("record %d at %s", r.HeadSeq, r.HeadTime.UTC().Format(time.RFC3339))})
	}
	if r.AfterHead > 0 {
		facts = append(facts, []string{"after head", count(r.AfterHead) + " records; they are whole, but no head proves yet that none is missing after them"})
	}
	if r.Torn > 0 {
		facts = append(facts, []string{"unfinished", fmt.Sprintf("%s at the end, interrupted or being written; nobody was promised them", bytesOf(r.Torn))})
	}
	a.printFacts(facts)
	for i := range r.Problems {
		printBroken(a.out, "problem  ", printable(r.Problems[i].String()), 9)
	}
	if r.More > 0 {
		fmt.Fprintf(a.out, "problem  and %d more\n", r.More)
	}
	switch {
	case !r.OK():
		fmt.Fprintln(a.out, "NOT WHOLE; the first problem is the one to look at")
	case elsewhere:
		fmt.Fprintf(a.out, "whole; nothing is missing up to record %d\n", r.HeadSeq)
	default:
		fmt.Fprintln(a.out, "whole; but whoever can change the log can change this head: name another with --head")
	}
}

// reportText is a report as JSON.
type reportText struct {
	OK        bool          `json:"ok"`
	Node      string        `json:"node"`
	Began     time.Time     `json:"began,omitzero"`
	Segments  int           `json:"segments"`
	Bytes     int64         `json:"bytes"`
	Records   uint64        `json:"records"`
	FirstSeq  uint64        `json:"first_seq"`
	LastSeq   uint64        `json:"last_seq"`
	LastHash  string        `json:"last_hash"`
	Heads     int           `json:"heads"`
	HeadSeq   uint64        `json:"head_seq"`
	HeadTime  time.Time     `json:"head_time,omitzero"`
	AfterHead uint64        `json:"after_head"`
	Torn      int64         `json:"unfinished_bytes"`
	Problems  []problemText `json:"problems"`
	More      int           `json:"more_problems"`
}

type problemText struct {
	Why     string `json:"why"`
	Segment uint64 `json:"segment,omitempty"`
	Seq     uint64 `json:"seq,omitempty"`
	Offset  int64  `json:"offset"`
	Detail  string `json:"detail"`
}

func reportJSON(r *audit.Report) reportText {
	t := reportText{
		OK: r.OK(), Node: r.Node, Began: r.Began, Segments: r.Segments, Bytes: r.Bytes, Records: r.Records,
		FirstSeq: r.FirstSeq, LastSeq: r.LastSeq, LastHash: hex.EncodeToString(r.LastHash[:]), Heads: r.Heads,
		HeadSeq: r.HeadSeq, HeadTime: r.HeadTime, AfterHead: r.AfterHead, Torn: r.Torn, More: r.More,
		Problems: make([]problemText, len(r.Problems)),
	}
	for i, p := range r.Problems {
		t.Problems[i] = problemText{p.Why.String(), p.Segment, p.Seq, p.Offset, p.Detail}
	}
	return t
}
