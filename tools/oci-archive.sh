#!/usr/bin/env bash
# Writes a container image as an archive of an OCI image layout, without a container engine and
# without root. Each DIRECTORY becomes a layer, whose files belong to root. The same content and
# SOURCE_DATE_EPOCH (default: 0) give the same bytes. OPTIONs are those of `umoci config`.
# usage: tools/oci-archive.sh NAME:TAG ARCHIVE DIRECTORY... [-- OPTION...]
set -euo pipefail

usage='usage: tools/oci-archive.sh NAME:TAG ARCHIVE DIRECTORY... [-- OPTION...]'
name=${1:?$usage} archive=${2:?$usage}
shift 2
directories=()
while (($# > 0)) && [[ $1 != -- ]]; do
    directories+=("$1")
    shift
done
((${#directories[@]} > 0)) || { echo "$usage" >&2; exit 2; }
options=("${@:2}")
"$(dirname "${BASH_SOURCE[0]}")/install-missing.sh" umoci=umoci jq=jq

export LC_ALL=C TZ=UTC
epoch=${SOURCE_DATE_EPOCH:-0}
created=$(date --date="@$epoch" +%Y-%m-%dT%H:%M:%SZ)
tag=${name##*:}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
layout=$work/layout image=$work/layout:$tag

# pack DIRECTORY: prints a tar archive that depends on content alone.
pack() {
    tar --directory "$1" --create --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
        --mtime="@$epoch" .
}

umoci init --layout "$layout"
umoci new --image "$image"
for directory in "${directories[@]}"; do
    pack "$directory" >"$work/layer.tar"
    umoci raw add-layer --image "$image" --history.created "$created" \
        --history.created_by "$(basename "${BASH_SOURCE[0]}")" "$work/layer.tar"
done
umoci config --image "$image" --no-history --created "$created" --author '' \
    --architecture amd64 --os linux "${options[@]}" \
    --config.env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umoci gc --layout "$layout"
# containerd gives the image this name, which OCI's own annotation, the tag, does not have.
[[ $name == */* ]] || name=docker.io/library/$name
jq --compact-output --arg name "$name" \
    '.manifests[0].annotations["io.containerd.image.name"] = $name' "$layout/index.json" \
    >"$work/index.json"
mv "$work/index.json" "$layout/index.json"
chmod --recursive go+rX "$layout"
pack "$layout" >"$archive"
