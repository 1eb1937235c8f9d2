#!/usr/bin/env bash
# Packs the Helm chart: the same bytes for the same commit.
# usage: tools/chart-package.sh DIRECTORY
set -euo pipefail
directory=$(realpath "${1:?usage: tools/chart-package.sh DIRECTORY}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r deploy/chart/sgx-quote-helper "$copy"
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
find "$copy" -exec touch --date="@$time" {} +
tools/helm.sh package "$copy/sgx-quote-helper" --destination "$directory"
