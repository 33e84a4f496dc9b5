"""The table of what was promised and measured is made, never typed."""

import json
from pathlib import Path

import pytest

from tests import figures


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page and a store of this test, with the real table of promises."""
    monkeypatch.setattr(figures, "KEPT", tmp_path / "trust.json")
    monkeypatch.setattr(figures, "PAGE", tmp_path / "trust.md")
    figures.PAGE.write_text(f"Before\n{figures.BEGIN}\nof before\n{figures.END}\nAfter\n")
    return figures.PAGE


def test_the_page_in_the_repository_is_what_the_figures_make_it() -> None:
    page = figures.PAGE.read_text(encoding="utf-8")
    assert figures.written(page) == page, "run `python -m tests.figures --write`"


def test_every_run_exists_and_every_kept_figure_is_in_the_table() -> None:
    table = figures.promises()
    for name, run in table["runs"].items():
        paths = [word for word in run["command"] if word.endswith(".py")]
        assert paths and all((figures.ROOT / path).is_file() for path in paths), name
    names = {figure["name"] for point in table["points"] for figure in point["figures"]}
    assert len(table["points"]) == 11
    printed = set(figures.kept()) - names
    assert not printed, "figures that nobody reads: add them to tests/figures.toml"


def test_figures_are_read_kept_and_shown(page: Path, tmp_path: Path) -> None:
    output = tmp_path / "output.txt"
    output.write_text(
        "warming up\nFIGURE load_p95_50_people 123.4 ms\n  FIGURE overload_other_answers 0 answers\n"
        "FIGURE Bad 1 x\nFIGURE half\nnot a FIGURE soak 1 x\nFIGURE load_detail 1 x\n"
    )
    assert figures.main(["--read", str(output), "--how", "on two cores"]) == 0
    assert set(json.loads(figures.KEPT.read_text())) == {"load_p95_50_people", "overload_other_answers"}
    text = page.read_text()
    assert text.startswith(f"Before\n{figures.BEGIN}\n| point |") and text.endswith(f"{figures.END}\nAfter\n")
    assert "| < 200 ms | 123.4 ms |" in text and "on two cores" in text
    assert figures.NOT_YET in text and "of before" not in text
    again = tmp_path / "again.txt"
    again.write_text("FIGURE load_p95_50_people 150 ms\n")
    figures.main(["--read", str(again)])
    text = page.read_text()
    assert "150 ms" in text and "123.4" not in text and "0 answers" in text, "what was not run again stays"


def test_a_run_that_misses_its_limit_is_told_and_kept(page: Path, tmp_path: Path) -> None:
    script = tmp_path / "drill.py"
    script.write_text(
        "import sys; from tests.figures_said import figure; figure('soak_files_drift', 9, 'files');"
        "figure('migration_errors', '+2', 'answers'); figure('migration_errors', '+3', 'answers'); sys.exit(1)"
    )
    assert not figures.run("soak", {"command": [str(script)]}, short=False)
    assert figures.kept()["soak_files_drift"]["value"] == "9"
    assert figures.kept()["migration_errors"]["value"] == "5", "what is counted test by test is added up"


def test_a_figure_of_a_test_is_read_through_what_pytest_holds_back(page: Path, tmp_path: Path) -> None:
    test = tmp_path / "test_said.py"
    test.write_text("from tests.figures_said import figure\ndef test_it():\n    figure('ssrf_reached', 0, 'calls')\n")
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django", "-c", "/dev/null", str(test)]
    assert figures.run("ways-out", {"command": command}, short=False)
    kept = figures.kept()["ssrf_reached"]
    assert (kept["value"], kept["unit"], kept["how"]) == ("0", "calls", "`ways-out`")


def test_a_page_without_markers_is_refused(page: Path) -> None:
    page.write_text("no markers")
    with pytest.raises(ValueError, match="needs the lines"):
        figures.main(["--write"])
