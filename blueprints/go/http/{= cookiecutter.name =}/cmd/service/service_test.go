package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestItIsHealthyAndReadyAndMeasured(t *testing.T) {
	service := start(t)
	for path, expected := range map[string]string{"/health": `{"status":"ok"}`, "/health/ready": `{"status":"ready"}`} {
		if status, text := service.ask(path); status != 200 || text != expected {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, _ := service.ask("/nothing/here"); status != 404 {
		t.Error(status)
	}
	_, text := service.ask("/metrics")
	for _, line := range []string{
		`http_requests_total{method="GET",route="/health",status="200"} 1`,
		`http_requests_total{method="GET",route="unmatched",status="404"} 1`,
		`http_request_duration_seconds_count{method="GET",route="/health"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("not told: %s", line)
		}
	}
}

func TestARequestIsAnsweredAndLoggedWithItsTrace(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	service := start(t, "SERVICE=echo", "VERSION=abc")
	request, err := http.NewRequest("POST", "http://"+service.address()+"/v1/echo", strings.NewReader(`{"text": "hello"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	if status, text := service.send(request); status != 200 || text != `{"text":"hello"}` {
		t.Errorf("%d %s", status, text)
	}
	code, lines := service.stop()
	if code != 0 || !slices.Equal(told(lines, "msg"), []any{"request", "leaving"}) {
		t.Fatalf("%d %v", code, lines)
	}
	for key, expected := range map[string]any{
		"service": "echo", "version": "abc", "trace_id": trace, "method": "POST", "path": "/v1/echo", "status": 200.0,
	} {
		if lines[0][key] != expected {
			t.Errorf("%s is %v", key, lines[0][key])
		}
	}
}

func TestSigtermLetsARequestFinish(t *testing.T) {
	service := start(t, "DRAIN_SECONDS=1")
	body := `{"text":"slow"}`
	slow, err := net.Dial("tcp", service.address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	fmt.Fprintf(slow, "POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:5])
	service.ask("/health") // the slow request has begun by now
	service.signal(syscall.SIGTERM)
	until(t, func() bool { status, _ := service.ask("/health/ready"); return status == 503 })
	time.Sleep(1500 * time.Millisecond) // past the drain: no new connection is taken
	if service.listens() {
		t.Error("it still listens")
	}
	fmt.Fprint(slow, body[5:])
	answer, err := io.ReadAll(slow)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") || !strings.HasSuffix(string(answer), body) {
		t.Errorf("%v %s", err, answer)
	}
	if code, lines := service.stop(); code != 0 || !slices.Contains(told(lines, "msg"), any("leaving")) {
		t.Errorf("%d %v", code, lines)
	}
}

func TestASignalEndsItInOrder(t *testing.T) {
	for _, number := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		service := start(t)
		service.signal(number)
		if code, lines := service.stop(); code != 0 || !slices.Equal(told(lines, "msg"), []any{"leaving"}) {
			t.Errorf("%v: %d %v", number, code, lines)
		}
	}
}

func TestARequestThatNeverEndsDoesNotHoldItUp(t *testing.T) {
	service := start(t, "FINISH_SECONDS=0.5")
	stuck, err := net.Dial("tcp", service.address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stuck.Close() }()
	fmt.Fprint(stuck, "POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
	service.ask("/health")
	if code, lines := service.stop(); code != 0 || !slices.Equal(told(lines, "level"), []any{"INFO", "ERROR"}) {
		t.Errorf("%d %v", code, lines)
	}
}
