package deflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
)

// Bounds of one frame.
const (
	MaxPlain  = 64 << 10 // content
	MaxFrame  = 64 << 10 // compressed
	MaxRatio  = 100      // content to frame, once content has passed RatioFrom
	RatioFrom = 16 << 10

	windowBytes = 32 << 10 // RFC 1951 §2
)

// Context says what a frame may refer to.
type Context uint8

// The contexts.
const (
	Fresh  Context = iota // the dictionary alone
	Shared                // the frames before it too
)

// Config must be the same at both ends.
type Config struct {
	Dictionary Dictionary
	Context    Context
}

// Why a frame is refused.
var (
	ErrTooBig   = fmt.Errorf("content over %d bytes", MaxPlain)
	ErrRatio    = fmt.Errorf("content over %d times the frame", MaxRatio)
	ErrCorrupt  = errors.New("not a whole DEFLATE stream")
	ErrTrailing = errors.New("bytes behind the end")
	ErrBloated  = errors.New("frame not smaller than its content")
	ErrContext  = errors.New("the shared context is lost")
)

// ErrNoGain is what Append says of text that is not worth compressing; it is sent as it is.
var ErrNoGain = errors.New("deflate: no gain")

// syncTail ends every flush (RFC 1951 §3.2.4, an empty stored block) and is not sent.
var syncTail = []byte{0, 0, 0xFF, 0xFF}

// Writer makes frames. One goroutine owns it.
type Writer struct {
	cfg   Config
	w     *flate.Writer
	short *fixed // Fresh
	out   bytes.Buffer
}

// NewWriter returns a writer.
func NewWriter(cfg Config) *Writer {
	z := &Writer{cfg: cfg}
	if cfg.Context == Fresh {
		z.short = newFixed(cfg.Dictionary.text)
	}
	z.w, _ = flate.NewWriterDict(&z.out, flate.BestCompression, cfg.Dictionary.text) // the level is right
	return z
}

// Append appends a frame that holds src. With ErrNoGain nothing is appended, and in a shared context the frame is as if it had never
// been.
func (z *Writer) Append(dst, src []byte) ([]byte, error) {
	if len(src) > MaxPlain || z.cfg.Context == Shared && len(src) > RatioFrom { // there is no way back once it is in the context
		return dst, ErrNoGain
	}
	z.out.Reset()
	if z.cfg.Context == Fresh {
		return z.gained(dst, src, z.fresh(src))
	}
	_, _ = z.w.Write(src)
	_ = z.w.Flush()
	frame, _ := bytes.CutSuffix(z.out.Bytes(), syncTail)
	return append(dst, frame...), nil
}

// fresh is the shorter of what the two encoders make of it.
func (z *Writer) fresh(src []byte) []byte {
	var short []byte
	if len(src) <= mostFixed {
		if short = z.short.append(nil, src); len(src) <= onlyFixed && z.cfg.Dictionary.Len() > 0 {
			return short
		}
	}
	z.w.Reset(&z.out)
	_, _ = z.w.Write(src) // into memory
	_ = z.w.Close()
	if frame := z.out.Bytes(); short == nil || len(frame) < len(short) {
		return frame
	}
	return short
}

func (z *Writer) gained(dst, src, frame []byte) ([]byte, error) {
	if len(frame) >= len(src) || len(src) > RatioFrom && len(src) > MaxRatio*len(frame) {
		return dst, ErrNoGain
	}
	return append(dst, frame...), nil
}

// Reader opens frames. One goroutine owns it.
type Reader struct {
	cfg    Config
	r      io.ReadCloser
	window []byte // Shared: the last of what was read
	plain  []byte // of this frame
	lost   bool
}

// NewReader returns a reader.
func NewReader(cfg Config) *Reader {
	return &Reader{cfg: cfg, r: flate.NewReaderDict(bytes.NewReader(nil), nil), window: cfg.Dictionary.text}
}

// Open returns the content of a frame; it is good until the next call.
func (z *Reader) Open(frame []byte) ([]byte, error) {
	if z.lost {
		return nil, ErrContext
	}
	plain, err := z.open(frame)
	switch {
	case z.cfg.Context == Fresh:
	case err != nil:
		z.lost = true
	default:
		z.remember(plain)
	}
	return plain, err
}

func (z *Reader) open(frame []byte) ([]byte, error) {
	if len(frame) > MaxFrame {
		return nil, ErrTooBig
	}
	var source *bytes.Reader
	if z.cfg.Context == Fresh {
		source = bytes.NewReader(frame)
	} else { // what Flush wrote, and a last empty block
		whole := append(append(make([]byte, 0, len(frame)+9), frame...), syncTail...)
		source = bytes.NewReader(append(whole, 1, 0, 0, 0xFF, 0xFF))
	}
	if err := z.r.(flate.Resetter).Reset(source, z.window); err != nil {
		return nil, ErrCorrupt
	}
	most, why := z.bound(len(frame))
	if err := z.fill(most, why); err != nil {
		return nil, err
	}
	switch {
	case source.Len() > 0:
		return nil, ErrTrailing
	case z.cfg.Context == Fresh && len(frame) >= len(z.plain), z.cfg.Context == Shared && len(frame) > len(z.plain)+16:
		return nil, ErrBloated
	}
	return z.plain, nil
}

// bound is how much a frame of that size may hold, and what more would be called.
func (z *Reader) bound(frame int) (most int, why error) {
	if ratio := max(MaxRatio*frame, RatioFrom); ratio < MaxPlain {
		return ratio, ErrRatio
	}
	return MaxPlain, ErrTooBig
}

func (z *Reader) fill(most int, why error) error {
	if z.plain == nil {
		z.plain = make([]byte, 0, 4<<10)
	}
	z.plain = z.plain[:0]
	for {
		if len(z.plain) == cap(z.plain) {
			grown := make([]byte, len(z.plain), min(2*cap(z.plain), MaxPlain+1))
			copy(grown, z.plain)
			z.plain = grown
		}
		n, err := z.r.Read(z.plain[len(z.plain):cap(z.plain)])
		z.plain = z.plain[:len(z.plain)+n]
		switch {
		case len(z.plain) > most:
			return why
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return ErrCorrupt
		}
	}
}

// remember keeps the last of dictionary and text as what the next frame may refer to.
func (z *Reader) remember(plain []byte) {
	w := make([]byte, 0, windowBytes)
	if keep := windowBytes - len(plain); keep > 0 {
		w = append(w, z.window[max(len(z.window)-keep, 0):]...)
	}
	z.window = append(w, plain[max(len(plain)-windowBytes, 0):]...)
}
