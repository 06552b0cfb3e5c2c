#!/usr/bin/env bash
# Prints IMAGE:TAG with its digest, as the registry has it now: scripts/digest.sh IMAGE:TAG
set -euo pipefail
[ $# = 1 ] || { echo "usage: $0 IMAGE:TAG" >&2; exit 2; }
digest=$(docker buildx imagetools inspect "$1" --format '{{json .Manifest.Digest}}' | tr -d '"')
[[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "the registry has no $1" >&2; exit 1; }
echo "$1@$digest"
