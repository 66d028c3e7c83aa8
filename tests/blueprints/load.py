"""Requests without a pause, as a Service sends them to one pod, until that pod has gone."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE = 30  # seconds that the whole of it may take
REQUESTS = 20_000  # at most, from one caller
PERIOD = 0.7  # seconds between two probes: so late is it noticed that the pod leaves
_BODY = b'{"text":"load"}'


@dataclass
class Load:
    """Callers of one port, each a thread: some keep their connection, some open one for each request.

    They do what a Service makes of a pod's readiness: once a probe of /health/ready has been answered 503, no
    connection is opened. One that was kept is used on, until an answer closes it.
    """

    port: int
    ready: threading.Event = field(default_factory=threading.Event)
    probed: int = 0
    answered: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def start(self, kept: int = 4, fresh: int = 4) -> list[threading.Thread]:
        """Begin; the threads end by themselves, at the latest when PATIENCE is over."""
        self.ready.set()
        callers = [self._probe, *[self._keep] * kept, *[self._open] * fresh]
        threads = [threading.Thread(target=self._run, args=(caller,)) for caller in callers]
        for thread in threads:
            thread.start()
        return threads

    def _run(self, caller: Callable[[], bool]) -> None:
        """`caller` again and again, while it says that it goes on."""
        end = time.monotonic() + PATIENCE
        try:
            for _ in range(REQUESTS):
                if time.monotonic() > end or not caller():
                    return
        except (OSError, http.client.HTTPException) as error:
            self.failed.append(f"{caller.__name__}: {type(error).__name__}: {error}")

    def _probe(self) -> bool:
        connection = self._connection()
        connection.request("GET", "/health/ready")
        if connection.getresponse().status != 200:
            self.ready.clear()
        connection.close()
        self.probed += 1
        time.sleep(PERIOD)
        return self.ready.is_set()

    def _keep(self) -> bool:
        connection = self._connection()
        while self._request(connection):
            pass
        return self.ready.is_set()

    def _open(self) -> bool:
        connection = self._connection()
        self._request(connection)
        connection.close()
        return self.ready.is_set()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def _request(self, connection: http.client.HTTPConnection) -> bool:
        """Ask once; whether the connection stays open."""
        connection.request("POST", "/v1/echo", _BODY, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if (answer.status, text) == (200, _BODY):
            self.answered.append(time.monotonic())
        else:
            self.failed.append(f"{answer.status}: {text!r}")
        return not answer.will_close
