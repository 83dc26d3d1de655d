"""``seedbed report``, and its page in a real browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import seedbed as sb
from seedbed.cli import main
from tests.browser import Tab, browser
from tests.unit.test_reports import arrays, llama

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a manifest, and a checkpoint that has two faults."""
    monkeypatch.chdir(tmp_path)
    llama(1).save("m.yaml")
    model = arrays()
    model["layers.17.down.weight"] *= 3
    model["layers.5.q.weight"][1, 2] = np.nan
    safetensors.numpy.save_file(model, "faulty.safetensors")
    return tmp_path


def test_it_writes_a_page_and_says_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "faulty.safetensors", "-o", "r.html", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(each["name"] for each in found["findings"]) == [
        "layers.17.down.weight",
        "layers.5.q.weight",
    ]
    assert main(["report", "m.yaml", "-o", "r.html"]) == 1
    assert "r.html exists: --force replaces it" in capsys.readouterr().err
    assert main(["report", "m.yaml", "-o", "r.html", "--force"]) == 0
    out = capsys.readouterr().out
    assert "nothing unusual" in out
    with sb.connect("embedded:") as client:
        assert str(sb.digest_of(client.digest_all(llama(1)))) in out


def test_programs_read_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "m.yaml", "-o", "r.html", "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["figures"]}
    assert list(found) == [spec.name for spec in llama(1).tensors]
    head = found["head"]
    assert (head["shape"], head["measured"], head["exact_std"]) == ([256, 64], 256 * 64, 0.05)
    errors = head["exact_std"] / np.sqrt(2 * head["measured"])
    assert head["std_z"] == pytest.approx((head["std"] - head["exact_std"]) / errors, rel=1e-6)
    assert abs(head["std_z"]) < 4 > abs(head["mean_z"])
    assert found["norm"]["std_z"] is None


def test_it_takes_pictures_seeds_and_other_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "m.yaml", "-o", "r.png"]) == 0
    assert main(["report", "m.yaml", "-o", "s.html", "--against-seed", "2"]) == 0
    assert "Beside seed 2" in Path("s.html").read_text()
    assert main(["report", "m.yaml", "-o", "t.html", "--against", "faulty.safetensors"]) == 0
    assert "2 different" in Path("t.html").read_text()
    out = capsys.readouterr().out
    assert "layers.*.down.weight x33: seed 1 here, 2 there" in out
    assert "layers.17.down.weight: content" in out
    assert main(["report", "faulty.safetensors", "-o", "u.html", "--against-seed", "2"]) == 2
    assert "--against-seed is for a manifest" in capsys.readouterr().err
    assert main(["report", "m.yaml", "-o", "u.pdf"]) == 2
    assert sorted(each.name for each in Path().iterdir() if each.suffix in {".html", ".png"}) == [
        "r.png",
        "s.html",
        "t.html",
    ]


def test_it_samples_as_much_as_one_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["report", "m.yaml", "-o", "r.html", "--json", "--sample-elements"]
    assert main([*asked, "640"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["figures"]}
    assert (found["head"]["measured"], found["norm"]["measured"]) == (640, 64)
    assert "first 10 rows of 256" in Path("r.html").read_text()
    for wrong in ("0", "-3", "1e6"):
        assert main([*asked, wrong, "--force"]) == 2
        error = capsys.readouterr().err
        assert "--sample-elements: must be an integer" in error
        assert f'Received: "{wrong}"' in error


def test_programs_read_how_two_models_compare(capsys: pytest.CaptureFixture[str]) -> None:
    safetensors.numpy.save_file(arrays(), "good.safetensors")
    asked = ["report", "good.safetensors", "--against", "faulty.safetensors", "-o", "r.html"]
    assert main([*asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["findings"] == []
    assert found["against"]["title"] == "faulty.safetensors"
    assert [each["name"] for each in found["against"]["findings"]] == [
        "layers.17.down.weight",
        "layers.5.q.weight",
    ]
    differences = {each["name"]: each for each in found["against"]["differences"]}
    assert set(differences) == {"layers.17.down.weight", "layers.5.q.weight"}
    assert 0.3 < differences["layers.17.down.weight"]["largest"] < 0.6
    assert differences["layers.5.q.weight"]["largest"] == "nan"
    assert main([*asked, "--force"]) == 0
    out = capsys.readouterr().out
    assert "298 equal, 2 different" in out
    assert "layers.5.q.weight: content, NaN in one of them" in out


@pytest.fixture
def tab(folder: Path) -> Iterator[Tab]:
    with browser(folder) as opened:
        yield opened


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_shows_the_faults_first(
    tab: Tab, folder: Path, size: dict[str, int], scheme: str
) -> None:
    assert main(["report", "faulty.safetensors", "-o", "r.html"]) == 0
    tab.look_as(**size, scheme=scheme)
    tab.open(f"file://{folder}/r.html")
    assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
    findings = "document.querySelector('.unusual').getBoundingClientRect().bottom"
    assert tab.evaluate(findings) < size["height"]
    assert tab.evaluate("document.querySelectorAll('.unusual li').length") == 2
    assert tab.evaluate("document.querySelectorAll('.bad-point').length") == 2
    assert tab.evaluate("document.querySelectorAll('.map .bad').length") == 2
    assert tab.evaluate("performance.getEntriesByType('resource').length") == 0
    tab.evaluate("document.querySelector('.unusual a').click()")
    assert tab.evaluate("location.hash") != ""


# Of each label that is shown: how far it reaches beyond its pattern.
OVERHANGS = """
[...document.querySelectorAll(".pattern > b")].filter((label) => label.offsetWidth)
  .map((label) => {
    const [inner, outer] = [label, label.parentElement].map((e) => e.getBoundingClientRect());
    return Math.max(
      inner.right - outer.right,
      inner.bottom - outer.bottom,
      outer.left - inner.left,
      outer.top - inner.top,
    );
  })
"""


@pytest.mark.parametrize("width", [390, 900, 1280])
def test_labels_of_sizes_stay_in_their_places(tab: Tab, folder: Path, width: int) -> None:
    assert main(["report", "m.yaml", "-o", "r.html", "--against-seed", "2"]) == 0
    tab.look_as(width=width, height=900, scheme="light")
    tab.open(f"file://{folder}/r.html")
    overhangs = tab.evaluate(OVERHANGS)
    assert len(overhangs) >= 5
    assert max(overhangs) <= 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
