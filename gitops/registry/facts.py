"""What is asked about an image and what was found: frozen values, and the one exception inside this package."""

from __future__ import annotations

import re
from dataclasses import dataclass

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
"""The issuer of the tokens of GitHub Actions, as it stands in a keyless certificate."""
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of the image's digest that was verified: what its certificate says of the run that made it.

    `workflow` is the certificate's own name: the file whose steps ran, which another repository may have called.
    `source`, `ref` and `commit` are those that the run built. The fields are the extensions of Fulcio's oid-info.md.
    """

    issuer: str
    workflow: str
    source: str
    ref: str
    commit: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who has to have signed: a workflow of the repository `source` (OWNER/REPOSITORY), run on `ref` of it."""

    source: str
    ref: str = "refs/heads/main"
    issuer: str = GITHUB_ISSUER
    server: str = "https://github.com"

    def objection(self, signature: Signature, tag: str) -> str:
        """Why `signature` does not count for the image tagged `tag`; empty where it does.

        Both the workflow and the repository that was built are compared: a certificate is named after the workflow
        alone, and any repository may call it. Where the tag is a commit, it is the one that was built. Compared as
        plain text; GitHub's own names have no case.
        """
        source = f"{self.server}/{self.source}".casefold()
        named, _, at = signature.workflow.partition("@")
        folder, _, file = named.rpartition("/")
        if signature.issuer != self.issuer:
            return f"the identity was given by {signature.issuer or 'nobody'}, not by {self.issuer}"
        if signature.source.casefold() != source:
            return f"signed by a run of {signature.source or 'no repository'}"
        if signature.ref != self.ref:
            return f"signed by a run on {signature.ref or 'no branch'}, not on {self.ref}"
        if folder.casefold() != f"{source}/.github/workflows" or not file or at != self.ref:
            return f"signed by the workflow {signature.workflow}, which is not one of {self.source} on {self.ref}"
        if is_commit(tag) and signature.commit != tag:
            return f"signed by a run of commit {signature.commit[:7] or 'unknown'}, not of {tag[:7]}"
        return ""


@dataclass(frozen=True, slots=True)
class Unread:
    """Why something could not be read, in one sentence; `passing` where waiting may mend it."""

    why: str
    passing: bool = False


class CannotRead(Exception):
    """Ends a reading; `read` turns it into facts, and nobody else sees it."""

    def __init__(self, why: str, *, passing: bool = False) -> None:
        self.unread = Unread(why, passing)
        super().__init__(why)


@dataclass(frozen=True)
class ImageFacts:
    """What a registry says of `tag` and `digest` in `image` (`host/repository`).

    `resolved` is the digest of the bytes that the tag leads to, None where there is no such tag. `exists` says whether
    `digest` itself is there. `platforms` and `revision` (the label org.opencontainers.image.revision) are those of what
    the tag leads to. `immutable` is None where the registry does not tell. `signatures` are verified, whoever made
    them; `dismissed` says why others are not. With `unread` nothing else is to be believed.
    """

    image: str
    tag: str
    digest: str
    wanted: Identity | None = None
    unread: Unread | None = None
    repository: bool = True
    resolved: str | None = None
    exists: bool = False
    immutable: bool | None = None
    platforms: tuple[str, ...] = ()
    revision: str | None = None
    signatures: tuple[Signature, ...] = ()
    dismissed: tuple[str, ...] = ()


def is_commit(text: str) -> bool:
    """Whether `text` is a full commit SHA."""
    return bool(_COMMIT.fullmatch(text))
