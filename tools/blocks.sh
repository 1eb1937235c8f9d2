# Functions for scripts that run the code blocks of a Markdown page as a reader would type them.
# shellcheck shell=bash

# block FILE HEADING N: prints the N-th code block below this heading of the second level.
block() {
    local found
    found=$(awk -v heading="## $2" -v wanted="$3" '
        !fenced && /^## / { inside = $0 == heading }
        inside && /^```/ { fenced = !fenced; blocks += fenced; next }
        inside && fenced && blocks == wanted' "$1")
    [[ -n $found ]] || { echo "$1 has no block $3 below \"$2\"" >&2; return 1; }
    printf '%s\n' "$found"
}

# free_port: prints a free TCP port.
free_port() {
    python3 -c 'import socket
print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
}

# must_end WORD CODE: changes the commands on standard input so that those followed by "# WORD" must
# exit with this code.
must_end() {
    printf '%s() { "$@" && return 1 || [ $? = %s ]; }\n' "$1" "$2"
    sed -E "s/^((.*=[^ ]+ )*)([^ ].*[^ ]) +# $1.*/\1 $1 \3/"
}
