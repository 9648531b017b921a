package store_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/archive"
	"sallyport/server/store"
)

// filledForBenchmark has a thousand accounts and an archive of a thousand entries.
func filledForBenchmark(b *testing.B, dsn string) *store.Store {
	b.Helper()
	s, err := store.Open(b.Context(), store.Options{DSN: dsn})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	if _, err := s.EnsureDomain(b.Context(), account.Domain{Name: "a.example", Decoy: []byte("k")}); err != nil {
		b.Fatal(err)
	}
	for i := range 1000 {
		if err := s.CreateAccount(b.Context(), someAccount(fmt.Sprintf("u%d@a.example", i))); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := s.AppendArchive(b.Context(), time.Unix(1, 0), "n1", messages(1000)); err != nil {
		b.Fatal(err)
	}
	return s
}

func messages(n int) []archive.Entry {
	all := make([]archive.Entry, n)
	for i := range all {
		all[i] = archive.Entry{Owner: jid.MustParse("u1@a.example"), With: jid.MustParse("x@b.example/r"), Stanza: make([]byte, 400)}
	}
	return all
}

func BenchmarkStore(b *testing.B) {
	dsn := map[string]string{"sqlite": "sqlite:" + filepath.Join(b.TempDir(), "server.db"), "postgres": cluster.DSN("")}
	for _, kind := range []string{"sqlite", "postgres"} {
		s, waits := filledForBenchmark(b, dsn[kind]), jid.MustParse("u7@a.example")
		for name, do := range map[string]func(i int) error{
			"account": func(i int) error {
				_, err := s.Account(b.Context(), jid.MustParse(fmt.Sprintf("u%d@a.example", i%1000)))
				return err
			},
			"append 1": func(int) error {
				_, err := s.AppendArchive(b.Context(), time.Unix(1, 0), "n1", messages(1))
				return err
			},
			"append 100": func(int) error {
				_, err := s.AppendArchive(b.Context(), time.Unix(1, 0), "n1", messages(100))
				return err
			},
			"64 that wait, one by one": func(int) error {
				var all []uint64
				for range 64 {
					ids, err := s.PutOffline(b.Context(), waits, time.Unix(1, 0), make([]byte, 300))
					if err != nil {
						return err
					}
					all = append(all, ids...)
				}
				return s.DropOffline(b.Context(), waits, all)
			},
			"64 that wait, together": func(int) error {
				list := make([][]byte, 64)
				for i := range list {
					list[i] = make([]byte, 300)
				}
				ids, err := s.PutOffline(b.Context(), waits, time.Unix(1, 0), list...)
				if err != nil {
					return err
				}
				return s.DropOffline(b.Context(), waits, ids)
			},
			"page of 50": func(int) error {
				_, err := s.QueryArchive(b.Context(), archive.Query{Owner: jid.MustParse("u1@a.example"), Last: true, Max: 50})
				return err
			},
		} {
			b.Run(kind+"/"+name, func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					if err := do(i); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkAppendAtTheSameTime is one message into each of many archives, by sixteen who do not wait for each other.
func BenchmarkAppendAtTheSameTime(b *testing.B) {
	dsn := map[string]string{"sqlite": "sqlite:" + filepath.Join(b.TempDir(), "server.db"), "postgres": cluster.DSN("")}
	for _, kind := range []string{"sqlite", "postgres"} {
		s := filledForBenchmark(b, dsn[kind])
		b.Run(kind, func(b *testing.B) {
			var n atomic.Int64
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					e := messages(1)
					e[0].Owner = jid.MustParse(fmt.Sprintf("u%d@a.example", n.Add(1)%1000))
					if _, err := s.AppendArchive(b.Context(), time.Unix(1, 0), "n1", e); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
