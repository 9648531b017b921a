package hf

// crc16 goes on with a CRC-16 (x^16+x^12+x^5+1, not that of D_PDUs). Two messages that differ within sixteen bits in a row never have the
// same.
func crc16(crc uint16, parts ...[]byte) uint16 {
	const polynomial = 0x1021
	for _, part := range parts {
		for _, b := range part {
			crc ^= uint16(b) << 8
			for range 8 {
				if crc&0x8000 != 0 {
					crc = crc<<1 ^ polynomial
				} else {
					crc <<= 1
				}
			}
		}
	}
	return crc
}
