"""What a workflow's steps find on a runner and is not here: docker, aws, cosign. Each does what can be done of it here.

`docker run` of a tool's image runs that tool; `docker build` and `push` are done by the program that $DOCKER_BUILDS
names, where there is one. `aws` says what $AWS_DIGESTS, a file, holds of a tag. All note what they were asked for in
$ASKED, a line each. Nothing here reaches a network.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.audit.schemas import LOCATION

_DOCKER = """\
#!/bin/bash
set -euo pipefail
echo "docker $*" >> "$ASKED"
case "$1" in
  run)
    shift
    while [[ "$1" == -* ]]; do
      if [[ "$1" == --volume ]]; then shift; fi
      shift
    done
    image="$1"
    shift
    arguments=("${@/#\\/repo/$GITHUB_WORKSPACE}")
    case "$image" in
      hadolint/hadolint:*@sha256:*) exec "{bin}/hadolint" "${arguments[@]:--}" ;;
      ghcr.io/gitleaks/gitleaks:*@sha256:*) exec "$GITLEAKS_PROGRAM" "${arguments[@]}" ;;
      ghcr.io/yannh/kubeconform:*@sha256:*)
        version="$(grep -oP '(?<=-kubernetes-version )\\d+\\.\\d+' <<< "$*")"
        exec "$KUBECONFORM_PROGRAM" -schema-location "$SCHEMAS/$version/{schema}" "$@" ;;
    esac
    echo "docker run: no image is known as $image" >&2
    exit 125 ;;
  build | push) [[ -z "${DOCKER_BUILDS:-}" ]] || exec "$DOCKER_BUILDS" "$@" ;;
  login) [[ "$(cat)" == a-token-of-ecr ]] ;;
  *) exit 125 ;;
esac
"""
_AWS = """\
#!/bin/bash
set -euo pipefail
echo "aws $*" >> "$ASKED"
case "$1 $2" in
  "ecr get-login-password") echo a-token-of-ecr ;;
  "ecr batch-get-image")
    tag="$(grep -oP '(?<=imageTag=)\\S+' <<< "$*")"
    awk -v tag="$tag" '$1 == tag {found = $2} END {print found ? found : "None"}' "$AWS_DIGESTS" ;;
  *) exit 252 ;;
esac
"""
_COSIGN = """\
#!/bin/bash
echo "cosign $*" >> "$ASKED"
"""


def place(folder: Path) -> Path:
    """The programs in `folder`, for a PATH that begins with it."""
    folder.mkdir(parents=True, exist_ok=True)
    here = str(Path(sys.executable).parent)
    for name, text in (("docker", _DOCKER), ("aws", _AWS), ("cosign", _COSIGN)):
        (folder / name).write_text(text.replace("{bin}", here).replace("{schema}", LOCATION))
        (folder / name).chmod(0o755)
    return folder
