package ess_test

import (
	"encoding/asn1"
	"testing"

	"sallyport/labels/ess"
)

func BenchmarkParseLabel(b *testing.B) {
	for _, bm := range []struct{ name, file string }{
		{"class", "ess/label-guard-public.ber"},
		{"one category", "ess/label-guard-rel-gbr.ber"},
		{"three categories", "ess/label-bacon.ber"},
		{"1251 octets of bits", "ess/label-nato-17-6.ber"},
		{"indefinite lengths", "ess/label-guard-rel-gbr-ber-indefinite.ber"},
		{"SDN.801c", "ess/label-missi-bacon.ber"},
		{"refused", "ess/label-guard-trailing.ber"},
	} {
		raw := octets(b, named(b, bm.file))
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				_, _ = ess.ParseLabel(raw)
			}
		})
	}
}

// BenchmarkYardstick takes the same octets apart with encoding/asn1, and leaves the categories as they are.
func BenchmarkYardstick(b *testing.B) {
	for _, bm := range []struct{ name, file string }{
		{"class", "ess/label-guard-public.ber"},
		{"one category", "ess/label-guard-rel-gbr.ber"},
	} {
		raw := octets(b, named(b, bm.file))
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var l struct {
					Class      int
					Policy     asn1.ObjectIdentifier
					Categories []struct {
						Type  asn1.ObjectIdentifier `asn1:"tag:0"`
						Value asn1.RawValue         `asn1:"tag:1"`
					} `asn1:"optional,set"`
				}
				if _, err := asn1.UnmarshalWithParams(raw, &l, "set"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendLabel(b *testing.B) {
	f, err := ess.ParseLabel(octets(b, named(b, "ess/label-bacon.ber")))
	if err != nil {
		b.Fatal(err)
	}
	for _, syntax := range []ess.CategorySyntax{ess.ACP145, ess.SDN801c} {
		b.Run(syntax.String(), func(b *testing.B) {
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				out, _ = ess.AppendLabelAs(out[:0], f, syntax)
			}
		})
	}
}

func BenchmarkParseClearance(b *testing.B) {
	raw := octets(b, named(b, "ess/clearance-guard-all.ber"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ess.ParseClearance(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadCertificate(b *testing.B) {
	raw := certify(b, nil, "root", directoryAttributes(attribute(b, oidClearance, clearance(b, guardID, []uint32{1}, restrictedOne)))).cert.Raw
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ess.ReadCertificate(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadSigned(b *testing.B) {
	raw := pemFile(b, "x509/rfc2634-signed-with-label.pem")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ess.ReadSigned(raw); err != nil {
			b.Fatal(err)
		}
	}
}
