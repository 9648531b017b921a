package labelfile

import (
	"fmt"
	"io"
	"os"

	"sallyport/labels"
)

// Load reads a file. It may be a pipe.
func Load(path string, reg *labels.Registry, o Options) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return &File{}, err
	}
	defer f.Close()
	b, err := Read(f)
	if err != nil {
		return &File{}, fmt.Errorf("%s: %w", path, err)
	}
	file, err := Parse(b, reg, o)
	if err != nil {
		return file, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

// Read reads at most MaxBytes.
func Read(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > MaxBytes:
		return nil, bad("larger than %d bytes", MaxBytes)
	}
	return b, nil
}

// LoadLabel reads the one label of a file, such as a default label.
func LoadLabel(path string, reg *labels.Registry, o Options) (*labels.Label, error) {
	f, err := Load(path, reg, o)
	if err != nil {
		return nil, fmt.Errorf("label %w", err)
	}
	l, err := f.Label(reg)
	if err != nil {
		return nil, fmt.Errorf("label %s: %w", path, err)
	}
	return l, nil
}

// LoadClearance reads the one clearance of a file.
func LoadClearance(path string, reg *labels.Registry, o Options) (*labels.Clearance, error) {
	f, err := Load(path, reg, o)
	if err != nil {
		return nil, fmt.Errorf("clearance %w", err)
	}
	c, err := f.Clearance(reg)
	if err != nil {
		return nil, fmt.Errorf("clearance %s: %w", path, err)
	}
	return c, nil
}

// LoadClearances reads the clearances of a file, one a policy.
func LoadClearances(path string, reg *labels.Registry, o Options) ([]*labels.Clearance, error) {
	f, err := Load(path, reg, o)
	if err != nil {
		return nil, fmt.Errorf("clearance %w", err)
	}
	list, err := f.ClearanceList(reg)
	if err != nil {
		return nil, fmt.Errorf("clearance %s: %w", path, err)
	}
	return list, nil
}
