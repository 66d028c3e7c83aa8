package ask

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func silent(string) string { return "" }

// answering returns the address of a server that answers one request with these parts, a pause before each.
func answering(t *testing.T, pause time.Duration, parts ...string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = connection.Close() }()
		_, _ = connection.Read(make([]byte, 65536))
		for _, part := range parts {
			time.Sleep(pause)
			_, _ = connection.Write([]byte(part)) // who asked may have gone
		}
	}()
	return "http://" + listener.Addr().String() + "/health"
}

func TestItAsksHereOrByAnAddress(t *testing.T) {
	t.Setenv("http_proxy", "http://127.0.0.1:9")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	server := httptest.NewServer(mux)
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	if problem := Wrong("", func(string) string { return port }); problem != "" {
		t.Error(problem)
	}
	if problem := Wrong(server.URL+"/nothing", silent); problem != server.URL+"/nothing: answers 404" {
		t.Error(problem)
	}
}

func TestEvery2xxIsGoodAndNothingElse(t *testing.T) {
	for _, status := range []string{"204 No Content", "299 Other"} {
		if problem := Wrong(answering(t, 0, "HTTP/1.1 "+status+"\r\n\r\n"), silent); problem != "" {
			t.Error(problem)
		}
	}
	for _, status := range []string{"302 Found\r\nLocation: /health", "503 Unavailable", "100 Continue"} {
		problem := Wrong(answering(t, 0, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n"), silent)
		if problem == "" || strings.Contains(problem, "\n") {
			t.Errorf("%s: %q", status, problem)
		}
	}
}

func TestTwoSecondsAreForTheWholeAnswer(t *testing.T) {
	address := answering(t, 800*time.Millisecond, "HTTP/1.1 200 OK\r\n", "a: b\r\n", "a: b\r\n", "\r\n")
	if problem := Wrong(address, silent); problem != address+": no answer within 2 s" {
		t.Error(problem)
	}
}

func TestWhatIsNoAddressIsToldOnOneLine(t *testing.T) {
	for _, address := range []string{
		"nonsense", "https://x/", "http://", "http://x:y/", "http://a b/", "http://[/", "file:///etc/passwd", "http://x/\n",
	} {
		if problem := Wrong(address, silent); problem == "" || strings.Contains(problem, "\n") {
			t.Errorf("%s: %q", address, problem)
		}
	}
}

func TestWhoDoesNotListenIsTold(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	if problem := Wrong(server.URL, silent); !strings.Contains(problem, "refused") || strings.Count(problem, server.URL) != 1 {
		t.Error(problem)
	}
}
