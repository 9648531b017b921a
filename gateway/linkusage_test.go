package gateway_test

import (
	"testing"
	"time"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/links"
)

// TestLinkUsage: shares are those of a direction, air time follows from the rate, and what nobody measures is absent.
func TestLinkUsage(t *testing.T) {
	t.Parallel()
	st := links.Status{
		Name: "sat", Profile: links.Profile{BitsPerSecond: 8000}, Folded: 7,
		Usage: []links.Use{
			{Lane: 2, Content: links.Messages, Stanzas: 2, Plain: 9000, Wire: 4000, Hour: 3000, Day: 4000},
			{Lane: links.NoLane, Content: links.Acknowledgements, Wire: 1000, Plain: 1000, Hour: 1000, Day: 1000},
			{Inbound: true, Lane: 0, Content: links.IQ, Stanzas: 1, Plain: 10, Wire: 10, Day: 10},
		},
	}
	out := gateway.LinkStatus(&st)
	if out.Loss != nil || out.RoundTrip != "" || out.Folded != 7 || len(out.Usage) != 3 {
		t.Fatalf("%+v", out)
	}
	first := out.Usage[0]
	if first.Class != "immediate" || first.Content != "messages" || first.HourShare != 0.75 || first.DayShare != 0.8 || first.HourAir != 3 || first.DayAir != 4 {
		t.Errorf("%+v", first)
	}
	if acks := out.Usage[1]; acks.Class != "" || acks.HourShare != 0.25 {
		t.Errorf("%+v", acks)
	}
	if in := out.Usage[2]; !in.Inbound || in.HourShare != 0 || in.DayShare != 1 {
		t.Errorf("%+v", in)
	}
	st.Quality = links.Quality{LossMeasured: true, RoundTrip: time.Second}
	if out := gateway.LinkStatus(&st); out.Loss == nil || *out.Loss != 0 || out.RoundTrip != "1s" {
		t.Errorf("%+v", out)
	}
}

// TestConfiguredBudgets: a share of the air time is as many bytes as the rate makes in an hour.
func TestConfiguredBudgets(t *testing.T) {
	t.Parallel()
	l := config.Link{BitsPerSecond: 8000, Budget: config.Budgets{
		Routine: config.Budget{Percent: 25}, Immediate: config.Budget{Bytes: 5000, Period: time.Minute},
	}}
	want := [links.Lanes]links.Budget{0: {Bytes: 900_000, Period: time.Hour}, 2: {Bytes: 5000, Period: time.Minute}}
	if got := gateway.ProfileOf(&l).Budgets; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
