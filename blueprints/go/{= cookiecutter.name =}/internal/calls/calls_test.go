package calls

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// afresh makes the counting begin again, as a second run of the tests in one process needs it.
func afresh() {
	requests.Reset()
	seconds.Reset()
}

// expect fails the test where Prometheus is not told these lines.
func expect(t *testing.T, lines ...string) {
	t.Helper()
	answer := httptest.NewRecorder()
	promhttp.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range lines {
		if !strings.Contains(answer.Body.String(), line+"\n") {
			t.Errorf("not told: %s", line)
		}
	}
}

func TestACallIsCountedAndTimed(t *testing.T) {
	afresh()
	err := Do("orders", func() error {
		expect(t,
			`dependency_requests_total{dependency="orders",result="ok"} 0`,
			`dependency_requests_total{dependency="orders",result="error"} 0`)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	expect(t,
		`dependency_requests_total{dependency="orders",result="ok"} 1`,
		`dependency_requests_total{dependency="orders",result="error"} 0`,
		`dependency_request_duration_seconds_bucket{dependency="orders",le="0.075"} 1`,
		`dependency_request_duration_seconds_count{dependency="orders"} 1`)
}

func TestACallThatFailsIsAnErrorAndSaysSo(t *testing.T) {
	afresh()
	refused := errors.New("refused")
	if err := Do("ledger", func() error { return refused }); err != refused {
		t.Error(err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic ended here")
			}
		}()
		_ = Do("ledger", func() error { panic("no answer") })
	}()
	expect(t,
		`dependency_requests_total{dependency="ledger",result="ok"} 0`,
		`dependency_requests_total{dependency="ledger",result="error"} 2`,
		`dependency_request_duration_seconds_count{dependency="ledger"} 2`)
}
