"""What GitHub is asked in GraphQL: one query for a batch, with an alias for each thing that is asked about."""

from __future__ import annotations

from gitops.protection import VERIFY

_WHO = "login __typename"
_COMMIT = (
    "commit { oid message parents(first: 2) { nodes { oid } } "
    f'status {{ context(name: "shiplane/requester") {{ description creator {{ {_WHO} }} }} }} '
    "authors(first: 20) { nodes { email user { login } } } committer { email user { login } } }"
)
# latestOpinionatedReviews: of each person who may write the latest that says yes or no, so that an approval which was
# taken back or dismissed is none
PULL = f"""
fragment pull on PullRequest {{
  id number url state title headRefName headRefOid baseRefName isCrossRepository createdAt mergedAt
  author {{ {_WHO} }}
  mergeCommit {{ oid }}
  autoMergeRequest {{ enabledAt }}
  latestOpinionatedReviews(first: 100, writersOnly: true) {{
    nodes {{ state submittedAt author {{ {_WHO} }} commit {{ oid }} }}
  }}
  commits(last: 1) {{ totalCount nodes {{ {_COMMIT} }} }}
}}"""
_HEAD = "query($owner: String!, $name: String!"
_BLOB = "{ ... on Blob { text } }"


def found(count: int, pins: int, last: int, *, labels: bool) -> str:
    """The open pull requests from branches $b0, $b1...: with each branch's head, and the files $f0 and $g0 there.

    With `labels` each comes with its own. For so many `pins` also what `landed` asks.
    """
    more, behind = _landed(pins, last) if pins else ("", "")
    also = " labels(first: 100) { nodes { name } }" if labels else ""
    variables = "".join(f", $b{i}: String!, $r{i}: String!, $f{i}: String!, $g{i}: String!" for i in range(count))
    asked = "".join(
        f"""
    ref{i}: ref(qualifiedName: $r{i}) {{ target {{ oid ... on Commit {{ message }} }} }}
    release{i}: object(expression: $f{i}) {_BLOB}
    origin{i}: object(expression: $g{i}) {_BLOB}
    pulls{i}: pullRequests(headRefName: $b{i}, states: [OPEN], first: 20) {{ nodes {{ ...pull{also} }} }}"""
        for i in range(count)
    )
    return f"""{_HEAD}{variables}{more}) {{
  viewer {{ login }}
  repository(owner: $owner, name: $name) {{ id{asked} {behind} }}
}}{PULL}"""


ONE = f"""query($owner: String!, $name: String!, $number: Int!) {{
  repository(owner: $owner, name: $name) {{
    id
    pullRequest(number: $number) {{ ...pull body all: commits(first: 100) {{ nodes {{ {_COMMIT} }} }} }}
  }}
}}{PULL}"""

OPEN = f"""query($owner: String!, $name: String!, $base: String!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    id
    pullRequests(states: [OPEN], baseRefName: $base, first: 50, after: $after) {{
      pageInfo {{ hasNextPage endCursor }} nodes {{ ...pull }}
    }}
  }}
}}{PULL}"""

PARKED = f"""{_HEAD}) {{
  repository(owner: $owner, name: $name) {{
    id
    pullRequests(states: [OPEN, CLOSED], first: 100, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      nodes {{
        number url state baseRefName headRefOid
        commits(last: 1) {{ nodes {{ commit {{ oid status {{ context(name: "{VERIFY}") {{ state }} }} }} }} }}
      }}
    }}
  }}
}}"""

GUARDED = f"""{_HEAD}) {{
  viewer {{ login }}
  repository(owner: $owner, name: $name) {{ isArchived autoMergeAllowed mergeCommitAllowed viewerPermission }}
}}"""

# Who is asked for a review is a union of people and teams, and a team is an error to whoever may not see it: REST tells
STANDING = """query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      isDraft mergeable mergeStateStatus reviewDecision
      reviewRequests(first: 50) { nodes { asCodeOwner } }
      reviewThreads(first: 100) { nodes { isResolved } }
      commits(first: 100) { nodes { commit { oid signature { isValid } } } }
    }
  }
}"""

REPOSITORY = f"{_HEAD}) {{ repository(owner: $owner, name: $name) {{ id }} }}"

VIEWER = "query { viewer { login } }"


def files(count: int) -> str:
    """The texts of files; $f0 and so on are `commit:path`."""
    variables = "".join(f", $f{i}: String!" for i in range(count))
    asked = " ".join(f"file{i}: object(expression: $f{i}) {_BLOB}" for i in range(count))
    return f"{_HEAD}{variables}) {{ repository(owner: $owner, name: $name) {{ id {asked} }} }}"


def landed(count: int, last: int) -> str:
    """The `last` commits behind $tip that changed the path $p0 ($p1...), with the pull requests that brought them.

    Each comes with the files $m0 and $o0 as it has them.
    """
    variables, asked = _landed(count, last)
    return f"""{_HEAD}{variables}) {{
  repository(owner: $owner, name: $name) {{
    id
    {asked}
  }}
}}{PULL}"""


def _landed(count: int, last: int) -> tuple[str, str]:
    """Its variables, and what it asks of a repository."""
    variables = "".join(f", $p{i}: String!, $m{i}: String!, $o{i}: String!" for i in range(count))
    asked = "".join(
        f"""
      path{i}: history(path: $p{i}, first: {last}) {{
        nodes {{
          oid
          release: file(path: $m{i}) {{ object {_BLOB} }}
          origin: file(path: $o{i}) {{ object {_BLOB} }}
          associatedPullRequests(first: 3) {{ nodes {{ ...pull }} }}
        }}
      }}"""
        for i in range(count)
    )
    return f", $tip: String!{variables}", f"object(expression: $tip) {{ ... on Commit {{ oid{asked} }} }}"


def statuses(count: int) -> str:
    """The word $c0 ($c1...) on the commits that landed from $s0 to $u0, the newest first: a hundred behind $a0 each."""
    variables = "".join(
        f", $c{i}: String!, $s{i}: GitTimestamp!, $u{i}: GitTimestamp, $a{i}: String" for i in range(count)
    )
    asked = "".join(
        f"""
      since{i}: history(first: 100, since: $s{i}, until: $u{i}, after: $a{i}) {{
        pageInfo {{ hasNextPage endCursor }}
        nodes {{
          oid committedDate parents(first: 2) {{ nodes {{ oid }} }}
          status {{ context(name: $c{i}) {{ state createdAt creator {{ {_WHO} }} }} }}
        }}
      }}"""
        for i in range(count)
    )
    return f"""{_HEAD}, $tip: String!{variables}) {{
  repository(owner: $owner, name: $name) {{ id object(expression: $tip) {{ ... on Commit {{ oid{asked} }} }} }}
}}"""


AUTO_MERGE = """mutation($pull: ID!, $head: GitObjectID!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $pull, expectedHeadOid: $head, mergeMethod: MERGE}) {
    pullRequest { autoMergeRequest { enabledAt } }
  }
}"""

NO_AUTO_MERGE = """mutation($pull: ID!) {
  disablePullRequestAutoMerge(input: {pullRequestId: $pull}) { pullRequest { autoMergeRequest { enabledAt } } }
}"""

ENQUEUE = """mutation($pull: ID!, $head: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $pull, expectedHeadOid: $head}) { mergeQueueEntry { id } }
}"""

MOVE = """mutation($repository: ID!, $updates: [RefUpdate!]!) {
  updateRefs(input: {repositoryId: $repository, refUpdates: $updates}) { clientMutationId }
}"""
