package gateway

import (
	"errors"

	"sallyport/gateway/delivery"
	"sallyport/gateway/dispatch"
	"sallyport/gateway/spool"
	"sallyport/links"
)

// faultOf is what the scheduler is told of the cause that a link gives.
func faultOf(cause error) dispatch.Fault {
	switch {
	case errors.Is(cause, links.ErrTooBig):
		return dispatch.ItemTooBig
	case errors.Is(cause, links.ErrStaleTurn), errors.Is(cause, links.ErrNoCustody):
		return dispatch.Unwritten
	case errors.Is(cause, links.ErrUnreachable):
		return dispatch.Unheard
	case errors.Is(cause, links.ErrNoRoute):
		return dispatch.ItemNoRoute
	case errors.Is(cause, links.ErrRefused):
		return dispatch.ItemIsRefused
	}
	return dispatch.OfLink
}

// conclusion is how an entry ends that the scheduler gives up.
func (x *dispatcher) conclusion(h *heldEntry, a dispatch.Action) conclusion {
	c := conclusion{entry: h.Entry, how: spool.Bounced, downSince: x.downSince}
	switch a {
	case dispatch.InDoubt:
		c.how, c.state = spool.InDoubt, delivery.Uncertain
	case dispatch.Expired:
		c.how = spool.Expired
	case dispatch.TooBig:
		c.state = delivery.TooBig
	case dispatch.Poison:
		c.state = delivery.TakenOut
	default:
		c.unroutable = true
	}
	return c
}
