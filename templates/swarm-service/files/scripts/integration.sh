#!/usr/bin/env bash
# Builds the image and runs it as production does (not root, read-only, no capabilities) until its own health command says yes.
set -euo pipefail
cd "$(dirname "$0")/.."
run=<{ name }>-test-$$
cleanup() {
  docker rm --force --volumes "$run-service" "$run-database" >/dev/null 2>&1 || true
  docker network rm "$run" >/dev/null 2>&1 || true
}
trap cleanup EXIT

healthy() { # healthy CONTAINER: waits up to a minute
  for _ in $(seq 60); do
    case $(docker inspect "$1" --format '{{.State.Health.Status}} {{.State.Running}}') in
      'healthy true') return 0 ;;
      *false) break ;;
    esac
    sleep 1
  done
  docker logs "$1" >&2
  echo "$1 did not become healthy" >&2
  return 1
}

docker build --quiet --tag "$run" .
docker network create "$run" >/dev/null
options=(--network "$run" --user <{ uid }>:<{ uid }> --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp:size=16m)
<% if database %>
# A database that lives as long as this run; its password is made up here.
password=$(head -c 18 /dev/urandom | base64 | tr -d '/+=')
docker run --detach --name "$run-database" --network "$run" --network-alias database \
  --env POSTGRES_USER=service --env "POSTGRES_PASSWORD=$password" \
  --health-cmd 'pg_isready --username service --host 127.0.0.1' --health-interval 1s docker.io/library/postgres:17.6-alpine3.22 >/dev/null
healthy "$run-database"
export DATABASE_URL="postgresql://service:$password@database/service"
migrate=(<{ migrate_program }><% for word in migrate_arguments %> <{ word }><% endfor %>)
docker run --rm "${options[@]}" --env DATABASE_URL "$run" "${migrate[@]}"
# Again: a migration that is there already changes nothing.
docker run --rm "${options[@]}" --env DATABASE_URL "$run" "${migrate[@]}"
options+=(--env DATABASE_URL)
<% endif %>
docker run --detach --name "$run-service" "${options[@]}" --env ENVIRONMENT=test --env PORT=<{ port }> \
  --health-interval 1s "$run" >/dev/null
healthy "$run-service"
# It must also stop by itself when asked, well before the 30 seconds of the stack.
docker stop --timeout 30 "$run-service" >/dev/null
code=$(docker inspect "$run-service" --format '{{.State.ExitCode}}')
[ "$code" != 137 ] || { echo "had to be killed: it does not end on SIGTERM" >&2; exit 1; }
echo "healthy, and stops when asked"
