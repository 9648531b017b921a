package dpdu

// The checksums of C.2: reflected, starting at zero, sent as they are with the lowest byte first. Running either over data
// followed by its checksum leaves zero.
const (
	poly16 = 0x9299
	poly32 = 0xF3A4E550
)

var (
	table16 = makeTable16()
	table32 = makeTable32()
)

func makeTable16() (t [256]uint16) {
	for i := range t {
		r := uint16(i)
		for range 8 {
			r = r>>1 ^ poly16*(r&1)
		}
		t[i] = r
	}
	return t
}

func makeTable32() (t [256]uint32) {
	for i := range t {
		r := uint32(i)
		for range 8 {
			r = r>>1 ^ poly32*(r&1)
		}
		t[i] = r
	}
	return t
}

// CRC16 is the checksum of a header, from the byte after the sync word.
func CRC16(b []byte) uint16 {
	r := uint16(0)
	for _, c := range b {
		r = r>>8 ^ table16[byte(r)^c]
	}
	return r
}

// CRC32 is the checksum of a segment.
func CRC32(b []byte) uint32 {
	r := uint32(0)
	for _, c := range b {
		r = r>>8 ^ table32[byte(r)^c]
	}
	return r
}
