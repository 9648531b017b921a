package tlsid

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// StoreSpec names every file that identity rests on.
type StoreSpec struct {
	Keys  []KeyPair
	Trust map[string]TrustSpec // by the name that peers refer to
}

// Store holds our keys and the named trust sets, and replaces all of them at once. Streams that are up keep what they were made with;
// whoever owns them checks them against the new trust.
type Store struct {
	current atomic.Pointer[holdings]
}

type holdings struct {
	spec  StoreSpec
	keys  *Keys
	trust map[string]*Trust
}

// OpenStore reads every file.
func OpenStore(spec StoreSpec) (*Store, error) {
	s := &Store{}
	if err := s.Replace(spec); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload reads the same files again. On an error everything stays as it was.
func (s *Store) Reload() error { return s.Replace(s.current.Load().spec) }

// Replace reads the files of another specification. On an error everything stays as it was.
func (s *Store) Replace(spec StoreSpec) error {
	next := &holdings{spec: spec, trust: make(map[string]*Trust, len(spec.Trust))}
	keys, err := LoadKeys(spec.Keys)
	problems := []error{err}
	next.keys = keys
	for name, ts := range spec.Trust {
		t, err := LoadTrust(ts)
		if err != nil {
			problems = append(problems, fmt.Errorf("trust %q: %w", name, err))
			continue
		}
		next.trust[name] = t
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	s.current.Store(next)
	return nil
}

// Keys returns the keys of now.
func (s *Store) Keys() *Keys { return s.current.Load().keys }

// Trust returns the named trust of now, or nil, which trusts nobody.
func (s *Store) Trust(name string) *Trust { return s.current.Load().trust[name] }
