"""The answer to a registry's 401: Basic, or a token from where it says (the distribution project's token scheme)."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from gitops.registry.credentials import Login
from gitops.registry.facts import CannotRead
from gitops.registry.manifest import json_object
from gitops.registry.reference import Reference
from gitops.registry.wire import Wire

_LIMIT = 256 * 1024  # bytes of a token server's answer
_HEADER = 2048  # characters of the challenge that are looked at: no pattern may run for long
_SCHEME = re.compile(r"\b(bearer|basic)\b((?:[\s,]*[a-z_]+=(?:\"[^\"]*\"|[^\s,\"]+))*)", re.IGNORECASE)
_PARAMETER = re.compile(r"([a-z_]+)=(?:\"([^\"]*)\"|([^\s,\"]+))", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,65536}=*")  # RFC 6750: nothing that could end a header


def authorization(challenge: str, reference: Reference, login: Login | None, wire: Wire) -> str:
    """The `Authorization` header that `challenge` asks for; raises CannotRead where there is none to give.

    A token is asked for with the right to pull this one repository, whatever scope the challenge names.
    """
    schemes = {found[1].lower(): found[2] for found in _SCHEME.finditer(challenge[:_HEADER])}
    if "bearer" in schemes:
        told = {key.lower(): quoted or plain for key, quoted, plain in _PARAMETER.findall(schemes["bearer"])}
        return f"Bearer {_token(told.get('realm', ''), told.get('service'), reference, login, wire)}"
    if "basic" not in schemes:
        raise CannotRead(f"{reference.host} asks for credentials in a way that is not supported")
    if login is None:
        raise CannotRead(f"{reference.host} asks for credentials, and there are none: docker login {reference.host}")
    return login.basic


def _token(realm: str, service: str | None, reference: Reference, login: Login | None, wire: Wire) -> str:
    asked = {"scope": f"repository:{reference.name}:pull", **({"service": service} if service else {})}
    try:
        parts = urlsplit(realm)
        url = urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *asked.items()]), fragment=""))
    except ValueError:
        raise CannotRead(f"{reference.host} names no place for tokens") from None
    answer = wire.get(url, _LIMIT, {"Authorization": login.basic} if login else {})
    if answer.status != 200:
        with_what = "with the credentials that are there for it" if login else "without credentials"
        raise CannotRead(f"{reference.host} gives no token {with_what} (its token server answers {answer.status})")
    told = json_object(answer.body, f"the answer of the token server of {reference.host}")
    token = told.get("token") or told.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise CannotRead(f"the token server of {reference.host} gives no token that could be sent")
    return token
