// Package ask tells whether a service answers, for the image's HEALTHCHECK and the chart's helm test: the image has
// no curl.
package ask

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"service/internal/settings"
)

// limit is for the whole of it: name, connection and answer.
const limit = 2 * time.Second

// Wrong returns what is wrong with the answer of an address, on one line, or nothing when it is 2xx; without an address
// this container's own /health is asked. No proxy is asked, and no redirection followed.
func Wrong(address string, environment func(string) string) string {
	if address == "" {
		port := cmp.Or(environment("PORT"), fmt.Sprint(settings.Default().Port))
		address = "http://127.0.0.1:" + port + "/health"
	}
	if problem := wrong(address); problem != "" {
		return strings.Join(strings.Fields(address+": "+problem), " ")
	}
	return ""
}

func wrong(address string) string {
	if where, err := url.Parse(address); err != nil || where.Scheme != "http" || where.Hostname() == "" {
		return "is no http:// address"
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       limit,
	}
	answer, err := client.Get(address)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %g s", limit.Seconds())
	}
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return failed.Err.Error() // without the address, which is told already
	}
	_ = answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Sprintf("answers %d", answer.StatusCode)
	}
	return ""
}
