"""Sends each query of the dashboard to a real Prometheus, for idle and busy servers.

    check.py QUOTE-HELPER

Prometheus scrapes a quote service and a PCCS each second. Each query has to have a value where its
series exist, and none may be NaN. At work all series of the queries and of the alerts exist. Alert
rules have to be evaluated without an error, and what the servers show has to be OpenMetrics to the
letter, and the same in the text format of Prometheus for clients that do not ask for it.
"""

import contextlib
import json
import math
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

from queries import MONITORING, queries_of_dashboard, queries_of_rules

# Replaces Grafana's $__rate_interval: several scrapes.
WINDOW = "20s"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


def ports(number):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def get(url, accept="*/*"):
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def types(parser, metrics):
    """Types of all samples by name. The OpenMetrics parser is strict."""
    families = parser.text_string_to_metric_families(metrics)
    # Prometheus' text format has no such types and calls them gauges.
    gauges = {"info": "gauge", "stateset": "gauge"}
    return {
        sample.name: gauges.get(family.type, family.type)
        for family in families
        for sample in family.samples
    }


def differences(port):
    """Differences between the two formats of a server's metrics."""
    url = f"http://127.0.0.1:{port}/metrics"
    both = types(openmetrics, get(url, OPEN_METRICS)), types(prometheus, get(url))
    return [f"the formats differ: {difference}" for difference in both[0].items() ^ both[1].items()]


def series(query):
    """The series that a query selects."""
    return re.findall(r"\b(?:quote_helper_\w+|up)\b(?:{[^}]*})?", query)


def wait_for(url):
    for _ in range(300):
        with contextlib.suppress(OSError):
            return get(url)
        time.sleep(0.1)
    sys.exit(f"nobody answers at {url}")


class Prometheus:
    def __init__(self, url):
        self.url = url

    def query(self, query):
        query = urllib.parse.urlencode({"query": query.replace("[5m]", f"[{WINDOW}]")})
        return json.loads(get(f"{self.url}/api/v1/query?{query}"))["data"]["result"]

    def has(self, series):
        return bool(self.query(f"last_over_time({series}[1m])"))

    def problems(self, is_busy):
        """Faults of the queries at this moment."""
        for title, query in queries_of_dashboard():
            result = self.query(query)
            if any(math.isnan(float(sample["value"][1])) for sample in result):
                yield f"{title}: NaN: {query}"
            # A filtered series has no value at rest, rather than NaN.
            is_filtered = re.search(r">=? 0\b", query) and not is_busy
            if not result and not is_filtered and all(map(self.has, series(query))):
                yield f"{title}: empty: {query}"

    def unknown(self):
        """Series that no panel shows."""
        for title, query in [*queries_of_dashboard(), *queries_of_rules()]:
            names = (selected.split("{")[0] for selected in series(query))
            yield from (f"{title}: nobody shows {name}" for name in names if not self.has(name))

    def rule_errors(self):
        groups = json.loads(get(f"{self.url}/api/v1/rules"))["data"]["groups"]
        for rule in (rule for group in groups for rule in group["rules"]):
            if rule["health"] != "ok":
                yield f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}"


def configuration(service, pccs):
    jobs = [("quote-helper", service), ("sgx-pccs", pccs)]
    scrapes = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        for job, port in jobs
    ]
    return json.dumps({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "scrape_configs": scrapes,
        "rule_files": [str(MONITORING / "prometheus-rules.yaml")],
    })


def main(program):
    program = str(pathlib.Path(program).resolve())
    service, collateral, pccs, pccs_metrics, prometheus = ports(5)
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:

        def start(*command):
            log = stack.enter_context(open(f"{directory}/{len(command)}.log", "w"))
            process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            return process

        def run(*arguments):
            subprocess.run([program, *arguments], cwd=directory, check=False, capture_output=True)

        settings = pathlib.Path(directory) / "prometheus.yml"
        settings.write_text(configuration(service, pccs_metrics))
        served = start(
            program, "serve", "--platform", "software", "--isolate", "--workers", "2",
            "--max-queued-quotes", "1", "--socket", "aesm.socket", "--state-dir", "state",
            "--certification-data", "encrypted-ppid",
            "--collateral-listen", f"127.0.0.1:{collateral}",
            "--metrics-listen", f"127.0.0.1:{service}",
        )
        wait_for(f"http://127.0.0.1:{service}/readyz")
        start("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
              f"--web.listen-address=127.0.0.1:{prometheus}")
        wait_for(f"http://127.0.0.1:{prometheus}/-/ready")
        asked = Prometheus(f"http://127.0.0.1:{prometheus}")
        time.sleep(8)
        problems = [f"idle, no PCCS: {problem}" for problem in asked.problems(is_busy=False)]

        run("platform", "root", "--state-dir", "state", "--out", "root.pem")
        run("quote", "--socket", "aesm.socket", "--report-data", "01", "--out", "q.bin")
        serve_collateral = (
            program, "collateral", "serve", "--listen", f"127.0.0.1:{pccs}",
            "--state-dir", "pccs", "--metrics-listen", f"127.0.0.1:{pccs_metrics}",
            "--trusted-root", "root.pem", "--source", f"http://127.0.0.1:{collateral}",
        )
        first = start(*serve_collateral)
        wait_for(f"http://127.0.0.1:{pccs_metrics}/livez")
        time.sleep(5)
        problems += [f"idle: {problem}" for problem in asked.problems(is_busy=False)]

        def fetch(number, *more):
            run("collateral", "fetch", "--quote", "q.bin", *more, "--cache-dir", f"cache{number}",
                "--trusted-root", "root.pem", "--source", f"http://127.0.0.1:{pccs}")

        # The server inspects its cache at the start, and then every ten minutes.
        fetch(0)
        first.terminate()
        first.wait()
        start(*serve_collateral)
        wait_for(f"http://127.0.0.1:{pccs_metrics}/livez")
        # Each makes the PCCS fetch more from its source.
        for number, more in enumerate([[], ["--tdx"], ["--early"], ["--early", "--tdx"]], start=1):
            run("load", "--socket", "aesm.socket", "--clients", "32", "--duration", "2s")
            fetch(number, *more)
        served.send_signal(signal.SIGHUP)
        time.sleep(3)
        problems += [f"busy: {problem}" for problem in asked.problems(is_busy=True)]
        problems += asked.rule_errors()
        problems += asked.unknown()
        problems += [problem for port in (service, pccs_metrics) for problem in differences(port)]
        if problems:
            sys.exit("\n".join(problems))
    print(f"{len(list(queries_of_dashboard()))} queries are good, at rest and at work")


main(*sys.argv[1:])
