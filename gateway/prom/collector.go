package prom

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Emit takes one number. The label values are in the order of the table.
type Emit func(id ID, value float64, labels ...string)

// Source knows the numbers. Its methods are called from any goroutine and must not block.
type Source interface {
	// Numbers emits each series once.
	Numbers(emit Emit)
	// Alive is nil while the process can do its work; an error asks for a restart.
	Alive() error
	// Ready is nil while stanzas are taken and released.
	Ready() error
}

// collector asks the source when it is scraped.
type collector struct {
	source Source
	table  [numMetrics]Metric
	descs  [numMetrics]*prometheus.Desc
}

var _ prometheus.Collector = (*collector)(nil)

func newCollector(s Source) *collector {
	c := &collector{source: s, table: Table()}
	for id, m := range c.table {
		c.descs[id] = prometheus.NewDesc(m.Name, m.Help, m.Labels, nil)
	}
	return c
}

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	c.source.Numbers(func(id ID, value float64, labels ...string) {
		if id >= numMetrics {
			return
		}
		var kind prometheus.ValueType
		switch c.table[id].Kind {
		case Counter:
			kind = prometheus.CounterValue
		case Gauge:
			kind = prometheus.GaugeValue
		case NoKind:
			return
		}
		m, err := prometheus.NewConstMetric(c.descs[id], kind, value, labels...)
		if err != nil {
			m = prometheus.NewInvalidMetric(c.descs[id], fmt.Errorf("%s: %w", c.table[id].Name, err))
		}
		ch <- m
	})
}
