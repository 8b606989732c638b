from __future__ import annotations

import io
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import forecast
from forecast.cli.main import cli
from forecast.cli.output import Output, in_shell, readable
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
    earlier = kept / ("bad.html" if verb == "report" else "bad.csv")
    earlier.write_text("an earlier report", encoding="utf-8")
    target = kept if verb == "report" else earlier
    result = run(verb, "--data", str(tmp_path / "bad.csv"), "--out", str(target))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    for part in parts:
        assert part in result.stderr
    assert [p.name for p in kept.iterdir()] == [earlier.name]
    assert earlier.read_text(encoding="utf-8") == "an earlier report"


@pytest.mark.parametrize(
    ("arguments", "status", "part"),
    [
        (["predict", "--model", "arma"], 1, "unknown model 'arma'. Did you mean: arima"),
        (["predict", "--data", "central-asla"], 1, "Did you mean: central-asia"),
        (["predict", "--data", "nowhere.csv"], 1, "no file nowhere.csv"),
        (["predict", "--horizons", "1999"], 1, "not after the data"),
        (["predict", "--horizons", "soon"], 2, "not a list of years"),
        (["predict", "--horizons", "2030:2025"], 2, "runs backwards; write FIRST:LAST"),
        (["predict", "--colour", "red"], 2, "--colour"),
        (["predict", "--format", "parqet"], 2, "Did you mean 'parquet'?"),
        (["predict", "--format", "parquet"], 2, "name a file with --out FILE"),
        (["predict", "--format", "table", "--out", "a.csv"], 2, "--out takes csv"),
        (["predict", "--out", "a.xlsx"], 2, "written as .csv, .json or .parquet, not .xlsx"),
        (["predict", "--location", "KAX"], 1, "'KAX'. Did you mean: KAZ. It has"),
        (["predict", "--location", "France"], 1, "It has KAZ, "),
        (["predict", "--measure", "net_migraton"], 1, "Did you mean: net_migration"),
        (["predict", "--source", "kz-bn"], 1, "Did you mean: kz-bns"),
        (["predict", "--location", "KAZ", "--source", "uz-stat"], 1,
         "no series fits the whole selection. There are emigration of KAZ (kz-bns)"),
        (["predict", "--units", "persons"], 1, "--units says how to read a file"),
        (["predict", "--units", "thousand"], 2, "Did you mean 'thousands'?"),
        (["foretell"], 2, "foretell"),
        (["predct"], 2, "Did you mean 'predict'?"),
    ],
)  # fmt: skip
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
    assert "More than 12,345: " in (tmp_path / "made" / "own-annex.html").read_text(
        encoding="utf-8"
    )
    for text, part in (
        ("KAZ many", "is not understood"),
        ("UZB immigration > 1", "about no series"),
    ):
        refused = run(*asked, "--threshold", text)
        assert refused.exit_code == 1
        assert part in refused.stderr
        assert refused.stderr.count("\n") == 1


@pytest.mark.thorough
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
        ("Leave them out (skip=['2027', \"it's\"]), or",
         "Leave them out (--skip 2027 --skip 'it'\"'\"'s'), or"),
        ("Say skip=['Total] (1)'].", "Say --skip 'Total] (1)'."),
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


NAIVE = ("predict", "--data", "kazakhstan", "--model", "naive", "--draws", "100")


@pytest.mark.parametrize("place", ["KAZ", "Kazakhstan", "Казахстан"])
def test_one_series_is_chosen_by_code_or_name(place: str) -> None:
    table = frame(run(*NAIVE, "--location", place, "--measure", "net_migration"))
    assert set(table["location"]) == {"KAZ"}
    assert set(table["measure"]) == {"net_migration"}


def test_options_that_choose_may_be_repeated() -> None:
    few = ["--location", "KAZ", "--measure", "immigration", "--measure", "emigration"]
    table = frame(run(*NAIVE, *few, "--source", "kz-bns"))
    assert set(table["measure"]) == {"immigration", "emigration"}
    assert set(table["source"]) == {"kz-bns"}


VERBS = (
    ("predict", "--data"),
    ("backtest", "--data"),
    ("report", "--data"),
    ("scenario", "--data"),
    ("condition", "--data"),
    ("targets", "--data"),
    ("impact", "--data"),
    ("hub", "export", "--data"),
    ("data", "check"),
    ("data", "add"),
    ("data", "changes"),
)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_that_reads_has_the_same_ways_to_read(verb: Sequence[str]) -> None:
    words = [word for word in verb if word != "--data"]
    said = run(*words, "--help").stdout
    options = ("location", "measure", "source", "sheet", "units", "flows", "decimal", "skip")
    assert [name for name in (*options, "no-flags") if f"--{name} " not in said] == []


@pytest.fixture
def rough(tmp_path: Path) -> Path:
    """A workbook that is read only with help: units, flows, a sheet, a place nobody knows."""
    years = list(range(2008, 2024))
    places = {"KZ-75": 10.5, "Atlantis": 1.5}
    rows = [[name, *(start + 0.1 * at for at in range(16))] for name, start in places.items()]
    figures = pd.DataFrame(rows, columns=["Region", *years])
    with pd.ExcelWriter(tmp_path / "rough.xlsx") as book:
        for sheet in ("one", "two"):
            figures.to_excel(book, sheet_name=sheet, index=False)
    return tmp_path / "rough.xlsx"


HOW = {
    "--sheet": "two",
    "--skip": "Atlantis",
    "--units": "thousands",
    "--measure": "net_migration",
    "--source": "office",
}


def test_a_rough_file_is_read_with_options(rough: Path) -> None:
    options = [word for pair in HOW.items() for word in pair]
    asked = ["predict", "--data", str(rough), "--model", "naive", "--draws", "100", *options]
    refused = run(*asked)  # the figures lie on a line, which is a warning
    assert refused.exit_code == 1
    assert "read the table with --no-flags" in refused.stderr
    done = run(*asked, "--no-flags")
    assert done.exit_code == 0, done.output
    table = frame(done)
    assert set(table["source"]) == {"office"}
    assert set(table["location"]) == {"KZ-75"}
    assert table["value"].median() > 5000


@pytest.mark.parametrize("left_out", ["--sheet", "--skip", "--measure"])
def test_what_is_left_out_is_asked_for_as_an_option(rough: Path, left_out: str) -> None:
    options = [word for pair in HOW.items() if pair[0] != left_out for word in pair]
    done = run("predict", "--data", str(rough), "--model", "naive", *options)
    assert done.exit_code == 1
    assert left_out in done.stderr
    assert done.stderr.count("\n") == 1


FIGURES = [10.101, 11.205, 9.303, 12.408, 10.709, 13.207, 12.101, 11.909, 14.555]
SAID = {"--decimal": ".", "--flows": "external"}


@pytest.mark.parametrize("option", SAID)
def test_what_can_mean_two_things_is_decided_by_an_option(tmp_path: Path, option: str) -> None:
    path = tmp_path / "two.csv"
    lines = [f"KZ-75;{2010 + at};{figure:.3f}" for at, figure in enumerate(FIGURES)]
    path.write_text("\n".join(["region;year;arrivals", *lines]), encoding="utf-8")
    asked = ["predict", "--data", str(path), "--model", "naive", "--draws", "100"]
    asked += ["--units", "thousands"]
    for name, word in SAID.items():
        asked += [name, word] if name != option else []
    refused = run(*asked)
    assert refused.exit_code == 1
    assert f"Say {option}" in refused.stderr
    done = run(*asked, option, SAID[option])
    assert done.exit_code == 0, done.output
    assert 1e4 < frame(done)["value"].median() < 2e4


def test_forms_of_output(tmp_path: Path) -> None:
    one = (*NAIVE, "--location", "KAZ", "--measure", "net_migration")
    csv = frame(run(*one))
    told = pd.read_json(io.StringIO(run(*one, "--format", "json").stdout))
    assert told["value"].tolist() == csv["value"].tolist()
    for name, read in (("a.parquet", pd.read_parquet), ("a.json", pd.read_json)):
        assert run(*one, "--out", str(tmp_path / name)).exit_code == 0
        assert read(tmp_path / name)["value"].tolist() == csv["value"].tolist()  # type: ignore[operator]
    assert run(*one, "--format", "json", "--out", str(tmp_path / "b.csv")).exit_code == 0
    assert (tmp_path / "b.csv").read_text(encoding="utf-8").startswith("[")


def test_a_forecast_is_readable_on_a_terminal_and_csv_in_a_pipe() -> None:
    one = (*NAIVE, "--location", "KAZ", "--horizons", "2027,2030")
    assert run(*one).stdout.startswith("location,measure,source,year,quantile,value\n")
    lines = run(*one, "--format", "table").stdout.splitlines()
    assert "80 % range" in lines[1]
    assert "chance of loss" in lines[1]
    at = next(number for number, line in enumerate(lines) if "Net migration (kz-bns)" in line)
    assert "2030" in lines[at]
    assert "Kazakhstan" in lines[at - 1]
    assert lines[at].rstrip().endswith("%")
    arrivals = next(line for line in lines if "Immigration (kz-bns)" in line)
    assert "%" not in arrivals


def test_the_readable_form_has_the_numbers_of_the_forecast() -> None:
    outlook = forecast.forecast(
        forecast.load("kazakhstan").select(location="KAZ", measure="net_migration"),
        model="naive",
        horizons=(2027,),
        draws=200,
    )
    made = Console(width=100, file=io.StringIO(), highlight=False)
    made.print(readable(outlook))
    text = made.file.getvalue()  # type: ignore[attr-defined]
    row = outlook.intervals(0.80).iloc[0]
    for value in (row["median"], row["lower"], row["upper"]):
        digits = 2 - math.floor(math.log10(abs(value)))
        assert f"{round(value, digits):,.0f}" in text.replace("\u2212", "-")
    chance = outlook.probability(below=0, location="KAZ", measure="net_migration", year=2027)
    assert f"{100 * chance:.0f} %" in text


def test_a_terminal_gets_the_table_unless_a_form_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.DataFrame({"year": [2027], "value": [1234567.0]})
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    Output().show(table, lambda: "for the reader")
    assert capsys.readouterr().out == "for the reader\n"
    Output(form="csv").show(table, lambda: "for the reader")
    assert capsys.readouterr().out == "year,value\n2027,1234567.0\n"
    Output(form="table").show(table)
    shown = capsys.readouterr().out
    assert "2027" in shown
    assert "1,234,567" in shown
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    Output().show(table, lambda: "for the reader")
    assert capsys.readouterr().out.startswith("year,value\n")


def test_a_wide_table_goes_beyond_the_edge_before_a_number_is_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Output(form="table").show(pd.DataFrame({f"column_{at}": [1e9 + at] for at in range(20)}))
    shown = capsys.readouterr().out
    assert [at for at in range(20) if f"{1_000_000_000 + at:,}" not in shown] == []
    assert "column_19" in shown


@pytest.mark.parametrize("asked", [("models",), ("data", "list")], ids=" ".join)
def test_lists_are_tables_for_a_reader(asked: Sequence[str]) -> None:
    told = run(*asked, "--format", "table").stdout
    assert "─" in told
    assert max(map(len, told.splitlines())) <= 100
    assert "─" not in run(*asked).stdout


def test_the_version_is_said() -> None:
    assert run("--version").stdout == f"forecast, version {forecast.__version__}\n"


def test_help_loads_nothing_that_takes_time() -> None:
    heavy = "{'numpy', 'pandas', 'xarray', 'scipy', 'matplotlib', 'pymc'}"
    code = (
        "import sys; from click.testing import CliRunner; from forecast.cli.main import cli\n"
        "for words in ([], ['predict'], ['backtest'], ['report'], ['data', 'check']):\n"
        "    assert CliRunner().invoke(cli, [*words, '--help']).exit_code == 0\n"
        f"sys.exit(', '.join({heavy} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_report_of_one_series_says_with_which_options_it_was_made(tmp_path: Path) -> None:
    chosen = ["--location", "KAZ", "--measure", "net_migration", "--horizons", "2027:2028"]
    result = run("report", *NAIVE[1:], *chosen, "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    page = (tmp_path / "kazakhstan-annex.html").read_text(encoding="utf-8")
    assert "--data kazakhstan --location KAZ --measure net_migration --model naive" in page
    table = pd.read_csv(tmp_path / "kazakhstan.csv")
    assert set(table["measure"]) == {"net_migration"}


def test_a_name_is_never_taken_for_markup() -> None:
    result = run("predict", "--model", "[/bold]", "--location", "KAZ")
    assert result.exit_code == 1
    assert "unknown model '[/bold]'" in result.output
