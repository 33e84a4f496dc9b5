"""What alerts and dashboards ask for is what the city measures, label by label; and an alarm's condition is met when it
should be. Promtool says whether an expression is one; nobody but us knows whether its names mean anything."""

import ast
import datetime as dt
import json
import operator
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings as site
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from commons.devices import services
from commons.devices.services import heartbeat
from commons.watching import measures

WATCH = Path(site.ROOT) / "docker" / "watch"
RULES: list[dict[str, Any]] = yaml.safe_load((WATCH / "alerts.yml").read_text())["groups"][0]["rules"]
OF_THE_SCRAPE = {"job", "instance"}
"""Labels that Prometheus puts on by itself."""
IS = {">": operator.gt, "<": operator.lt, "==": operator.eq}


def served() -> dict[str, set[str]]:
    """Each measure with the labels under which the sources tell it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in (Path(site.ROOT) / "platform").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "city_" not in text or "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and node.args and (name := _name(node.args[0])):
                found[name] |= {"process", *(word.arg for word in node.keywords if word.arg)}
            if isinstance(node, ast.Tuple) and len(node.elts) == 3 and isinstance(node.elts[1], ast.Dict):
                labels = {_text(key) for key in node.elts[1].keys}
                for constant in ast.walk(node.elts[0]):
                    if name := _name(constant):
                        found[name] |= labels
    found["city_runs_waiting"] |= {"kind"}  # named one line above the tuple that tells it
    found["city_runs_running"] |= {"kind"}
    return found


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _name(node: ast.AST) -> str:
    return _text(node) if _text(node) in measures.KNOWN else ""


def asked() -> Iterator[tuple[str, str, str]]:
    """Where, the expression, and the words that are filled with labels."""
    for rule in RULES:
        yield rule["alert"], rule["expr"], rule["annotations"]["summary"]
    for panel in json.loads((WATCH / "grafana" / "dashboards" / "city.json").read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target.get("legendFormat", "")


def labels_of(expression: str, words: str) -> set[str]:
    """The labels by which it selects, groups and fills its words."""
    selected = {label for part in re.findall(r"\{([^}]*)\}", expression) for label in re.findall(r"(\w+)\s*[=!]", part)}
    grouped = {label for part in re.findall(r"\bby \(([^)]*)\)", expression) for label in re.split(r",\s*", part)}
    filled = set(re.findall(r"\$labels\.(\w+)", words)) | set(re.findall(r"\{\{\s*(\w+)\s*\}\}", words))
    return selected | grouped | filled


def test_every_name_and_label_that_is_asked_for_is_told() -> None:
    told, unknown, seen = served(), [], 0
    for where, expression, words in asked():
        names = {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"\bcity_[a-z_]+", expression)}
        has = OF_THE_SCRAPE | ({"le"} if "_bucket" in expression else set()).union(*(told[name] for name in names))
        seen += len(names)
        unknown += [f"{where}: {name}" for name in names if name not in told]
        unknown += [f"{where}: {label} of {sorted(names)}" for label in labels_of(expression, words) - has]
    assert not unknown
    assert seen > 30
    assert labels_of('sum by (le, a) (x{b="c", d!~"e"})', "{{f}} {{ $labels.g }}") == set("abdfg") | {"le"}


def test_what_is_known_is_told_somewhere() -> None:
    assert set(measures.KNOWN) == set(served())


def fires(alert: str, client: Client, **labels: str) -> bool:
    """Whether the condition of an alert is met by what `/metrics` says now."""
    expression = next(rule["expr"] for rule in RULES if rule["alert"] == alert)
    name, sign, limit = re.fullmatch(r"(\w+) (>|<|==) ([\d.]+)", expression).groups()  # type: ignore[union-attr]
    text = client.get("/metrics").content.decode()
    values = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert values, f"{name} is not told"
    return any(IS[sign](value, float(limit)) for value in values)


@pytest.mark.django_db
def test_a_heartbeat_that_stops_is_an_alarm(client: Client, settings: Any) -> None:
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    device = heartbeat.heartbeat_device()
    for minutes, alarm in ((3, True), (0, False)):
        stamp = (timezone.now() - dt.timedelta(minutes=minutes)).isoformat()
        reading = {"seq": 4 - minutes, "ts": stamp, "channel": "x_heartbeat", "value": 1}
        services.ingest(device=device, readings=[reading])
        assert fires("IngestSilent", client) is alarm
        assert fires("NotReady", client, check="ingest") is alarm


@pytest.mark.django_db
def test_backups_that_are_not_made_are_an_alarm(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    settings.BACKUP_TO = ""
    assert not fires("NeedsSomebody", client, check="backups")
    settings.BACKUP_TO = str(tmp_path)
    assert fires("NeedsSomebody", client, check="backups")
    assert not fires("NotReady", client, check="backups"), "the city serves all the same"
