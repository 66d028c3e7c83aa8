package main

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestItIsHealthyAndReadyAndMeasured(t *testing.T) {
	service := start(t)
	_, text := service.ask("/metrics")
	for _, line := range []string{
		`messages_total{result="ok"} 0`,
		`messages_total{result="error"} 0`,
		`message_duration_seconds_count 0`,
		`messages_in_progress 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("not told: %s", line)
		}
	}
	for path, expected := range map[string]string{
		"/health": `200 {"status":"ok"}`, "/health/ready?now": `200 {"status":"ready"}`, "/nothing": `404 {"status":"not found"}`,
	} {
		if status, text := service.ask(path); expected != fmt.Sprint(status, " ", text) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

func TestMessagesAreCountedAndLogged(t *testing.T) {
	service := start(t, "SERVICE=echo", "VERSION=abc")
	until(t, func() bool {
		_, text := service.ask("/metrics")
		return strings.Contains(text, `messages_total{result="ok"} 1`+"\n")
	})
	code, lines := service.stop()
	if code != 0 || len(lines) < 2 {
		t.Fatalf("%d %v", code, lines)
	}
	line := lines[0]
	if line["msg"] != "message" || line["service"] != "echo" || line["version"] != "abc" || line["result"] != "ok" {
		t.Error(line)
	}
	if len(line["trace_id"].(string)) != 32 {
		t.Error(line)
	}
}

func TestASignalEndsItInOrder(t *testing.T) {
	for _, number := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		service := start(t, "DRAIN_SECONDS=not read")
		service.signal(number)
		if code, lines := service.stop(); code != 0 || !slices.Equal(told(lines, "msg"), []any{"leaving"}) {
			t.Errorf("%v: %d %v", number, code, lines)
		}
	}
}

func TestWhoBreaksOffARequestLeavesNoTrace(t *testing.T) {
	service := start(t)
	broken, err := net.Dial("tcp", service.address())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = broken.Write([]byte("nonsense\r\n\r\n"))
	_ = broken.Close()
	if status, _ := service.ask("/health"); status != 200 {
		t.Error(status)
	}
	if code, lines := service.stop(); code != 0 || slices.ContainsFunc(lines, func(line map[string]any) bool { return line["level"] != "INFO" }) {
		t.Errorf("%d %v", code, lines)
	}
}
