package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"sallyport/gateway/control"
	"sallyport/gateway/radio"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/peering"
	"sallyport/s5066"
	"sallyport/s5066/capture"
	"sallyport/s5066/dpdu"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"sallyport": main}) }

// TestScripts runs testdata/script/*.txtar. In each there are the files of a private CA
// (ca.pem, gw.pem, gw.key for in.example and out.example), and "node" starts a node with
// fixed answers on $WORK/node.sock. $LABELS is the test data of the label packages.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               setup,
		RequireExplicitExec: true, RequireUniqueNames: true,
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"node": startNode, "exits": exits, "ready": ready, "radionode": startRadioNode},
	})
}

func setup(env *testscript.Env) error {
	ca, err := tlsidtest.NewCA("Test CA")
	if err != nil {
		return err
	}
	leaf, err := ca.Issue(tlsidtest.Options{DNS: []string{"in.example", "out.example"}})
	if err != nil {
		return err
	}
	_, err1 := ca.WritePEM(env.WorkDir, "ca")
	_, _, err2 := leaf.WritePEM(env.WorkDir, "gw")
	data, err3 := filepath.Abs("../../labels/testdata")
	env.Setenv("LABELS", data)
	return errors.Join(err1, err2, err3, os.Mkdir(filepath.Join(env.WorkDir, "state"), 0o700))
}

// exits runs a command and compares its exit code: exits 5 sallyport check ...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	var ee interface{ ExitCode() int }
	if errors.As(err, &ee) {
		got = string(rune('0' + ee.ExitCode()))
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// ready waits until a node answers on a socket: ready PATH.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := control.Dial(ctx, ts.MkAbs(args[0])); err == nil {
			var s control.Status
			err = c.Call(ctx, control.VerbStatus, nil, &s)
			c.Close()
			if err == nil && s.Ready {
				return
			}
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("no node is ready on %s", args[0])
		case <-tick.C:
		}
	}
}

// fixed answers like a node that has run for a day.
type fixed struct{}

var _ control.Node = fixed{}

// at is so long ago, in hours and minutes: what is shown of it is the same half a minute later, on a machine that has much to do.
func at(d time.Duration) time.Time { return time.Now().Add(-d) }

func (fixed) Status(context.Context) (control.Status, error) {
	return control.Status{
		Node: "gw1", Version: "v1", PID: 4711, Started: at(26*time.Hour + time.Minute), Config: "/etc/sallyport/sallyport.toml",
		Digest: strings.Repeat("ab", 32), Policy: strings.Repeat("cd", 16), Reloaded: at(3*time.Hour + 30*time.Second), Ready: true,
		Problems:        []string{"certificate /etc/sallyport/gw.pem expires in 3 days"},
		LastReloadError: "sallyport.toml:7: error: peer.b.sid: no such key\x1b[2J",
		Sides:           []control.SideStatus{{Name: "inside", Listen: []string{"127.0.0.1:5269", "127.0.0.1:5270"}, Streams: 2}, {Name: "outside", Listen: []string{"127.0.0.2:5269"}, Streams: 11, Pending: 1}},
		Stanzas:         control.Stanzas{Accepted: 12345, Delivered: 12000, Refused: 300, Bounced: 20, Expired: 5, InDoubt: 1, Deciding: 4, Queued: 10, Held: 3, Dropped: 2},
		Audit:           control.AuditStatus{Seq: 12345, Bytes: 5 << 20, Segments: 1, Signed: at(4 * time.Hour)},
	}, nil
}

func (fixed) Reload(context.Context, control.Caller, control.ReloadQuestion) (control.Reloaded, error) {
	return control.Reloaded{}, errors.New("sallyport.toml:7: error: peer.b.sid: no such key; did you mean side?\nthe configuration before it stays active")
}

func peers() []control.PeerStatus {
	return []control.PeerStatus{
		{Name: "office", Side: "inside", State: control.PeerUp, Streams: 2, Proof: "external", Queued: 0, Delivered: 120, Refused: 3},
		{Name: "partner", Side: "outside", State: control.PeerDown, Queued: 17, Delivered: 4711, Error: "connect 192.0.2.1:5269: connection refused; next try in 30s"},
	}
}

func (fixed) Peers(context.Context) ([]control.PeerStatus, error) { return peers(), nil }

func (fixed) Peer(_ context.Context, name string) (control.PeerDetail, error) {
	for _, p := range peers() {
		if p.Name == name {
			return control.PeerDetail{
				PeerStatus: p, Domains: []string{"in.example"}, Route: []string{"127.0.0.1:5270"}, Security: "certificate, TLS 1.2 or later",
				Kinds: []string{"message", "presence"}, Clearance: "INTERNAL", Pairs: []string{"partner"},
				Open: []control.StreamStatus{{
					Direction: "both", Local: "out.example", Remote: "in.example", Address: "127.0.0.1:40112", Since: at(90 * time.Minute),
					TLS: "TLS 1.3, TLS_AES_128_GCM_SHA256", Proof: "external, dNSName in.example", Management: true, Unacked: 1, In: 7, Out: 9,
				}},
			}, nil
		}
	}
	return control.PeerDetail{}, errors.New("there is no peer " + name + "; see 'sallyport peer list'")
}

func (fixed) Explain(_ context.Context, q control.ExplainQuestion) (json.RawMessage, error) {
	if q.From != "office" {
		return nil, errors.New("there is no peer " + q.From)
	}
	x := peering.Explanation{
		Outcome: "refused", FromPeer: "office", ToPeer: "partner", Policy: strings.Repeat("cd", 16), Stage: "label-out", Reason: "clearance",
		Rule: "peer partner", Detail: "label needs SECRET; clearance of partner has RESTRICTED", Allowing: "a clearance for partner that includes SECRET",
		Condition: "policy-violation", LabelIn: "SECRET", Steps: []peering.ExplanationStep{
			{Stage: "admit", Note: "pair office to partner is listed"},
			{Stage: "label-in", Note: "label read", Subject: "SECRET"},
			{Stage: "rules", Note: "element removed", Subject: "no-chat-states", Changed: true},
			{Stage: "label-out", Note: "not within the clearance of the outgoing peer, which ends at RESTRICTED and has no categories at all", Subject: "partner"},
		},
	}
	if strings.Contains(q.Stanza, "hello") {
		x.Outcome, x.Changed, x.Stage, x.Reason = "released", true, "", ""
		x.Diff = []string{"  <message>", "-   <active xmlns='http://jabber.org/protocol/chatstates'/>", "    <body>hello</body>", "  </message>"}
	}
	return json.Marshal(x)
}

func lanes() []control.SpoolLane {
	return []control.SpoolLane{
		{Peer: "ship", Class: "immediate", Entries: 2, Underway: 1, Bytes: 900, Oldest: at(4 * time.Hour)},
		{Peer: "ship", Class: "routine", Entries: 1200, Underway: 64, Bytes: 600 << 10, Oldest: at(3 * time.Hour)},
		{Peer: "ship", Class: "routine", Aside: true, Entries: 3, Bytes: 1500, Oldest: at(2 * time.Hour)},
	}
}

func (fixed) Spool(_ context.Context, q control.SpoolQuestion) (control.SpoolStatus, error) {
	s := control.SpoolStatus{
		Entries: 1205, Bytes: 602 << 10, DiskBytes: 2 << 20, Segments: 1, Epoch: "1f2e3d4c5b6a7988", Accepted: 5000, Queued: 1205, Delivered: 3700,
		Bounced: 1, Refused: 2, Expired: 90, Superseded: 1, InDoubt: 1, Lanes: lanes(),
	}
	if q.Limit > 0 {
		s.List = []control.SpoolEntry{{
			Number: 4711, Peer: "ship", Class: "routine", State: "waiting", Kind: "message", Bytes: 512, Accepted: at(3 * time.Hour),
			Expires: time.Now().Add(21*time.Hour + time.Minute/2),
		}}
		s.More = true
	}
	return s, nil
}

func (fixed) SpoolEntry(_ context.Context, q control.EntryQuestion) (control.SpoolDetail, error) {
	if q.Number != 4711 {
		return control.SpoolDetail{}, errors.New("there is no entry 12 in the spool")
	}
	return control.SpoolDetail{
		SpoolEntry: control.SpoolEntry{Number: 4711, Peer: "ship", Class: "routine", State: "aside", Kind: "message", Bytes: 512, Accepted: at(3 * time.Hour)},
		From:       "u@in.example", To: "v@ship.example", ID: "m1", Reference: "0123456789abc", Label: "SECRET", Outcome: "released", Links: []string{"sat"},
	}, nil
}

func (fixed) ExpireSpool(_ context.Context, _ control.Caller, q control.SpoolQuestion) (control.SpoolChanged, error) {
	return control.SpoolChanged{Entries: len(q.Numbers) - 1, Left: q.Numbers[:1]}, nil
}

func (fixed) RetrySpool(context.Context, control.Caller, control.SpoolQuestion) (control.SpoolChanged, error) {
	return control.SpoolChanged{Entries: 65}, nil
}

func (fixed) SetEMCON(_ context.Context, _ control.Caller, q control.EMCONQuestion) (control.EMCONAnswer, error) {
	if q.Link != "hf" {
		return control.EMCONAnswer{}, errors.New("there is no link of kind hf of that name; see 'sallyport link status'")
	}
	return control.EMCONAnswer{On: q.On, Changed: true}, nil
}

func (fixed) Links(context.Context) ([]control.LinkStatus, error) {
	loss := 0.034
	return []control.LinkStatus{
		{
			Name: "sat", Kind: "x2x", Peer: "ship", Side: "outside", State: "waiting", Since: at(5 * time.Hour), Retry: time.Now().Add(2*time.Hour + time.Minute/2),
			Fingerprint: "0a1b2c3d4e5f", Story: []control.Attempt{{
				At: at(3 * time.Hour), Address: "sat.ship.example:5271",
				Steps: []string{"+0.0s connecting", "+10.0s no answer"}, Advice: "is the other gateway running, and does a firewall let TCP port 5271 through?",
			}},
		},
		{
			Name: "hf", Kind: "x2x", Peer: "ship", Side: "outside", State: "up", Since: at(5 * time.Hour), Carries: []string{"routine", "immediate"},
			Silence: "ordered by op at 2026-11-22 08:00:00Z", RoundTrip: "12s", BytesOut: 48 << 10, BytesIn: 3 << 10, Saved: 30 << 10, Folded: 200 << 10, Loss: &loss,
			Usage: []control.LinkUse{
				{Content: "acknowledgements", Plain: 500, Wire: 500, Hour: 50, Day: 400, HourShare: 0.02, DayShare: 0.03, HourAir: 0.3, DayAir: 3},
				{Inbound: true, Class: "routine", Content: "iq", Stanzas: 3, Plain: 700, Wire: 300, Hour: 300, Day: 300, HourShare: 1, DayShare: 1, HourAir: 2, DayAir: 2},
				{Class: "routine", Content: "room-messages", Stanzas: 90, Plain: 60 << 10, Wire: 40 << 10, Hour: 9 << 10, Day: 30 << 10, HourShare: 0.98, DayShare: 0.97, HourAir: 61, DayAir: 200},
			},
			Budgets: []control.LinkBudget{{Class: "routine", Bytes: 10 << 10, Period: 3600, Left: -20, Waits: true, Reopened: 7.5}},
		},
	}, nil
}

type noRecord struct{}

func (noRecord) Record(context.Context, control.Event) error { return nil }

func startNode(ts *testscript.TestScript, _ bool, _ []string) {
	s, err := control.Listen(control.Options{
		Path: ts.MkAbs("node.sock"), Group: -1, Verbs: append(control.Verbs(fixed{}), fixedAdministration()...), Recorder: noRecord{},
	})
	ts.Check(err)
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	ts.Defer(func() { ts.Check(errors.Join(s.Close(), <-served)) })
}

// fixedRadio answers like a node of the HF stack.
type fixedRadio struct{ emcon bool }

func (f *fixedRadio) SetEMCON(on bool) error {
	f.emcon = on
	return nil
}

func (f *fixedRadio) SetRate(rate int) error {
	if rate != 600 {
		return errors.New("not done: the waveform has no such rate")
	}
	return nil
}

func (f *fixedRadio) AskRate(_ s5066.Address, rate int) (uint64, error) {
	return uint64(rate / 600), nil
}

func (f *fixedRadio) SendEOW(s5066.Address, dpdu.EOW, string) (uint64, error) { return 3, nil }

func (f *fixedRadio) Status() radio.Status {
	snr, noon := 14, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return radio.Status{
		Time: noon, Address: "1.2.3.5", Waveform: "110a-1200-short", Rate: 1200, Modem: true,
		Channel: "1.2.3.4 transmits", SNR: &snr, Clients: []radio.ClientStatus{{SAP: 6, Name: "6 (RCOP)", Rank: 5}}, Waiting: 3, UnderWay: 2, EMCON: f.emcon,
		Remotes: []radio.RemoteStatus{
			{Address: "1.2.3.4", Link: "up", Seconds: 90, Window: 17, Queue: 2, Segment: 200, Loss: 0.12, Sent: 120, Again: 14, Heard: 90, Damaged: 7},
			{Address: "1.2.3.9", Link: "none"},
		},
		Asked: []radio.AskedStatus{
			{ID: 1, Remote: "1.2.3.4", What: "600 bit/s", Since: noon, Ended: noon.Add(8 * time.Second), OK: true},
			{ID: 2, Remote: "1.2.3.4", What: "1200 bit/s", Since: noon, Ended: noon.Add(8 * time.Second), Why: "the other node refuses: it cannot change its interleaver"},
			{ID: 3, Remote: "1.2.3.9", What: "order wire: message type 8, data 03", Since: noon.Add(-time.Minute)},
		},
		Changes: []radio.Change{
			{Time: noon.Add(-4 * time.Minute), Kind: "modem up"},
			{Time: noon.Add(-3 * time.Minute), Kind: "link failed", Remote: "1.2.3.4", Text: "no answer"},
			{Time: noon.Add(-2 * time.Minute), Kind: "link up", Remote: "1.2.3.4", Text: "nonexclusive"},
			{Time: noon.Add(-time.Minute), Kind: "rate changed", Remote: "1.2.3.4", Text: "110a-600-short"},
		},
		Counts: radio.Counts{Requests: 12, Confirmed: 8, Rejected: 1, Indications: 4, Trains: 31, Airtime: 210, Delay: 9.5, Slowest: 41},
	}
}

// startRadioNode starts what answers like a node of the HF stack, on $WORK/radio.sock.
func startRadioNode(ts *testscript.TestScript, _ bool, _ []string) {
	var sw capture.Switch
	s, err := control.Listen(control.Options{Path: ts.MkAbs("radio.sock"), Group: -1, Recorder: noRecord{}, Verbs: radio.Verbs(&fixedRadio{}, &sw)})
	ts.Check(err)
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	ts.Defer(func() {
		_, off := sw.Off()
		ts.Check(errors.Join(s.Close(), <-served, off))
	})
}

// TestEveryCommandShowsHow: each command has an example that begins with its name, help
// that fits a terminal, and no flag without a meaning.
func TestEveryCommandShowsHow(t *testing.T) {
	t.Parallel()
	var each func(cmd *cobra.Command)
	each = func(cmd *cobra.Command) {
		if !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("%s: the example does not show it: %q", cmd.CommandPath(), cmd.Example)
		}
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: short help %q", cmd.CommandPath(), cmd.Short)
		}
		var out bytes.Buffer
		cmd.SetOut(&out)
		if err := cmd.Help(); err != nil {
			t.Errorf("%s: %v", cmd.CommandPath(), err)
		}
		for line := range strings.Lines(out.String()) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > screen {
				t.Errorf("%s: a line of %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
		for _, sub := range cmd.Commands() {
			if sub.Name() != "help" {
				each(sub)
			}
		}
	}
	each((&app{}).root())
}
