#!/usr/bin/env bash
# The main job as a story: two new services, onboarded, released into dev, promoted to staging and, approved, to prod.
# Everything lies in ./demo: service repositories, the GitOps repository and, as its forge, a bare repository beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

# Two people of acme: who asks, and who reviews. git knows nobody else here.
export HOME="$PWD/demo/home" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Dev GIT_AUTHOR_EMAIL=dev@acme.example GIT_COMMITTER_NAME=Dev GIT_COMMITTER_EMAIL=dev@acme.example
reviewer=reviewer@acme.example
export SHIPLANE_REPO="$PWD/demo/exchange-gitops.git"
export SHIPLANE_SOURCES="$PWD/demo"
unset GITHUB_RUN_NUMBER
# This folder lies inside Shiplane's own checkout; the services are no part of that.
export GIT_CEILING_DIRECTORIES="$PWD"

tell() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '\033[2m$\033[0m %s\n' "$*"; "$@"; }
# A step that must be refused: the story stops if it is not.
refused() {
  printf '\033[2m$\033[0m %s\n' "$*"
  local code=0
  "$@" || code=$?
  [ "$code" -eq 3 ] || { echo "demo: expected exit code 3, got $code" >&2; exit 1; }
  echo "(exit code 3)"
}
# What CI does after a push: build (here: only the digest's stand-in), then release what was committed.
ci() {
  local service=$1 number=$2 tag digest
  tag=$(git -C "$service" rev-parse HEAD)
  digest=sha256:$(printf %s "$service $tag" | sha256sum | cut -c1-64)
  run gitops release "$service" --tag "$tag" --digest "$digest" --chart "$service/chart" --run "$number"
}
commit() {
  git -C "$1" add --all
  git -C "$1" commit --quiet --message "$2"
}

rm -rf demo
mkdir -p demo/home
cd demo

tell '1. Two new services, each a repository that needs no edit'
for service in wallet trading-engine; do
  run newservice "$service" --no-input --set owner=payments
  git -C "$service" init --quiet --initial-branch=main
  commit "$service" "Start $service"
done

tell '2. A GitOps repository for Argo CD, and the services made known by reviewed pull requests'
run gitops init exchange-gitops
number=1
for service in wallet trading-engine; do
  run gitops onboard "$service" --source "acme/$service" --image "$service" --owner payments
  run gitops approve "$number" --as "$reviewer"
  run gitops merge "$number"
  number=$((number + 1))
done

tell '3. CI releases both into dev, which merges by itself; the first promotion to staging brings its Application along'
ci wallet 1
ci trading-engine 1
run promote trading-engine --to staging
run gitops merge 5

tell '4. A new commit is released. A slow old build that comes late changes nothing'
echo 'Rejects orders with a stale sequence number.' >>trading-engine/README.md
commit trading-engine 'match: reject orders with a stale sequence number'
ci trading-engine 2
git -C trading-engine checkout --quiet HEAD~1
ci trading-engine 1
git -C trading-engine checkout --quiet main

tell '5. promote trading-engine --to staging: one pull request, however often it is asked for'
run promote trading-engine --to staging
run promote trading-engine --to staging

tell '6. What its reviewer reads, and the merge'
run gitops prs
run gitops show 7
run gitops merge 7

tell '7. On to prod, which is refused without the approval of somebody who neither wrote nor asked for it'
run promote trading-engine --to prod
refused gitops merge 8
refused gitops approve 8
run gitops approve 8 --as "$reviewer"
run gitops merge 8

tell '8. Where everything is'
run gitops status
