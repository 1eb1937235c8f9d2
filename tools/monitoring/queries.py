"""The queries of the dashboard and of the alerts of deploy/monitoring."""

import json
import pathlib
import re

import yaml

MONITORING = pathlib.Path(__file__).parents[2] / "deploy/monitoring"
# What Grafana puts in the place of its variables, or something like it.
VARIABLES = {"$__rate_interval": "5m", "$job": ".*", "$instance": ".*", "$pccs": ".*"}


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
