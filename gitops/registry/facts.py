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
    `source`, `ref` and `commit` are those that the run built, `source_id` the number that GitHub gave the repository,
    which no other gets when it is deleted and made again. The fields are the extensions of Fulcio's oid-info.md.
    """

    issuer: str
    workflow: str
    source: str
    ref: str
    commit: str
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who has to have signed: a workflow of the repository `source` (OWNER/REPOSITORY), run on `ref` of it.

    `workflows` are those of other repositories that such a run may have called, each at its ref, as the certificate
    names them: `OWNER/REPOSITORY/.github/workflows/FILE@REF`. `source_id` is the repository's number, where known.
    """

    source: str
    ref: str = "refs/heads/main"
    issuer: str = GITHUB_ISSUER
    server: str = "https://github.com"
    workflows: tuple[str, ...] = ()
    source_id: str = ""

    def objection(self, signature: Signature, tag: str) -> str:
        """Why `signature` does not count for the image tagged `tag`; empty where it does.

        Both the workflow and the repository that was built are compared: a certificate is named after the workflow
        alone, and any repository may call it. Where the tag is a commit, it is the one that was built. Compared as
        plain text; GitHub's own names have no case.
        """
        source = f"{self.server}/{self.source}".casefold()
        if signature.issuer != self.issuer:
            return f"the identity was given by {signature.issuer or 'nobody'}, not by {self.issuer}"
        if signature.source.casefold() != source:
            return f"signed by a run of {signature.source or 'no repository'}"
        if self.source_id and signature.source_id != self.source_id:
            return f"signed by a run of repository {signature.source_id or 'without a number'}, not {self.source_id}"
        if signature.ref != self.ref:
            return f"signed by a run on {signature.ref or 'no branch'}, not on {self.ref}"
        if not self._own(signature.workflow) and not self._called(signature.workflow):
            return f"signed by the workflow {signature.workflow}, which is not one of {self.source} on {self.ref}"
        if is_commit(tag) and signature.commit != tag:
            return f"signed by a run of commit {signature.commit[:7] or 'unknown'}, not of {tag[:7]}"
        return ""

    def _own(self, workflow: str) -> bool:
        named, _, at = workflow.partition("@")
        folder, _, file = named.rpartition("/")
        own = f"{self.server}/{self.source}/.github/workflows".casefold()
        return folder.casefold() == own and bool(file) and at == self.ref

    def _called(self, workflow: str) -> bool:
        return any(_same_workflow(workflow, f"{self.server}/{each}") for each in self.workflows)


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


def _same_workflow(one: str, other: str) -> bool:
    """Equal but for the case of the repository: a file's and a ref's counts."""
    halves = (each.partition("/.github/workflows/") for each in (one, other))
    (repository, _, file), (wanted, _, other_file) = halves
    return repository.casefold() == wanted.casefold() and bool(file) and file == other_file


def is_commit(text: str) -> bool:
    """Whether `text` is a full commit SHA."""
    return bool(_COMMIT.fullmatch(text))
