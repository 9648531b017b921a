package main

import (
	"errors"
	"fmt"
	"os"

	"sallyport/links/compact"
	"sallyport/links/cost"
)

// trainModel is train for the compact codec.
func (a *app) trainModel(name, out, measure string, o cost.TrainOptions) error {
	r, done, err := a.recording(name)
	if err != nil {
		return err
	}
	var t cost.Training
	if measure != "" {
		t, err = measuredModel(r, measure)
	} else {
		t, err = trainedModel(r, out, o)
	}
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(t)
	}
	a.printTraining("model", t, out)
	return nil
}

func measuredModel(r *cost.Reader, file string) (cost.Training, error) {
	info, err := os.Stat(file)
	if err == nil && info.Size() > compact.MaxModel {
		return cost.Training{}, fmt.Errorf("%s: %d bytes are no model; %d at most", file, info.Size(), compact.MaxModel)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return cost.Training{}, err
	}
	m, err := compact.Load(b)
	if err != nil {
		return cost.Training{}, fmt.Errorf("%s: %w", file, err)
	}
	return cost.MeasureCompact(r.Next, m)
}

func trainedModel(r *cost.Reader, out string, o cost.TrainOptions) (cost.Training, error) {
	if err := vacant(out); err != nil {
		return cost.Training{}, err
	}
	m, t, err := cost.TrainCompact(r.Next, o)
	if err != nil || out == "" {
		return t, err
	}
	return t, writeNew(out, m.Bytes())
}
