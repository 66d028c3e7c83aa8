"""The double on loopback: git below `/<owner>/<name>.git`, REST below `/api/v3`, GraphQL at `/api/graphql`."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jwt

from tests import git_http
from tests.gitops.github_double import graphql, nodes, referee, rules
from tests.gitops.github_double.world import Actor, Pull, Refusal, Review, Seen, Status, World, decoded


@dataclass
class Double:
    """A running one. `url` is the repository's address, `world` all that it knows."""

    server: str
    world: World

    @property
    def url(self) -> str:
        return f"{self.server}/{self.world.owner}/{self.world.name}.git"


@contextmanager
def serve(root: Path, world: World) -> Iterator[Double]:
    """Serve `world`, whose bare repository is `root/<owner>/<name>.git`."""
    backend = git_http._backend()
    world.people.setdefault("github", Actor("github", "noreply@github.test"))
    with _Listener(("127.0.0.1", 0), _Handler) as listener:
        listener.backend = backend
        listener.world = world
        url = f"http://127.0.0.1:{listener.server_port}"
        listener.served = _Door(url, root, world=world)
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Double(url, world)
        finally:
            listener.shutdown()
            thread.join()


@dataclass
class _Door(git_http.Server):
    """Who may pass: everybody whose token is known."""

    world: World = field(default_factory=lambda: World(Path()))

    def admits(self, authorization: str) -> bool:
        return self.actor(authorization) is not None

    def actor(self, authorization: str) -> Actor | None:
        kind, _, word = authorization.partition(" ")
        token = word
        if kind == "Basic":
            token = base64.b64decode(word).decode().partition(":")[2]
        return self.world.tokens.get(token)


class _Listener(git_http._Listener):
    world: World
    served: _Door


class _Handler(git_http._Handler):
    server: _Listener

    def do_PATCH(self) -> None:
        self._exchange()

    def do_PUT(self) -> None:
        self._exchange()

    def do_DELETE(self) -> None:
        self._exchange()

    def _exchange(self) -> None:
        if self.path.startswith("/api/"):
            self._api()
            return
        world, path = self.server.world, self.path
        who = self.server.served.actor(self.headers.get("Authorization", ""))
        pushing = path.endswith("/git-receive-pack") and who is not None
        if not pushing:
            with world.lock:
                world.trials()
            super()._exchange()
        else:
            with world.lock:
                before = world.heads()
                super()._exchange()
                assert who
                world.moved(who, before)
        request = self.server.served.requests[-1]
        world.log.append(Seen(request.method, request.path, request.status, who.login if who else "", request.query))

    def _refusal(self, path: str, query: str) -> tuple[int, list[tuple[str, str]], bytes] | None:
        who = self.server.served.actor(self.headers.get("Authorization", ""))
        if (
            who
            and not who.can("contents")
            and "git-receive-pack" in (query.removeprefix("service="), path.rpartition("/")[2])
        ):
            return 403, [("Content-Type", "text/plain")], b"Write access to repository not granted.\n"
        return super()._refusal(path, query)

    def _api(self) -> None:
        raw = self._body()
        path, _, query = self.path.partition("?")
        world = self.server.world
        who = self.server.served.actor(self.headers.get("Authorization", ""))
        fault = world.fault(self.command, path)
        if fault and not fault.done:
            status, headers, body = fault.status, fault.headers, fault.body
        else:
            with world.lock:
                status, headers, body = self._answered(path, query, json.loads(raw) if raw else None, who)
            if fault:
                status, headers, body = fault.status, fault.headers, fault.body
        world.log.append(Seen(self.command, path, status, who.login if who else "", query))
        data = b"" if status == 204 else json.dumps(body).encode()
        # a fault may repeat what it was asked with, as no honest server does
        data = data.replace(b"{token}", self.headers.get("Authorization", "").partition(" ")[2].encode())
        try:
            self._answer(status, [("Content-Type", "application/json"), *headers.items()], data)
        except ConnectionError:
            self.close_connection = True

    def _answered(self, path: str, query: str, body: Any, who: Actor | None) -> tuple[int, dict[str, str], Any]:
        world = self.server.world
        try:
            if path == "/api/graphql":
                if who is None:
                    raise Refusal(401, "Bad credentials")
                if body["query"].startswith("mutation"):
                    world.limit()
                answer = graphql.execute(
                    body["query"], body["variables"], nodes.Query(world, who), nodes.Mutation(world, who)
                )
                world.advance()
                return 200, {}, answer
            route = path.removeprefix("/api/v3")
            parameters = dict(parse_qsl(query))
            world.wrong += referee.request_faults(self.command, route, parameters, body)
            authorization = self.headers.get("Authorization", "")
            status, told = Rest(world, who, authorization, self.server.served.url)(
                self.command, route, parameters, body
            )
            world.advance()
            told, wrong = referee.answer(self.command, route, status, told)
            world.wrong += wrong
            return status, {"X-RateLimit-Remaining": "4999"}, told
        except Refusal as refusal:
            headers = dict(refusal.headers)
            return refusal.status, headers, {**refusal.body, "status": str(refusal.status)}


Answer = tuple[int, Any]


class Rest:
    """The routes, for one request of `who`."""

    def __init__(self, world: World, who: Actor | None, authorization: str, server: str) -> None:
        self._world, self._known, self._authorization, self._server = world, who, authorization, server

    def __call__(self, verb: str, path: str, query: dict[str, str], body: Any) -> Answer:
        world = self._world
        for method, pattern, act in self._routes():
            found = re.fullmatch(pattern, path)
            if found and method == verb:
                if path.startswith(f"/repos/{world.owner}/{world.name}/installation") or path.startswith("/app/"):
                    return act(*found.groups(), query, body)
                if self._known is None:
                    raise Refusal(401, "Bad credentials")
                if path.startswith("/repos/") and not path.startswith(f"/repos/{world.owner}/{world.name}/"):
                    raise Refusal(404, "Not Found")
                if not self._known.can("contents", "read"):
                    raise Refusal(404, "Not Found")
                if verb != "GET":
                    world.limit()
                return act(*found.groups(), query, body)
        raise Refusal(404, "Not Found")

    @property
    def _who(self) -> Actor:
        assert self._known
        return self._known

    def _routes(self) -> list[tuple[str, str, Callable[..., Answer]]]:
        repo = "/repos/[^/]+/[^/]+"
        return [
            ("GET", f"{repo}/installation", self._installation),
            ("POST", r"/app/installations/(\d+)/access_tokens", self._access_token),
            ("GET", f"{repo}/git/ref/heads/(.+)", self._ref),
            ("POST", f"{repo}/git/blobs", self._blob),
            ("POST", f"{repo}/git/trees", self._tree),
            ("POST", f"{repo}/git/commits", self._commit),
            ("POST", f"{repo}/pulls", self._open),
            ("PATCH", rf"{repo}/pulls/(\d+)", self._edit),
            ("PUT", rf"{repo}/pulls/(\d+)/merge", self._merge),
            ("POST", rf"{repo}/pulls/(\d+)/reviews", self._review),
            ("POST", f"{repo}/statuses/([0-9a-f]+)", self._status),
            ("GET", f"{repo}/commits/([0-9a-f]+)/statuses", self._statuses),
            ("GET", rf"{repo}/issues/(\d+)/comments", self._comments),
            ("POST", rf"{repo}/issues/(\d+)/comments", self._comment),
            ("PATCH", rf"{repo}/issues/comments/(\d+)", self._edit_comment),
            ("GET", f"{repo}/activity", self._activity),
            ("GET", f"{repo}/compare/(.+)", self._compare),
            ("POST", rf"{repo}/issues/(\d+)/labels", self._label),
            ("GET", rf"{repo}/pulls/(\d+)/requested_reviewers", self._requested),
            ("GET", f"{repo}/rules/branches/([^/]+)", self._rules),
            ("GET", f"{repo}/rulesets", self._rulesets),
            ("GET", rf"{repo}/rulesets/(\d+)", self._ruleset),
            ("GET", f"{repo}/commits/([0-9a-f]+)/check-suites", self._suites),
            ("GET", f"{repo}/commits/([0-9a-f]+)/check-runs", self._runs),
            ("GET", f"{repo}/codeowners/errors", self._owner_errors),
            ("GET", f"{repo}/actions/workflows/([^/]+)", self._workflow),
            ("GET", "/orgs/([^/]+)/teams/([^/]+)/members", self._members),
        ]

    def _needs(self, permission: str, level: str = "write") -> None:
        if not self._who.can(permission, level):
            told = (
                "Resource not accessible by integration"
                if self._who.is_bot
                else "Resource not accessible by personal access token"
            )
            raise Refusal(403, told, headers={"X-Accepted-GitHub-Permissions": f"{permission}={level}"})

    # Apps

    def _app(self) -> dict[str, Any]:
        token = self._authorization.partition(" ")[2]
        try:
            number = jwt.decode(token, options={"verify_signature": False})["iss"]
            app = self._world.apps[number]
            claims = jwt.decode(token, app["key"], algorithms=["RS256"], issuer=number)
        except (jwt.PyJWTError, KeyError):
            raise Refusal(401, "A JSON web token could not be decoded") from None
        if claims["exp"] - claims["iat"] > 660:
            raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
        return app

    def _installation(self, query: Any, body: Any) -> Answer:
        app = self._app()
        if not app["installed"]:
            raise Refusal(404, "Not Found")
        return 200, {
            "id": app["installation"],
            "app_slug": app["slug"],
            "permissions": app["permissions"],
            "account": None,
        }

    def _access_token(self, number: str, query: Any, body: Any) -> Answer:
        app = self._app()
        if int(number) != app["installation"]:
            raise Refusal(404, "Not Found")
        asked = body.get("permissions", app["permissions"])
        ranks = ("read", "write", "admin")
        for name, level in asked.items():
            if ranks.index(level) > ranks.index(app["permissions"].get(name, "read")) or name not in app["permissions"]:
                raise Refusal(422, "The permissions requested are not granted to this installation.")
        token = f"ghs_{app['secret']}{self._world.next_id()}"
        repositories = tuple(body.get("repositories", ()))
        bot = Actor(
            f"{app['slug']}[bot]", f"1+{app['slug']}[bot]@users.noreply.github.test", "none", asked, repositories
        )
        self._world.tokens[token] = bot
        return 201, {"token": token, "expires_at": "2030-01-01T00:00:00Z", "permissions": asked}

    # git

    def _ref(self, name: str, query: Any, body: Any) -> Answer:
        oid = self._world.head(name)
        if oid is None:
            raise Refusal(404, "Not Found")
        return 200, {"ref": f"refs/heads/{name}", "object": {"sha": oid, "type": "commit"}}

    def _blob(self, query: Any, body: Any) -> Answer:
        self._needs("contents")
        oid = self._world.git("hash-object", "-w", "--stdin", stdin=decoded(body))
        return 201, {"sha": oid}

    def _tree(self, query: Any, body: Any) -> Answer:
        """On `base_tree` each entry takes its place, and every other one stays; a null sha takes one away."""
        self._needs("contents")
        world = self._world
        index = world.repo / f"index-{world.next_id()}"
        env = {"GIT_INDEX_FILE": str(index), "GIT_DIR": str(world.repo), "GIT_WORK_TREE": str(world.repo)}
        try:
            if base := body.get("base_tree"):
                if world.tried("cat-file", "-e", f"{base}^{{tree}}").returncode:
                    raise Refusal(422, f"Could not resolve to a node: {base}")
                world.git("read-tree", base, env=env)
            for entry in body["tree"]:
                self._placed(entry, env)
            oid = world.git("write-tree", env=env)
        finally:
            index.unlink(missing_ok=True)
        return 201, {"sha": oid, "tree": [], "truncated": False}

    def _placed(self, entry: dict[str, Any], env: dict[str, str]) -> None:
        world, path = self._world, entry["path"]
        if ("content" in entry) == ("sha" in entry):
            raise Refusal(422, "Must supply either tree.sha or tree.content, but not both")
        gone = world.git("ls-files", "-z", "--", f":(literal){path}", env=env).split("\0")
        lines = "".join(f"0 {'0' * 40}\t{each}\0" for each in gone if each)
        world.git("update-index", "-z", "--index-info", stdin=lines.encode("utf-8", "surrogateescape"), env=env)
        if "content" in entry:
            oid = world.git("hash-object", "-w", "--stdin", stdin=entry["content"].encode())
        elif entry["sha"] is None:
            if not any(gone):
                raise Refusal(422, "GitRPC::BadObjectState")
            return
        else:
            oid = entry["sha"]
            kind = world.tried("cat-file", "-t", oid).stdout.decode().strip()
            if kind != entry["type"]:
                raise Refusal(422, f"tree.sha {oid} is not a valid {entry['type']}")
        if entry["mode"] == "040000":
            world.git("read-tree", f"--prefix={path}/", oid, env=env)
        else:
            line = f"{entry['mode']} {oid}\t{path}\0"
            world.git("update-index", "-z", "--index-info", stdin=line.encode(), env=env)

    def _commit(self, query: Any, body: Any) -> Answer:
        """Without author and committer it is signed in the App's name; with them it is not."""
        self._needs("contents")
        oid = self._world.commit(body["tree"], body.get("parents", []), body["message"], self._who)
        signed = self._who.is_bot and "author" not in body and "committer" not in body
        if signed:
            self._world.verified.add(oid)
        return 201, {"sha": oid, "message": body["message"], "verification": {"verified": signed}}

    # pull requests

    def _pull(self, pull: Pull) -> dict[str, Any]:
        world = self._world
        url = f"https://github.test/{world.owner}/{world.name}/pull/{pull.number}"
        return {
            "number": pull.number,
            "node_id": pull.id,
            "html_url": url,
            "state": "open" if pull.state == "open" else "closed",
            "title": pull.title,
            "body": pull.body,
            "user": self._user(pull.author),
            "created_at": self._at(pull.opened),
            "merged_at": self._at(pull.merged) if pull.merged else None,
            "merged": pull.state == "merged",
            "merge_commit_sha": pull.merge or None,
            "auto_merge": {"merge_method": "merge", "enabled_by": self._user(pull.author)} if pull.auto else None,
            "merged_by": None,
        }

    def _user(self, who: Actor) -> dict[str, Any]:
        return {"login": who.login, "type": "Bot" if who.is_bot else "User"}

    def _at(self, at: datetime) -> str:
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _open(self, query: Any, body: Any) -> Answer:
        self._needs("pull_requests")
        return 201, self._pull(self._world.open(self._who, body))

    def _edit(self, number: str, query: Any, body: Any) -> Answer:
        self._needs("pull_requests")
        return 200, self._pull(self._world.edit(self._who, self._world.pull(int(number)), body))

    def _merge(self, number: str, query: Any, body: Any) -> Answer:
        self._needs("contents")
        sha = self._world.land(self._who, self._world.pull(int(number)), (body or {}).get("sha"))
        return 200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}

    def _review(self, number: str, query: Any, body: Any) -> Answer:
        pull = self._world.pull(int(number))
        states = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
        if body["event"] == "APPROVE" and self._who.login == pull.author.login:
            raise Refusal(422, "Unprocessable Entity", ["Can not approve your own pull request"])
        head = body.get("commit_id", pull.head)
        pull.reviews.append(Review(self._who, states[body["event"]], head, self._world.now()))
        self._world.events[pull.number].insert(0, f"#{pull.number} approved by {self._who.login}")
        return 200, {"state": states[body["event"]], "commit_id": head}

    def _status(self, sha: str, query: Any, body: Any) -> Answer:
        self._needs("statuses")
        if len(body.get("description") or "") > 140:
            raise Refusal(
                422, "Validation Failed", [{"message": "description is too long (maximum is 140 characters)"}]
            )
        if self._world.tried("cat-file", "-e", f"{sha}^{{commit}}").returncode:
            raise Refusal(422, f"No commit found for SHA: {sha}")
        word = Status(
            sha, body.get("context", "default"), body["state"], body.get("description"), self._who, self._world.now()
        )
        self._world.statuses.append(word)
        return 201, {"state": word.state, "context": word.context, "description": word.description, "creator": None}

    def _statuses(self, sha: str, query: Any, body: Any) -> Answer:
        newest = [each for each in reversed(self._world.statuses) if each.sha == sha]
        return 200, [
            {"state": e.state, "context": e.context, "description": e.description, "creator": self._user(e.creator)}
            for e in newest[: int(query.get("per_page", 30))]
        ]

    def _comments(self, number: str, query: Any, body: Any) -> Answer:
        found = [each for each in self._world.comments if each["number"] == int(number)]
        page, size = int(query.get("page", 1)), int(query.get("per_page", 30))
        return 200, [self._comment_of(each) for each in found[(page - 1) * size : page * size]]

    def _comment_of(self, each: dict[str, Any]) -> dict[str, Any]:
        return {"id": each["id"], "body": each["body"], "user": self._user(each["who"])}

    def _comment(self, number: str, query: Any, body: Any) -> Answer:
        self._needs("pull_requests")
        made = {"id": self._world.next_id(), "number": int(number), "body": body["body"], "who": self._who}
        self._world.comments.append(made)
        return 201, self._comment_of(made)

    def _edit_comment(self, number: str, query: Any, body: Any) -> Answer:
        self._needs("pull_requests")
        found = next(each for each in self._world.comments if each["id"] == int(number))
        found["body"] = body["body"]
        return 200, self._comment_of(found)

    def _activity(self, query: Any, body: Any) -> Answer:
        found = [each for each in self._world.activity if query.get("ref") in (None, each["ref"])]
        return 200, [
            {
                "id": index,
                "before": each["before"],
                "after": each["after"],
                "ref": each["ref"],
                "timestamp": self._at(each["at"]),
                "activity_type": each["type"],
                "actor": self._user(each["actor"]),
            }
            for index, each in enumerate(found[: int(query.get("per_page", 30))])
        ]

    def _compare(self, basehead: str, query: Any, body: Any) -> Answer:
        base, _, head = basehead.partition("...")
        if any(self._world.tried("cat-file", "-e", f"{each}^{{commit}}").returncode for each in (base, head)):
            raise Refusal(404, "Not Found")
        missing, total = self._world.git("rev-list", "--left-right", "--count", basehead).split()
        oids = self._world.git("rev-list", "--max-count=250", f"{base}..{head}").splitlines()
        return 200, {
            "merge_base_commit": {"sha": self._world.git("merge-base", base, head)},
            "ahead_by": int(total),
            "behind_by": int(missing),
            "total_commits": int(total),
            "commits": [self._commit_of(oid) for oid in reversed(oids)],
        }

    def _commit_of(self, oid: str) -> dict[str, Any]:
        name, email = self._world.git("log", "-1", "--format=%an%n%ae", oid).split("\n")
        known = next((each for each in self._world.people.values() if each.email == email), None)
        message = self._world.git("log", "-1", "--format=%B", oid)
        commit = {"message": message, "author": {"name": name, "email": email}, "committer": None}
        return {"sha": oid, "commit": commit, "author": self._user(known) if known else None, "committer": None}

    # rules and checks

    def _label(self, number: str, query: Any, body: Any) -> Answer:
        """A label that the repository has not is made, for whoever may write."""
        self._needs("pull_requests")
        if any(len(each) > 50 for each in body["labels"]):
            raise Refusal(422, "Validation Failed", [{"message": "name is too long (maximum is 50 characters)"}])
        pull = self._world.pull(int(number))
        pull.labels += [each for each in body["labels"] if each not in pull.labels]
        return 200, [{"name": each} for each in pull.labels]

    def _requested(self, number: str, query: Any, body: Any) -> Answer:
        asked = rules.pending(self._world, self._world.pull(int(number)))
        teams = [{"slug": each.rpartition("/")[2], "name": each} for each in asked if "/" in each]
        people = [self._world.people[each[1:]] for each in asked if "/" not in each and each[1:] in self._world.people]
        return 200, {"teams": teams, "users": [self._user(each) for each in people]}

    def _rules(self, branch: str, query: Any, body: Any) -> Answer:
        return 200, rules.active(self._world) if branch == self._world.default else []

    def _rulesets(self, query: Any, body: Any) -> Answer:
        brief = ("id", "name", "target", "enforcement")
        return 200, [{key: each[key] for key in brief} | {"source": "acme/gitops"} for each in self._world.rulesets]

    def _ruleset(self, number: str, query: Any, body: Any) -> Answer:
        """Who may bypass it is told only to whom may change it."""
        found = next((each for each in self._world.rulesets if each["id"] == int(number)), None)
        if found is None:
            raise Refusal(404, "Not Found")
        told: dict[str, Any] = {
            key: value for key, value in found.items() if key != "bypass_actors" or self._who.may == "admin"
        }
        return 200, told | {"source": "acme/gitops"}

    def _suites(self, sha: str, query: Any, body: Any) -> Answer:
        self._needs("checks", "read")
        found = [each for each in self._world.suites if each.sha == sha]
        told: list[dict[str, Any]] = [
            {"id": i, "head_sha": sha, "status": "completed", "conclusion": each.conclusion, "app": {"slug": each.app}}
            for i, each in enumerate(found)
        ]
        return 200, {"total_count": len(told), "check_suites": told}

    def _runs(self, sha: str, query: Any, body: Any) -> Answer:
        """The newest of each name."""
        self._needs("checks", "read")
        found = {each.name: each for each in self._world.runs if each.sha == sha}
        told: list[dict[str, Any]] = [
            {
                "id": i,
                "name": each.name,
                "head_sha": sha,
                "status": "completed" if each.conclusion else "in_progress",
                "conclusion": each.conclusion,
                "app": {"slug": each.app},
                "pull_requests": [],
            }
            for i, each in enumerate(found.values())
        ]
        return 200, {"total_count": len(told), "check_runs": told}

    def _owner_errors(self, query: Any, body: Any) -> Answer:
        if not rules.has_owners(self._world):
            raise Refusal(404, "Not Found")
        return 200, {"errors": rules.owner_errors(self._world)}

    def _workflow(self, name: str, query: Any, body: Any) -> Answer:
        self._needs("actions", "read")
        path = f".github/workflows/{name}"
        if self._world.tried("cat-file", "-e", f"{self._world.default}:{path}").returncode:
            raise Refusal(404, "Not Found")
        return 200, {"name": name, "path": path, "state": self._world.workflow_states.get(name, "active")}

    def _members(self, organisation: str, team: str, query: Any, body: Any) -> Answer:
        if organisation != self._world.owner or team not in self._world.teams or not self._who.can("members", "read"):
            raise Refusal(404, "Not Found")
        people = self._world.teams[team]
        page, size = int(query.get("page", 1)), int(query.get("per_page", 30))
        return 200, [self._user(self._world.people[each]) for each in people[(page - 1) * size : page * size]]
