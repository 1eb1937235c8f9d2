#!/usr/bin/env bash
# Runs the commands of README.md as a new user would type them, taken from the README itself.
#
#   tools/readme.sh try-it     the block of "Try it", in this checkout
#   tools/readme.sh by-hand    the two blocks of "By hand", each in a shell of its own; they build in
#                              this checkout, write to a temporary directory, and use a free port
#
# A command followed by "# refused" must end with the exit code of a refused quote.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

. tools/blocks.sh

run() {
    bash -euxo pipefail -c "$1"
}

# Each block of "By hand" prepares its shell in the first line, which needs the checkout.
by_hand_block() {
    local commands
    commands=$(block README.md "By hand" "$1")
    commands=$(sed -E "1a cd '$directory'
        s/127\.0\.0\.1:17492/127.0.0.1:$port/" <<<"$commands")
    run "$(must_end refused 3 <<<"$commands")"
}

by_hand() {
    directory=$(mktemp -d)
    port=$(free_port)
    run "$(block README.md "By hand" 1 | head -n 1)"
    set -m
    by_hand_block 1 &
    service=$!
    set +m
    trap 'kill -- "-$service" 2>/dev/null || true; rm -rf "$directory"' EXIT
    until [[ -S $directory/aesm.socket ]]; do
        kill -0 "$service" || { echo "the service of \"By hand\" did not start" >&2; return 1; }
        sleep 0.1
    done
    by_hand_block 2
}

case ${1:-} in
try-it) run "$(block README.md "Try it" 1)" ;;
by-hand) by_hand ;;
*) echo "usage: tools/readme.sh try-it|by-hand" >&2; exit 2 ;;
esac
