"""Holds the dashboard and the alerts of deploy/monitoring against what a service shows.

    check.py METRICS PARSED

METRICS is an answer to /metrics: it must be OpenMetrics to the letter. The queries of the dashboard are written to
PARSED as rules, for promtool to parse. A query that names a metric that is not in METRICS is an error.
"""

import json
import pathlib
import re
import sys

import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

MONITORING = pathlib.Path(__file__).parents[2] / "deploy/monitoring"
# What Grafana puts in the place of its variables, or something like it.
VARIABLES = {"$__rate_interval": "5m", "$job": ".*", "$instance": ".*"}


def shown(metrics):
    """The names of all series, after a parser that forgives nothing has read them."""
    series = {"up"}
    for family in text_string_to_metric_families(metrics):
        series.update(sample.name for sample in family.samples)
    return series


def queries_of_rules():
    rules = yaml.safe_load((MONITORING / "prometheus-rules.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def queries_of_dashboard():
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            (query,) = re.findall(r"^label_values\((.*), \w+\)$", variable["definition"])
            yield variable["name"], with_values(query)
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], with_values(target["expr"])


def with_values(query):
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    return query


def main(metrics, parsed):
    series = shown(pathlib.Path(metrics).read_text())
    dashboard = list(queries_of_dashboard())
    unknown = [
        f"{title}: {name}"
        for title, query in [*queries_of_rules(), *dashboard]
        for name in re.findall(r"\b(?:quote_helper_\w+|up)\b", query)
        if name not in series
    ]
    if unknown:
        sys.exit("no service shows these:\n" + "\n".join(unknown))
    rules = [{"record": "parsed", "expr": query, "labels": {"n": str(n)}} for n, (_, query) in enumerate(dashboard)]
    groups = {"groups": [{"name": "dashboard", "rules": rules}]}
    pathlib.Path(parsed).write_text(yaml.safe_dump(groups))
    print(f"{len(series)} series, {len(dashboard)} queries of the dashboard")


main(*sys.argv[1:])
