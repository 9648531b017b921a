// Package prom shows a running node to Prometheus and to health checks: /metrics,
// /healthz and /readyz over plain HTTP on loopback.
//
// Numbers are asked of a [Source] at scrape time; nothing else in Sallyport knows
// Prometheus. Every metric there can be stands in metrics.go, named sallyport_*.
//
// The package must never change anything, show stanza content, addresses of users or
// labels of stanzas, or listen where other machines reach it unless told to.
package prom
