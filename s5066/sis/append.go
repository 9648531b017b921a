package sis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"sallyport/s5066"
)

// Limits of one primitive, in bytes.
const (
	headerSize = 5 // preamble, version, size
	// MaxManagement is the largest body of a management message.
	MaxManagement = 4096
	// MaxUPDU is the largest U_PDU that an S_UNIDATA_REQUEST has room for. The MTU of a node is
	// far smaller; what lies between is read in order to be refused.
	MaxUPDU = math.MaxUint16 - 12
	// MaxPrimitive is the largest primitive.
	MaxPrimitive = headerSize + math.MaxUint16
)

// ErrField is wrapped by errors of AppendPrimitive: a value does not fit its field.
var ErrField = errors.New("value does not fit its field")

// writer appends arguments and remembers the first value that did not fit.
type writer struct {
	b   []byte
	err error
}

func (w *writer) refuse(what string) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: %s", ErrField, what)
	}
}

func (w *writer) byte(v uint8)    { w.b = append(w.b, v) }
func (w *writer) short(v uint16)  { w.b = binary.BigEndian.AppendUint16(w.b, v) }
func (w *writer) bytes(v []byte)  { w.b = append(w.b, v...) }
func (w *writer) sap(s s5066.SAP) { w.nibbles(0, uint8(s), "SAP") }

// nibbles writes two values of four bits.
func (w *writer) nibbles(high, low uint8, what string) {
	if high > 15 || low > 15 {
		w.refuse(what)
		return
	}
	w.byte(high<<4 | low)
}

func (w *writer) address(a s5066.Address) { w.b = binary.BigEndian.AppendUint32(w.b, a.Word()) }

// counted writes a length of two bytes and the bytes.
func (w *writer) counted(v []byte, what string) {
	if len(v) > MaxUPDU {
		w.refuse(what)
		return
	}
	w.short(uint16(len(v)))
	w.bytes(v)
}

// service writes the byte that service type and delivery mode share.
func (w *writer) service(s s5066.ServiceType) {
	if s.Mode > 15 || s.Confirm > 3 || s.Retransmissions > 15 {
		w.refuse("service type")
		return
	}
	w.byte(uint8(s.Mode)<<4 | uint8(s.Confirm)<<2 | flag(s.AsTheyArrive)<<1 | flag(s.Extended))
}

func flag(on bool) uint8 {
	if on {
		return 1
	}
	return 0
}

// retransmissions writes three bytes: number of copies, and the time to live, rounded up
// so that a short life does not become an unlimited one.
func (w *writer) retransmissions(n uint8, ttl time.Duration) {
	units := (ttl + s5066.TTLUnit - 1) / s5066.TTLUnit
	if ttl < 0 || units >= 1<<20 {
		w.refuse("time to live")
		return
	}
	w.byte(n<<4 | uint8(units>>16))
	w.short(uint16(units))
}

func (w *writer) link(l s5066.HardLink) {
	if !l.Type.Valid() || l.Priority > 3 || !l.SAP.Valid() {
		w.refuse("hard link")
		return
	}
	w.byte(uint8(l.Type)<<6 | l.Priority<<4 | uint8(l.SAP))
	w.address(l.Remote)
}

// AppendPrimitive appends a primitive as it goes on the wire. An error wraps ErrField and
// leaves dst as it was; it is the caller's mistake, never a peer's.
func AppendPrimitive(dst []byte, p Primitive) ([]byte, error) {
	start := len(dst)
	w := writer{b: append(dst, 0x90, 0xEB, 0x00, 0, 0, byte(p.Type()))}
	p.arguments(&w)
	size := len(w.b) - start - headerSize
	if w.err == nil && size > math.MaxUint16 {
		w.refuse("size")
	}
	if w.err != nil {
		return dst, fmt.Errorf("write %s: %w", p.Type(), w.err)
	}
	binary.BigEndian.PutUint16(w.b[start+3:], uint16(size))
	return w.b, nil
}

func (p BindRequest) arguments(w *writer) {
	w.nibbles(uint8(p.SAP), uint8(p.Rank), "SAP or rank")
	w.service(p.Service)
	w.byte(p.Service.Retransmissions << 4)
}

func (p BindAccepted) arguments(w *writer) {
	w.nibbles(uint8(p.SAP), 0, "SAP")
	if p.MTU == 0 {
		w.refuse("MTU")
	}
	w.short(p.MTU)
}

func (UnbindRequest) arguments(*writer)        {}
func (KeepAlive) arguments(*writer)            {}
func (DataFlow) arguments(*writer)             {}
func (p BindRejected) arguments(w *writer)     { w.byte(uint8(p.Reason)) }
func (p UnbindIndication) arguments(w *writer) { w.byte(uint8(p.Reason)) }

func (p HardLinkEstablish) arguments(w *writer) { w.link(p.Link) }
func (p HardLinkTerminate) arguments(w *writer) { w.address(p.Remote) }
func (p HardLinkAccept) arguments(w *writer)    { w.link(p.Link) }

func (p HardLinkEstablished) arguments(w *writer) {
	w.byte(p.Status)
	w.link(p.Link)
}

func (p HardLinkRejected) arguments(w *writer) {
	w.byte(uint8(p.Reason))
	w.link(p.Link)
}

func (p HardLinkTerminated) arguments(w *writer) {
	w.byte(uint8(p.Reason))
	w.link(p.Link)
}

func (p HardLinkIndication) arguments(w *writer) {
	w.byte(p.Status)
	w.link(p.Link)
}

func (p HardLinkReject) arguments(w *writer) {
	w.byte(p.Reason)
	w.link(p.Link)
}

func (p SubnetAvailability) arguments(w *writer) {
	w.byte(uint8(p.Status))
	w.byte(uint8(p.Reason))
}

func (p Management) arguments(w *writer) {
	if len(p.Body) > MaxManagement {
		w.refuse("management body")
		return
	}
	w.byte(p.Message)
	w.bytes(p.Body)
}

// priority is the nibble before the destination SAP, unused in expedited primitives.
func priority(expedited bool, p s5066.Priority) uint8 {
	if expedited {
		return 0
	}
	return uint8(p)
}

func (p UnidataRequest) arguments(w *writer) {
	w.nibbles(priority(p.Expedited, p.Priority), uint8(p.SAP), "priority or SAP")
	w.address(p.Destination)
	w.service(p.Delivery)
	w.retransmissions(p.Delivery.Retransmissions, p.TTL)
	w.counted(p.Data, "U_PDU")
}

func (p UnidataIndication) arguments(w *writer) {
	w.nibbles(priority(p.Expedited, p.Priority), uint8(p.SAP), "priority or SAP")
	w.address(p.Destination)
	w.nibbles(uint8(p.Mode), uint8(p.SourceSAP), "mode or source SAP")
	w.address(p.Source)
	if len(p.Data) > MaxUPDU {
		w.refuse("U_PDU")
		return
	}
	w.short(uint16(len(p.Data)))
	switch {
	case p.Mode == s5066.TxNonARQErrors:
		w.blocks(p.Damaged, len(p.Data))
		w.blocks(p.Missing, len(p.Data))
	case len(p.Damaged)+len(p.Missing) > 0:
		w.refuse("blocks with errors in a mode that has none")
	}
	w.bytes(p.Data)
}

func (w *writer) blocks(list []Block, within int) {
	if len(list) > math.MaxUint16/4 {
		w.refuse("number of blocks")
		return
	}
	w.short(uint16(len(list)))
	for _, b := range list {
		if int(b.First)+int(b.Length) > within {
			w.refuse("block beyond the U_PDU")
		}
		w.short(b.First)
		w.short(b.Length)
	}
}

func (p UnidataConfirm) arguments(w *writer) {
	w.sap(p.SAP)
	w.address(p.Destination)
	w.counted(p.Returned, "returned part")
}

func (p UnidataRejected) arguments(w *writer) {
	w.nibbles(uint8(p.Reason), uint8(p.SAP), "reason or SAP")
	w.address(p.Destination)
	w.counted(p.Returned, "returned part")
}
