package c2s

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Bounds on what a client's compressed bytes may become; elements have their limits, this is for what stands between.
const (
	maxRatio  = 100
	ratioFrom = 16 << 10
	forgetAt  = 64 << 10 // compressed bytes, of which half are forgotten, so that nobody saves up for a bomb
)

var errInflate = errors.New("compressed bytes that cannot be read")

// writers are shared: nothing of one element is used for the next, so none belongs to a connection.
var writers = sync.Pool{New: func() any {
	w, err := flate.NewWriter(io.Discard, flate.BestSpeed)
	if err != nil { // the level is right
		return nil
	}
	return w
}}

// squeezed is a connection on which all is compressed by zlib (XEP-0138). Every element is compressed by itself, so that
// the length of one says nothing about another, which somebody else has written (CRIME); it costs some of the gain.
type squeezed struct {
	net.Conn
	in, out int // since some were forgotten
	inflate io.Reader
	begun   bool // written: the zlib header
}

// squeeze has the connection compress from here on.
func (l *link) squeeze() {
	l.flush()
	l.wmu.Lock()
	defer l.wmu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.pipe.(*socket); ok {
		s.conn = &squeezed{Conn: s.conn}
	}
}

// compressedBytes counts what comes in.
type compressedBytes struct{ z *squeezed }

func (c compressedBytes) Read(p []byte) (int, error) {
	n, err := c.z.Conn.Read(p)
	if c.z.in += n; c.z.in > forgetAt {
		c.z.in, c.z.out = c.z.in/2, c.z.out/2
	}
	return n, err
}

func (z *squeezed) Read(p []byte) (int, error) {
	if z.inflate == nil {
		r, err := zlib.NewReader(compressedBytes{z})
		if err != nil {
			return 0, z.failed(err)
		}
		z.inflate = r
	}
	n, err := z.inflate.Read(p)
	z.out += n
	switch {
	case z.out > ratioFrom && z.out > maxRatio*z.in:
		return 0, fmt.Errorf("%w: more than %d times as much text", errInflate, maxRatio)
	case err != nil && n == 0:
		return 0, z.failed(err)
	}
	return n, nil
}

// failed tells bytes that are wrong from a connection that is lost.
func (z *squeezed) failed(err error) error {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrDictionary) || errors.Is(err, zlib.ErrChecksum) {
		return fmt.Errorf("%w: %w", errInflate, err)
	}
	return err
}

func (z *squeezed) write(data []byte, ends []int) error {
	var out bytes.Buffer
	if !z.begun {
		z.begun = true
		out.Write([]byte{0x78, 0x01}) // RFC 1950 §2.2: deflate with a window of 32 KiB
	}
	w, ok := writers.Get().(*flate.Writer)
	if !ok {
		return errors.New("no compression")
	}
	defer writers.Put(w)
	from := 0
	for _, to := range ends {
		w.Reset(&out)
		_, err := w.Write(data[from:to])
		if err == nil {
			err = w.Flush() // the block that follows may come from another writer
		}
		if err != nil {
			return err
		}
		from = to
	}
	_, err := z.Conn.Write(out.Bytes())
	return err
}

// CloseWrite closes our half of what is below.
func (z *squeezed) CloseWrite() error {
	if half, ok := z.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
