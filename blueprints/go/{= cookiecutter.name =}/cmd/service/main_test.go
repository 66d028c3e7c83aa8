package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const patience = 20 * time.Second // far more than a start or a stop takes

// TestMain lets this program be the service too: so it is started as it runs in its image, as a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("BE_THE_SERVICE") != "" {
		main()
	}
	os.Exit(m.Run())
}

// running is a process of the service, and its port.
type running struct {
	t       *testing.T
	process *exec.Cmd
	port    int
	logs    bytes.Buffer
	ended   chan struct{}
}

// start starts the service with the variables given, as NAME=value, and waits until it listens, or has ended.
func start(t *testing.T, variables ...string) *running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	service := &running{t: t, process: exec.Command(os.Args[0]), port: port, ended: make(chan struct{})}
	service.process.Env = append([]string{"BE_THE_SERVICE=1", "HOST=127.0.0.1", fmt.Sprint("PORT=", port)}, variables...)
	service.process.Stdout, service.process.Stderr = &service.logs, os.Stderr
	if err := service.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = service.process.Wait() // a code other than 0 is no error here
		close(service.ended)
	}()
	t.Cleanup(func() { _ = service.process.Process.Kill() })
	until(t, func() bool {
		select {
		case <-service.ended:
			return true
		default:
			return service.listens()
		}
	})
	return service
}

// until waits for holds to hold.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it takes too long")
		}
	}
}

func (s *running) address() string { return fmt.Sprint("127.0.0.1:", s.port) }

func (s *running) listens() bool {
	connection, err := net.Dial("tcp", s.address())
	if err == nil {
		_ = connection.Close()
	}
	return err == nil
}

// ask returns the status and the text of one answer.
func (s *running) ask(path string) (int, string) {
	s.t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+s.address()+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send(request)
}

func (s *running) send(request *http.Request) (int, string) {
	s.t.Helper()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func (s *running) signal(number os.Signal) { _ = s.process.Process.Signal(number) }

// stop sends SIGTERM; it returns the exit code and every log line, each of which has the whole schema.
func (s *running) stop() (int, []map[string]any) {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatal("it does not end")
	}
	var lines []map[string]any
	for text := range strings.Lines(s.logs.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			s.t.Fatalf("%v: %s", err, text)
		}
		for _, key := range []string{"time", "level", "msg", "service", "version", "trace_id"} {
			if _, there := line[key]; !there {
				s.t.Errorf("no %s: %s", key, text)
			}
		}
		lines = append(lines, line)
	}
	return s.process.ProcessState.ExitCode(), lines
}

// told returns what the lines say under a key.
func told(lines []map[string]any, key string) []any {
	values := make([]any, 0, len(lines))
	for _, line := range lines {
		values = append(values, line[key])
	}
	return values
}

func TestWrongSettingsEndItWithALogLineEach(t *testing.T) {
	code, lines := start(t, "PORT=http", "LOG_LEVEL=loud").stop()
	if code != 78 || !slices.Equal(told(lines, "level"), []any{"CRITICAL", "CRITICAL"}) {
		t.Errorf("%d %v", code, lines)
	}
}

func TestAPortThatIsTakenEndsItWithALogLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	code, lines := start(t, fmt.Sprint("PORT=", taken.Addr().(*net.TCPAddr).Port)).stop()
	if code != 1 || !slices.Equal(told(lines, "msg"), []any{"cannot go on"}) {
		t.Errorf("%d %v", code, lines)
	}
}

func TestItAsksItselfAndOtherWordsAreRefused(t *testing.T) {
	service := start(t)
	for _, each := range []struct {
		arguments []string
		code      int
		said      string
	}{
		{[]string{"ask"}, 0, ""},
		{[]string{"ask", "http://" + service.address() + "/health/ready"}, 0, ""},
		{[]string{"ask", "http://" + service.address() + "/nothing"}, 1, "/nothing: answers 404\n"},
		{[]string{"asc"}, 64, "unknown: asc;"},
	} {
		asking := exec.Command(os.Args[0], each.arguments...)
		asking.Env = []string{"BE_THE_SERVICE=1", fmt.Sprint("PORT=", service.port)}
		said, _ := asking.CombinedOutput() // a code other than 0 is no error here
		if code := asking.ProcessState.ExitCode(); code != each.code || !strings.Contains(string(said), each.said) {
			t.Errorf("%v: %d %s", each.arguments, code, said)
		}
	}
}
