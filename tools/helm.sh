#!/usr/bin/env bash
# Runs the Helm of tools/helm/go.mod, which it builds if it is not in the cache.
# usage: tools/helm.sh ARGUMENT...
set -euo pipefail

module=$(dirname "${BASH_SOURCE[0]}")/helm
version=$(sed -n 's|.*helm.sh/helm/v4 \(v[0-9.]*\).*|\1|p' "$module/go.mod")
program=${XDG_CACHE_HOME:-$HOME/.cache}/sgx-quote-helper/helm/$version/helm
if [[ ! -x $program ]]; then
    echo "building Helm $version; this takes several minutes the first time" >&2
    mkdir -p "$(dirname "$program")"
    (cd "$module" && CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=local go build -trimpath \
        -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=$version" \
        -o "$program.$$" helm.sh/helm/v4/cmd/helm)
    mv "$program.$$" "$program"
fi
exec "$program" "$@"
