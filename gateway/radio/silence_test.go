package radio_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"

	"go.uber.org/zap"

	"sallyport/gateway/radio"
	"sallyport/s5066"
	"sallyport/s5066/manage"
	"sallyport/s5066/sis"
)

// life runs a node while during is running.
func life(t *testing.T, n radio.Node, during func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- radio.RunNode(ctx, n, zap.NewNop()) }()
	during()
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// TestSilenceOutlivesTheNode, whether it was ordered over the control socket or by a manager.
func TestSilenceOutlivesTheNode(t *testing.T) {
	t.Parallel()
	n, problems := radio.LoadNode(file(t, "node.toml", strings.Replace(goodNode, "[modem]", "max_rank = 15\n[modem]", 1)))
	if problems.Failed() {
		t.Fatal(problems.Err())
	}
	n.Listen = ownAddress()
	socket := string(n.Socket)
	is := func(want bool) {
		t.Helper()
		var s radio.Status
		if err := asked(t, socket, radio.VerbStatus, nil, &s); err != nil || s.EMCON != want {
			t.Errorf("silent %t, want %t (%v)", s.EMCON, want, err)
		}
	}
	order := func(on bool) {
		t.Helper()
		if err := asked(t, socket, radio.VerbEMCON, radio.EMCONQuestion{On: on}, nil); err != nil {
			t.Error(err)
		}
	}
	life(t, n, func() { is(false); order(true) })
	life(t, n, func() { is(true); order(false) })
	life(t, n, func() {
		is(false)
		managed(t, n)
		is(true)
		await(t, func() bool { _, err := os.Stat(socket + ".emcon"); return err == nil })
	})
	life(t, n, func() { is(true) })
}

// managed orders silence as a client of rank 15.
func managed(t *testing.T, n radio.Node) {
	t.Helper()
	c, err := sis.Dial(t.Context(), n.Listen.String(), sis.BindOptions{SAP: s5066.SAPManagement, Rank: s5066.RankManager, Service: s5066.ServiceType{Mode: s5066.TxNonARQ}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body, err := manage.AppendRequest(nil, manage.Request{ID: 1, Verb: manage.VerbEMCON, On: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Manage(t.Context(), manage.NumberRequest, body); err != nil {
		t.Fatal(err)
	}
	for {
		e, err := c.Receive(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if news, ok := e.(sis.ManagementNews); ok {
			if a, err := manage.ParseAnswer(news.Message.Body); err != nil || !a.OK {
				t.Errorf("%+v %v", a, err)
			}
			return
		}
	}
}

// TestARawModemKeepsItsRate: the node cannot tell it, and says what can be done.
func TestARawModemKeepsItsRate(t *testing.T) {
	t.Parallel()
	text := strings.Replace(goodNode, `station = "ship"`, `kind = "raw"`, 1)
	n, problems := radio.LoadNode(file(t, "node.toml", text))
	if problems.Failed() {
		t.Fatal(problems.Err())
	}
	life(t, n, func() {
		err := asked(t, string(n.Socket), radio.VerbRate, radio.RateQuestion{Rate: 600}, nil)
		if err == nil || !strings.Contains(err.Error(), "set it there") {
			t.Errorf("got %v", err)
		}
		if err := asked(t, string(n.Socket), radio.VerbMessage, radio.MessageQuestion{To: s5066.Unicast(0x1020304), Type: 8}, nil); err == nil || !strings.Contains(err.Error(), "no modem") {
			t.Errorf("got %v", err)
		}
	})
}

// ownAddress is one of the loopback network that nobody else uses, so that no port of it is taken.
func ownAddress() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, byte(1 + rand.IntN(254)), byte(rand.IntN(256)), byte(1 + rand.IntN(254))}), 5066)
}
