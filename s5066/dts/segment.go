package dts

import "math"

// overhead is the bytes of a data frame that are not segment.
const overhead = 22

// sizer chooses the size of segments: of the sizes it knows, the one that moves the most bytes in a time. It keeps the loss of each size apart,
// because what is lost in bursts does not care how long a frame is, and what is lost by single bits does.
type sizer struct {
	sizes []int
	loss  []float64 // by size, negative while not known
	at    int
	asked int     // C_PDUs begun
	total float64 // loss of frames of any size
	// turns is the share of the time that is not lost to turns when windows of such segments are sent, of which so many are lost.
	turns func(size int, loss float64) float64
}

// How many C_PDUs go by before the next larger size is tried for the first time, and again; and the loss that it must not be expected to have.
const (
	probe      = 6
	probeAgain = 24
	probeLoss  = 0.6
	assumed    = 0.05 // loss of frames of the first size, before any is known
)

func newSizer(c Config, turns func(int, float64) float64) sizer {
	s := sizer{sizes: []int{c.SegmentSize}, turns: turns}
	if c.AdaptSize {
		for size := c.MinSegment; size < c.MaxSegment; size *= 2 {
			s.sizes = append(s.sizes, size)
		}
		s.sizes = append(s.sizes[1:], c.MaxSegment)
	}
	s.loss = make([]float64, len(s.sizes))
	for i, size := range s.sizes {
		s.loss[i] = -1
		if size <= c.SegmentSize {
			s.at = i
		}
	}
	s.choose()
	return s
}

// size is for the next C_PDU.
func (s *sizer) size() int {
	s.asked++
	next := s.at + 1
	if next >= len(s.sizes) || s.loss[s.at] < 0 {
		return s.sizes[s.at]
	}
	if s.loss[next] < 0 && s.asked%probe == 0 && s.expected(next) < probeLoss || s.asked%probeAgain == 0 && s.expected(next) < probeLoss {
		return s.sizes[next]
	}
	return s.sizes[s.at]
}

// judge learns from frames with segments of about the size.
func (s *sizer) judge(size, frames, lost int) {
	i := s.nearest(size)
	now, n := float64(lost)/float64(frames), float64(frames)
	weight := min(n/64, 0.35)
	s.total += weight * (now - s.total)
	if s.loss[i] < 0 { // one frame proves nothing
		s.loss[i], weight = s.expected(i), n/(n+10)
	}
	s.loss[i] += weight * (now - s.loss[i])
	s.choose()
}

// choose takes the size with the best yield, if it is clearly better than the present one.
func (s *sizer) choose() {
	const clearly = 1.01 // better, or nothing is changed
	best, yield := s.at, s.yield(s.at)*clearly
	for j := range s.sizes {
		if y := s.yield(j); j != s.at && y > yield {
			best, yield = j, y
		}
	}
	s.at = best
}

// yield is the share of the line that is payload and arrives with a size, turns included: where the window is full before the transmission is long,
// larger segments save turns. A size that was never tried is taken to lose by single bits, as the nearest one that was.
func (s *sizer) yield(j int) float64 {
	loss := s.expected(j)
	return (1 - loss) * float64(s.sizes[j]) / float64(s.sizes[j]+overhead) * s.turns(s.sizes[j], loss)
}

func (s *sizer) expected(j int) float64 {
	if s.loss[j] >= 0 {
		return s.loss[j]
	}
	near, loss := s.at, assumed
	for k := range s.sizes {
		if s.loss[k] >= 0 && abs(k-j) < abs(near-j) {
			near = k
		}
	}
	if s.loss[near] >= 0 {
		loss = s.loss[near]
	}
	per := float64(s.sizes[j]+overhead) / float64(s.sizes[near]+overhead)
	return 1 - math.Pow(1-min(loss, 0.999), per)
}

func (s *sizer) nearest(size int) int {
	best := 0
	for i, v := range s.sizes {
		if abs(v-size) < abs(s.sizes[best]-size) {
			best = i
		}
	}
	return best
}

func abs(v int) int { return max(v, -v) }
