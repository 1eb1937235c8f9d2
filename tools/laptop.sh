#!/usr/bin/env bash
# Runs the commands of docs/laptop.md, taken from the page itself, with a temporary home directory.
#
#   tools/laptop.sh BUILT    installs quote-helper and the C libraries from BUILT (as cargo builds
#                            them) instead of running the page's `just install`
#
# A command followed by "# refused" must end with the exit code of a refused quote, one followed by
# "# fails" with code 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/blocks.sh

built=$(realpath "${1:?usage: tools/laptop.sh BUILT}")
page=docs/laptop.md
port=$(free_port)
HOME=$(mktemp -d)
export HOME
trap 'kill "$service" 2>/dev/null || true; rm -rf "$HOME"' EXIT
service=

# shell COMMANDS: runs them in a shell as the page prepares it, on a free port.
shell() {
    bash -euo pipefail -c "$(block $page "1. Install" 2)
set -x
${1//17492/$port}"
}

[[ $(block $page "1. Install" 1) = 'just install "$HOME/.local"' ]]
tools/install.sh "$HOME/.local" "$built" >/dev/null

shell "exec $(block $page "2. Start the service" 1)" &
service=$!
until [[ -S $HOME/sgx/aesm.socket ]]; do
    kill -0 "$service" || { echo "the service of the page did not start" >&2; exit 1; }
    sleep 0.1
done

without_enclave="$(block $page "3. A quote without an enclave" 1)
$(block $page "3. A quote without an enclave" 2)"
shell "$(must_end refused 3 <<<"$without_enclave")"
in_c="$(block $page "4. An application in C" 1)
$(block $page "4. An application in C" 2)"
shell "$(must_end fails 1 <<<"$in_c")"
