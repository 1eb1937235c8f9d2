#!/usr/bin/env bash
# Runs all fuzz targets.
#
#   tools/fuzz.sh smoke SECONDS   fuzzes each target; fails at a crash, a hang or a leak
#   tools/fuzz.sh coverage        prints the functions and edges that the corpora reach, for each
#                                 source file; needs llvm-symbolizer
#   tools/fuzz.sh minimize        takes new inputs of `smoke` into the corpora, and keeps of each
#                                 the 100 inputs that reach most edges; fuzzing finds the rest
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
usage='usage: tools/fuzz.sh smoke SECONDS | coverage | minimize'

# run TARGET [DIRECTORY...] -- OPTION...: runs the target; new inputs go to the first directory.
run() {
    tools/cargo-fuzz run "$@"
}

smoke() {
    local found="fuzz/target/found/$1"
    echo "fuzzing $1 for $seconds s"
    mkdir -p "$found"
    run "$1" "$found" "fuzz/corpus/$1" "fuzz/seeds/$1" -- -max_total_time="$seconds" \
        -timeout=60 -rss_limit_mb=512 -verbosity=0 -print_final_stats=1 2>&1 |
        grep --invert-match '# Uses: '
}

coverage() {
    echo "$1"
    local covered='^(UN)?COVERED_FUNC: hits: ([0-9]+) edges: ([0-9]+)/([0-9]+) .*/crates/([^:]+):.*'
    run "$1" "fuzz/corpus/$1" "fuzz/seeds/$1" -- -runs=0 -print_coverage=1 2>&1 |
        sed -nE "s|$covered|\2 \3 \4 \5|p" |
        awk '{ reached[$4] += $1 > 0; functions[$4]++; taken[$4] += $2; edges[$4] += $3 }
             END { for (file in edges) if (reached[file])
                 printf "  %-48s %3d of %3d functions, %4d of %4d edges\n",
                     file, reached[file], functions[file], taken[file], edges[file] }' | sort
}

# The merge writes the input that adds most edges first.
minimize() {
    local smallest="fuzz/target/smallest/$1"
    rm -rf "$smallest"
    mkdir -p "$smallest" "fuzz/target/found/$1"
    run "$1" "$smallest" "fuzz/corpus/$1" "fuzz/target/found/$1" "fuzz/seeds/$1" -- \
        -set_cover_merge=1 -use_counters=0
    (cd "$smallest" && find . -type f -printf '%T@ %P\n' | sort -n | tail -n +101 |
        cut -d ' ' -f 2 | xargs --no-run-if-empty rm)
    rm -rf "fuzz/corpus/$1" "fuzz/target/found/$1"
    mv "$smallest" "fuzz/corpus/$1"
}

case ${1:-} in
smoke) seconds=${2:?$usage} ;;
coverage | minimize) ;;
*) echo "$usage" >&2; exit 2 ;;
esac
for target in $(tools/cargo-fuzz list); do
    mkdir -p "fuzz/corpus/$target"
    "$1" "$target"
done
