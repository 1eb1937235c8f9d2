#!/usr/bin/env bash
# Installs the Debian packages of commands and libraries that the machine lacks. Without root or apt
# it names them. A command can be a path.
# usage: tools/install-missing.sh COMMAND=PACKAGE... [LIBRARY.so.N=PACKAGE...]
set -euo pipefail

is_here() {
    case $1 in
    *.so.*) ldconfig -p | grep --quiet "$1" ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

missing=()
for pair in "${@:?usage: tools/install-missing.sh COMMAND=PACKAGE...}"; do
    is_here "${pair%=*}" || missing+=("${pair#*=}")
done
((${#missing[@]} > 0)) || exit 0
if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    echo "this needs the Debian packages ${missing[*]}; install them first" >&2
    exit 1
fi
# One at a time: apt-get does not wait for another that reads the lists.
exec 9</var/lib/apt/lists
flock 9
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install --yes \
    --no-install-recommends -qq "${missing[@]}" >&2
