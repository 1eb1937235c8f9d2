#!/usr/bin/env bash
# Builds the images of the service and of the sample application without a container engine, and
# loads them into the test cluster, which must be up.
# usage: tools/cluster-image.sh VERSION PROFILE
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
usage='usage: tools/cluster-image.sh VERSION PROFILE'
version=${1:?$usage} profile=${2:?$usage}

cargo build --locked --profile "$profile" --package quote-helper --package remote-attestation
built=${CARGO_TARGET_DIR:-target}/${profile/#dev/debug}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
declare -A user=([quote-helper]=61100 [remote-attestation]=65532)
for program in quote-helper remote-attestation; do
    strip -o "$directory/$program" "$built/$program"
    tools/test-cluster/image --user "${user[$program]}:${user[$program]}" \
        --entrypoint "/usr/bin/$program" "sgx-$program:$version" "$directory/$program.tar" \
        "$directory/$program:/usr/bin/$program"
done
tools/test-cluster/load-image "$directory"/*.tar
