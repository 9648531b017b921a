package channel

import (
	"fmt"
	"math"
	"time"
)

// Profile is a Gilbert-Elliott process: a path is good or bad, changes at random, and makes bit errors at the rate of its state.
// The zero value is no path at all.
type Profile struct {
	Name      string
	ToBad     float64 // chance per second of a good path to turn bad
	ToGood    float64 // chance per second of a bad path to turn good
	BERGood   float64
	BERBad    float64
	MissGood  float64 // chance of a preamble to be missed, by state
	MissBad   float64
	BlockLoss float64 // chance of a block to be noise, whatever the state
	Decoded   bool    // the rates are those of what a decoder leaves, also with a deep interleaver
}

// Presets are the profiles that have a name, from the best to the worst.
func Presets() []Profile {
	return []Profile{
		{Name: "clean"},
		{Name: "surface", ToBad: 0.002, ToGood: 0.5, BERGood: 1e-6, BERBad: 1e-3, MissBad: 0.02},
		{Name: "sky-good", ToBad: 0.01, ToGood: 0.3, BERGood: 1e-5, BERBad: 5e-3, MissGood: 0.002, MissBad: 0.05},
		{Name: "sky-moderate", ToBad: 0.03, ToGood: 0.2, BERGood: 1e-5, BERBad: 2e-2, MissGood: 0.005, MissBad: 0.1},
		{Name: "sky-poor", ToBad: 0.08, ToGood: 0.12, BERGood: 1e-4, BERBad: 0.1, MissGood: 0.01, MissBad: 0.3},
	}
}

// ParseProfile returns the preset of that name. Errors wrap ErrConfig.
func ParseProfile(name string) (Profile, error) {
	for _, p := range Presets() {
		if p.Name == name {
			return p, nil
		}
	}
	return Profile{}, fmt.Errorf("%w: no profile %.40q", ErrConfig, name)
}

// FrameLoss is a profile of independent bit errors that loses this share of frames of so many bytes, 0 to below 1.
func FrameLoss(share float64, frameBytes int) Profile {
	return Profile{
		Name:    fmt.Sprintf("loss-%g-of-%d", share, frameBytes),
		BERGood: 1 - math.Pow(1-min(max(share, 0), 0.999), 1/float64(8*max(frameBytes, 1))),
		Decoded: true,
	}
}

// Bursts is a profile that is dead for this share of time, 0 to below 1, in bursts of that mean length. Long against a frame, it
// loses about that share of frames, and in addition all frames of transmissions whose preamble falls into a burst.
func Bursts(share float64, mean time.Duration) Profile {
	share = min(max(share, 0), 0.999)
	toGood := 1 / max(mean, time.Millisecond).Seconds()
	return Profile{
		Name:  fmt.Sprintf("bursts-%g-of-%v", share, mean),
		ToBad: toGood * share / (1 - share), ToGood: toGood, BERBad: 0.5, MissBad: 1,
	}
}

// BadShare is the share of time that a path of this profile is bad, in the long run.
func (p Profile) BadShare() float64 {
	if p.ToBad <= 0 {
		return 0
	}
	return p.ToBad / (p.ToBad + max(p.ToGood, 0))
}

func (p Profile) validate() error {
	for _, v := range []float64{p.BERGood, p.BERBad, p.MissGood, p.MissBad, p.BlockLoss} {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("%w: profile %q has a chance of %v", ErrConfig, p.Name, v)
		}
	}
	for _, v := range []float64{p.ToBad, p.ToGood} {
		if !(v >= 0 && v <= 1000) {
			return fmt.Errorf("%w: profile %q changes %v times a second", ErrConfig, p.Name, v)
		}
	}
	return nil
}
