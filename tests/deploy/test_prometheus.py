"""Prometheus takes the configuration as it is, and each alert begins when it should."""

from pathlib import Path
from typing import Any

import pytest

from tests.deploy.programs import DEPLOY, program, read_yaml, run

FOLDER = DEPLOY / "prometheus"
RULES = ["recording.yml", "alerts.yml"]


@pytest.fixture(scope="module")
def alerts() -> list[dict[str, Any]]:
    """Each alert as it is written."""
    return [rule for group in read_yaml(FOLDER / "alerts.yml")["groups"] for rule in group["rules"]]


def test_prometheus_takes_the_configuration() -> None:
    run(program("promtool"), "check", "config", FOLDER / "prometheus.yml")
    assert read_yaml(FOLDER / "prometheus.yml")["rule_files"] == RULES


def test_alerts_begin_when_they_should_and_not_before() -> None:
    run(program("promtool"), "test", "rules", "alerts.test.yml", folder=FOLDER)


def test_each_alert_is_tried_with_and_without_its_cause(alerts: list[dict[str, Any]]) -> None:
    cases = [
        case
        for test in read_yaml(FOLDER / "alerts.test.yml")["tests"]
        for case in test["alert_rule_test"]
    ]
    begun = {case["alertname"] for case in cases if "exp_alerts" in case}
    quiet = {case["alertname"] for case in cases if "exp_alerts" not in case}
    assert begun == quiet == {alert["alert"] for alert in alerts}


def test_each_alert_says_what_it_means_and_where_to_read_on(alerts: list[dict[str, Any]]) -> None:
    assert len({alert["alert"] for alert in alerts}) == len(alerts)
    for alert in alerts:
        annotations = alert["annotations"]
        assert set(annotations) == {"summary", "description", "runbook_url"}
        assert all(
            text.endswith(".") for text in (annotations["summary"], annotations["description"])
        )
        assert annotations["runbook_url"] == f"docs/operations.md#{alert['alert'].lower()}"
        assert alert["labels"]["severity"] in ("page", "ticket")


def test_a_changed_rule_is_found_out(tmp_path: Path) -> None:
    for name in [*RULES, "alerts.test.yml"]:
        text = (FOLDER / name).read_text()
        (tmp_path / name).write_text(text.replace("OUT_OF_(DEVICE_)?MEMORY", "NEVER"))
    with pytest.raises(AssertionError, match="SeedbedOverload"):
        run(program("promtool"), "test", "rules", "alerts.test.yml", folder=tmp_path)
