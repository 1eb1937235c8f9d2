# The steps of CI, each with the promise that it keeps. `just` alone lists them.

set shell := ["bash", "-euo", "pipefail", "-c"]

# The scripts of a Kubernetes test cluster of one node: up, down and load-image.
testbed := "../shared/cluster"

# The profile of what is installed: `just profile=dev install` is quick to build.
profile := "dist"

[private]
default:
    @just --list

# Everything that is quick: what a change must pass.
ci: fmt deny clippy test doc crypto-build

# The README's commands work as a new user types them: both of "Try it", and those of "By hand".
readme:
    tools/readme.sh try-it
    tools/readme.sh by-hand

# The commands of "Developing on a laptop" work, too: with what `readme` has built.
laptop: readme
    tools/laptop.sh "${CARGO_TARGET_DIR:-target}/release"

# Everything works, with no network, no root, no SGX and no protoc.
test:
    cargo test --workspace

# One layout of the code.
fmt:
    cargo fmt --all --check

# No panic is reachable from input, no unsafe code but where C is spoken, no known bad habit.
clippy:
    cargo clippy --workspace --all-targets -- --deny warnings

# Every public item is documented, and every link in the documentation leads somewhere.
doc:
    RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps

# Only licences that fit ours, only crates.io, nothing that needs more than gcc to build.
deny:
    cargo deny check --hide-inclusion-graph bans licenses sources

# No dependency has a known vulnerability. Fetches the database of advisories.
advisories:
    cargo deny check advisories

# The crypto library builds with a C compiler and binutils: no cmake, nasm, perl or go.
crypto-build:
    #!/usr/bin/env bash
    set -euo pipefail
    alone=$(mktemp -d)
    trap 'rm -rf "$alone"' EXIT
    mkdir "$alone/bin"
    for tool in cc ar as ld; do
        ln -s "$(command -v "$tool")" "$alone/bin/$tool"
    done
    ln -s "$(rustc --print sysroot)"/bin/{cargo,rustc} "$alone/bin/"
    cargo fetch --locked --target x86_64-unknown-linux-gnu
    env -i HOME="$HOME" CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" PATH="$alone/bin" \
        cargo build --offline --package aws-lc-rs --target-dir "$alone/target"

# No input makes a parser panic, hang or eat memory, as far as a short run of each target can tell.
fuzz-smoke seconds="10":
    #!/usr/bin/env bash
    set -euo pipefail
    for target in $(tools/cargo-fuzz list); do
        echo "fuzzing $target for {{ seconds }} s"
        found="fuzz/target/found/$target"
        mkdir -p "$found" "fuzz/corpus/$target"
        tools/cargo-fuzz run "$target" "$found" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
            -max_total_time={{ seconds }} -timeout=60 -rss_limit_mb=512 -verbosity=0 -print_final_stats=1 \
            2>&1 | grep --invert-match '# Uses: '
    done

# How much of the parsers the corpora reach: functions, and edges of the control flow. Needs llvm-symbolizer.
fuzz-coverage:
    #!/usr/bin/env bash
    set -euo pipefail
    for target in $(tools/cargo-fuzz list); do
        echo "$target"
        tools/cargo-fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- -runs=0 -print_coverage=1 2>&1 |
            sed -nE 's|^(UN)?COVERED_FUNC: hits: ([0-9]+) edges: ([0-9]+)/([0-9]+) .*/crates/([^:]+):.*|\2 \3 \4 \5|p' |
            awk '{ reached[$4] += $1 > 0; functions[$4]++; taken[$4] += $2; edges[$4] += $3 }
                 END { for (file in edges) if (reached[file])
                     printf "  %-48s %3d of %3d functions, %4d of %4d edges\n",
                         file, reached[file], functions[file], taken[file], edges[file] }' | sort
    done

# Only what adds to what the corpora reach stays in them; with it goes what `fuzz-smoke` has found.
fuzz-minimize:
    #!/usr/bin/env bash
    set -euo pipefail
    for target in $(tools/cargo-fuzz list); do
        smallest="fuzz/target/smallest/$target"
        rm -rf "$smallest"
        mkdir -p "$smallest" "fuzz/corpus/$target" "fuzz/target/found/$target"
        tools/cargo-fuzz run "$target" "$smallest" "fuzz/corpus/$target" "fuzz/target/found/$target" "fuzz/seeds/$target" -- \
            -set_cover_merge=1
        rm -rf "fuzz/corpus/$target" "fuzz/target/found/$target"
        mv "$smallest" "fuzz/corpus/$target"
    done

# Whatever goes wrong around the service, its applications see what docs/service-faults.md says. Some faults need root.
faults *kinds:
    #!/usr/bin/env bash
    set -euo pipefail
    own_mounts=()
    if [ "$(id --user)" = 0 ]; then
        own_mounts=(unshare --mount --propagation private env OWN_MOUNTS=1)
    fi
    "${own_mounts[@]}" cargo test --package quote-helper --test faults -- --ignored --test-threads=1 --nocapture \
        --skip never_down --skip soak {{ kinds }}

# Applications that are asking all the time lose no quote by upgrades, reloads and kills, a hundred of each.
never-down:
    cargo test --package quote-helper --test faults -- --ignored --nocapture never_down

# At half of what the service can do it does not grow, and no quote fails.
soak minutes="30" *arguments:
    SOAK_MINUTES={{ minutes }} SOAK_ARGUMENTS={{ quote(arguments) }} \
        cargo test --release --package quote-helper --test faults -- --ignored --nocapture soak

# A real cluster does what the add-on and the device plugin promise. Needs root; the cluster lasts as long as the test.
cluster-test:
    #!/usr/bin/env bash
    set -euo pipefail
    KUBE_TESTBED=$(realpath {{ quote(testbed) }})
    trap '"$KUBE_TESTBED/down"' EXIT
    KUBECONFIG=$("$KUBE_TESTBED/up" | tail -n 1)
    KUBE_RUN=$(dirname "$KUBECONFIG")
    PATH=${KUBE_CACHE:-/var/cache/kube-testbed}/path:$PATH
    export KUBE_TESTBED KUBECONFIG KUBE_RUN
    for version in 0.1.0 next; do
        just testbed="$KUBE_TESTBED" cluster-image "$version" dev
    done
    cargo test --package quote-helper --test cluster -- --ignored --test-threads=1 --nocapture

# The installed units do what docs/systemd.md says, under a real systemd in namespaces. Needs root.
systemd-test:
    #!/usr/bin/env bash
    set -euo pipefail
    if [ ! -x /lib/systemd/systemd ]; then
        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends systemd
    fi
    target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
    # One by one, as other tests have built them.
    for package in quote-helper libsgx-quote-ex libsgx-dcap-ql libdcap-quoteprov; do
        cargo build --locked --package "$package"
    done
    rm -rf "$target/systemd-test"
    DESTDIR="$target/systemd-test" tools/install.sh /usr/local "$target/debug"
    INSTALLED="$target/systemd-test/usr/local" cargo test --package quote-helper --test systemd -- --ignored --test-threads=1

# The container images, by docker or podman: the service, its variant for SGX hardware, the sample application.
image version="0.1.0":
    #!/usr/bin/env bash
    set -euo pipefail
    engine=$(command -v docker || command -v podman) || { echo "there is neither docker nor podman" >&2; exit 1; }
    revision=$(git rev-parse HEAD)
    for target in quote-helper quote-helper-sgx remote-attestation; do
        "$engine" build --file deploy/image/Dockerfile --target "$target" --tag "sgx-$target:{{ version }}" \
            --build-arg VERSION={{ quote(version) }} --build-arg REVISION="$revision" .
    done

# Two of these images without an engine, for the test cluster, which must be up.
cluster-image version="0.1.0" profile="dist":
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --locked --profile {{ profile }} --package quote-helper --package remote-attestation
    directory={{ if profile == "dev" { "debug" } else { profile } }}
    image=$(mktemp -d)
    trap 'rm -rf "$image"' EXIT
    mkdir "$image/root"
    declare -A user=([quote-helper]=61100 [remote-attestation]=65532)
    for program in quote-helper remote-attestation; do
        strip -o "$image/$program" "${CARGO_TARGET_DIR:-target}/$directory/$program"
        {{ quote(testbed) }}/load-image "sgx-$program:{{ version }}" "$image/root" \
            --user "${user[$program]}:${user[$program]}" \
            --entrypoint "/usr/bin/$program" --add "$image/$program:/usr/bin/$program"
    done

# Metrics are OpenMetrics to the letter, alerts fire when they must, and each query of the dashboard has a value in a real
# Prometheus, at rest and at work.
monitoring:
    #!/usr/bin/env bash
    set -euo pipefail
    if ! command -v promtool > /dev/null && [ "$(id -u)" = 0 ]; then
        apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends prometheus
    fi
    target="${CARGO_TARGET_DIR:-target}/monitoring"
    mkdir -p "$target"
    [ -d "$target/python" ] ||
        python3 -m pip install --quiet --target "$target/python" prometheus-client==0.26.0 pyyaml==6.0.3
    cargo build --package quote-helper
    PYTHONPATH="$target/python" python3 tools/monitoring/check.py "${CARGO_TARGET_DIR:-target}/debug/quote-helper"
    promtool check rules deploy/monitoring/prometheus-rules.yaml
    promtool test rules deploy/monitoring/prometheus-rules-test.yaml

# The figures of SPECIFICATION.md, as ratios within one run.
bench:
    cargo bench --package quote-helper

# The C headers, written anew after a change of the exported functions.
headers:
    WRITE_HEADERS=1 cargo test --package libsgx-quote-ex --package libsgx-dcap-ql --package libdcap-quoteprov \
        header_is_up_to_date

# The JSON Schemas of results, written anew after a change of a type.
schemas:
    WRITE_SCHEMAS=1 cargo test --workspace --bin quote-helper schemas_are_up_to_date

# The gRPC code, written anew after a change of the .proto files.
generate:
    WRITE_GENERATED=1 cargo test --package kubernetes --test generated

# The add-on in YAML, written anew after a change of it.
manifests:
    cargo run --package quote-helper -- manifests > deploy/sgx-device-plugin.yaml
    cargo run --package quote-helper -- manifests --enable-sgxquotehelper > deploy/sgx-quote-helper.yaml

# An archive of what `install` installs below /usr, the same bytes wherever it is built with the same tools.
release:
    #!/usr/bin/env bash
    set -euo pipefail
    version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
    dist=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/distrib
    name=sgx-quote-helper-$version-x86_64-linux
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' EXIT
    export TZ=UTC LC_ALL=C SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
    export CARGO_TARGET_DIR=$dist/build
    # No path of this machine stays in what is built. The last one that fits counts.
    places=("$PWD=/src" "$CARGO_TARGET_DIR=/target" "${CARGO_HOME:-$HOME/.cargo}=/cargo" "$(rustc --print sysroot)=/rust")
    export RUSTFLAGS="${places[*]/#/--remap-path-prefix=} -C link-arg=-Wl,--build-id=none -C strip=symbols"
    export CFLAGS="${places[*]/#/-ffile-prefix-map=}"
    umask 022
    DESTDIR=$stage just install /usr
    tar --directory "$stage" --create --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
        --mtime="@$SOURCE_DATE_EPOCH" usr | gzip --no-name --best > "$dist/$name.tar.gz"
    { rustc --version --verbose; cc --version | head -1; ld --version | head -1; echo "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH"; } \
        > "$dist/$name.tools"
    cd "$dist"
    sha256sum "$name.tar.gz" | tee "$name.sha256"

# A bill of materials of each thing that is shipped, CycloneDX in JSON, below target/distrib.
sbom:
    #!/usr/bin/env bash
    set -euo pipefail
    tools=${XDG_CACHE_HOME:-$HOME/.cache}/sgx-quote-helper/ci-tools
    cargo install --quiet --locked --profile dev --root "$tools" cargo-cyclonedx@0.5.9
    dist=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/distrib
    mkdir -p "$dist"
    export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
    # It writes beside each manifest, those of the other members of the workspace included.
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    tar --create --exclude=./target --exclude=./.git . | tar --extract --directory "$copy"
    cd "$copy"
    "$tools/bin/cargo-cyclonedx" cyclonedx --format json --spec-version 1.5 --no-build-deps \
        --target x86_64-unknown-linux-gnu --override-filename sbom
    for package in quote-helper libsgx-quote-ex libsgx-dcap-ql libdcap-quoteprov; do
        sed "s|file://$copy/|file:///src/|g" "crates/$package/sbom.json" > "$dist/$package.cdx.json"
        echo "$dist/$package.cdx.json"
    done

# The binary, the C libraries, units for systemd and what goes with them, below a prefix; DESTDIR is put before it.
install prefix="/usr/local":
    cargo build --locked --profile {{ profile }} --package quote-helper --package libsgx-quote-ex \
        --package libsgx-dcap-ql --package libdcap-quoteprov
    tools/install.sh {{ quote(prefix) }} "${CARGO_TARGET_DIR:-target}/{{ if profile == "dev" { "debug" } else { profile } }}"

# Removes what `install` installs; configuration and state stay.
uninstall prefix="/usr/local":
    #!/usr/bin/env bash
    set -euo pipefail
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' EXIT
    DESTDIR=$stage just profile={{ profile }} install {{ quote(prefix) }}
    find "$stage" ! -type d -printf '%P\0' | (cd "${DESTDIR:-}/" && xargs --null rm --force)
