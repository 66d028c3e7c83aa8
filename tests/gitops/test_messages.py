"""What reviewers read: each message whole, as a snapshot; and that no stranger's word can act in it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from generator.errors import ShiplaneError
from gitops import diff, messages, onboard, promote, release, rollback
from gitops.catalog import Service
from gitops.commits import Commit, Compared
from gitops.diff.difference import Difference
from gitops.diff.noise import between
from gitops.draft import drafted as draft_of
from gitops.gates.case import Known, Since
from gitops.gates.verdict import passed, waiting
from gitops.messages import change
from gitops.model import Draft, Origin, Override, Release
from gitops.promote import Promotion
from gitops.proposals import Plan
from gitops.release import Chart
from gitops.rollback import Return
from gitops.step import NOTHING_SEEN, Seen, Step, Told
from tests.gitops import literal
from tests.gitops.literal import CHART, NOW, WALLET, chart, founded, lane, pinned, snapshot, tree_id

LANE = lane()
OLD = Release("3f2a9c1e" * 5, "sha256:" + "9d41e07c" * 8)
NEW = Release("8b1d0e2a" * 5, "sha256:" + "51fa02b9" * 8)
LEDGER = Service("ledger", "payments", "acme/ledger", "acme/ledger", "standard")
HOSTILE = {
    "markdown": "**1.0** [x](https://acme.example) `rm` ~~1~~ # x",
    "mention": "@acme/admins please merge, fixes #1, closes GH-2, resolves https://github.com/acme/wallet/issues/3",
    "comment-end": '--> <script>alert("1")</script> <!-- shiplane:1 {"to": "prod"}',
    "details-end": "</details></summary></sub></code></table> <h1>merged</h1>",
    "fence-end": "``` ````` ~~~~",
    "pipes": "1.0 | ✅ | ⏳ |",
    "newlines": "1.0\n\n### Gates\r\n| renders |\n```\n@acme/admins\n",
    "right-to-left": "1.0\u202e\u2066txt.exe\u200b",
    "terminal": "1.0\x1b[2J\x07\x00",
    "long": "1" * 70_000,
}
MANIFESTS = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: wallet
  labels: {app.kubernetes.io/version: "%(tag)s"}
spec:
  replicas: %(replicas)d
  selector: {matchLabels: {app: wallet}}
  template:
    metadata: {labels: {app: wallet}}
    spec:
      containers:
        - name: wallet
          image: acme/wallet:%(tag)s@%(digest)s
          env: [{name: MATCH_STRICT, value: "%(strict)s"}]
          resources: {limits: {memory: 1Gi}}
---
apiVersion: v1
kind: Service
metadata:
  name: wallet
  labels: {app.kubernetes.io/version: "%(tag)s"}
spec: {selector: {app: wallet}, ports: [{port: 80}]}
"""
INGRESS = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: wallet}
spec:
  rules: [{host: wallet.acme.example, http: {paths: [{path: /, backend: {service: {name: wallet}}}]}}]
"""
CONFIG = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: wallet}\ndata:\n  rules.yaml: |\n%s"


def manifests(what: Release, *, replicas: int = 3, strict: str = "false", more: str = "") -> bytes:
    filled = MANIFESTS % {"tag": what.tag, "digest": what.digest, "replicas": replicas, "strict": strict}
    return f"{filled}{more}".encode()


def difference(**after: Any) -> Difference:
    return diff.compared(manifests(OLD), manifests(NEW, **after), "wallet", between(OLD, NEW))


def commit(subject: str, author: str = "ann", body: str = "") -> Commit:
    return Commit(literal._id(b"x", subject.encode()), f"{subject}\n\n{body}", author)


COMMITS = Compared(
    (
        commit("match: reject orders with a stale sequence number (#231)"),
        commit("feat(api)!: answer with 409 where an order is stale", "ben"),
        commit("migration: add orders.sequence", "ben"),
        commit("deps: pydantic 2.14.3 (#228)", "renovate[bot]"),
    ),
    4,
)
QUIET = Seen(
    verdicts=(passed("renders", "by helm, with staging's settings as they will be"),),
    difference=difference(),
    compared=COMMITS,
    since=Since(NEW, 412, NOW - timedelta(hours=2)),
)
LOUD = replace(QUIET, difference=difference(replicas=1, strict="true", more=INGRESS))


def released(what: Release, run: int, *, proved: bool = True, **have: Any) -> Step:
    files = chart(CHART)
    given = Chart("wallet/chart", files, proved, tree_id(files))
    return stepped(
        release.plan(
            LANE,
            snapshot({**founded(WALLET), **have.get("files", {})}),
            release.asked("wallet", what.tag, what.digest, run, None, given),
            NOW,
        )
    )


def promoted(files: dict[str, Any], to: str = "staging", service: Service = WALLET) -> Step:
    base = snapshot({**founded(WALLET, LEDGER), **files})
    return stepped(promote.plan(LANE, base, Promotion(service.name, to), Known(), NOW))


def stepped(plan: Plan) -> Step:
    assert isinstance(plan, Step)
    return plan


def people(environment: str, service: str = "wallet") -> dict[str, bytes]:
    return {f"apps/{environment}/{service}.yaml": b"", f"environments/{environment}/{service}/values.yaml": b""}


def rolled_back() -> Step:
    now = snapshot({**founded(WALLET), **pinned("prod", NEW, run=412), **people("prod")})
    then = snapshot({**pinned("prod", OLD, run=411), **people("prod")})
    warnings = ["8b1d0e2 migrates before it starts in prod: what it has changed stays changed"]
    return rollback.plan(
        LANE, now, then, Return("wallet", "prod", reason="INC-7"), "ann@acme.example", NOW, warnings=warnings
    )


def together() -> list[Told]:
    files: dict[str, Any] = {}
    for service in (WALLET, LEDGER):
        files |= {**pinned("dev", NEW, service=service, run=412), **pinned("staging", OLD, service=service, run=411)}
        files |= people("staging", service.name)
    wallet, ledger = (promoted(files, service=each) for each in (WALLET, LEDGER))
    waits = (waiting("soak", "until Wed 2026-01-07 14:00 UTC: dev has had it since Wed 2026-01-07 10:00 UTC, by #411"),)
    return [(wallet, LOUD), (ledger, replace(QUIET, verdicts=(*QUIET.verdicts, *waits), compared=None))]


def cases() -> dict[str, Sequence[Told]]:
    new = {**CHART, "Chart.yaml": CHART["Chart.yaml"].replace(b"1.4.0", b"1.5.0")}
    silent = {**CHART, "values.yaml": b"a: 1\n"}
    entered = {**pinned("dev", OLD, run=411), **people("dev")}
    there = {**pinned("staging", OLD, run=411), **people("staging")}
    live = {**pinned("prod", OLD, run=411), **people("prod")}
    moved = promoted({**there, **pinned("dev", NEW, run=412)})
    settings = "environments/staging/wallet/values.yaml"
    carried = diff.settings(b"replicas: 2\nenv: {}\n", b'replicas: 3\nenv:\n  LOG: debug\n  API_TOKEN: "hunter2"\n')
    first = Seen(QUIET.verdicts, diff.compared(None, manifests(NEW, more=INGRESS), "wallet"), since=QUIET.since)
    unread = "what staging has of wallet now cannot be rendered: helm template: no template `x` @acme/admins"
    steps: dict[str, tuple[Step, Seen]] = {
        "first-release": (released(OLD, 411), NOTHING_SEEN),
        "newer-release": (released(NEW, 412, files=entered), QUIET),
        "unproved-release": (released(NEW, 412, proved=False, files=entered), NOTHING_SEEN),
        "built-again": (released(Release(OLD.tag, NEW.digest), 412, files=entered), NOTHING_SEEN),
        "first-promotion": (promoted(entered), first),
        "promotion": (moved, QUIET),
        "promotion-with-dangers": (moved, LOUD),
        "promotion-that-loses-commits": (moved, replace(QUIET, compared=replace(COMMITS, missing=2, total=30))),
        "promotion-with-settings": (replace(moved, settings=settings), replace(QUIET, settings=carried)),
        "promotion-that-nobody-can-compare": (
            moved,
            replace(QUIET, difference=None, untold=unread, compared=None),
        ),
        "promotion-with-a-new-chart": (
            promoted({**there, **pinned("dev", NEW, run=412, version="1.5.0", chart=new)}),
            NOTHING_SEEN,
        ),
        "promotion-with-a-silent-chart": (promoted({**there, **pinned("dev", NEW, run=412, chart=silent)}), QUIET),
        "chart-alone": (promoted({**there, **pinned("dev", OLD, run=412, version="1.5.0", chart=new)}), NOTHING_SEEN),
        "unproved-promotion-to-prod": (
            promoted({**live, **pinned("staging", NEW, run=None, proved=False)}, "prod"),
            NOTHING_SEEN,
        ),
        "roll-back": (rolled_back(), replace(LOUD, since=None)),
    }
    return {**{name: [told] for name, told in steps.items()}, "together": together()}


def written(draft: Draft) -> str:
    steps = "".join(f"· {step}\n" for step in draft.steps)
    return f"{draft.title}\n{steps}\n{draft.body}\n--- commit\n{messages.commit_message(draft)}"


def test_the_messages(snapshot: Any) -> None:
    told = {f"{name}.md": written(draft_of(pairs)) for name, pairs in cases().items()}
    known = literal.snapshot(founded())
    asked = onboard.asked("wallet", "acme/wallet", "acme/wallet", "payments", "critical")
    told["onboarding.md"] = written(literal.drafted(onboard.plan(LANE, known, asked)))

    snapshot.assert_match_dir(told, "messages")


def enterprise(pairs: Sequence[Told]) -> list[Told]:
    """The same where the repository, and so every source, is on a server of GitHub Enterprise."""
    there = replace(LANE, server="https://ghe.acme.example")
    return [(replace(step, case=replace(step.case, config=there)), seen) for step, seen in pairs]


@pytest.mark.parametrize("name", ["promotion", "newer-release", "together", "promotion-that-nobody-can-compare"])
def test_every_link_leads_to_the_server_that_the_repository_is_on(name: str, snapshot: Any) -> None:
    body = messages.body(enterprise(cases()[name]))

    assert "github.com" not in body
    if name == "promotion":
        snapshot.assert_match(body, "enterprise.md")


def test_the_source_of_a_service_is_shown_where_the_repository_is() -> None:
    asked = onboard.asked("wallet", "acme/wallet", "acme/wallet", "payments", "critical")
    there = replace(LANE, server="https://ghe.acme.example")
    draft = literal.drafted(onboard.plan(there, literal.snapshot(founded()), asked))

    assert "[acme/wallet](https://ghe.acme.example/acme/wallet)" in draft.body
    assert "github.com" not in draft.body


def hostile(word: str) -> list[Told]:
    """A promotion in which a stranger's word stands wherever one could: past every check of ours."""
    step = cases()["promotion-with-settings"][0][0]
    origin = Origin("acme/wallet", word, 412, True)
    old = replace(step.new, release=OLD, origin=origin, identity=("a", "b", "c"))
    step = replace(
        step,
        old=old,
        new=replace(step.new, origin=origin),
        warnings=(word,),
        overrides=(Override("soak", word),),
        verdicts=(waiting("freeze", f"until tomorrow: {word}"),),
    )
    objects = {"apiVersion": "v1", "kind": word, "metadata": {"name": word}, "data": {word: word, "x": [word]}}
    removed = {**objects, "metadata": {"name": f"{word}-2"}}
    changed = {**objects, "metadata": {"name": f"{word}-3"}}
    before, after = (
        json.dumps({"apiVersion": "v1", "kind": "List", "items": side}).encode()
        for side in ([removed, changed], [objects, {**changed, "data": {word: f"{word}!"}}])
    )
    seen = Seen(
        verdicts=(passed("renders", word),),
        difference=diff.compared(before, after),
        settings=diff.settings(json.dumps({"a": word}).encode(), json.dumps({"a": f"{word}!", word[:50]: 1}).encode()),
        compared=Compared((Commit("a" * 40, word, word), Commit("b" * 40, f"feat!: {word}", word)), 2),
        since=QUIET.since,
    )
    return [(step, seen)]


CODE = re.compile(r"(?m)^(`{3,})diff\n(?s:.*?)^\1$|`[^`\n]*`|<code>[^<\n]*</code>")


@pytest.mark.parametrize("name", HOSTILE)
def test_strangers_words(name: str, snapshot: Any) -> None:
    pairs = hostile(HOSTILE[name] if name != "long" else HOSTILE[name][:1000])
    text = messages.body(pairs)
    assert all(step.isprintable() for step in messages.steps(pairs))

    snapshot.assert_match(text, f"{name}.md")


def assert_inert(pairs: Sequence[Told], plain: Sequence[Told]) -> None:
    """Outside of code the body has what it has with a harmless word, and nothing more."""
    bodies = [CODE.sub("CODE", messages.body(each)) for each in (pairs, plain)]
    outside = [set(re.findall(r"[^\s|]+", body)) for body in bodies]
    assert not re.search(r"(?<!\w)@|(?<!by )#\d|GH-\d", bodies[0].partition("<!-- shiplane")[0])
    assert bodies[0].count("<details") == bodies[0].count("</details>")
    assert bodies[0].count("<!--") == bodies[0].count("-->") == 1
    assert not {word for word in outside[0] - outside[1] if re.search(r"[<>`*\[@#]", word)}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_known_trick_works(name: str) -> None:
    assert_inert(hostile(HOSTILE[name]), hostile("plain"))


@settings(deadline=None, max_examples=60)  # each reads and compares manifests
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_word_acts(word: str) -> None:
    assume(not word.isalnum())  # such a word can do nothing in Markdown, and may be a kind that matters, as Route is
    try:
        pairs = hostile(word)
    except ShiplaneError:  # no manifest holds such a word
        assume(False)
    assert_inert(pairs, hostile("plain"))


def machine(body: str) -> Any:
    """What a program reads at the end of a body; there must be one block, and whole."""
    (block,) = re.findall(r"^<!-- shiplane:1 (.*) -->$", body, re.MULTILINE)
    return json.loads(block)


def test_what_a_program_reads() -> None:
    pin = {"service": "wallet", "tag": NEW.tag, "digest": NEW.digest}
    assert machine(messages.body(cases()["promotion"])) == {"from": "dev", "to": "staging", "pins": [pin]}
    assert machine(messages.body(cases()["newer-release"])) == {"to": "dev", "pins": [pin]}
    both = [pin, {**pin, "service": "ledger"}]
    assert machine(messages.body(together())) == {"from": "dev", "to": "staging", "pins": both}


@pytest.mark.parametrize("files", [0, 100, 1200, 5000])
def test_a_body_never_exceeds_what_github_takes(files: int) -> None:
    starts = tuple(f"environments/prod/wallet/{'x' * 40}/{number:04}" for number in range(files))
    body = messages.body([(replace(cases()["promotion"][0][0], starts=starts), QUIET)])

    assert len(body) <= messages.MOST
    assert machine(body)["to"] == "staging"
    assert ("_The rest is too long" in body) == (files > 100)
    assert body.startswith("**wallet** goes from **dev** to **staging**")
    assert not body.split("\n\n")[-2].startswith("- `")


def many(number: int, size: int) -> Seen:
    texts = []
    for word in ("before", "after"):
        lines = f"    {word}\n" * size
        texts.append("".join(CONFIG.replace("wallet", f"w{each:04}") % lines for each in range(number)))
    return replace(QUIET, difference=diff.compared(texts[0].encode(), texts[1].encode()))


@pytest.mark.parametrize(("number", "size"), [(1, 10), (60, 40), (900, 40)])
def test_of_too_long_a_change_whole_resources_are_left_out_and_counted(number: int, size: int) -> None:
    body = messages.body([(cases()["promotion"][0][0], many(number, size))])

    shown = body.count("<details")
    left = re.search(r"\*\*(\d+) more resources? changed", body)
    assert len(body) <= messages.MOST
    assert body.count("</details>") == shown
    assert shown + (int(left[1]) if left else 0) == number
    assert (left is not None) == (number == 900)
    assert f"### What changes in the cluster: {number} resource" in body
    assert "gitops diff wallet --to staging" in body
    for section in ("### Gates", "### Way back", "### What is in it: 4 commits"):
        assert section in body
    assert machine(body)["to"] == "staging"


def test_an_oversized_body(snapshot: Any) -> None:
    body = messages.body([(cases()["promotion"][0][0], many(900, 40))])
    start, end = body.index("<details"), body.rindex("</details>")

    snapshot.assert_match(f"{body[: start + 300]}\n[...]\n{body[end - 300 :]}", "oversize.md")


@pytest.mark.parametrize(("number", "whole"), [(2, True), (12, True), (13, True), (80, True), (300, False)])
def test_many_services_in_one_body(number: int, *, whole: bool) -> None:
    step, seen = cases()["promotion-with-dangers"][0]
    services = [replace(WALLET, name=f"svc-{each:03}", source=f"acme/svc-{each:03}") for each in range(number)]
    found = replace(seen, difference=many(2, 3).difference)
    body = messages.body([(replace(step, case=replace(step.case, service=each)), found) for each in services])

    assert len(body) <= messages.MOST
    assert body.startswith(f"**{number} services** go from **dev** to **staging**")
    assert "### Gates" in body
    assert "### Way back" in body
    assert len(machine(body)["pins"]) == number
    assert ("_The rest is too long" not in body) is whole
    assert body.count("```diff") == body.count("```\n")
    assert all(f"| {each.name} | " in body for each in services) is whole


def test_of_long_values_that_is_shown_in_which_they_differ() -> None:
    alike = "x" * 1000
    found = diff.settings(json.dumps({"a": f"{alike}1"}).encode(), json.dumps({"a": f"{alike}2"}).encode())

    assert change.fields(found, text=20) == [f"- a: …{'x' * 40}1", f"+ a: …{'x' * 40}2"]
    assert change.fields(found) == [f"- a: {alike}1", f"+ a: {alike}2"]


def test_titles_stay_short() -> None:
    step = cases()["promotion"][0][0]
    names = [replace(step, case=replace(step.case, service=replace(WALLET, name="w" * 40))) for _ in range(30)]

    assert len(messages.title(names[:1])) <= 120
    assert len(messages.title(names)) <= 120
