# The steps of CI, each with the promise that it keeps. `just` alone lists them.

set shell := ["bash", "-euo", "pipefail", "-c"]

# The profile of what `install` installs: `just profile=dev install` is quick to build.
profile := "dist"

# The version of this tree, which Cargo.toml has.
version := `tools/version.sh`

[private]
default:
    @just --list

# Every quick step: a change must pass these.
ci: fmt deny clippy test doc crypto-build rust-version

# The README's commands work as a new user types them, up to a quote that is verified.
readme:
    tools/readme.sh try-it
    tools/readme.sh by-hand

# The commands of docs/laptop.md work with the programs that `readme` has built.
laptop: readme
    tools/laptop.sh "${CARGO_TARGET_DIR:-target}/release"

# Everything works with no network, no root, no SGX and no protoc.
test:
    cargo test --workspace

# One layout of the code.
fmt:
    cargo fmt --all --check

# No panic is reachable from input, no unsafe code outside the FFI files, no known bad habit.
clippy:
    cargo clippy --workspace --all-targets -- --deny warnings

# Every public item is documented, and no link of the documentation is broken.
doc:
    RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps

# All licences are compatible, all crates come from crates.io, none needs more than gcc to build.
deny:
    cargo deny check --hide-inclusion-graph bans licenses sources

# No dependency has a known vulnerability. Fetches the advisory database.
advisories:
    cargo deny check advisories

# The crypto library builds with a C compiler and binutils: no cmake, nasm, perl or go.
crypto-build:
    tools/crypto-build.sh

# `rust-version` is true: for the dependencies, and for the build if that toolchain is installed.
rust-version:
    tools/rust-version.sh

# No input makes a parser panic, hang or exhaust memory, within a short run of each target.
fuzz-smoke seconds="10":
    tools/fuzz.sh smoke {{ seconds }}

# Functions and edges of the parsers that the fuzz corpora reach. Needs llvm-symbolizer.
fuzz-coverage:
    tools/fuzz.sh coverage

# Takes new inputs of `fuzz-smoke` into the corpora, and minimizes them.
fuzz-minimize:
    tools/fuzz.sh minimize

# Applications see what docs/service-faults.md says of each fault. Some faults need root.
faults *kinds:
    #!/usr/bin/env bash
    set -euo pipefail
    own_mounts=()
    if [ "$(id --user)" = 0 ]; then
        own_mounts=(unshare --mount --propagation private env OWN_MOUNTS=1)
    fi
    "${own_mounts[@]}" cargo test --package quote-helper --test faults -- \
        --ignored --test-threads=1 --nocapture \
        --skip never_down --skip previous_release --skip soak {{ kinds }}

# A hundred upgrades, reloads and kills lose no quote of applications that ask all the time.
never-down:
    cargo test --package quote-helper --test faults -- --ignored --nocapture never_down

# At half of its capacity the service does not grow, and no quote fails.
soak minutes="30" *arguments:
    SOAK_MINUTES={{ minutes }} SOAK_ARGUMENTS={{ quote(arguments) }} \
        cargo test --release --package quote-helper --test faults -- --ignored --nocapture soak

# The add-on and the device plugin keep their promises on a real cluster: that of KUBECONFIG with
# the images IMAGE, NEXT_IMAGE and SAMPLE_IMAGE, or a test cluster of its own, which needs root.
cluster-test *tests:
    tools/cluster-test.sh {{ tests }}

# The same on a test cluster of the oldest release that is supported.
cluster-test-oldest *tests:
    TEST_CLUSTER_KUBERNETES=1.35 tools/cluster-test.sh {{ tests }}

# The installed units do what docs/systemd.md says, under a real systemd. Needs root.
systemd-test:
    tools/systemd-test.sh

# The Debian packages are clean, and install, upgrade and purge as docs/debian.md says. Needs root.
packages-test:
    #!/usr/bin/env bash
    set -euo pipefail
    for package in quote-helper libsgx-quote-ex libsgx-dcap-ql libdcap-quoteprov \
        libsgx-dcap-quoteverify; do
        cargo build --locked --package "$package"
    done
    tools/packages-test.sh "${CARGO_TARGET_DIR:-target}/debug"

# Metrics are valid OpenMetrics, alerts fire, and each query of the dashboard has a value.
monitoring:
    tools/monitoring.sh

# Upgrades from the release before, and downgrades to it, lose no quote and no state.
upgrade-test:
    tools/upgrade-test.sh

# Records the interfaces and the state of this version, which later versions must keep.
record-release:
    tools/record-release.sh

# Builds the container images, or only the named ones, with docker, podman or buildah.
image *targets:
    tools/image.sh {{ targets }}

# Builds the images of the service and of the sample as OCI archives, without an engine.
oci-images output="target/distrib":
    tools/oci-images.sh {{ quote(output) }}

# OCI archives are reproducible, and have the size, files, users and packages that are documented.
image-test:
    tools/image-test.sh

# The Dockerfile builds with buildah, on the same base and with existing binaries. Needs root.
image-engine-test:
    tools/image-engine-test.sh

# Builds these images and loads them into the test cluster, which must be up.
cluster-image *versions:
    tools/cluster-image.sh {{ versions }}

# The verdicts on 100,000 changed inputs are those of the crate dcap-qvl.
differential:
    cargo test --package verify --test suite -- --ignored authority

# Intel's Rust crate, unmodified, verifies through our verification library. Needs libclang.
intel-verifier:
    cargo fmt --check --manifest-path tools/intel-verifier/Cargo.toml
    tools/intel-verifier.sh

# The figures of SPECIFICATION.md, as ratios within one run.
bench:
    cargo bench --package quote-helper --package verify --package libsgx-dcap-quoteverify

# Writes the C headers anew, after a change of the exported functions.
headers:
    WRITE_HEADERS=1 cargo test --package libsgx-quote-ex --package libsgx-dcap-ql \
        --package libdcap-quoteprov --package libsgx-dcap-quoteverify header_is_up_to_date

# Writes the JSON Schemas of results anew, after a change of a type.
schemas:
    WRITE_SCHEMAS=1 cargo test --workspace --bin quote-helper schemas_are_up_to_date

# Writes the gRPC code anew, after a change of the .proto files.
generate:
    WRITE_GENERATED=1 cargo test --package kubernetes --test suite generated

# Writes the add-on's YAML anew, after a change of the manifests.
manifests:
    cargo run --package quote-helper -- manifests > deploy/sgx-device-plugin.yaml
    cargo run --package quote-helper -- manifests --enable-sgxquotehelper \
        > deploy/sgx-quote-helper.yaml
    cargo run --package quote-helper -- manifests --installer-role > deploy/installer-role.yaml

# Writes the Helm chart's values, schema and copies anew, after a change of the options.
chart:
    WRITE_CHART=1 cargo test --workspace --bin quote-helper chart_is_up_to_date

# The Helm chart makes the objects that `manifests` prints, and Helm finds no fault with it.
chart-test:
    tools/helm.sh version --short
    cargo test --package quote-helper --test chart -- --ignored

# Packs the Helm chart, for `helm push`.
chart-package directory=".":
    tools/chart-package.sh {{ quote(directory) }}

# Makes a release in target/distrib/VERSION, from the binaries of DIST if set. MINISIGN_KEY signs.
release:
    rm -rf "${CARGO_TARGET_DIR:-target}/distrib/{{ version }}"
    tools/release.sh "${CARGO_TARGET_DIR:-target}/distrib/{{ version }}"

# A second release has the same bytes; changed, missing and additional files are refused.
release-test:
    tools/release-test.sh

# Writes a bill of materials (CycloneDX, JSON) for everything that is shipped.
sbom output="target/distrib":
    tools/sbom.sh {{ quote(output) }}

# Installs the program, the C libraries and the systemd units below a prefix, after DESTDIR.
install prefix="/usr/local":
    cargo build --locked --profile {{ profile }} --package quote-helper --package libsgx-quote-ex \
        --package libsgx-dcap-ql --package libdcap-quoteprov --package libsgx-dcap-quoteverify
    tools/install.sh {{ quote(prefix) }} \
        "${CARGO_TARGET_DIR:-target}/{{ if profile == "dev" { "debug" } else { profile } }}"

# Removes what `install` installs; configuration and state stay.
uninstall prefix="/usr/local":
    #!/usr/bin/env bash
    set -euo pipefail
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' EXIT
    DESTDIR=$stage just profile={{ profile }} install {{ quote(prefix) }}
    find "$stage" ! -type d -printf '%P\0' | (cd "${DESTDIR:-}/" && xargs --null rm --force)
