#!/usr/bin/env bash
# Puts one release, found by its digest, onto one environment. Going back is the same with an older digest.
#   scripts/deploy.sh staging|production SHA256
# gcloud must be logged in already. The portal does the same, and can go back with one click.
set -euo pipefail

usage() { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# = 2 ] || usage
digest=$2
[[ $digest =~ ^[0-9a-f]{64}$ ]] || usage
case $1 in
  staging | production) bucket=gs://<{ project }>-<{ name }>-$1 ;;
  *) usage ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

gcloud storage cp --quiet "gs://<{ project }>-<{ name }>-releases/archives/$digest.tar.gz" "$work/site.tar.gz"
# What arrives is what was named.
echo "$digest  $work/site.tar.gz" | sha256sum --check --quiet
mkdir "$work/site"
tar --extract --gzip --file "$work/site.tar.gz" --directory "$work/site" --no-same-owner
[ -f "$work/site/index.html" ] || { echo "the archive has no index.html" >&2; exit 1; }

# First what pages refer to, under names that nothing else has: nobody sees it yet. Never deleted by a release: pages that are open in a
# browser still ask for the files of the one before (the bucket drops what is older than its lifecycle says).
if [ -d "$work/site/assets" ]; then
  gcloud storage cp --recursive --quiet --no-clobber --cache-control 'public, max-age=31536000, immutable' "$work/site/assets" "$bucket/"
fi
find "$work/site" -mindepth 1 -maxdepth 1 ! -name assets ! -name index.html -exec \
  gcloud storage cp --recursive --quiet --cache-control 'no-cache' {} "$bucket/" \;
# Last the page that makes it visible: one write, which is the switch.
gcloud storage cp --quiet --cache-control 'no-cache' "$work/site/index.html" "$bucket/index.html"
echo "$1 shows $digest"
