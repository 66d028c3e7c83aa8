"""The one door to GitHub's API: PyGithub's requester, with our own patience and errors in our own words."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from typing import Any

from generator.errors import Problem, ShiplaneError, printable

WAYS = "gh auth login\nGITHUB_TOKEN or GH_TOKEN\nSHIPLANE_GITHUB_APP_ID and SHIPLANE_GITHUB_APP_KEY_FILE"
"""The ways in, for whoever has none."""
_TIMEOUT = 30  # seconds for one answer; GitHub itself gives up after ten
_TRIES = 4  # of one request that GitHub could not answer
_PAUSE = 0.5  # seconds before the second try; it doubles
_PATIENCE = 90  # seconds that we wait at most because GitHub says so; then the caller is told
_UNTOLD = 60  # seconds to wait where GitHub limits and names no time ("Best practices for using the REST API")
_LIMITED = ("rate limit", "abuse detection", "retry your request again later")
_PERMISSIONS = "contents, pull requests and commit statuses: read and write"


class Refused(ShiplaneError):
    """GitHub has answered with an error; `status` is 200 for an error of GraphQL, `message` is what it said."""

    def __init__(self, status: int, message: str, problem: Problem) -> None:
        self.status, self.message = status, message
        super().__init__(problem)


class Wire:
    """One server's API, as whoever has the token, or as the App with `key` (its id, and its private key in PEM)."""

    def __init__(self, api: str, token: str = "", *, key: tuple[str, str] | None = None) -> None:  # none
        from github import Auth, Github

        self._api = api
        self._secrets = [secret for secret in (token, *(key or ())[1:]) if secret]
        auth = Auth.AppAuth(*key) if key else Auth.Token(token)
        # pauses are ours: PyGithub's own slow every call down, and its retries wait for as long as they are told
        self._requester = Github(
            auth=auth, base_url=api, timeout=_TIMEOUT, retry=None, user_agent="shiplane",
            seconds_between_requests=None, seconds_between_writes=None,
        ).requester  # fmt: skip

    def rest(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        missing: tuple[str, str] | None = None,
        again: bool = True,
    ) -> Any:
        """The answer's JSON; raises Refused. `missing` are rule and mend of a 404, `again` allows another try."""
        status, headers, data = self._answered(verb, path, body, again)
        if status < 400:
            return data
        raise self._refusal(status, headers, _message(data), path, missing)

    def graphql(self, query: str, variables: Mapping[str, Any], *, again: bool = True) -> Any:
        """The `data` of a query or mutation; raises Refused when there are errors, even where there is data too."""
        url = self._requester.graphql_url
        status, headers, data = self._answered("POST", url, {"query": query, "variables": dict(variables)}, again)
        errors = data.get("errors") if isinstance(data, dict) else None
        if status < 400 and not errors and isinstance(data, dict) and isinstance(data.get("data"), dict):
            return data["data"]
        kinds = {each.get("type") for each in errors or ()}
        message = "; ".join(str(each.get("message")) for each in errors or ()) or _message(data)
        known = {"NOT_FOUND": 404, "FORBIDDEN": 403}
        status = next((known[kind] for kind in kinds & known.keys()), status)
        raise self._refusal(status, headers, message, "graphql", None)

    def _answered(self, verb: str, url: str, body: Any, again: bool) -> tuple[int, Mapping[str, str], Any]:
        """The first answer that is one: what GitHub could not do, or puts off, is tried again while patience lasts."""
        patience = float(_PATIENCE)
        for attempt in range(1, _TRIES + 1):
            status, headers, data = self._exchange(verb, url, body)
            limit = _limit(status, headers, data)
            wait = limit or 0.0
            if limit is None:
                if status and status < 500:
                    return status, headers, data
                wait = _PAUSE * 2 ** (attempt - 1) * random.uniform(1, 1.5)  # noqa: S311 # a pause needs no secure one
            elif wait > patience:
                rule = f"takes no more requests from us for {wait:.0f} s: {_message(data)}"
                raise Refused(status, _message(data), Problem(self._api, rule, "try the same command then"))
            if attempt == _TRIES or (limit is None and not again):
                break
            patience -= wait
            time.sleep(wait)
        told = f"answered {status}" if status else f"gives no answer: {data}"
        raise Refused(status, str(data), Problem(self._api, told, "try the same command again: it takes up from there"))

    def _exchange(self, verb: str, url: str, body: Any) -> tuple[int, Mapping[str, str], Any]:
        """One request; the status is 0 where nothing has come back, and the data then says why."""
        from jwt.exceptions import PyJWTError

        try:
            status, headers, text = self._requester.requestJson(verb, url, input=body)
        except OSError as error:  # what requests raises where nobody answers
            return 0, {}, type(error).__name__
        except (PyJWTError, ValueError):
            rule = "is not a private key that signs (RS256)"
            raise ShiplaneError(
                Problem("SHIPLANE_GITHUB_APP_KEY", rule, "make a new one in the App's settings")
            ) from None
        except (RuntimeError, AssertionError):  # PyGithub's, where it is redirected elsewhere
            raise ShiplaneError(
                Problem(self._api, "leads elsewhere", "name the repository by its new address")
            ) from None
        try:
            return status, headers, json.loads(text) if text else None
        except ValueError:
            return (status if status >= 400 else 502), headers, None

    def _refusal(
        self, status: int, headers: Mapping[str, str], message: str, path: str, missing: tuple[str, str] | None
    ) -> Refused:
        for secret in self._secrets:
            message = message.replace(secret, "***")
        told = printable(message)
        place = f"{self._api}{path}" if path.startswith("/") else self._api
        if status == 401:
            problem = Problem(self._api, f"does not take this token: {told}", WAYS)
        elif status == 404:
            rule, mend = missing or (
                "is not there, or may not be seen with this token" if path.startswith("/") else told,
                f"give it access: {_PERMISSIONS}",
            )
            problem = Problem(place, rule, mend)
        elif status == 403 and (sso := headers.get("x-github-sso", "").partition("url=")[2]):
            problem = Problem(place, f"is not allowed: {told}", f"authorise the token for the organisation: {sso}")
        elif status == 403:
            needs = headers.get("x-accepted-github-permissions") or _PERMISSIONS
            problem = Problem(place, f"is not allowed: {told}", f"give the token or the App what it needs: {needs}")
        else:
            problem = Problem(place, f"{told} ({status})" if status >= 400 else told)
        return Refused(status, message, problem)


def _message(data: Any) -> str:
    """What an error says: its message, and those of its `errors`."""
    if not isinstance(data, dict):
        return "no reason given"
    more = [
        each.get("message") or each.get("code") if isinstance(each, dict) else each for each in data.get("errors") or ()
    ]
    return "; ".join(str(each) for each in (data.get("message"), *more) if each)


def _limit(status: int, headers: Mapping[str, str], data: Any) -> float | None:
    """Seconds to wait where GitHub limits how often it is asked; None where it does not.

    Secondary limits come as 403 or 429, with Retry-After or without; the primary one says when it is over
    ("Rate limits for the REST API"), and GraphQL's comes as an error of an answer with 200.
    """
    errors = data.get("errors") or () if isinstance(data, dict) else ()
    kinds = [each.get("type") for each in errors if isinstance(each, dict)]
    limited = status == 429 or "RATE_LIMITED" in kinds
    limited = limited or (status == 403 and any(words in _message(data).lower() for words in _LIMITED))
    if not limited and not (status == 403 and "retry-after" in headers):
        return None
    if (told := headers.get("retry-after", "")).isdigit():
        return float(told)
    if headers.get("x-ratelimit-remaining") == "0" and (reset := headers.get("x-ratelimit-reset", "")).isdigit():
        return max(float(reset) - time.time(), 0) + 1
    return float(_UNTOLD)
