#!/usr/bin/env bash
# Prints what a busy service on the software platform shows at /metrics: each metric has a sample.
#
#     show.sh QUOTE-HELPER
set -euo pipefail
program=$(realpath "$1")
machine=$(mktemp -d)
cd "$machine"
trap 'kill "${service:-}" 2> /dev/null || true; rm -rf "$machine"' EXIT

"$program" serve --platform software --isolate --workers 2 --max-queued-quotes 1 --socket aesm.socket \
    --state-dir state --metrics-listen unix:metrics.socket 2> log &
service=$!
show() {
    curl --silent --fail --unix-socket metrics.socket "http://localhost/$1"
}
until show readyz > /dev/null; do
    kill -0 "$service" || { cat log >&2; exit 1; }
    sleep 0.1
done
# More clients than may wait, and workers that come and go.
"$program" load --socket aesm.socket --clients 32 --duration 2s > /dev/null || true
kill -HUP "$service"
sleep 2
show metrics
