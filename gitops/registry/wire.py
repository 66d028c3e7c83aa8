"""One bounded request: redirects that are looked at first, tries that are counted, sizes and times that end."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from gitops.registry.facts import CannotRead
from gitops.registry.reference import forbidden

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

_TRIES = 4
_PAUSE = 0.5  # seconds before the second try, doubled for each further one
_STILL = 10  # seconds without a byte, or for a connection
_HOPS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 65536


@dataclass(frozen=True)
class Answer:
    """What came back: the headers by their names in small letters, and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Wire:
    """Speaks to `host` and to where it sends us, until `ends` (of time.monotonic); `local` where that is loopback."""

    host: str
    local: bool
    ends: float
    _session: Session | None = field(default=None, repr=False)

    def get(self, url: str, limit: int, headers: Mapping[str, str], *, head: bool = False) -> Answer:
        """The answer to a GET (or HEAD) of `url`, after redirects; raises CannotRead where there is none to be had.

        An `Authorization` among `headers` is sent to the host of `url` and to no other. 429 and 5xx are tried again, as
        `Retry-After` says, while there is time. No sentence holds an address with a path: some carry a signature.
        """
        tries = 1
        while True:
            answer = self._followed(url, limit, headers, "HEAD" if head else "GET")
            if answer.status != 429 and answer.status < 500:
                return answer
            pause = _pause(answer.headers.get("retry-after"), tries)
            late = time.monotonic() + pause >= self.ends
            if tries == _TRIES or late:
                asks = f" and asks to wait {pause:.0f} s" if late else f", {tries} times"
                raise CannotRead(f"{self._named(url)} answers {answer.status}{asks}", passing=True)
            time.sleep(pause)
            tries += 1

    def _followed(self, url: str, limit: int, headers: Mapping[str, str], method: str) -> Answer:
        told = dict(headers)
        for _ in range(_HOPS + 1):
            reason = forbidden(url, local=self.local)
            if reason:
                raise CannotRead(f"{self.host} leads to {reason}; that is not followed")
            answer = self._once(url, limit, told, method)
            if answer.status not in _REDIRECTS:
                return answer
            here, url = url, _joined(url, answer.headers.get("location", ""))
            if _origin(here) != _origin(url):
                told.pop("Authorization", None)
        raise CannotRead(f"{self.host} redirects more than {_HOPS} times")

    def _once(self, url: str, limit: int, headers: Mapping[str, str], method: str) -> Answer:
        from requests import exceptions
        from urllib3.exceptions import HTTPError

        host = self._named(url)
        try:
            with self._connected().request(
                method,
                url,
                headers={"Accept-Encoding": "identity", **headers},
                allow_redirects=False,
                stream=True,
                timeout=max(0.1, min(_STILL, self.ends - time.monotonic())),
            ) as response:
                body = self._body(response, limit)
                return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, body)
        except exceptions.SSLError:
            why = "is not trusted, or it speaks no TLS; REQUESTS_CA_BUNDLE names authorities of your own"
            raise CannotRead(f"the certificate of {host} {why}") from None
        except exceptions.ProxyError:
            raise CannotRead(f"the proxy does not lead to {host}", passing=True) from None
        except exceptions.Timeout:
            raise CannotRead(f"no answer from {host} in time", passing=True) from None
        except exceptions.ConnectionError:
            raise CannotRead(f"no connection to {host}, or it was broken off", passing=True) from None
        except (exceptions.RequestException, HTTPError, OSError):
            raise CannotRead(f"{host} broke off its answer, or it is no HTTP", passing=True) from None
        except ValueError:  # requests looks where a redirect leads even where it is not to follow it
            raise CannotRead(f"{host} leads to an address that is none; that is not followed") from None

    def _body(self, response: Response, limit: int) -> bytes:
        """Read by pieces, so that a deadline is seen in between; `limit` holds for what was sent, not for a claim."""
        body = bytearray()
        while piece := response.raw.read(_CHUNK):
            body += piece
            if len(body) > limit:
                raise CannotRead(f"{self.host} sends more than {limit} bytes where a small document should be")
            if time.monotonic() > self.ends:
                raise CannotRead(f"{self.host} sends too slowly", passing=True)
        return bytes(body)

    def _connected(self) -> Session:
        if self._session is None:
            from requests import Session

            self._session = Session()
            # Proxies and authorities are the environment's business, except for what never leaves this machine.
            self._session.trust_env = not self.local
            self._session.auth = _as_it_is
        return self._session

    def _named(self, url: str) -> str:
        """The host as it is told to people."""
        return urlsplit(url).netloc or self.host


def _as_it_is(request: PreparedRequest) -> PreparedRequest:
    """Where an `auth` is set, requests does not add what a .netrc holds for the host, nor for a redirect's."""
    return request


def _joined(url: str, location: str) -> str:
    """Where a redirect leads; an address that is none stays as it is, and `forbidden` says so."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _origin(url: str) -> tuple[str, str, int | None]:
    """What may see the same credentials (RFC 6454). `forbidden` has judged, or will judge, whether it is one at all."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return "", "", None


def _pause(told: str | None, tries: int) -> float:
    """Seconds until the next try: `Retry-After` as seconds or as a date (RFC 9110), else longer each time."""
    if told and told.strip().isascii() and told.strip().isdigit():
        return float(min(int(told.strip()[:6]), 86400))
    if told:
        try:
            at = parsedate_to_datetime(told)
        except ValueError:
            at = None
        if at is not None:
            aware = at if at.tzinfo else at.replace(tzinfo=UTC)
            return min(max((aware - datetime.now(UTC)).total_seconds(), 0.0), 86400.0)
    return float(_PAUSE * 2 ** (tries - 1) * random.uniform(0.75, 1.25))  # noqa: S311 # jitter is no secret
