package main

import (
	"strings"
	"testing"
)

// A race is judged by medians, against ejabberd and against the best of the others; where they are left out, by nothing.
func TestRaceRows(t *testing.T) {
	all := []contender{{name: "prosody", process: "prosody"}, {name: "ejabberd", process: "ejabberd"}, {name: "ejabberd, synced", process: "ejabberd"}, {name: home, process: home}}
	got := map[string]*samples{
		"ejabberd, synced": {rate: []float64{1}, cpu: []float64{11}, peak: 120},
		"prosody":          {rate: []float64{5, 4, 6}, cpu: []float64{8, 9, 30}, peak: 20},
		"ejabberd":         {rate: []float64{10, 10, 10}, cpu: []float64{12, 12, 12}, peak: 120},
		home:               {rate: []float64{20, 40, 30}, cpu: []float64{1.7, 1.6, 5}, peak: 60},
	}
	verdicts := map[string]string{}
	for _, r := range raceRows("1:1", "msg", all, got, budgets{yardstick: "ejabberd", also: "ejabberd, synced", ofEjabberd: 1.0 / 7}) {
		if r.Met != nil {
			verdicts[r.Against] = map[bool]string{true: "met", false: "missed"}[*r.Met]
		}
		if strings.HasSuffix(r.Name, "rate, "+home) && (r.Value != 30 || r.Ratio != 3 || r.Spread < 0.66 || r.Spread > 0.67) {
			t.Errorf("%+v, want the median, three times ejabberd's, and two thirds of it as spread", r)
		}
	}
	if len(verdicts) != 3 || verdicts["ejabberd"] != "met" || verdicts["ejabberd, synced"] != "missed" || verdicts["best: prosody"] != "met" {
		t.Errorf("%v: 1.7 is less than a seventh of 12, and than a fifth of 9, but not a seventh of 11", verdicts)
	}
	for _, r := range raceRows("1:1", "msg", all[3:], got, budgets{yardstick: "nobody", ofEjabberd: 1.0 / 7}) {
		if r.Met != nil || r.Ratio != 0 {
			t.Errorf("%+v: there is nothing to judge it by", r)
		}
	}
}

// A name chooses the group of that name, or all below it.
func TestChooseGroups(t *testing.T) {
	for only, want := range map[string]int{"server": 5, "server/1to1": 1, "serv": 0, "relay": 1, "": len(groups())} {
		if got := len(chosen(only)); got != want {
			t.Errorf("%q chooses %d groups, want %d", only, got, want)
		}
	}
}

// Who only receives is told the same with other names.
func TestReceiverArguments(t *testing.T) {
	c := contender{args: []string{"-auth", "scram-sha-1", "-password", "a b"}}
	if got := strings.Join(c.toArgs(), " "); got != "-to-auth scram-sha-1 -to-password a b" {
		t.Error(got)
	}
}

// A session's memory is judged by a number and against the least of the others, logins against ejabberd.
func TestLoginRows(t *testing.T) {
	all := []contender{{name: "prosody", process: "prosody"}, {name: ejabberd, process: ejabberd}, {name: home, process: home}}
	got := map[string]*loginSamples{
		"prosody": {rate: []float64{20, 30}, cpu: []float64{10, 10}, memory: []float64{30, 2}},
		ejabberd:  {rate: []float64{50, 50}, cpu: []float64{20, 20}, memory: []float64{100, 1}},
		home:      {rate: []float64{100, 180}, cpu: []float64{2, 2}, memory: []float64{35, 1}},
	}
	verdicts := ""
	for _, r := range loginRows(all, got) {
		if r.Met != nil {
			verdicts += r.Against + map[bool]string{true: " met, ", false: " missed, "}[*r.Met]
		}
	}
	if want := "ejabberd missed, ejabberd met, best: prosody missed, "; verdicts != want {
		t.Errorf("%q, want %q: 140 is less than three times 50, 35 less than 40 and more than 30", verdicts, want)
	}
	if alone := loginRows(all[2:], map[string]*loginSamples{home: got[home]}); len(alone) != 3 {
		t.Errorf("%+v: alone it has nothing to be better than", alone)
	}
}
