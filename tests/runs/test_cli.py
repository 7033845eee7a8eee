import importlib.util
import subprocess
import sys

import pytest

from mtlib import __main__, paths
from mtlib.runs import execute, notebooks

WRONG = {
    "no notebook": (["run"], "say which notebook"),
    "unknown notebook": (["run", "07"], "no notebook '07'"),
    "unknown file": (["run", "nowhere/x.ipynb"], "no notebook"),
    "unknown parameter": (["run", "01", "-p", "stps", "3"], "did you mean 'steps'"),
    "unknown for one of all": (["run", "all", "-p", "extra", "3"], "02_other: unknown parameter 'extra'"),
    "wrong type": (["run", "01", "-p", "steps", "three"], "'steps' cannot be 'three': it accepts int, 1 to 1000"),
    "negative": (["run", "01", "-p", "steps", "-5"], "'steps' cannot be '-5'"),
    "negative float": (["run", "01", "-p", "rate", "-1e-3"], "'rate' cannot be '-1e-3'"),
    "an option as value": (["run", "01", "-p", "steps", "--to"], "'steps' cannot be '--to'"),
    "empty list": (["run", "01", "-p", "sets", ""], "'sets' cannot be ''"),
    "unknown profile": (["run", "01", "--profile", "fast"], "one of smoke, quick, standard, paper"),
    "unknown profile as parameter": (["run", "01", "-p", "profile", "fast"], "'profile' cannot be 'fast'"),
    "two profiles": (["run", "01", "--profile", "quick", "-p", "profile", "smoke"], "'profile' is given twice"),
    "twice": (["run", "01", "-p", "steps", "2", "-p", "steps", "2"], "'steps' is given twice"),
    "missing folder": (["run", "01", "-p", "data_root", "no/such"], "an existing folder"),
    "to a file": (["run", "01", "--to", "data/file"], "--to data/file cannot be a folder"),
    "to below a file": (["run", "01", "--to", "data/file/x"], "cannot be a folder"),
    "half a parameter": (["run", "01", "-p", "steps"], "'-p'"),
    "unknown option": (["run", "01", "--fast"], "--fast"),
    "unknown command": (["fly"], "'fly'"),
    "unknown to refresh": (["notebooks", "07"], "no notebook '07'"),
    "unknown to verify": (["verify", "07"], "no notebook '07'"),
    "no folder to report": (["report", "nowhere"], "no folder nowhere"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_commands_end_with_2_and_one_line(case, course, make, shell, no_kernel, monkeypatch):
    words, says = WRONG[case]
    monkeypatch.chdir(course)
    (course / "data/file").touch()
    if case == "unknown for one of all":
        tiny = course / "notebooks/01_tiny.ipynb"
        source = notebooks.load(tiny)
        source.cells[1].source += "\nextra: int = 1"
        notebooks.save(source, tiny)
    done = shell(*words)
    assert done.exit_code == 2, done.output
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not (course / "runs").exists()


def test_a_wrong_declaration_ends_with_2(course, shell, no_kernel):
    path = course / "notebooks/01_tiny.ipynb"
    path.write_text(path.read_text("utf-8").replace("[1..1000] updates", "[1..1000] so n=3"), "utf-8")
    for words in (["run", "01"], ["notebooks"], ["run", "01", "--help"]):
        done = shell(*words)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert "01_tiny: line 2 of the parameters cell" in done.stderr


def test_a_notebook_is_committed_at_quick(course, shell, no_kernel):
    path = course / "notebooks/01_tiny.ipynb"
    path.write_text(path.read_text("utf-8").replace('= \\"quick\\"', '= \\"smoke\\"'), "utf-8")
    done = shell("notebooks", "01")
    assert done.exit_code == 2
    assert "parameter 'profile' is committed as 'smoke'" in done.stderr


def test_values_reach_the_runner_and_times_are_said_first(course, shell, monkeypatch):
    calls = []
    monkeypatch.setattr(execute, "run", lambda path, given, to, say: calls.append((path.stem, given, to)))
    monkeypatch.setattr("mtlib.runs.report.write", lambda folder: folder / "report.html")
    done = shell("run", "all", "--profile", "paper", "-p", "profile", "paper", "-p", "sets", "[1, 3]")
    given = {"profile": "paper", "sets": [1, 3]}
    assert calls == [(name, given, course / "runs") for name in ("01_tiny", "02_other")]
    assert done.stdout.splitlines()[0] == "01_tiny · paper · about 5.6 h expected at the profile's own settings"
    assert done.stdout.splitlines()[2] == "2 notebooks · about 11.1 h expected in all"
    done = shell("run", "01", "--profile", "standard")
    assert "01_tiny · standard · its expected time is not declared" in done.stdout


def test_one_failure_does_not_stop_the_others(course, shell, pretend):
    def spoil(notebook):
        if "tiny" in notebook.cells[0].source:
            notebook.cells[-1].outputs.clear()

    pretend(spoil)
    done = shell("run", "all")
    assert done.exit_code == 1
    assert "01_tiny: a notebook shows exactly one record" in done.stderr
    assert (course / "runs/02_other.quick.json").exists()
    assert (course / "runs/report.html").exists()


def test_stopping_ends_with_130(course, shell, monkeypatch):
    def interrupt(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr(execute, "run", interrupt)
    assert shell("run", "01").exit_code == 130


def test_help_of_a_notebook_lists_its_parameters(course, shell, no_kernel):
    done = shell("run", "01", "--help")
    assert done.exit_code == 0
    for text in ("steps: int = 3", "accepts int, 1 to 1000", "updates", "sets: list[int] = [2, 9]"):
        assert text in done.output
    assert "accepts str, an existing folder, or nothing" in done.output


def test_general_help_lists_the_notebooks(course, shell, no_kernel):
    done = shell("run", "--help")
    assert done.exit_code == 0
    assert "--profile" in done.output
    assert "01_tiny" in done.output
    assert "run" in shell().output


def test_away_from_its_repository(shell, tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    done = shell("run", "01")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "clone" in done.stderr


def test_without_the_course_extra(monkeypatch, capsys):
    def without(name):
        return None if name in ("click", "papermill") else importlib.util.find_spec(name)

    monkeypatch.setattr(__main__, "find_spec", without)
    with pytest.raises(SystemExit) as error:
        __main__.main()
    assert error.value.code == 2
    assert capsys.readouterr().err.strip().endswith("click, papermill not installed: pip install -e '.[course]'")


def test_a_wrong_command_for_real(make, tmp_path):
    make(tmp_path / "tiny.ipynb")
    words = [sys.executable, "-m", "mtlib", "run", "tiny.ipynb", "-p", "steps", "-5", "--to", "out"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mtlib: tiny: parameter 'steps' cannot be '-5': it accepts int, 1 to 1000\n"
    assert not (tmp_path / "out").exists()
