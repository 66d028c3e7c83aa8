"""`gitops check` over a GitOps repository's work tree: every service in every environment, and its own rules."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gitops import catalog
from gitops.check import judged
from gitops.initial import initial_tree
from gitops.model import FILE
from tests.charts.golden import CHART
from tests.gitops import story
from tests.gitops.story import Done

ENVIRONMENTS = ("dev", "staging", "prod")
GOLDEN = {
    path.relative_to(CHART).as_posix(): path.read_bytes()
    for path in sorted(CHART.rglob("*"))
    if path.is_file() and path.parent.name != "ci"
}
POD = b"""\
apiVersion: v1
kind: Pod
metadata: {name: wallet}
spec: {containers: [{name: a, image: "wallet:latest"}]}
"""
APPLICATION = "apps/dev/wallet.yaml"
VALUES = "environments/dev/wallet/values.yaml"


@pytest.fixture(autouse=True)
def _helm(helm4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPLANE_HELM", str(helm4))


def repository(folder: Path, chart: dict[str, bytes] | None = None, owner: str = "payments") -> Path:
    """A work tree in which wallet is pinned everywhere; of the golden chart, unless another is given."""
    tree = initial_tree(repository_url="file:///gitops.git", name="gitops", forge="embedded")
    wallet = catalog.Service("wallet", "payments", "acme/wallet", "acme/wallet", "standard")
    tree[catalog.path("wallet")] = (FILE, catalog.entry_yaml(wallet))
    for environment in ENVIRONMENTS:
        tree.update(story.pinned(tree, "wallet", "one", environment, GOLDEN if chart is None else chart))
    for path, (_, data) in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        golden = chart is None and path.endswith("/wallet/values.yaml")
        (folder / path).write_bytes(data + f"owner: {owner}\n".encode() if golden else data)
    return folder


def edit(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text()
    assert old in text, text
    (root / path).write_text(text.replace(old, new))


def write(root: Path, path: str, text: str | bytes) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(text.encode() if isinstance(text, str) else text)


def check(root: Path, *arguments: str) -> Done:
    return story.gitops("check", str(root), *arguments)


def items(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(check(root, "--format", "json").stdout)["items"]
    return found


def one(root: Path) -> dict[str, Any]:
    (found,) = items(root)
    return found


# ---- what is rendered


def test_a_good_repository_has_no_finding(tmp_path: Path) -> None:
    done = check(repository(tmp_path))

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "· 36 objects judged: 0 errors, 0 warnings\n"


def test_a_new_repository_passes_and_says_that_nothing_was_rendered(tmp_path: Path) -> None:
    for path, (_, data) in initial_tree(repository_url="file:///gitops.git", name="gitops").items():
        write(tmp_path, path, data)
    done = check(tmp_path)

    assert (done.returncode, done.stdout) == (0, "")
    assert "no service is pinned in any environment: only the repository's own rules were judged" in done.stderr


def test_from_inside_it_the_repository_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path)
    edit(root, VALUES, "owner: payments", "owner: risk")
    monkeypatch.chdir(root / "environments" / "dev")

    done = story.gitops("check")

    assert done.returncode == 1
    assert "at ../../environments/dev/wallet/chart/templates/deployment.yaml" in done.stdout


def test_each_environment_is_judged_by_what_it_says(tmp_path: Path) -> None:
    root = repository(tmp_path)
    edit(root, VALUES, "owner: payments", "owner: risk")
    found = items(root)

    assert {each["rule"] for each in found} == {"owner-label"}
    assert {(each["service"], each["environment"], each["kind"]) for each in found} == {
        ("wallet", "dev", "Deployment"),
        ("wallet", "dev", "Job"),
    }
    assert found[0]["file"] == f"{root}/environments/dev/wallet/chart/templates/deployment.yaml"


@pytest.mark.parametrize(
    ("key", "new", "rule"),
    [
        ("registry: 123456789012.dkr.ecr.eu-west-1.amazonaws.com", "registry: eu.acme.example", "image-registry"),
        ("cluster: eks-prod", "cluster: eks-prod\n    namespace: kube-system", "own-namespace"),
    ],
)
def test_the_environment_and_the_catalog_decide(tmp_path: Path, key: str, new: str, rule: str) -> None:
    root = repository(tmp_path)
    edit(root, "shiplane.yaml", key, new)

    assert rule in {each["rule"] for each in items(root)}


def test_the_catalog_names_the_owner(tmp_path: Path) -> None:
    root = repository(tmp_path)
    edit(root, "services/wallet.yaml", 'owner: "payments"', 'owner: "risk"')

    assert {each["rule"] for each in items(root)} == {"owner-label"}


def test_another_label_may_name_the_owner(tmp_path: Path) -> None:
    root = repository(tmp_path)
    write(root, "shiplane.yaml", (root / "shiplane.yaml").read_text() + "policy: {owner_label: acme.example/team}\n")
    assert {each["message"] for each in items(root)} == {"its pods have no label acme.example/team"}


def test_what_differs_in_comments_alone_is_rendered_once(tmp_path: Path) -> None:
    """Shown by a chart that gives another name at each rendering."""
    name = b"{{ randAlpha 20 | lower }}"
    root = repository(tmp_path, {**story.CHART, "templates/pod.yaml": POD.replace(b"name: wallet", b"name: " + name)})

    assert len({each["name"] for each in items(root) if each["rule"] == "image-latest"}) == 1
    write(root, VALUES, (root / VALUES).read_text() + "more: 1\n")
    assert len({each["name"] for each in items(root) if each["rule"] == "image-latest"}) == 2


def test_it_is_the_work_tree_that_is_judged(tmp_path: Path) -> None:
    """No commit, no remote: what lies on disk."""
    root = repository(tmp_path)
    story.git(root, "init", "--quiet")
    edit(root, VALUES, "owner: payments", "owner: risk")

    assert {each["rule"] for each in items(root)} == {"owner-label"}


# ---- what cannot be rendered or read


@pytest.mark.parametrize(
    ("path", "text", "rule", "told"),
    [
        (VALUES, "replicas: many\n", "renders", "replicas"),
        (VALUES, "a: [\n", "renders", "the result does not render"),
        ("environments/dev/wallet/chart/templates/x.yaml", "{{ fail `no way` }}", "renders", "no way"),
        ("environments/dev/wallet/chart/templates/x.yaml", "a: 1\na: 2\n", "renders", "a stands here twice"),
        ("environments/dev/wallet/release.yaml", "image: {tag: latest}\n", "pin", "image.digest: is required"),
        ("environments/dev/wallet/release.yaml", "a: [\n", "pin", "is not YAML"),
        ("environments/dev/wallet/origin.yaml", "source: x\n", "pin", "source: "),
        ("environments/dev/wallet/chart/Chart.yaml", "a: [\n", "carried-tree", "is not YAML"),
        ("environments/dev/wallet/chart/.argocd-source.yaml", "x: 1\n", "carried-tree", "Argo CD would take"),
        ("environments/dev/wallet/.argocd-source.yaml", "x: 1\n", "carried-tree", "Argo CD would take"),
        ("apps/dev/.argocd-source-dev-apps.yaml", "x: 1\n", "carried-tree", "Argo CD would take"),
        ("environments/dev/wallet/chart/templates/Service.yaml", "", "carried-tree", "differs from"),
        ("services/wallet.yaml", "owner: payments\n", "catalog", "source: is required"),
    ],
)
def test_what_cannot_be_read_or_rendered_is_an_error(
    tmp_path: Path, path: str, text: str, rule: str, told: str
) -> None:
    root = repository(tmp_path)
    write(root, path, text)
    found = items(root)

    assert check(root).returncode == 1
    assert {each["rule"] for each in found} <= {rule, "application"}
    assert any(told in f"{each['field']}: {each['message']}" for each in found), found
    assert all(each["file"].startswith(f"{root}/") for each in found)


def test_one_broken_service_hides_no_other(tmp_path: Path) -> None:
    root = repository(tmp_path)
    edit(root, "environments/prod/wallet/values.yaml", "owner: payments", "owner: risk")
    write(root, VALUES, "replicas: many\n")

    assert {(each["rule"], each["environment"]) for each in items(root)} == {
        ("renders", "dev"),
        ("owner-label", "prod"),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [("version: 2\n", "version: must be 1"), ("a: [\n", "is not YAML"), ("", "environments: is required")],
)
def test_without_its_configuration_nothing_is_judged(tmp_path: Path, text: str, told: str) -> None:
    root = repository(tmp_path)
    write(root, "shiplane.yaml", text)
    done = check(root)

    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr


def test_without_helm_nothing_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path)
    monkeypatch.setenv("SHIPLANE_HELM", str(tmp_path / "none"))
    done = check(root)

    assert (done.returncode, done.stdout) == (1, "")
    assert "helm: not found" in done.stderr


@pytest.mark.parametrize(
    "path",
    [
        "environments/dev/wallet/chart/templates/x.yaml",
        "environments/dev/wallet/chart/templates",
        "environments/dev/wallet/chart",
        VALUES,
        "environments/dev/wallet/more.yaml",
        "environments/dev/wallet/release.yaml",
        "environments/dev/other",
        APPLICATION,
        "services/wallet.yaml",
        "defaults/dev",
        ".github/CODEOWNERS",
    ],
)
def test_links_are_found_and_not_followed(tmp_path: Path, path: str) -> None:
    root = repository(tmp_path / "gitops")
    place = root / path
    outside = tmp_path / "outside"
    if place.exists():
        place.rename(outside)
    place.symlink_to(outside)
    found = items(root)

    assert {"carried-tree"} <= {each["rule"] for each in found}
    assert any(each["file"] == f"{root}/{path}" for each in found if each["rule"] == "carried-tree")
    assert check(root).returncode == 1


# ---- pins, catalog, Applications, owners


def test_a_service_that_the_catalog_does_not_know(tmp_path: Path) -> None:
    root = repository(tmp_path)
    (root / "services" / "wallet.yaml").unlink()
    found = items(root)

    assert {(each["rule"], each["file"]) for each in found} == {
        ("catalog", f"{root}/services/wallet.yaml"),
        *(("application", f"{root}/apps/{environment}/wallet.yaml") for environment in ENVIRONMENTS),
    }


def test_an_application_without_a_release(tmp_path: Path) -> None:
    root = repository(tmp_path)
    (root / "environments" / "dev" / "wallet" / "release.yaml").unlink()
    found = one(root)

    assert (found["rule"], found["environment"]) == ("pin", "dev")
    assert found["message"] == "no release is pinned, and there is an Application"


def test_a_service_that_runs_nowhere_any_more(tmp_path: Path) -> None:
    """To stop a service in an environment its Application is deleted; its pin stays, and is judged."""
    root = repository(tmp_path)
    (root / APPLICATION).unlink()

    assert check(root).returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('project: "dev"', "project: bootstrap", "spec.project"),
        ('project: "dev"', "project: [dev]", "spec.project"),
        ('name: "wallet-dev"', "name: root", "metadata.name"),
        ("repoURL: file:///gitops.git", "repoURL: https://github.com/else/where.git", "spec.source.repoURL"),
        ("targetRevision: refs/heads/main", "targetRevision: refs/heads/mine", "spec.source.targetRevision"),
        ("path: environments/dev/wallet/chart", "path: environments/prod/wallet/chart", "spec.source.path"),
        ("- ../release.yaml", "- ../../other/release.yaml", "spec.source.helm.valueFiles[1]"),
        ("      valueFiles:", "      parameters: [{name: image.tag, value: x}]\n      valueFiles:", None),
        ("      valueFiles:", "      values: 'image: {tag: x}'\n      valueFiles:", "spec.source.helm.values"),
        ("  source:\n", "  sources: [{repoURL: https://github.com/else/where.git}]\n  source:\n", "spec.sources"),
        ('name: "eks-dev"', "server: https://kubernetes.default.svc", "spec.destination.server"),
        ('namespace: "wallet"', 'namespace: "other"', "spec.destination.namespace"),
    ],
)
def test_an_application_that_points_elsewhere(tmp_path: Path, old: str, new: str, field: str | None) -> None:
    root = repository(tmp_path, {**story.CHART})
    edit(root, APPLICATION, old, new)
    found = [each for each in items(root) if each["rule"] == "application"]

    assert found
    assert field in {each["field"] for each in found} or field is None
    assert all(each["line"] for each in found)
    assert check(root).returncode == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (APPLICATION, None),
        ("apps/dev/more.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: x}\n"),
        ("apps/dev/more.json", '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}'),
        ("apps/dev/more.jsonnet", "{}"),
        ("apps/dev/kustomization.yaml", "resources: [https://else.where]\n"),
        ("apps/dev/Chart.yaml", "name: x\n"),
        ("apps/dev/more.yml", "a: [\n"),
        ("apps/dev/empty.yaml", ""),
    ],
)
def test_only_applications_are_applied_by_a_parent(tmp_path: Path, path: str, text: str | None) -> None:
    root = repository(tmp_path, {**story.CHART})
    more = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n"
    write(root, path, (root / path).read_text() + more if text is None else text)
    found = [each for each in items(root) if each["rule"] == "application"]

    assert [each["file"] for each in found] == [f"{root}/{path}"]


def test_an_application_of_a_service_that_nobody_knows(tmp_path: Path) -> None:
    """It could point anywhere: there is nothing that it could be compared with."""
    root = repository(tmp_path, {**story.CHART})
    text = (
        (root / APPLICATION).read_text().replace("wallet", "evil").replace("file:///gitops.git", "https://else.where")
    )
    write(root, "apps/dev/evil.yaml", text)
    found = one(root)

    assert (found["rule"], found["file"]) == ("application", f"{root}/apps/dev/evil.yaml")
    assert found["message"].startswith("runs evil, which the catalog does not know")


def test_a_service_that_renders_nothing_is_no_success(tmp_path: Path) -> None:
    root = repository(tmp_path, {"Chart.yaml": story.CHART["Chart.yaml"]})
    found = items(root)

    assert {each["rule"] for each in found} == {"renders"}
    assert found[0]["message"].endswith("renders no object, so there is nothing to judge")


def test_a_default_that_is_gone(tmp_path: Path) -> None:
    root = repository(tmp_path, {**story.CHART})
    (root / "defaults" / "dev" / "application.yaml").unlink()

    assert ("application", f"{root}/defaults/dev/application.yaml") in {(i["rule"], i["file"]) for i in items(root)}


def test_settings_of_an_application_that_decide_nothing_are_free(tmp_path: Path) -> None:
    root = repository(tmp_path)
    edit(root, APPLICATION, "limit: 5", "limit: 9")
    edit(root, APPLICATION, 'owner: "payments"', 'owner: "risk"')

    assert items(root) == []


OWNED = "* @acme/platform\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "is not there: no path has an owner"),
        ("", "has no line for shiplane.yaml"),
        ("# nobody\n", "has no line for shiplane.yaml"),
        ("*\n", "gives shiplane.yaml no owner"),
        ("* # @acme/platform\n", "gives shiplane.yaml no owner"),
        (f"{OWNED}/apps/\n", "gives apps/dev/any/file.yaml no owner"),
        (f"{OWNED}apps/\n", "gives apps/dev/any/file.yaml no owner"),
        (f"{OWNED}*.yaml\n", "gives shiplane.yaml no owner"),
        (f"{OWNED}/services/**\n", "gives services/any/file.yaml no owner"),
        (f"{OWNED}/services/wallet.yaml\n", "gives services/wallet.yaml no owner"),
        (f"{OWNED}**/CODEOWNERS\n", "gives .github/CODEOWNERS no owner"),
        (f"{OWNED}/.github/\n/.github/workflows/ @acme/platform\n", "gives .github/CODEOWNERS no owner"),
        (f"{OWNED}/environments/\n", "gives environments/prod/any/file.yaml no owner"),
        (f"{OWNED}/environments/prod/wallet/\n", "gives environments/prod/wallet/"),
        (f"{OWNED}/defaults/prod\n", "gives defaults/prod/any/file.yaml no owner"),
    ],
)
def test_administrators_paths_without_an_owner(tmp_path: Path, text: str | None, told: str) -> None:
    root = repository(tmp_path, {**story.CHART})
    if text is None:
        (root / ".github" / "CODEOWNERS").unlink()
    else:
        write(root, ".github/CODEOWNERS", text)
    found = [each for each in items(root) if each["rule"] == "code-owners"]

    assert found[0]["message"].startswith(told)
    assert found[0]["file"] == f"{root}/.github/CODEOWNERS"
    assert check(root).returncode == 1


@pytest.mark.parametrize(
    "text",
    [
        OWNED,
        f"{OWNED}/environments/dev/\n/environments/staging/\n",
        f"{OWNED}/environments/\n/environments/prod/ @acme/platform\n",
        f"{OWNED}/apps/*\n/apps/** ops@acme.example\n",
        f"{OWNED}/README.md\n/holds/\n",
        f"{OWNED}/services/\n/services/ @acme/platform # again\n",
    ],
)
def test_administrators_paths_with_an_owner(tmp_path: Path, text: str) -> None:
    root = repository(tmp_path)
    write(root, ".github/CODEOWNERS", text)

    assert items(root) == []


def test_a_pattern_of_stars_ends(tmp_path: Path) -> None:
    root = repository(tmp_path, {**story.CHART})
    write(root, ".github/CODEOWNERS", f"{OWNED}{'**/' * 60}x{'*' * 60}y\n")
    write(root, f"services/{'a/' * 25}xxxxxxxxxxxxxxxxxxxx.md", "")

    assert items(root) == []


def test_names_of_files_cannot_write_lines_of_their_own(tmp_path: Path) -> None:
    root = repository(tmp_path, {**story.CHART})
    write(root, "services/a\n::error::x\x1b[31m.yaml", "a: 1\n")
    write(root, "apps/dev/a\n::error::x\x1b[31m.yaml", "a: 1\n")
    for form in ("text", "github", "json"):
        said = check(root, "--format", form)
        assert said.returncode == 1
        assert "\x1b" not in said.stdout
        assert not any(line.startswith("::error::x") for line in said.stdout.splitlines())


# ---- exceptions

ROW = """
exceptions:
  - rule: owner-label
    service: wallet
    environment: dev
    owner: platform
    reason: it moves to another team in spring
    expires: {day}
"""


def excepting(folder: Path, day: date) -> Path:
    root = repository(folder)
    edit(root, VALUES, "owner: payments", "owner: risk")
    write(root, "shiplane.yaml", (root / "shiplane.yaml").read_text() + ROW.format(day=day.isoformat()))
    return root


def test_an_exception_counts_through_its_last_day(tmp_path: Path) -> None:
    root = excepting(tmp_path, date(2027, 1, 31))
    before, after = judged(str(root), date(2027, 1, 31)), judged(str(root), date(2027, 2, 1))

    assert (before.fails, before.findings) == (False, ())
    assert before.notes == ("2 findings are excepted in shiplane.yaml",)
    assert after.fails
    assert {each.rule for each in after.findings} == {"owner-label", "exception-expired"}
    expired = next(each for each in after.findings if each.rule == "exception-expired")
    assert expired.place.file == f"{root}/shiplane.yaml"
    assert expired.place.line


def test_the_command_takes_today(tmp_path: Path) -> None:
    root = excepting(tmp_path, datetime.now(UTC).date() + timedelta(days=2))

    assert check(root).returncode == 0


def test_an_exception_that_covers_nothing_is_a_warning(tmp_path: Path) -> None:
    root = excepting(tmp_path, date(2027, 1, 31))
    edit(root, VALUES, "owner: risk", "owner: payments")
    done = judged(str(root), date(2026, 12, 1))

    assert not done.fails
    assert [each.rule for each in done.findings] == ["exception-unused"]


def test_what_could_not_be_judged_makes_no_exception_unused(tmp_path: Path) -> None:
    root = excepting(tmp_path, date(2027, 1, 31))
    write(root, VALUES, "replicas: many\n")

    assert [each.rule for each in judged(str(root), date(2026, 12, 1)).findings] == ["renders"]
