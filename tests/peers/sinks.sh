#!/usr/bin/env bash
# Sends messages to real receivers, an HTTP sink that answers as Slack does and an SMTP server, through a running server, and ends with
# 1 when something went otherwise than expected. docs/how-to/notifications.md says what it needs.
set -euo pipefail
: "${PASSERELLE:?path of the server program}" "${SINK_HTTP:?http://127.0.0.1:8025}" "${SINK_SMTP_PORT:?1025}"

folder=$(mktemp -d)
chmod 711 "$folder" # the private Postgres may run as another user
port=${PORT:-3556}
base=http://127.0.0.1:$port
wrong=0
export PASSERELLE__DATA__FOLDER=$folder/data PASSERELLE__SERVER__LISTEN=127.0.0.1:$port PASSERELLE__LOG__FILTER=warn
export PASSERELLE__OUTBOUND__ALLOW_NETWORKS=127.0.0.1/32 PASSERELLE__NOTIFICATIONS__RETRY_MS=500
unset DATABASE_URL
"$PASSERELLE" serve > "$folder/out.log" 2> "$folder/err.log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 150); do curl -fs "$base/readyz" > /dev/null 2>&1 && break; sleep 0.2; done
token=$("$PASSERELLE" admin token create --user checker --role admin --expires 1d)

api() { # method path [json]
  curl -sS -X "$1" "$base/api/v1$2" -H "Authorization: Bearer $token" ${3:+-H 'Content-Type: application/json' -d "$3"}
}
make() { # path json
  local answer
  answer=$(api POST "$1" "$2")
  case $answer in *'"status":4'*) echo "POST $1: $answer" >&2; exit 1 ;; esac
}
check() { # what, seen, expected
  printf '%-44s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { wrong=1; echo "  expected $3"; }
}
tried() { # channel
  api POST "/notifications/channels/$1/test" '{}' |
    python3 -c 'import json, sys; t = json.load(sys.stdin); print("delivered:" if t["delivered"] else "not delivered:", t["answer"])'
}
came() { # kind count, and how to say each
  curl -sS "$SINK_HTTP/messages?kind=$1&wait=$2&timeout=20" | python3 -c "import json, sys
for m in json.load(sys.stdin): print($3)"
}

curl -sS -X DELETE "$SINK_HTTP/messages" > /dev/null
slack="{\"value\":\"$SINK_HTTP/services/T/B/X\"}"
make /notifications/channels "{\"name\":\"slack\",\"kind\":\"slack\",\"config\":{\"url\":$slack}}"
make /notifications/channels "{\"name\":\"gone\",\"kind\":\"slack\",\"config\":{\"url\":{\"value\":\"$SINK_HTTP/services/T\"}}}"
make /notifications/channels "{\"name\":\"hook\",\"kind\":\"webhook\",\"config\":{\"url\":\"$SINK_HTTP/hook\",\"secret\":{\"value\":\"a secret of this try\"}}}"
make /notifications/channels "{\"name\":\"mail\",\"kind\":\"email\",\"language\":\"fr\",\"config\":{\"host\":\"127.0.0.1\",\"port\":$SINK_SMTP_PORT,\"security\":\"none\",\"from\":\"Passerelle <portal@example.test>\",\"to\":[\"ada@example.test\",\"bounce@example.test\"]}}"
host=${SINK_HTTP#http://} host=${host%%:*}
check 'test message to Slack' "$(tried slack)" "delivered: $host answered 200"
check 'test message to a Slack address that is gone' "$(tried gone)" "not delivered: $host answered 404: no_team"
check 'test message to a webhook' "$(tried hook)" "delivered: $host answered 200"
check 'test message by mail' "$(tried mail)" 'delivered: 127.0.0.1 answered 250: message kept'

for channel in slack hook mail; do make /notifications/rules "{\"channel\":\"$channel\",\"events\":[\"freeze.created\"]}"; done
curl -sS -X DELETE "$SINK_HTTP/messages" > /dev/null
curl -sS -X POST "$SINK_HTTP/fail" -d '{"times": 1, "status": 429, "retry_after": 1}' > /dev/null
make /freezes '{"scope":{"kind":"global"},"title":"A try with <!channel> in it"}'
check 'Slack' "$(came slack 1 'm["refused"], m["body"]["blocks"][0]["text"]["text"]')" 'None New freeze: A try with <!channel> in it'
check 'Slack, as text' "$(came slack 1 'm["body"]["text"].splitlines()[0]')" 'New freeze: A try with &lt;!channel&gt; in it'
check 'webhook' "$(came web 1 'm["body"]["type"], m["headers"]["webhook-signature"][:3]')" 'freeze.created v1,'
check 'mail' "$(came mail 1 'm["to"], m["headers"]["Subject"]')" "['ada@example.test'] Nouveau gel : A try with <!channel> in it"
sleep 2
deliveries() {
  api GET '/notifications/deliveries?limit=200' | python3 -c 'import json, sys
for d in sorted(json.load(sys.stdin)["items"], key=lambda d: (d["channel"], d["recipient"] or "")):
    print(d["channel"], d["recipient"] or "-", d["state"], d["answer"])'
}
deliveries
check 'mailbox that refuses' "$(deliveries | grep bounce | cut -d' ' -f3)" failed
check 'all others' "$(deliveries | grep -vc ' failed ')" 3
exit $wrong
