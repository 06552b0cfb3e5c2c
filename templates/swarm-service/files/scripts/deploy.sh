#!/usr/bin/env bash
# Deploys one release to one environment, and fails when it is not what runs afterwards.
#   scripts/deploy.sh staging|production IMAGE@sha256:DIGEST [--no-migration]
# DOCKER_HOST says which Swarm manager is meant, for example ssh://deploy@manager.example.org.
set -euo pipefail

usage() { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
environment=$1 image=$2 option=${3:-}
cd "$(dirname "$0")/.."
[ -f "deploy/$environment.env" ] || usage
[ -z "$option" ] || [ "$option" = --no-migration ] || usage
[[ $image =~ @sha256:[0-9a-f]{64}$ ]] || { echo "$image has no digest: a tag can name something else tomorrow" >&2; exit 2; }

set -a
# shellcheck source=/dev/null
. "deploy/$environment.env"
set +a
export IMAGE=$image
service=${STACK}_<{ name }>

<% if database %>
# Before any instance of the release runs, while the version before still serves: a migration must fit both (see migrations/).
if [ "$option" != --no-migration ]; then
  migrate=(<{ migrate_program }><% for word in migrate_arguments %> <{ word }><% endfor %>)
  job=${STACK}_<{ name }>-migrate
  docker service rm "$job" >/dev/null 2>&1 || true
  # The release's own image, the same digest. A network of the stack exists only after the first deploy.
  network=${STACK}_internal
  docker network inspect "$network" >/dev/null 2>&1 ||
    docker network create --driver overlay --opt encrypted=true --label com.docker.stack.namespace="$STACK" "$network" >/dev/null
  echo "Migrating with $image"
  # Detached, then watched: a failed task must end this script with its log, not wait for ever.
  docker service create --quiet --detach --name "$job" --mode replicated-job --restart-condition none --with-registry-auth \
    --network "$network" --user <{ uid }>:<{ uid }> --read-only --cap-drop ALL --mount type=tmpfs,target=/tmp --limit-memory <{ memory_mb }>M \
    --secret "source=$DATABASE_URL_SECRET,target=database_url,uid=<{ uid }>,gid=<{ uid }>,mode=0400" \
    --env "ENVIRONMENT=$environment" \
    "$image" "${migrate[@]}" >/dev/null
  state=new
  for _ in $(seq 150); do
    state=$(docker service ps "$job" --format '{{.CurrentState}}' --no-trunc | head -n 1 | cut -d' ' -f1 | tr '[:upper:]' '[:lower:]')
    case $state in complete | failed | rejected | orphaned | shutdown) break ;; esac
    sleep 2
  done
  docker service logs --raw "$job" || true
  docker service ps "$job" --no-trunc --format '{{.CurrentState}} {{.Error}}' | head -n 1
  docker service rm "$job" >/dev/null
  [ "$state" = complete ] || { echo "The migration ended as $state: nothing was deployed, the version before goes on." >&2; exit 1; }
fi

<% endif %>
# Waits for the update, including its way back; its exit code says only that Swarm is done.
docker stack deploy --compose-file stack.yml --with-registry-auth --resolve-image never --detach=false "$STACK"

state=$(docker service inspect "$service" --format '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{else}}completed{{end}}')
running=$(docker service inspect "$service" --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}')
if [ "$state" != completed ] || [ "$running" != "$image" ]; then
  echo "The update ended as $state; $running runs." >&2
  docker service ps "$service" --no-trunc --filter desired-state=shutdown --format '{{.Name}} {{.CurrentState}} {{.Error}}' | head -n 5 >&2
  exit 1
fi
echo "$environment runs $image"
