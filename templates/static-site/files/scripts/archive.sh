#!/usr/bin/env bash
# Packs dist/ into site.tar.gz, the same bytes for the same content, and prints its SHA-256: scripts/archive.sh
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f dist/index.html ] || { echo "no dist/index.html: run 'npm run build' first" >&2; exit 1; }
# Order, times and owners fixed: the digest names the content, not the minute it was packed.
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --directory dist --create . | gzip --no-name -9 >site.tar.gz
sha256sum site.tar.gz | cut -d' ' -f1
