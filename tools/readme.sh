#!/usr/bin/env bash
# Runs the commands of README.md as a new user would type them, taken from the README itself.
#
#   tools/readme.sh try-it     the block of "Try it", in this checkout
#   tools/readme.sh by-hand    the blocks of "Without SGX" and "For verifiers"; they build in this
#                              checkout, write to a temporary directory, and use a free port
#
# A command followed by "# refused" must end with the exit code of a refused quote.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

. tools/blocks.sh

run() {
    bash -euxo pipefail -c "$1"
}

# The commands of a block, without its line that needs the checkout, in the temporary directory.
in_directory() {
    local commands
    commands=$(block README.md "$1" "$2" | sed '/export PATH=/d')
    commands="cd '$directory'"$'\n'"${commands//17492/$port}"
    PATH=$PWD/target/release:$PATH run "$(must_end refused 3 <<<"$commands")"
}

by_hand() {
    directory=$(mktemp -d)
    port=$(free_port)
    run "$(block README.md "Without SGX" 1 | head -n 1)"
    set -m
    in_directory "Without SGX" 1 &
    service=$!
    set +m
    trap 'kill -- "-$service" 2>/dev/null || true; rm -rf "$directory"' EXIT
    until [[ -S $directory/aesm.socket ]]; do
        kill -0 "$service" || { echo "the service did not start" >&2; return 1; }
        sleep 0.1
    done
    in_directory "Without SGX" 2
    in_directory "For verifiers" 1
}

case ${1:-} in
try-it) run "$(block README.md "Try it" 1)" ;;
by-hand) by_hand ;;
*) echo "usage: tools/readme.sh try-it|by-hand" >&2; exit 2 ;;
esac
