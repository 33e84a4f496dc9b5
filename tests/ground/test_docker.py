"""What docker/ promises, read from its files: nobody is root, nothing is open but the proxy, every variable is told.

Whether it starts in Docker no test here can say (docs/operating.md); `docker/steps` runs the image's steps in a folder.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from commons.watching import measures
from livingcity.dev.command_line import QUEUES

ROOT = Path(settings.ROOT)
DOCKER = ROOT / "docker"
CITY = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = CITY["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "livingcity:local"}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:[-?][^}]*)?\}")


def networks(service: dict[str, Any]) -> set[str]:
    return set(service["networks"])


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_an_ordinary_user_on_a_read_only_image(name: str) -> None:
    service = SERVICES[name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0 and int(group) > 0
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & set(service)
    assert service["tmpfs"] and service["pids_limit"]
    limits = service["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) > 0 and limits["memory"]
    assert name == "prepare" or service["healthcheck"]["test"]
    assert not [v for v in service.get("volumes", []) if "docker.sock" in str(v)]


def test_only_the_proxy_is_reached_from_outside() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"proxy", "grafana"}
    assert all(port.startswith("127.0.0.1:") for port in published["grafana"])
    assert {port.partition(":")[0] for port in published["proxy"]} == {"80", "443"}


def test_who_has_a_way_out() -> None:
    """Files of strangers are opened where nothing leads out and nobody else is but what holds the work."""
    open_ = {name for name, network in CITY["networks"].items() if not (network or {}).get("internal")}
    assert {name for name, service in SERVICES.items() if networks(service) & open_} == {
        "proxy", "web", "worker", "grafana",
    }  # fmt: skip
    beside = {name for name, service in SERVICES.items() if "previews" in networks(service)}
    assert networks(SERVICES["worker-previews"]) == {"previews"}
    assert beside == {"worker-previews", "postgres", "valkey"}
    assert networks(SERVICES["proxy"]) & networks(SERVICES["postgres"]) == set()


def test_each_queue_has_its_worker_and_the_ingest_is_beside_its_own() -> None:
    taken = {}
    for name, service in OURS.items():
        words = service.get("command", [])
        if "-Q" in words:
            queue = words[words.index("-Q") + 1]
            taken[queue] = name
            assert words[words.index("-n") + 1] == f"{queue}@%h"
            assert service["healthcheck"]["test"][-2:] == ["worker", queue]
    assert set(taken) == set(QUEUES.split(","))
    assert OURS["worker-ingest"]["volumes"] == OURS["ingest"]["volumes"] == ["city:/data"]


def test_others_see_only_their_own_folder_of_the_city() -> None:
    for name, service in SERVICES.items():
        if name in OURS:
            continue
        for volume in service.get("volumes", []):
            if isinstance(volume, dict) and volume["source"] == "city":
                made = volume["volume"]["subpath"]
                assert f"/data/{made}" in SERVICES["prepare"]["command"][-1]
            else:
                assert not str(volume).startswith("city:")


def test_every_variable_is_told_and_every_secret_must_be_set() -> None:
    text = (DOCKER / "compose.yaml").read_text() + (DOCKER / "compose.mqtt.yaml").read_text()
    used = dict(VARIABLE.findall(text))
    example = set(re.findall(r"^([A-Z_]+)=", (DOCKER / "city.env.example").read_text(), re.MULTILINE))
    assert set(used) == example
    operating = (ROOT / "docs" / "operating.md").read_text()
    assert not [name for name in used if f"`{name}`" not in operating]
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD", "METRICS_TOKEN", "CITY_HOST"):
        assert used[name].startswith(":?"), name
    told = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    ours = set(CITY["x-city"]["environment"])
    assert ours <= told, "a name that the city does not read"


def test_nothing_of_a_secret_lies_in_the_files() -> None:
    for line in (DOCKER / "city.env.example").read_text().splitlines():
        name, _, value = line.partition("=")
        if re.search("SECRET|PASSWORD|TOKEN", name):
            assert value == "", name
    ignored = (ROOT / ".gitignore").read_text()
    assert "/docker/city.env" in ignored and "docker/city.env" in (ROOT / ".dockerignore").read_text()


def test_the_image_runs_as_the_user_that_the_services_are() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE) == ["990:990"]
    assert {service["user"] for service in OURS.values()} == {"990:990"}
    from livingcity.dev.web import web_argv

    served = json.loads(re.sub(r"\\\n\s*", "", text[text.index("CMD ") + 4 :]).strip())
    ours = web_argv(port=8000, host="0.0.0.0", workers=2)  # noqa: S104 in a container
    assert sorted(served[1:]) == sorted(ours[1:]), "as `manage.py up` serves it"


def test_health_asks_for_parts_that_exist() -> None:
    known = set(re.findall(r'"(\w+)": \w+', (DOCKER / "healthy.py").read_text().partition("asks = {")[2]))
    for name, service in OURS.items():
        if name != "prepare":
            words = service["healthcheck"]["test"]
            assert words[:3] == ["CMD", "python", "docker/healthy.py"] and words[3] in known, name


def test_scripts_are_scripts() -> None:
    for name in ("steps", "backup.sh"):
        subprocess.run(["sh", "-n", DOCKER / name], check=True)
    assert (DOCKER / "steps").stat().st_mode & 0o111


def measured_in(text: str) -> set[str]:
    """The measures of ours that an expression names."""
    return set(re.findall(r"\bcity_[a-z_]+", text))


def known(name: str) -> bool:
    return name in measures.KNOWN or re.sub("_(bucket|sum|count)$", "", name) in measures.KNOWN


def test_alerts_and_dashboards_speak_of_what_is_measured() -> None:
    alerts = yaml.safe_load((DOCKER / "watch" / "alerts.yml").read_text())["groups"][0]["rules"]
    assert len({rule["alert"] for rule in alerts}) == len(alerts) >= 10
    asked = set().union(*(measured_in(rule["expr"]) for rule in alerts))
    dashboard = json.loads((DOCKER / "watch" / "grafana" / "dashboards" / "city.json").read_text())
    for panel in dashboard["panels"]:
        asked |= set().union(*(measured_in(target["expr"]) for target in panel["targets"]))
    assert len(asked) > 15
    assert [name for name in sorted(asked) if not known(name)] == []
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] in {"page", "ticket"} for rule in alerts)


def test_what_prometheus_asks_for_is_there() -> None:
    asked = yaml.safe_load((DOCKER / "watch" / "prometheus.yml").read_text())["scrape_configs"][0]
    assert asked["metrics_path"] == "/metrics"
    assert asked["static_configs"][0]["targets"] == ["web:8000"]
    assert "data" in networks(SERVICES["prometheus"]) & networks(SERVICES["web"])
    assert "web" in SERVICES["web"]["environment"]["ALLOWED_HOSTS"]
