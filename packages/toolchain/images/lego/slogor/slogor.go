// Package slogor replaces gitlab.com/greyxor/slogor, lego's handler for coloured logs, which the Go module proxy doesn't serve. The store
// has lego log in JSON.
package slogor

import (
	"io"
	"log/slog"
)

// OptionFn changes the options of the handler.
type OptionFn func(*slog.HandlerOptions)

// SetLevel sets the lowest level that is logged.
func SetLevel(level slog.Leveler) OptionFn {
	return func(options *slog.HandlerOptions) { options.Level = level }
}

// SetTimeFormat has no effect.
func SetTimeFormat(string) OptionFn { return func(*slog.HandlerOptions) {} }

// DisableColor has no effect: there are no colours.
func DisableColor() OptionFn { return func(*slog.HandlerOptions) {} }

// NewHandler returns a handler that logs text.
func NewHandler(out io.Writer, functions ...OptionFn) slog.Handler {
	options := &slog.HandlerOptions{}
	for _, function := range functions {
		function(options)
	}
	return slog.NewTextHandler(out, options)
}
