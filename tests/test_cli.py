from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import forecast
from forecast.cli.main import cli
from forecast.cli.output import in_shell
from forecast.cli.request import Figures


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), prog_name="forecast")


def frame(result: Result) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(result.stdout))


@pytest.fixture
def own(tmp_path: Path, table: pd.DataFrame) -> Path:
    path = tmp_path / "own.csv"
    table.to_csv(path, index=False)
    return path


def test_predict_prints_quantiles(own: Path) -> None:
    result = run("predict", "--data", str(own), "--model", "naive", "--horizons", "2026,2030")
    assert result.exit_code == 0, result.output
    table = frame(result)
    assert set(table["year"]) == {2026, 2030}
    assert len(table) == 4 * 2 * 15


@pytest.mark.thorough
def test_predict_writes_a_file_and_the_same_numbers(own: Path, tmp_path: Path) -> None:
    first = run("predict", "--data", str(own), "--draws", "200", "--out", str(tmp_path / "a.csv"))
    assert first.exit_code == 0, first.output
    run("predict", "--data", str(own), "--draws", "200", "--out", str(tmp_path / "b.csv"))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_predict_of_the_bundle_names_what_it_leaves_out() -> None:
    result = run("predict", "--model", "naive", "--draws", "100")
    assert result.exit_code == 0, result.output
    assert {"KAZ", "KGZ", "UZB", "TJK", "TKM"} <= set(frame(result)["location"])
    assert "not forecast: immigration of KGZ" in result.stderr


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (("predict", "--out", "{folder}"), "is a folder, not a file"),
        (("predict", "--out", "{file}/a.csv"), "is a file, not a folder"),
        (("predict", "--out", "/proc/none/a.csv"), "/proc/none cannot be written to"),
        (("scenario", "afghanistan", "--out", "{folder}"), "is a folder, not a file"),
        (("impact", "kz-arrivals-2022", "--out", "{folder}"), "is a folder, not a file"),
        (("backtest", "--out", "{file}/a"), "is a file, not a folder"),
        (("backtest", "--out", "/proc/none"), "/proc/none cannot be written to"),
    ],
)
def test_where_results_cannot_go_is_known_before_any_work(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch, asked: Sequence[str], part: str
) -> None:
    if "/proc" in part and not Path("/proc/self").exists():
        pytest.skip("no folder here that nobody may write to")

    def never(figures: Figures) -> None:
        raise AssertionError(f"{figures} are read before it is known that results can be written")

    monkeypatch.setattr(Figures, "read", never)
    made = [word.format(folder=tmp_path, file=own) for word in asked]
    result = run(*made)
    assert result.exit_code == 1, result.output
    assert part in result.stderr
    assert list(tmp_path.iterdir()) == [own]


def test_models_and_data_are_listed() -> None:
    assert {"naive", "ets", "arima", "theta", "structural"} <= set(frame(run("models"))["model"])
    listed = frame(run("data", "list"))
    assert {"source", "location", "measure", "licence"} <= set(listed.columns)


def test_check_reports_findings_and_fails_on_errors(own: Path, table: pd.DataFrame) -> None:
    assert run("data", "check", str(own)).exit_code == 0
    table["value"] = table["value"].astype(float)
    table.loc[5, "value"] = 9e6
    table.to_csv(own, index=False)
    result = run("data", "check", str(own))
    assert result.exit_code == 1
    assert "KAZ" in result.stdout


BAD = {
    "missing column": ("location,measure,year\nKAZ,immigration,2020\n", ["'value'"]),
    "text in value": (
        "location,measure,year,value\nKAZ,immigration,2020,lots\n",
        ["line 2", "'lots'", "digits"],
    ),
    "duplicated year": (
        "location,measure,year,value\nKAZ,immigration,2020,1\nKAZ,immigration,2020,2\n",
        ["line 3", "2020", "twice"],
    ),
    "unknown location": (
        "location,measure,year,value\nATLANTIS,immigration,2020,1\n",
        ["line 2", "'ATLANTIS'"],
    ),
    "negative count": (
        "location,measure,year,value\nKAZ,immigration,2020,-1\n",
        ["line 2", "-1", "cannot be negative"],
    ),
    "all missing": (
        "location,measure,year,value\nKAZ,immigration,2020,\nKAZ,immigration,2021,\n",
        ["line 2", "missing"],
    ),
    "two years": (
        "location,measure,year,value\nKAZ,immigration,2020,11370\nKAZ,immigration,2021,11039\n",
        ["KAZ", "2 usable observed years", "Add earlier years"],
    ),
    "not what its name says": ("PK\x03\x04", ["the name says CSV"]),
    "empty": ("", ["empty"]),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("verb", ["predict", "report"])
def test_bad_input_is_one_message_and_touches_nothing(tmp_path: Path, case: str, verb: str) -> None:
    content, parts = BAD[case]
    (tmp_path / "bad.csv").write_text(content, encoding="utf-8")
    kept = tmp_path / "out"
    kept.mkdir()
    (kept / "bad.html").write_text("an earlier report", encoding="utf-8")
    target = kept if verb == "report" else kept / "bad.html"
    result = run(verb, "--data", str(tmp_path / "bad.csv"), "--out", str(target))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    for part in parts:
        assert part in result.stderr
    assert [p.name for p in kept.iterdir()] == ["bad.html"]
    assert (kept / "bad.html").read_text(encoding="utf-8") == "an earlier report"


@pytest.mark.parametrize(
    ("arguments", "status", "part"),
    [
        (["predict", "--model", "arma"], 1, "unknown model 'arma'. Did you mean: arima"),
        (["predict", "--data", "central-asla"], 1, "Did you mean: central-asia"),
        (["predict", "--data", "nowhere.csv"], 1, "no file nowhere.csv"),
        (["predict", "--horizons", "1999"], 1, "not after the data"),
        (["predict", "--horizons", "soon"], 2, "not a list of years"),
        (["predict", "--colour", "red"], 2, "--colour"),
        (["foretell"], 2, "foretell"),
    ],
)
def test_exit_status(arguments: list[str], status: int, part: str) -> None:
    result = run(*arguments)
    assert result.exit_code == status
    assert part in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_not_a_file_is_not_replaced(own: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    asked = ["predict", "--data", str(own), "--model", "naive", "--draws", "100", "--out"]
    result = run(*asked, str(tmp_path / "pipe"))
    assert result.exit_code == 1
    assert "a device or pipe, not a file" in result.stderr
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "real.csv").write_text("old", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert run(*asked, str(tmp_path / "link.csv")).exit_code == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text(encoding="utf-8").startswith("location,")


def test_a_place_that_cannot_be_written_to_is_named(own: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    result = run(
        "predict", "--data", str(own), "--model", "naive", "--out", str(tmp_path / "file" / "a.csv")
    )
    assert result.exit_code == 1
    assert "is a file, not a folder" in result.stderr


def test_thresholds_on_the_command_line(own: Path, tmp_path: Path) -> None:
    asked = ["report", "--data", str(own), "--model", "structural", "--draws", "200"]
    asked += ["--out", str(tmp_path / "made")]
    result = run(*asked, "--threshold", "KAZ immigration > 12345")
    assert result.exit_code == 0, result.output
    assert "More than 12,345: " in (tmp_path / "made" / "own.html").read_text(encoding="utf-8")
    for text, part in (
        ("KAZ many", "is not understood"),
        ("UZB immigration > 1", "about no series"),
    ):
        refused = run(*asked, "--threshold", text)
        assert refused.exit_code == 1
        assert part in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_a_track_record_goes_into_the_report(own: Path, tmp_path: Path) -> None:
    asked = ["--models", "naive,structural", "--origins", "2012:2020", "--horizons", "1,3"]
    made = run("backtest", "--data", str(own), *asked, "--out", str(tmp_path / "track"))
    assert made.exit_code == 0, made.output
    result = run(
        "report", "--data", str(own), "--model", "structural", "--draws", "200",
        "--track", str(tmp_path / "track"), "--out", str(tmp_path / "made"),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    page = (tmp_path / "made" / "own.html").read_text(encoding="utf-8")
    assert "How often the 80" in page
    asked = ["report", "--data", str(own), "--model", "structural", "--draws", "200"]
    missing = run(*asked, "--track", str(tmp_path), "--out", str(tmp_path))
    assert missing.exit_code == 1
    assert missing.stderr.count("\n") == 1


SHORT = "location,measure,year,value\nKAZ,net_migration,2020,100\nKAZ,net_migration,2021,120\n"


def test_a_short_series_is_refused_with_one_reason(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text(SHORT, encoding="utf-8")
    done = CliRunner().invoke(cli, ["predict", "--data", str(path)])
    assert done.exit_code == 1
    assert done.stderr.count("2 usable observed years; at least 8 are needed") == 1
    assert done.stderr.count("no series can be forecast") == 1
    assert done.stderr.count("Add ") == 1


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Say units='persons', 'thousands' or 'millions'.",
         "Say --units persons, thousands or millions."),
        ("Leave it out, or say skip=['Two words'].", "Leave it out, or say --skip 'Two words'."),
        ("Leave them out (skip=['2027', \"it's\"]), or", "Leave them out (--skip 2027 --skip 'it'\"'\"'s'), or"),
        ("Read the table with carry=False.", "Read the table with --no-flags."),
        ("Say decimal=','.", "Say --decimal ,."),
        ("Give vintage=2022 or vintage=2024.", "Give --vintage 2022 or --vintage 2024."),
        ("Use engine='dask' with it.", "Use --engine dask with it."),
        ("Ask for 2025 or later, or cut the data with panel.until(year).",
         "Ask for 2025 or later."),
        ("Give one row per period, or step=1.", "Give one row per period."),
        ("Calendar years belong to forecast().", "Calendar years belong to forecast predict."),
        ("Nothing of Python here.", "Nothing of Python here."),
    ],
)  # fmt: skip
def test_remedies_are_options_of_the_command(message: str, said: str) -> None:
    assert in_shell(message) == said


#: Where the package advises an argument of Python, and what the shell is to say instead.
ADVICE = (
    ("horizons.py", ", or cut the data with panel.until(year)"),
    ("panel.py", ", or step=1"),
    ("evaluate/backtest.py", "belong to forecast()"),
    ("models/series/univariate.py", "carry=False"),
    ("data/wpp_bulk.py", "vintage=2022 or vintage=2024"),
    ("hindcast/jobs.py", "engine='dask'"),
)


@pytest.mark.parametrize(("module", "advice"), ADVICE)
def test_what_is_translated_is_what_the_package_says(module: str, advice: str) -> None:
    source = (Path(forecast.__file__).parent / module).read_text(encoding="utf-8")
    assert advice in source
    assert advice not in in_shell(advice)


def test_errors_on_shell_paths_name_options(tmp_path: Path) -> None:
    path = tmp_path / "unnamed.csv"
    path.write_text("location,year,value\nKAZ,2020,100\nKAZ,2021,120\n", encoding="utf-8")
    run = CliRunner().invoke
    checked = run(cli, ["data", "check", str(path)])
    predicted = run(cli, ["predict", "--data", str(path)])
    for done in (checked, predicted):
        assert done.exit_code == 1
        assert "--measure immigration" in done.stderr
        assert "measure='" not in done.output
    event = ["--location", "KAZ", "--measure", "net_migration", "--start", "2022"]
    assert "such as --source kz-bns." in run(cli, ["impact", *event]).stderr


@pytest.mark.parametrize(
    "given",
    [("2027,2030",), ("2027", "2030"), ("2027,2030", "2030"), ("2027:2030:3",)],
)
def test_horizons_may_be_repeated_or_a_range(given: tuple[str, ...]) -> None:
    options = [word for text in given for word in ("--horizons", text)]
    done = CliRunner().invoke(
        cli, ["predict", "--data", "kazakhstan", "--model", "naive", "--draws", "100", *options]
    )
    assert done.exit_code == 0, done.output
    table = pd.read_csv(io.StringIO(done.stdout))
    assert sorted(set(table["year"])) == [2027, 2030]


def test_an_empty_folder_is_a_fine_place(tmp_path: Path) -> None:
    out = tmp_path / "track"
    out.mkdir()
    asked = ["backtest", "--data", "kazakhstan", "--models", "naive", "--models", "mean"]
    few = ["--origins", "2016", "--origins", "2017", "--horizons", "1", "--horizons", "2"]
    options = ["--draws", "100", "--jobs", "1", "--out", str(out)]
    done = CliRunner().invoke(cli, [*asked, *few, *options])
    assert done.exit_code == 0, done.output
    scores = pd.read_csv(out / "scores.csv")
    assert set(scores["model"]) == {"naive", "mean"}
    assert set(scores["origin"]) == {2016, 2017}
    assert set(scores["horizon"]) == {1, 2}
