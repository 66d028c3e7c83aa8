"""A registry by the OCI distribution specification: manifests, blobs, referrers. Nothing in it is believed unhashed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from gitops.registry import manifest
from gitops.registry.challenge import authorization
from gitops.registry.credentials import Login
from gitops.registry.facts import CannotRead
from gitops.registry.manifest import LIMIT, Manifest
from gitops.registry.reference import Reference
from gitops.registry.wire import Answer, Wire

_ACCEPT = ", ".join(manifest.TYPES)
_PAGES = 5
_HEADER = 2048  # characters of a header that are looked at: no pattern may run for long
_NO_REFERRERS = (400, 404, 405, 406)  # how registries say that they lack the referrers API; 404 is the specification's
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')


@dataclass
class Registry:
    """One repository of one registry. `login` is asked once, and only where the registry wants credentials."""

    reference: Reference
    wire: Wire
    login: Callable[[], Login | None]
    _authorization: str = field(default="", repr=False)

    def tagged(self, tag: str) -> tuple[Manifest | None, bool]:
        """What `tag` leads to, None where there is no such tag; and whether there is such a repository at all."""
        answer = self._get(f"manifests/{tag}", LIMIT, _ACCEPT)
        if answer.status == 404:
            return None, b"NAME_UNKNOWN" not in answer.body
        return self._parsed(answer, answer.headers.get("docker-content-digest"), f":{tag}"), True

    def manifest(self, digest: str) -> Manifest | None:
        """The manifest of that digest, None where it is not there."""
        answer = self._get(f"manifests/{digest}", LIMIT, _ACCEPT)
        return None if answer.status == 404 else self._parsed(answer, digest, f"@{digest[:19]}…")

    def has(self, wanted: str) -> bool:
        """Whether the tag or digest `wanted` is there."""
        return self._get(f"manifests/{wanted}", LIMIT, _ACCEPT, head=True).status != 404

    def blob(self, digest: str, limit: int) -> bytes:
        """The blob of that digest; raises CannotRead where it is missing or is something else."""
        where = f"{self.reference.host}/{self.reference.name}"
        if not _DIGEST.fullmatch(digest):
            raise CannotRead(f"{where} names a blob by another digest than sha256")
        answer = self._get(f"blobs/{digest}", limit, "*/*")
        if answer.status == 404:
            raise CannotRead(f"{where} lacks the blob {digest[:19]}…: what names it is not whole")
        if manifest.sha256(answer.body) != digest:
            raise CannotRead(f"{where} has other bytes for the blob {digest[:19]}…")
        return answer.body

    def referrers(self, digest: str) -> Iterator[dict[str, Any]]:
        """The descriptors of what refers to `digest`: by the referrers API, else by the tag that stands in for it."""
        path, found = f"referrers/{digest}", False
        for _ in range(_PAGES):
            answer = self._get(path, LIMIT, manifest.INDEXES[0], without=_NO_REFERRERS)
            if answer.status != 200:
                break
            listed = manifest.json_object(answer.body, f"{self.reference.host}'s list of what refers to an image")
            for one in manifest.descriptors(listed, "manifests"):
                found = True
                yield one
            following = _NEXT.search(answer.headers.get("link", "")[:_HEADER])
            if not following:
                break
            path = following[1]
        if not found:
            instead, _ = self.tagged(digest.replace(":", "-"))
            yield from manifest.descriptors(instead.body, "manifests") if instead else ()

    def _parsed(self, answer: Answer, claimed: str | None, shown: str) -> Manifest:
        place = f"{self.reference.host}/{self.reference.name}{shown}"
        return manifest.parse(answer.body, answer.headers.get("content-type", ""), claimed, place)

    def _get(
        self, path: str, limit: int, accept: str, *, head: bool = False, without: tuple[int, ...] = (404,)
    ) -> Answer:
        """The answer, authorised where that is asked for: 200, or one of `without`; raises CannotRead for all else."""
        root = f"{'http' if self.reference.local else 'https'}://{self.reference.host}/v2/{self.reference.name}/"
        url = urljoin(root, path)
        if urlsplit(url)[:2] != urlsplit(root)[:2]:
            raise CannotRead(f"{self.reference.host} continues its list on another host")
        headers = {"Accept": accept, **({"Authorization": self._authorization} if self._authorization else {})}
        answer = self.wire.get(url, limit, headers, head=head)
        if answer.status == 401 and not self._authorization:
            challenge = answer.headers.get("www-authenticate", "")
            self._authorization = authorization(challenge, self.reference, self.login(), self.wire)
            answer = self.wire.get(url, limit, {**headers, "Authorization": self._authorization}, head=head)
        if answer.status in (200, *without):
            return answer
        where = f"{self.reference.host}/{self.reference.name}"
        if answer.status == 401:
            raise CannotRead(f"{self.reference.host} does not accept the credentials that are there for it")
        if answer.status == 403:
            raise CannotRead(f"{where} may not be read with the credentials that are there for it")
        raise CannotRead(f"{self.reference.host} answers {answer.status} when it is asked for {self.reference.name}")
