package compact

// The range coder: 56 bits of low and range, bytes out when the range falls below 48 bits, so that totals of 16 bits cost nothing by
// rounding. What follows the last byte reads as zeros, hence trailing zeros are not sent.
const (
	rangeTop    = 1 << 56
	rangeBottom = 1 << 48
	maxTotal    = 1 << 16
)

// rangeEncoder appends to out from byte begin on.
type rangeEncoder struct {
	out   []byte
	begin int
	low   uint64
	width uint64
}

func (r *rangeEncoder) start(dst []byte) {
	*r = rangeEncoder{out: dst, begin: len(dst), width: rangeTop}
}

// put codes a symbol that has freq of total, behind those that have below. total is at most maxTotal.
func (r *rangeEncoder) put(below, freq, total uint32) {
	unit := r.width / uint64(total)
	r.low += unit * uint64(below)
	if below+freq == total {
		r.width -= unit * uint64(below)
	} else {
		r.width = unit * uint64(freq)
	}
	r.carry()
	for r.width < rangeBottom {
		r.out = append(r.out, byte(r.low>>48))
		r.low = r.low << 8 & (rangeTop - 1)
		r.width <<= 8
	}
}

func (r *rangeEncoder) carry() {
	if r.low < rangeTop {
		return
	}
	r.low -= rangeTop
	for i := len(r.out) - 1; i >= r.begin; i-- { // there is a byte below 0xFF: the whole is less than one
		if r.out[i]++; r.out[i] != 0 {
			return
		}
	}
}

// finish writes the fewest bytes that are within the range, and returns all.
func (r *rangeEncoder) finish() []byte {
	end := r.low + r.width // not within
	for keep := uint(0); ; keep += 8 {
		step := uint64(1) << (56 - keep)
		if v := (r.low + step - 1) &^ (step - 1); v < end {
			r.low = v
			break
		}
	}
	r.carry()
	for range 7 {
		r.out = append(r.out, byte(r.low>>48))
		r.low = r.low << 8 & (rangeTop - 1)
	}
	for len(r.out) > r.begin && r.out[len(r.out)-1] == 0 {
		r.out = r.out[:len(r.out)-1]
	}
	return r.out
}

// rangeDecoder reads in; beyond its end it reads zeros.
type rangeDecoder struct {
	in    []byte
	code  uint64 // less low
	width uint64
	unit  uint64
}

func (r *rangeDecoder) start(in []byte) {
	*r = rangeDecoder{in: in, width: rangeTop}
	for range 7 {
		r.code = r.code<<8 | r.next()
	}
}

func (r *rangeDecoder) next() (b uint64) {
	if len(r.in) > 0 {
		b, r.in = uint64(r.in[0]), r.in[1:]
	}
	return b
}

// get returns where of total the next symbol lies; take must follow with that symbol.
func (r *rangeDecoder) get(total uint32) uint32 {
	r.unit = r.width / uint64(total)
	return uint32(min(r.code/r.unit, uint64(total-1))) //nolint:gosec // below a 32-bit number
}

func (r *rangeDecoder) take(below, freq, total uint32) {
	r.code -= r.unit * uint64(below)
	if below+freq == total {
		r.width -= r.unit * uint64(below)
	} else {
		r.width = r.unit * uint64(freq)
	}
	for r.width < rangeBottom {
		r.code = r.code<<8 | r.next()
		r.width <<= 8
	}
}
