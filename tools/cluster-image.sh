#!/usr/bin/env bash
# Builds the images of the service and of the sample application without a container engine, and
# loads them into a test cluster that is up.
# usage: tools/cluster-image.sh TESTBED VERSION PROFILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
usage='usage: tools/cluster-image.sh TESTBED VERSION PROFILE'
testbed=${1:?$usage} version=${2:?$usage} profile=${3:?$usage}

cargo build --locked --profile "$profile" --package quote-helper --package remote-attestation
built=${CARGO_TARGET_DIR:-target}/${profile/#dev/debug}
image=$(mktemp -d)
trap 'rm -rf "$image"' EXIT
mkdir "$image/root"
declare -A user=([quote-helper]=61100 [remote-attestation]=65532)
for program in quote-helper remote-attestation; do
    strip -o "$image/$program" "$built/$program"
    "$testbed/load-image" "sgx-$program:$version" "$image/root" \
        --user "${user[$program]}:${user[$program]}" \
        --entrypoint "/usr/bin/$program" --add "$image/$program:/usr/bin/$program"
done
