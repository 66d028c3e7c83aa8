package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/slogtest"

	"service/internal/settings"
	"service/internal/trace"
)

// logged returns what a logger writes of one line.
func logged(t *testing.T, log func(*slog.Logger)) (string, map[string]any) {
	t.Helper()
	var out bytes.Buffer
	log(New(&out, settings.Settings{Service: "echo", Version: "abc", LogLevel: slog.LevelDebug}))
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return out.String(), line
}

func TestTheKeysOfTheSchemaStandFirst(t *testing.T) {
	ctx := trace.Begin(t.Context(), "")
	text, line := logged(t, func(log *slog.Logger) {
		log.With("more", 1).WithGroup("group").ErrorContext(ctx, "it's <broken>", "error", errors.New("no answer"))
	})
	expected := regexp.MustCompile(`^{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00","level":"ERROR","msg":"it's <broken>",` +
		`"service":"echo","version":"abc","trace_id":"[0-9a-f]{32}","more":1,"group":{"error":"no answer"}}\n$`)
	if !expected.MatchString(text) || line["trace_id"] != trace.ID(ctx) {
		t.Error(text)
	}
}

func TestNothingReplacesAKeyOfTheSchema(t *testing.T) {
	text, line := logged(t, func(log *slog.Logger) {
		log.With("service", "other").Info("said", "level", "LOUD", "trace_id", "x", "more", 1)
	})
	if line["service"] != "echo" || line["level"] != "INFO" || line["trace_id"] != "" || line["more"] != 1.0 {
		t.Error(text)
	}
	if strings.Count(text, `"service"`) != 1 || strings.Count(text, `"level"`) != 1 {
		t.Error(text)
	}
}

func TestLevelsAreInWords(t *testing.T) {
	for level, word := range map[slog.Level]string{
		slog.LevelDebug: "DEBUG", slog.LevelInfo: "INFO", slog.LevelWarn: "WARNING", slog.LevelError: "ERROR", Critical: "CRITICAL",
	} {
		_, line := logged(t, func(log *slog.Logger) { log.Log(context.Background(), level, "said") })
		if line["level"] != word {
			t.Errorf("%v is %q", level, line["level"])
		}
	}
}

func TestItIsAHandlerAsSlogWantsThem(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return New(&out, settings.Default()).Handler()
	}, func(t *testing.T) map[string]any {
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		return line
	})
}
