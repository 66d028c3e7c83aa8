// Package trace carries the trace of what is in hand in a context, as the W3C's Trace Context has it.
package trace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
)

type key struct{}

var (
	told = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)
	none = strings.Repeat("0", 32) // no trace, says the W3C
)

// Begin returns ctx with the trace that traceparent names, else with a new one.
func Begin(ctx context.Context, traceparent string) context.Context {
	id := random(16)
	if parts := told.FindStringSubmatch(traceparent); parts != nil && parts[1] != none {
		id = parts[1]
	}
	return context.WithValue(ctx, key{}, id)
}

// ID returns the trace of ctx: 32 hex digits, or nothing outside of a trace.
func ID(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string)
	return id
}

// Parent returns the traceparent of an outgoing call: the trace of ctx, or a new one, and a span of the call's own.
func Parent(ctx context.Context) string {
	id := ID(ctx)
	if id == "" {
		id = random(16)
	}
	return "00-" + id + "-" + random(8) + "-01"
}

func random(bytes int) string {
	data := make([]byte, bytes)
	_, _ = rand.Read(data) // it never fails: see its documentation
	return hex.EncodeToString(data)
}
