package labelfile_test

import (
	"testing"

	"sallyport/labels/labelfile"
)

// FuzzParse: whatever a file holds, a label that is read can be written and read again.
func FuzzParse(f *testing.F) {
	reg := registry(f, "guard/guard.spif.xml", "spiffing/nato-4774-policy.xml")
	for _, file := range []string{
		"ess/label-guard-rel-gbr.ber", "guard/l-internal-rel-gbr.xml", "guard/c-all.xml", "nato/c-gbr.xml", "spiffing/nato-4774-17-6.nato",
		"xmpp/message-ess.xml", "xmpp/message-equivalent.xml", "ess/clearance-guard-all.ber",
	} {
		f.Add(read(f, file))
	}
	f.Add([]byte("MSwCAQIGBYg3ggIBMSAwHoAKYIZIAWUCAQgDAaEQMA4GBog3ggIBAzEEAgIDOg=="))
	f.Add([]byte("31 0a 02 01 01 06 05 88 37 82 02 01"))
	f.Add([]byte("dn: cn=a\nclearance:: MAcGBYg3\n ggIB\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := labelfile.Parse(b, reg, lenient)
		if err != nil {
			return
		}
		l, err := file.Label(reg)
		if err != nil {
			return
		}
		out, err := labelfile.AppendLabel(nil, l, labelfile.ESS, labelfile.WriteOptions{At: at})
		if err != nil {
			return // a classification above 256
		}
		again, err := labelfile.Parse(out, reg, labelfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if m, err := again.Label(reg); err != nil || !m.Equal(l) {
			t.Fatalf("%v (%v), want %v", m, err, l)
		}
	})
}
