package s2s_test

import "sallyport/internal/tlsid/tlsidtest"

// nobody is a certificate of a good authority for a name that plays no part.
func nobody() *tlsidtest.Options { return &tlsidtest.Options{DNS: []string{"nobody.example"}} }
