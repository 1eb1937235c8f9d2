#!/usr/bin/env bash
# Verifies the files of a release, offline: their checksums, that no other file is there, and with
# PUBLIC_KEY, a file of minisign, the signature of the checksums.
# usage: tools/verify-release.sh DIRECTORY [PUBLIC_KEY]
set -euo pipefail

usage='usage: tools/verify-release.sh DIRECTORY [PUBLIC_KEY]'
directory=${1:?$usage}
if (($# > 1)); then
    minisign -Vm "$directory/SHA256SUMS" -p "$2"
else
    echo "without a public key the signature is not verified" >&2
fi
cd "$directory"
sha256sum --check --strict --quiet SHA256SUMS
others=$(find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.minisig -printf '%P\n' |
    grep --invert-match --line-regexp --fixed-strings --file=<(sed 's/^[^ ]* [ *]//' SHA256SUMS)) ||
    true
[[ -z $others ]] || { echo "SHA256SUMS does not list: $others" >&2; exit 1; }
echo "all $(wc -l <SHA256SUMS) files are those of SHA256SUMS"
