// Package logs writes one JSON object a line: time, level, msg, service, version, trace_id, and what a line adds.
package logs

import (
	"context"
	"io"
	"log/slog"
	"slices"

	"service/internal/settings"
	"service/internal/trace"
)

// Critical is the level of a service's last words.
const Critical = slog.LevelError + 4

var (
	schema = []string{"time", "level", "msg", "service", "version", "trace_id"}
	levels = map[slog.Level]string{slog.LevelWarn: "WARNING", Critical: "CRITICAL"} // the others have slog's own words
)

// New returns a logger that writes to a stream; the trace comes from the context that a line is logged with.
func New(to io.Writer, given settings.Settings) *slog.Logger {
	return slog.New(lines{
		json: slog.NewJSONHandler(to, &slog.HandlerOptions{Level: given.LogLevel, ReplaceAttr: inOurWords}),
		own:  []slog.Attr{slog.String("service", given.Service), slog.String("version", given.Version)},
		nest: func(attrs []slog.Attr) []slog.Attr { return attrs },
	})
}

// lines puts the keys of the schema before all others, also where a logger has attributes or a group of its own.
type lines struct {
	json slog.Handler
	own  []slog.Attr
	nest func([]slog.Attr) []slog.Attr // what a line adds, with what With and WithGroup have added around it
}

func (l lines) Enabled(ctx context.Context, level slog.Level) bool { return l.json.Enabled(ctx, level) }

func (l lines) Handle(ctx context.Context, record slog.Record) error {
	added := make([]slog.Attr, 0, record.NumAttrs())
	record.Attrs(func(attr slog.Attr) bool { added = append(added, attr); return true })
	line := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
	line.AddAttrs(l.own...)
	line.AddAttrs(slog.String("trace_id", trace.ID(ctx)))
	for _, attr := range l.nest(added) {
		if !slices.Contains(schema, attr.Key) { // nothing replaces a key of the schema
			line.AddAttrs(attr)
		}
	}
	return l.json.Handle(ctx, line)
}

func (l lines) WithAttrs(attrs []slog.Attr) slog.Handler {
	around := l.nest
	l.nest = func(added []slog.Attr) []slog.Attr { return around(slices.Concat(attrs, added)) }
	return l
}

func (l lines) WithGroup(name string) slog.Handler {
	around := l.nest
	l.nest = func(added []slog.Attr) []slog.Attr { return around([]slog.Attr{slog.GroupAttrs(name, added...)}) }
	return l
}

func inOurWords(groups []string, attr slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return attr
	}
	switch attr.Key {
	case slog.TimeKey:
		return slog.String(attr.Key, attr.Value.Time().UTC().Format("2006-01-02T15:04:05.000-07:00"))
	case slog.LevelKey:
		if word, ours := levels[attr.Value.Any().(slog.Level)]; ours {
			return slog.String(attr.Key, word)
		}
	}
	return attr
}
