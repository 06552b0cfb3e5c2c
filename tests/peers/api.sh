#!/usr/bin/env bash
# Asks a portal of its own everything that its API describes, in generated requests, as an administrator, a developer and a viewer, and ends with 1 when an answer
# is a fault of the server, breaks its schema, or has a status or a media type that is not described. docs/how-to/try-on-real-peers.md says what it needs.
set -euo pipefail
: "${PASSERELLE:?path of the server program}" "${SCHEMATHESIS:?path of schemathesis}"
PASSERELLE=$(realpath "$PASSERELLE") SCHEMATHESIS=$(realpath -s "$SCHEMATHESIS")

folder=$(mktemp -d)
chmod 711 "$folder" # the private Postgres may run as another user
port=${PORT:-3557}
base=http://127.0.0.1:$port
wrong=0
export PASSERELLE__DATA__FOLDER=$folder/data PASSERELLE__SERVER__LISTEN=127.0.0.1:$port PASSERELLE__LOG__FILTER=error
# Thousands of requests in a minute are what this is about.
export PASSERELLE__SERVER__REQUESTS_PER_MINUTE=0 PASSERELLE__SERVER__WRITES_PER_MINUTE=0
unset DATABASE_URL
cd "$(dirname "$0")/../.."
"$PASSERELLE" simulator > "$folder/simulator.log" 2>&1 &
simulator=$!
"$PASSERELLE" serve > "$folder/out.log" 2> "$folder/err.log" &
server=$!
trap 'kill $server $simulator 2>/dev/null; wait $server $simulator 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 150); do curl -fs "$base/readyz" > /dev/null 2>&1 && break; sleep 0.2; done

for role in admin developer viewer; do
  token=$("$PASSERELLE" admin token create --user "asks-as-$role" --role $role --expires 1d)
  # The first is the administrator, who fills the catalog.
  [ $role != admin ] || "$PASSERELLE" import demo --server "$base" --token "$token" > /dev/null
  echo "== as $role"
  "$SCHEMATHESIS" run "$base/api/v1/openapi.json" --header "Authorization: Bearer $token" --max-examples "${EXAMPLES:-30}" \
    --checks not_a_server_error,response_schema_conformance,status_code_conformance,content_type_conformance \
    --phases coverage,fuzzing --request-timeout 60 --continue-on-failure --no-color || wrong=1
done
if [ -s "$folder/err.log" ]; then
  echo "The server complained:"
  head -c 4000 "$folder/err.log"
  wrong=1
fi
exit $wrong
