"""What a new GitOps repository holds: the files of `gitops/starter/` with the repository's facts in place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from generator.data import ROOT
from generator.errors import Problem, ShiplaneError

if TYPE_CHECKING:
    import jinja2

ENVIRONMENTS = ("dev", "staging", "prod")
"""The lane of a new repository, in its order; the last one is production."""
_CLUSTERS = {environment: f"eks-{environment}" for environment in ENVIRONMENTS}
_STARTER = Path(__file__).with_name("starter")
"""Where the verify workflow finds the libraries that Shiplane was tested with: a copy of Shiplane's own lock."""
_EACH = "ENVIRONMENT"  # a starter file with this in its path is written once for each environment
_FILE = "100644"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_OWNER = re.compile(r"@?([A-Za-z0-9][A-Za-z0-9-]{0,38}/)?[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_SCP = re.compile(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:.+")
_SCHEMES = ("https", "http", "ssh", "file")
_ADDRESS = "the repository's address"


def initial_tree(
    *,
    repository_url: str,
    name: str,
    owner: str = "platform",
    forge: str | None = None,
    shiplane: str | None = None,
    app_id: int = 0,
) -> dict[str, tuple[str, bytes]]:
    """The files of a new GitOps repository: path -> (git mode, content), sorted by path.

    `repository_url` is the address at which Argo CD reads the repository; `name` is its name for people; `owner` is the
    team of administrators (`team` or `organisation/team`); `forge` is written into shiplane.yaml when given.
    `shiplane` is what the verify workflow installs (by itself what a service's workflow does), `app_id` the ID of the
    GitHub App that posts its status, 0 while there is none. Raises ShiplaneError with everything that is wrong about
    them; a wrong address is not repeated, it may hold a password.
    """
    pinned = _pinned()["default"] if shiplane is None else shiplane
    problems = [*_address_problems(repository_url), *_other_problems(name, owner, forge)]
    if not re.fullmatch(_pinned()["pattern"], pinned):
        problems.append(Problem("--shiplane", "must be 'OWNER/REPOSITORY@COMMIT # VERSION'"))
    if app_id < 0:
        problems.append(Problem("--app-id", "must be the number that GitHub shows as the App's ID"))
    if problems:
        raise ShiplaneError(problems)
    facts = {
        "repository_url": repository_url,
        "local": _is_local(repository_url),
        "name": name,
        "forge": forge,
        "code_owner": _code_owner(owner, repository_url),
        "environments": ENVIRONMENTS,
        "clusters": _CLUSTERS,
        "shiplane": pinned,
        "app_id": app_id,
    }
    return dict(sorted(_rendered(facts).items()))


def ruleset() -> bytes:
    """The ruleset of the default branch as a new repository has it, on GitHub's terms; it names no App yet."""
    text = (_STARTER / ".github" / "rulesets" / "main.json").read_text("utf-8")
    return _jinja().from_string(text).render(app_id=0).encode("utf-8")


@cache
def _pinned() -> Mapping[str, Any]:
    """The blueprints' question where a workflow gets Shiplane from: its pattern, and its default."""
    questions = json.loads((ROOT / "blueprints" / "_shared" / "questions.json").read_text("utf-8"))
    found: Mapping[str, Any] = questions["properties"]["shiplane"]
    return found


def _rendered(facts: Mapping[str, Any]) -> dict[str, tuple[str, bytes]]:
    jinja = _jinja()
    tree = {}
    for source in _STARTER.rglob("*"):
        if source.is_dir():
            continue
        path = source.relative_to(_STARTER).as_posix()
        template = jinja.from_string(source.read_text("utf-8"))
        for environment in ENVIRONMENTS if _EACH in path else (None,):
            text = template.render(facts, environment=environment, production=environment == ENVIRONMENTS[-1])
            tree[path.replace(_EACH, str(environment))] = (_FILE, text.encode("utf-8"))
    return tree


def _jinja() -> jinja2.Environment:
    """Jinja with the blueprints' delimiters: single braces are tokens of defaults/ and of shiplane.yaml, and stay."""
    import jinja2
    import yaml

    def scalar(text: str) -> str:
        """`text` as a YAML scalar on one line, quoted where it must be."""
        return str(yaml.safe_dump(text, allow_unicode=True, width=len(text) + 80)).splitlines()[0]

    environment = jinja2.Environment(
        block_start_string="{=%",
        block_end_string="%=}",
        variable_start_string="{=",
        variable_end_string="=}",
        comment_start_string="{=#",
        comment_end_string="#=}",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML: what goes into YAML goes through the filter, all else is checked
    )
    environment.filters["yaml"] = scalar
    return environment


def _address_problems(url: str) -> list[Problem]:
    """An AppProject takes the address as a glob pattern, and everybody who reads the repository reads it."""
    mend = "an address such as https://github.com/acme/gitops.git"
    if not url.isprintable() or re.search(r"[\s*?!\[\]{}\\`]", url):
        return [Problem(_ADDRESS, "must be one line without spaces and without any of * ? ! [ ] { } \\ `", mend)]
    if url.startswith("/") or _SCP.fullmatch(url):
        return []
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    reachable = parts.path.strip("/") and (parts.hostname or parts.scheme == "file")
    if parts.scheme not in _SCHEMES or not reachable:
        rule = f"must be a path from the root, user@host:path, or begin with {', '.join(_SCHEMES)}"
        return [Problem(_ADDRESS, rule, mend)]
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh") or parts.fragment:
        rule = "must not hold a user, a password or a fragment: it is written into the repository"
        return [Problem(_ADDRESS, rule, f"{mend}, and give Argo CD the access itself: argocd repo add")]
    return []


def _other_problems(name: str, owner: str, forge: str | None) -> list[Problem]:
    problems = []
    if not _NAME.fullmatch(name):
        rule = "must be letters, digits, '.', '_' and '-', at most 100 of them, a letter or digit first"
        problems.append(Problem("the repository's name", rule, "a name such as gitops"))
    if not _OWNER.fullmatch(owner):
        problems.append(Problem("the administrators", "must be one team", "platform, or acme/platform"))
    if forge not in (None, "embedded", "github"):
        problems.append(Problem("the forge", "must be embedded or github"))
    return problems


def _is_local(url: str) -> bool:
    return url.startswith(("/", "file:"))


def _code_owner(owner: str, url: str) -> str:
    """GitHub wants @organisation/team: the organisation is that of the address, where it has one."""
    team = owner.removeprefix("@")
    path = url.partition(":")[2] if _SCP.fullmatch(url) else urlsplit(url).path
    organisation = path.strip("/").rpartition("/")[0]
    if "/" in team or _is_local(url) or not re.fullmatch(r"[A-Za-z0-9-]+", organisation):
        return f"@{team}"
    return f"@{organisation}/{team}"
