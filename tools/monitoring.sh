#!/usr/bin/env bash
# Checks the metrics with an OpenMetrics parser, the queries of the dashboard against a Prometheus,
# and the alerts with promtool.
# usage: tools/monitoring.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/install-missing.sh promtool=prometheus
target=${CARGO_TARGET_DIR:-target}
python=$target/monitoring/python
[[ -d $python ]] ||
    python3 -m pip install --quiet --target "$python" prometheus-client==0.26.0 pyyaml==6.0.3
cargo build --package quote-helper
PYTHONPATH=$python python3 tools/monitoring/check.py "$target/debug/quote-helper"
promtool check rules deploy/monitoring/prometheus-rules.yaml
promtool test rules deploy/monitoring/prometheus-rules-test.yaml
