package peers_test

import (
	"testing"

	"sallyport/testbed/peers"
)

// Both servers come up, stop when told, and come up again on the same data.
func TestBedStartsAndStops(t *testing.T) {
	bed, err := peers.OpenBed(t.TempDir(), peers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := bed.Close(); err != nil {
			t.Error(err)
		}
	}()
	bed.PublishDirect()
	if err := bed.Start(); err != nil {
		t.Fatal(err)
	}
	stranger, err := peers.DialIntruder(bed.Prosody.Servers(), bed.Ejabberd.Domain, bed.Prosody.Domain, bed.Ejabberd.Pair)
	if err != nil {
		t.Errorf("a stream opened by hand: %v\n%s", err, bed.Prosody.LogTail(2000))
	} else if err := stranger.Close(); err != nil {
		t.Error(err)
	}
	for _, s := range []*peers.Server{bed.Prosody, bed.Ejabberd} {
		if err := s.Stop(); err != nil {
			t.Errorf("stop: %v\n%s", err, s.LogTail(2000))
		}
	}
	if err := bed.Prosody.Start(); err != nil {
		t.Error(err)
	}
	bed.Prosody.Kill()
	if err := bed.Prosody.Start(); err != nil {
		t.Error(err)
	}
}
