package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"service/internal/logs"
	"service/internal/settings"
)

// logged returns the lines that are logged while do is done.
func logged(t *testing.T, do func()) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(logs.New(&out, settings.Default()))
	defer slog.SetDefault(before)
	do()
	var lines []map[string]any
	for text := range strings.Lines(out.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

func staying() bool { return false }

func TestARequestThatFailsIsLoggedWithItsTrace(t *testing.T) {
	for name, handler := range map[string]http.Handler{
		"an error": failing(func(http.ResponseWriter, *http.Request) error { return errors.New("no answer") }),
		"a panic":  http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no answer") }),
	} {
		answer := httptest.NewRecorder()
		lines := logged(t, func() {
			observed(handler, staying).ServeHTTP(answer, httptest.NewRequest("GET", "/broken", nil))
		})
		if answer.Code != 500 || strings.Contains(answer.Body.String(), "no answer") || len(lines) != 2 {
			t.Fatalf("%s: %d %s %v", name, answer.Code, answer.Body, lines)
		}
		failed, request := lines[0], lines[1]
		if failed["level"] != "ERROR" || !strings.Contains(failed["error"].(string), "no answer") {
			t.Errorf("%s: %v", name, failed)
		}
		if failed["trace_id"] == "" || failed["trace_id"] != request["trace_id"] || request["status"] != 500.0 {
			t.Errorf("%s: %v", name, lines)
		}
	}
}

func TestHalfAnAnswerDoesNotLookLikeAWholeOne(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic("no more")
	})
	lines := logged(t, func() {
		defer func() {
			if recover() != http.ErrAbortHandler { // which breaks the connection
				t.Error("it ended as if it were whole")
			}
		}()
		observed(handler, staying).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/broken", nil))
	})
	if len(lines) != 2 || lines[0]["level"] != "ERROR" {
		t.Error(lines)
	}
}

func TestWhileLeavingAConnectionIsClosed(t *testing.T) {
	leaving := func() bool { return true }
	answer := httptest.NewRecorder()
	observed(routes(leaving), leaving).ServeHTTP(answer, httptest.NewRequest("GET", "/health/ready", nil))
	if answer.Code != 503 || answer.Header().Get("Connection") != "close" {
		t.Errorf("%d %v", answer.Code, answer.Header())
	}
}

func TestABodyThatIsWrongIsRefused(t *testing.T) {
	for body, status := range map[string]int{
		`{"text":"` + strings.Repeat("é", 1000) + `"}`: 200,
		`{"text":""}`: 200,
		`{"text":"` + strings.Repeat("é", 1001) + `"}`: 422,
		`{"text":null}`:     422,
		`{"text":1}`:        422,
		`{}`:                422,
		`null`:              422,
		`{"text":"x"} more`: 422,
		``:                  422,
		`{"text":"x","more":"` + strings.Repeat("x", 64<<10) + `"}`: 422,
	} {
		answer := httptest.NewRecorder()
		routes(staying).ServeHTTP(answer, httptest.NewRequest("POST", "/v1/echo", strings.NewReader(body)))
		if answer.Code != status {
			t.Errorf("%.40s: %d", body, answer.Code)
		}
	}
}
