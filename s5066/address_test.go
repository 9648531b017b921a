package s5066_test

import (
	"errors"
	"testing"

	"sallyport/s5066"
)

func TestAddressOnTheWire(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		word  uint32
		text  string
		valid bool
		group bool
		again uint32
	}{
		{"a node", 0xE1020304, "1.2.3.4", true, false, 0xE1020304},
		{"the highest node", 0xEFFFFFFF, "15.255.255.255", true, false, 0xEFFFFFFF},
		{"the lowest group", 0xF0000000, "16.0.0.0", true, true, 0xF0000000},
		{"all stations", 0xFFFFFFFF, "31.255.255.255", true, true, 0xFFFFFFFF},
		{"short, right-aligned", 0x60000304, "0.0.3.4", true, false, 0xE0000304},
		{"short group", 0x30000007, "16.0.0.7", true, true, 0xF0000007},
		{"one half-byte", 0x2000000F, "0.0.0.15", true, false, 0xE000000F},
		{"one half-byte and more", 0x20000010, "invalid(20000010)", false, false, 0x20000010},
		{"no length", 0x01020304, "invalid(01020304)", false, false, 0x01020304},
		{"nothing", 0, "invalid(00000000)", false, false, 0},
	} {
		a := s5066.AddressFromWord(row.word)
		if a.String() != row.text || a.Valid() != row.valid || a.IsGroup() != row.group || a.Word() != row.again {
			t.Errorf("%s: %s, valid %v, group %v, word %08X", row.name, a, a.Valid(), a.IsGroup(), a.Word())
		}
		if a.IsUnicast() != (row.valid && !row.group) {
			t.Errorf("%s: unicast %v", row.name, a.IsUnicast())
		}
		if !row.valid {
			if _, err := a.MarshalText(); !errors.Is(err, s5066.ErrAddress) {
				t.Errorf("%s: marshalled, %v", row.name, err)
			}
			continue
		}
		if back, err := s5066.ParseAddress(row.text); err != nil || back != a {
			t.Errorf("%s: parsed as %v (%v)", row.name, back, err)
		}
	}
}

func TestAddressFromValue(t *testing.T) {
	t.Parallel()
	if a := s5066.Unicast(0x1020304); a.String() != "1.2.3.4" || a.Value() != 0x1020304 {
		t.Errorf("unicast: %s", a)
	}
	if a := s5066.Group(1); a.String() != "16.0.0.1" || a.Value() != 1 {
		t.Errorf("group: %s", a)
	}
	if s5066.Unicast(1<<28).Valid() || s5066.Group(1<<28).Valid() {
		t.Error("29 bits are taken for an address")
	}
	if s5066.AllStations().String() != "31.255.255.255" {
		t.Errorf("all stations: %s", s5066.AllStations())
	}
}

func TestParseAddressIsStrict(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "1.2.3", "1.2.3.4.5", "32.0.0.0", "1.2.3.256", "1.2.3.-4", "01.2.3.4", "1.2.3.", " 1.2.3.4", "1.2.3.4 ", "+1.2.3.4", "a.b.c.d"} {
		if a, err := s5066.ParseAddress(s); !errors.Is(err, s5066.ErrAddress) || a.Valid() {
			t.Errorf("%q: %v, %v", s, a, err)
		}
	}
	var a s5066.Address
	if err := a.UnmarshalText([]byte("1.2.3.4")); err != nil || a != s5066.Unicast(0x1020304) {
		t.Errorf("unmarshal: %v, %v", a, err)
	}
	if err := a.UnmarshalText([]byte("x")); err == nil || a != s5066.Unicast(0x1020304) {
		t.Errorf("unmarshal of nothing: %v, %v", a, err)
	}
}
