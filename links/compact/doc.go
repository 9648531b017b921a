// Package compact codes stanzas in few bytes for a radio between two of our own gateways that were configured alike.
package compact
