"""What the dashboard and the alerts ask for is there, in a Prometheus beside servers under load.

Grafana itself is not run: what it would ask is asked here.
"""

import json
import re
import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

import seedbed as sb
from tests.deploy.programs import DEPLOY, read_yaml
from tests.deploy.stage import SERVERS, Stage, fetched, haproxy, prometheus
from tests.faults.contents import Contents, HostDevice
from tests.faults.load import load

DASHBOARD = json.loads((DEPLOY / "grafana" / "seedbed.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = {
    name: found
    for found in DASHBOARD["templating"]["list"]
    if (name := found["name"]) != "datasource"
}
TOO_LARGE = sb.TensorSpec("large", (2**40,), "float32", sb.RandomUniform(seed=1))
# Scrapes, rules and rates come one after another.
PATIENCE_SECONDS = 180.0
WIDTH = 24


@pytest.fixture(scope="module")
def address(stage: Stage, contents: Contents) -> Iterator[str]:
    """A Prometheus that watches servers and HAProxy while clients make all kinds of calls."""
    with pytest.MonkeyPatch.context() as patch, haproxy(stage), prometheus(stage) as address:
        patch.setattr("seedbed.fetch.open_device", lambda _: HostDevice())
        with load(contents, [stage.target]), refused_calls(stage.target):
            yield address


@contextmanager
def refused_calls(target: str) -> Iterator[None]:
    """Have a server refuse a call, again and again."""

    def call() -> None:
        with sb.connect(target) as client:
            while not is_over.wait(0.5):
                with pytest.raises(sb.SeedbedError, match="max_tensor_bytes"):
                    client.digest(TOO_LARGE)

    is_over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(call)
        try:
            yield
        finally:
            is_over.set()
            job.result()


def test_panels_have_titles_of_their_own_and_do_not_overlap() -> None:
    places = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < WIDTH
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    assert all(panel["description"].endswith(".") for panel in PANELS)


def test_each_panel_has_data(address: str) -> None:
    for panel in PANELS:
        for target in panel["targets"]:
            assert series(address, target["expr"]), panel["title"]


def test_each_variable_has_values(address: str, stage: Stage) -> None:
    values = {}
    for name, variable in VARIABLES.items():
        match = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert match is not None
        values[name] = {each["metric"][match[2]] for each in series(address, match[1])}
    assert values == {
        "job": {"seedbed"},
        "instance": {f"{stage.hosts[name]}:9464" for name in SERVERS},
    }


def test_each_metric_of_the_alerts_is_there(address: str) -> None:
    asked = {
        name
        for path in ("recording.yml", "alerts.yml")
        for group in read_yaml(DEPLOY / "prometheus" / path)["groups"]
        for rule in group["rules"]
        for name in re.findall(r"\b(?:\w+:)?(?:seedbed|grpc_server)_\w+(?::\w+)?", rule["expr"])
    }
    assert len(asked) > len(VARIABLES)
    for name in asked:
        assert series(address, name), name


def test_haproxys_own_metrics_are_there(address: str) -> None:
    assert series(address, 'haproxy_server_status{proxy="servers", state="UP"} == 1')


def series(address: str, expression: str) -> list[dict[str, Any]]:
    """Return what Prometheus answers to a query of the dashboard, as soon as it has something."""
    values = {"$__rate_interval": "10s", "$job": "seedbed", "$instance": ".*"}
    for name, text in values.items():
        expression = expression.replace(name, text)
    assert "$" not in expression
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        query = urllib.parse.urlencode({"query": expression})
        answer = fetched(f"{address}/api/v1/query?{query}")
        assert answer, f"Prometheus takes no {expression}"
        result = json.loads(answer)["data"]["result"]
        # What no call was made of has no quantile.
        if found := [each for each in result if each["value"][1] != "NaN"]:
            return found
        time.sleep(0.5)
    return []
