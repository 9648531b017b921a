package sis_test

import (
	"context"
	"fmt"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// A program that sends one message through a node and waits for its outcome.
func ExampleDial() {
	send := func(ctx context.Context, node string, to s5066.Address) error {
		conn, err := sis.Dial(ctx, node, sis.BindOptions{
			SAP: s5066.SAPRCOP, Rank: 5,
			Service: s5066.ServiceType{Mode: s5066.TxARQ, Confirm: s5066.ConfirmNode},
		})
		if err != nil {
			return err
		}
		defer conn.Close()
		err = conn.Send(ctx, 1, sis.UnidataRequest{
			SAP: s5066.SAPRCOP, Destination: to, Priority: 6, TTL: 10 * time.Minute, Data: []byte("hello"),
		})
		for err == nil {
			var e sis.ClientEvent
			e, err = conn.Receive(ctx)
			switch e := e.(type) {
			case sis.Confirmed:
				return nil
			case sis.Rejected:
				return fmt.Errorf("not delivered: %v", e.Reason)
			case sis.InDoubt:
				return fmt.Errorf("nobody knows")
			}
		}
		return err
	}
	err := send(context.Background(), "127.0.0.1:0", s5066.Unicast(0x1020304)) // nobody listens there
	fmt.Println(err != nil)
	// Output: true
}
