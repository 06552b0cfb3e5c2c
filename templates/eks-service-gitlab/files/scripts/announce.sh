#!/usr/bin/env bash
# Tells the portal of a release: scripts/announce.sh IMAGE@DIGEST. PASSERELLE_URL and PASSERELLE_TOKEN are variables of the project.
set -euo pipefail
[ $# = 1 ] || { echo "usage: $0 IMAGE@DIGEST" >&2; exit 2; }
jq --null-input --arg image "$1" --arg commit "$CI_COMMIT_SHA" --arg build "$CI_PIPELINE_URL" \
  '{service: "<{ catalog_namespace }>/<{ name }>", version: $commit[0:7], commit: $commit, image: $image, build_url: $build}' |
  curl --fail-with-body --silent --show-error --retry 3 --header "authorization: Bearer $PASSERELLE_TOKEN" \
    --header 'content-type: application/json' --data @- "$PASSERELLE_URL/api/v1/releases"
