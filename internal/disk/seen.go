//go:build !race

package disk

func aboutToWrite() {}

func written([]byte) {}
