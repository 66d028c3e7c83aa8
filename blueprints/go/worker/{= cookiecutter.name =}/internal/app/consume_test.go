package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"service/internal/logs"
	"service/internal/settings"
)

const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

// noted is a message that notes what became of it.
type noted struct {
	body       string
	properties map[string]string
	broken     error // the queue has gone
	became     []string
}

func (n *noted) Body() []byte                  { return []byte(n.body) }
func (n *noted) Properties() map[string]string { return n.properties }
func (n *noted) Ack() error                    { return n.end("ack") }
func (n *noted) Nack() error                   { return n.end("nack") }
func (n *noted) end(how string) error {
	if n.broken == nil {
		n.became = append(n.became, how)
	}
	return n.broken
}

// listed is a queue with these messages, or errors, and then the end of the work.
type listed struct {
	items  []any
	leave  func()
	closed bool
}

func (l *listed) Close() error { l.closed = true; return nil }
func (l *listed) Take(ctx context.Context) (Message, error) {
	if len(l.items) == 0 {
		l.leave()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	item := l.items[0]
	l.items = l.items[1:]
	switch item := item.(type) {
	case error:
		return nil, item
	case Message:
		return item, nil
	}
	panic(item)
}

// consumed runs the loop over the items, in time that does not pass; it returns the lines that were logged.
func consumed(t *testing.T, pulse *pulse, do handler, items ...any) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(logs.New(&out, settings.Default()))
	defer slog.SetDefault(before)
	synctest.Test(t, func(t *testing.T) {
		leaving, leave := context.WithCancel(t.Context())
		source := &listed{items: items, leave: leave}
		consume(leaving, source, do, pulse)
		if !source.closed && !pulse.dead {
			t.Error("the queue was not closed")
		}
	})
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

func said(lines []map[string]any) []string {
	var words []string
	for _, line := range lines {
		words = append(words, line["msg"].(string))
	}
	return words
}

func nothing(context.Context, Message) error { return nil }

func TestAMessageIsHandledAcknowledgedAndTold(t *testing.T) {
	message := &noted{body: "hello", properties: map[string]string{"traceparent": "00-" + traceID + "-00f067aa0ba902b7-01"}}
	var seen []string
	lines := consumed(t, &pulse{}, func(_ context.Context, message Message) error {
		seen = append(seen, string(message.Body()))
		return nil
	}, message)
	if !slices.Equal(seen, []string{"hello"}) || !slices.Equal(message.became, []string{"ack"}) || len(lines) != 1 {
		t.Fatalf("%q %q %v", seen, message.became, lines)
	}
	if line := lines[0]; line["msg"] != "message" || line["result"] != "ok" || line["trace_id"] != traceID {
		t.Error(line)
	}
}

func TestAMessageThatFailsIsGivenBackAndTheNextOneIsTaken(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error": func() error { return errors.New("no such account") },
		"a panic":  func() error { panic("no such account") },
	} {
		bad, good := &noted{body: "bad"}, &noted{body: "good"}
		lines := consumed(t, &pulse{}, func(_ context.Context, message Message) error {
			if string(message.Body()) == "bad" {
				return fail()
			}
			return nil
		}, bad, good)
		if !slices.Equal(bad.became, []string{"nack"}) || !slices.Equal(good.became, []string{"ack"}) || len(lines) != 3 {
			t.Fatalf("%s: %q %q %v", name, bad.became, good.became, lines)
		}
		failed, first, second := lines[0], lines[1], lines[2]
		if failed["level"] != "ERROR" || !strings.Contains(failed["error"].(string), "no such account") {
			t.Errorf("%s: %v", name, failed)
		}
		if failed["trace_id"] != first["trace_id"] || first["trace_id"] == second["trace_id"] {
			t.Errorf("%s: %v", name, lines)
		}
		if first["result"] != "error" || second["result"] != "ok" {
			t.Errorf("%s: %v", name, lines)
		}
	}
}

func TestAMessageThatCannotBeAcknowledgedIsAnError(t *testing.T) {
	lines := consumed(t, &pulse{}, nothing, &noted{broken: errors.New("the queue has gone")})
	if !slices.Equal(said(lines), []string{"message failed", "a message could not be given back", "message"}) {
		t.Error(lines)
	}
	if lines[2]["result"] != "error" {
		t.Error(lines[2])
	}
}

func TestASourceThatFailsIsAskedAgain(t *testing.T) {
	message, pulse := &noted{}, &pulse{}
	lines := consumed(t, pulse, nothing, errors.New("no route"), context.DeadlineExceeded, message)
	if !slices.Equal(message.became, []string{"ack"}) || pulse.dead {
		t.Errorf("%q %v", message.became, lines)
	}
	if !slices.Equal(said(lines), []string{"no message could be taken", "no message could be taken", "message"}) {
		t.Error(lines) // a deadline of the client's own is no word of the loop's
	}
}

func TestALoopThatDiesIsToldAndIsNotAlive(t *testing.T) {
	pulse := &pulse{}
	lines := consumed(t, pulse, nothing, "the client has a fault")
	if !pulse.dead || len(lines) != 1 || lines[0]["level"] != "CRITICAL" {
		t.Errorf("%v %v", pulse.dead, lines)
	}
}

// late is a queue that gives its message when it is too late.
type late struct {
	leave   func()
	message Message
}

func (l late) Close() error                          { return nil }
func (l late) Take(context.Context) (Message, error) { l.leave(); return l.message, nil }

func TestNoMessageIsBegunAfterTheEnd(t *testing.T) {
	leaving, leave := context.WithCancel(t.Context())
	message := &noted{}
	consume(leaving, late{leave, message}, func(context.Context, Message) error {
		t.Error("it was handled")
		return nil
	}, &pulse{})
	if !slices.Equal(message.became, []string{"nack"}) {
		t.Error(message.became)
	}
}

func TestTheLoopHangsWhenNothingIsLookedForUnlessAMessageIsInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pulse := &pulse{}
		answers := probes(pulse.alive, func() bool { return false })
		expect := func(status int) {
			t.Helper()
			for _, path := range []string{"/health", "/health/ready"} {
				answer := httptest.NewRecorder()
				answers.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
				if answer.Code != status {
					t.Errorf("%s: %d", path, answer.Code)
				}
			}
		}
		pulse.beat(false)
		time.Sleep(hang)
		expect(http.StatusOK)
		time.Sleep(time.Millisecond)
		expect(http.StatusServiceUnavailable)
		pulse.beat(true)
		time.Sleep(10 * hang)
		expect(http.StatusOK)
		pulse.beat(false)
		expect(http.StatusOK)
		pulse.stop()
		expect(http.StatusServiceUnavailable)
	})
}
