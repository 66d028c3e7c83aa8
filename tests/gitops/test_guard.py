"""How `gitops init` guards main on GitHub: the workflows that judge, and the rulesets that ask for it."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.errors import ShiplaneError
from scripts.audit import go_tools
from tests.conftest import ROOT, TOOLS
from tests.gitops.crds import CRDS
from tests.gitops.trees import new

BIN = Path(sys.executable).parent
WORKFLOWS = ".github/workflows/"
MAIN, SIGNED, QUEUE = (f".github/rulesets/{name}.json" for name in ("main", "signed", "queue"))


def workflow(name: str, **facts: Any) -> tuple[str, dict[Any, Any]]:
    """The text of a workflow, and what it says; YAML reads the key `on` as true."""
    text = new(**facts)[f"{WORKFLOWS}{name}.yaml"].decode()
    return text, yaml.safe_load(text)


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in workflow(name)[1]["jobs"].values() for step in job["steps"]]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    found = []
    for path, content in new().items():
        if path.startswith(WORKFLOWS):
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            found.append(str(file))
    assert len(found) == 2
    return found


class TestThatItJudgesAndRunsNothing:
    """What makes pull_request_target dangerous elsewhere."""

    def test_nothing_of_the_event_or_of_the_pull_request_is_read(self) -> None:
        text = workflow("verify")[0]
        used = set(re.findall(r"\$\{\{ *([\w.-]+) *\}\}", text))

        assert text.count("${{") == len(re.findall(r"\$\{\{ *[\w.-]+ *\}\}", text))  # no expression beside these
        assert used == {
            "vars.VERIFY_APP_CLIENT_ID",
            "secrets.VERIFY_APP_PRIVATE_KEY",
            "steps.shiplane.outputs.bin",
            "steps.token.outputs.token",
            "github.server_url",
            "github.repository",
        }

    def test_what_the_pull_request_decides_about_has_nothing(self) -> None:
        found = workflow("asked")[1]
        (job,) = found["jobs"].values()

        assert set(found[True]) == {"pull_request_review", "merge_group"}  # these run as the pull request has them
        assert (found["permissions"], job["permissions"]) == ({}, {})
        assert [set(step) for step in job["steps"]] == [{"name", "run"}]
        assert "${{" not in job["steps"][0]["run"]

    def test_the_key_is_where_main_alone_gets_it(self) -> None:
        found = workflow("verify")[1]

        assert set(found[True]) == {"pull_request_target", "workflow_run", "push", "schedule"}  # all run main's file
        assert found[True]["push"] == {"branches": ["main"]}
        assert found[True]["workflow_run"]["workflows"] == [workflow("asked")[1]["name"]]
        assert [job["environment"] for job in found["jobs"].values()] == ["shiplane"]

    def test_the_tokens_reach(self) -> None:
        found = workflow("verify")[1]
        (token,) = [step["with"] for step in steps("verify") if "create-github-app-token@" in step.get("uses", "")]

        assert found["permissions"] == {}
        assert [job["permissions"] for job in found["jobs"].values()] == [{}]
        assert {key: value for key, value in token.items() if key.startswith("permission-")} == {
            "permission-contents": "read",
            "permission-pull-requests": "write",
            "permission-statuses": "write",
        }
        assert {"owner", "repositories"} & set(token) == set()  # then it is for this repository alone


@pytest.mark.parametrize("name", ["verify", "asked"])
def test_every_run_ends_and_no_two_of_one_kind_meet(name: str) -> None:
    found = workflow(name)[1]

    assert found["concurrency"]["group"]
    assert [job["timeout-minutes"] for job in found["jobs"].values()] < [16]


def test_a_run_that_judges_is_never_cut_off_by_a_newer_one() -> None:
    assert workflow("verify")[1]["concurrency"] == {"group": "verify", "cancel-in-progress": False}


def test_actions_are_those_of_the_services_workflow_by_commit() -> None:
    known = (
        ROOT / "blueprints/_shared/{= cookiecutter.name =}/.github/workflows/{= cookiecutter.name =}.yaml"
    ).read_text()
    pinned = r"uses: ([\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)\n"
    found = re.findall(pinned, workflow("verify")[0])

    others = [each for each in found if not each.startswith("acme/shiplane@")]
    assert len(others) == len(found) - 1 == 1
    assert set(others) <= set(re.findall(pinned, known))


class TestWhatItInstalls:
    def test_the_default_is_that_of_the_services(self) -> None:
        questions = json.loads((ROOT / "blueprints/_shared/questions.json").read_text())

        assert f"uses: {questions['properties']['shiplane']['default']}\n" in workflow("verify")[0]

    def test_it_can_be_told(self) -> None:
        pinned = f"acme/ship@{'5a' * 20} # v9.1.0"

        assert f"uses: {pinned}\n" in workflow("verify", shiplane=pinned)[0]
        assert pinned in new(shiplane=pinned)["docs/github.md"].decode()

    @pytest.mark.parametrize(
        "wrong",
        ["", "shiplane", "acme/shiplane@v1", f"acme/shiplane@{'5a' * 20}", f"./x@{'5a' * 20} # v1.0.0", "a\nb"],
    )
    def test_anything_else_is_refused(self, wrong: str) -> None:
        with pytest.raises(ShiplaneError, match="--shiplane: must be 'OWNER"):
            new(shiplane=wrong)

    def test_nothing_is_checked_out(self) -> None:
        assert "checkout" not in "".join(step.get("uses", "") for step in steps("verify"))


class TestJudges:
    def test_zizmor_finds_the_two_triggers_and_nothing_else(self, files: list[str]) -> None:
        options = ("--offline", "--no-progress", "--no-ignores", "--no-exit-codes", "--persona=auditor")
        command = [str(BIN / "zizmor"), *options, "--format=json-v1", *files]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = [
            (each["ident"], place["concrete"]["feature"].split(":")[0].strip())
            for each in json.loads(done.stdout)
            for place in each["locations"]
            if place["symbolic"]["kind"] == "Primary"
        ]

        assert sorted(found) == [("dangerous-triggers", each) for each in ("pull_request_target", "workflow_run")]

    def test_zizmor_is_answered_in_the_file(self, files: list[str]) -> None:
        command = [str(BIN / "zizmor"), "--offline", "--no-progress", "--persona=auditor", *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stdout

    def test_githubs_schema(self, files: list[str]) -> None:
        command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stdout

    def test_yamllint(self, files: list[str]) -> None:
        rules = "line-length: {max: 120}, truthy: {check-keys: false}, comments: {min-spaces-from-content: 1}"
        rules = f"{{extends: default, rules: {{{rules}}}}}"
        command = [sys.executable, "-m", "yamllint", "--strict", "-d", rules, *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout) == (0, "")

    def test_actionlint(self, files: list[str]) -> None:
        (tool,) = [each for each in go_tools.PINNED if each.name == "actionlint"]
        program = TOOLS / "go" / f"{tool.name}-{tool.version}"
        if not program.is_file():
            pytest.skip("no actionlint: make audit builds it")
        done = subprocess.run([str(program), *files], capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout) == (0, "")


class TestRulesets:
    @pytest.mark.parametrize("path", [MAIN, SIGNED, QUEUE])
    def test_nobody_passes_by(self, path: str) -> None:
        ruleset = json.loads(new()[path])

        assert (ruleset["enforcement"], ruleset["bypass_actors"]) == ("active", [])
        assert ruleset["conditions"] == {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}

    def test_main(self) -> None:
        rules = {each["type"]: each.get("parameters") for each in json.loads(new(app_id=1234)[MAIN])["rules"]}

        assert set(rules) == {"deletion", "non_fast_forward", "pull_request", "required_status_checks"}
        assert rules["pull_request"]["dismiss_stale_reviews_on_push"]
        assert rules["pull_request"]["require_code_owner_review"]
        assert rules["pull_request"]["allowed_merge_methods"] == ["merge"]
        assert rules["required_status_checks"]["required_status_checks"] == [
            {"context": "shiplane/verify", "integration_id": 1234}
        ]

    def test_the_queue_merges_as_main_asks_for(self) -> None:
        (rule,) = json.loads(new()[QUEUE])["rules"]
        ways = json.loads(new()[MAIN])["rules"][2]["parameters"]["allowed_merge_methods"]

        assert [rule["parameters"]["merge_method"].lower()] == ways
        assert rule["parameters"]["min_entries_to_merge"] == 1  # an entry that others wait for lands alone

    def test_without_an_app_the_status_can_come_from_none(self) -> None:
        told = new()["docs/github.md"].decode()

        assert '"integration_id": 0' in new()[MAIN].decode()
        assert "in place of the 0" in told
        assert "in place of the 0" not in new(app_id=7)["docs/github.md"].decode()

    def test_an_app_has_a_number(self) -> None:
        with pytest.raises(ShiplaneError, match="--app-id: must be the number"):
            new(app_id=-1)

    def test_the_page_gives_a_reason_for_each_rule(self) -> None:
        told = new()["docs/github.md"].decode()
        table = told.split("## The ruleset, and why")[1].split("\n\n")[1].splitlines()[2:]

        assert len(table) == 10
        assert all(len(row.split("|")[2].strip()) > 20 for row in table)

    @pytest.mark.parametrize("path", [MAIN, SIGNED, QUEUE])
    def test_githubs_own_schema_takes_them(self, path: str) -> None:
        judge = _schema()
        ruleset = json.loads(new()[path])

        assert [error.message for error in judge.iter_errors(ruleset)] == []

    def test_the_schema_would_find_a_mistake(self) -> None:
        judge = _schema()
        for key, wrong in (("required_approving_review_count", "two"), ("allowed_merge_methods", ["fast"])):
            ruleset = json.loads(new()[MAIN])
            ruleset["rules"][2]["parameters"][key] = wrong
            assert list(judge.iter_errors(ruleset)) != []


def _schema() -> Any:
    """The judge of the body that creates a ruleset."""
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    packed = CRDS.parent / "openapi" / "api.github.com.json.gz"
    if not packed.is_file():
        pytest.skip("no OpenAPI document beside the repository: ../shared/openapi")
    document = DRAFT202012.create_resource(json.loads(gzip.decompress(packed.read_bytes())))
    registry: Registry[Any] = Registry().with_resource("urn:github", document)
    body = "/paths/~1repos~1{owner}~1{repo}~1rulesets/post/requestBody/content/application~1json/schema"
    return Draft202012Validator({"$ref": f"urn:github#{body}"}, registry=registry)
