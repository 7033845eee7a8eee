import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from mtlib.runs import execute, notebooks, record


def test_the_command_leaves_notebook_record_and_report(finished):
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    assert finished.files == ["report.html", "tiny.smoke.ipynb", "tiny.smoke.json"]
    expected, progress, done, report = finished.stdout.splitlines()
    assert expected == "tiny · smoke · about 10 s expected at the profile's own settings"
    assert progress == "· training: done"
    assert done.startswith("tiny.smoke: 8 cells in ")
    assert done.endswith("-> out/tiny.smoke.ipynb")
    assert report == "report: out/report.html"


def test_the_record_holds_all_parameters_and_what_was_shown(finished):
    found = record.read(finished.folder / "out/tiny.smoke.json")
    assert (found["notebook"], found["profile"]) == ("tiny", "smoke")
    expected = {"profile": "smoke", "steps": 5, "rate": 0.005, "sets": [2, 9], "data_root": str(finished.folder)}
    assert found["parameters"] == expected
    assert found["seeds"] == [0, 1, 2, 3]
    assert found["claims"][0]["n"] == 5
    assert found["seconds"] > 0


def test_the_finished_notebook_holds_nothing_that_changes(finished):
    path = finished.folder / "out/tiny.smoke.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells[:4]] == ["cell-0", "cell-1", notebooks.INJECTED, "cell-2"]
    for name in ("profile", "steps", "data_root"):
        assert name in notebook.cells[2].source
    assert "rate" not in notebook.cells[2].source  # a default is not injected
    assert not {"papermill", "start_time", "iopub"} & set(path.read_text("utf-8").split('"'))
    assert notebook.cells[4].outputs[0].text.splitlines()[1:] == ["not progress, headless 1", "data"]


def test_a_failing_cell_keeps_the_partial_and_the_pair_before(make, shell, tmp_path, finished):
    path = make(tmp_path / "tiny.ipynb", work="# by hand\nsteps = -5\nparameters.check(In, globals())")
    for name in ("tiny.smoke.ipynb", "tiny.smoke.json"):
        (tmp_path / name).write_bytes((finished.folder / "out" / name).read_bytes())
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.smoke.*")}
    done = shell("run", path, "--profile", "smoke", "--to", tmp_path)
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "cell 4 (# by hand) failed with ParameterError: parameter 'steps' cannot be -5" in done.stderr
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    partial = tmp_path / "tiny.smoke.partial.ipynb"
    assert str(partial) in done.stderr
    (error,) = [o for c in notebooks.load(partial).cells for o in c.get("outputs", []) if o.output_type == "error"]
    assert len(error.traceback) == 1  # one line instead of a stack


def test_a_kernel_that_dies_is_named(make, tmp_path):
    path = make(tmp_path / "tiny.ipynb", work="import os; os._exit(9)")
    with pytest.raises(execute.KernelDied, match="died in cell 4"):
        execute.run(path, {}, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tiny.quick.partial.ipynb"]


def test_stopping_keeps_the_partial(make, tmp_path):
    make(tmp_path / "tiny.ipynb", work="import time; print('· begun', flush=True); time.sleep(600)")
    words = [sys.executable, "-m", "mtlib", "run", "tiny.ipynb", "--to", "out"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, cwd=tmp_path, env=os.environ | {"PYTHONUNBUFFERED": "1"}, **pipes) as process:
        while "begun" not in (line := process.stdout.readline()):
            assert line, process.stderr.read()
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped" in errors
    assert "Traceback" not in errors
    assert time.monotonic() - started < 30
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tiny.quick.partial.ipynb"]


def test_without_a_record_a_run_fails(make, tmp_path, pretend):
    pretend(lambda notebook: notebook.cells[-1].outputs.clear())
    with pytest.raises(execute.RunFailed, match="exactly one record, this one none"):
        execute.run(make(tmp_path / "tiny.ipynb"), {}, tmp_path)
    assert not list(tmp_path.glob("*.json"))


def test_a_record_never_stands_beside_another_runs_notebook(make, tmp_path, pretend, executed, monkeypatch):
    pretend()
    path = make(tmp_path / "tiny.ipynb")
    written = execute.run(path, {}, tmp_path / "out")
    assert json.loads(written.read_text("utf-8"))["profile"] == "quick"

    def power_cut(notebook, path):
        raise OSError("no power")

    with monkeypatch.context() as patch:
        patch.setattr(notebooks, "save", power_cut)
        patch.setattr(execute, "_execute", lambda path, *rest: executed(path))
        with pytest.raises(OSError, match="no power"):
            execute.run(path, {}, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tiny.quick.ipynb"]


def test_the_environment_is_as_before(monkeypatch):
    monkeypatch.delenv("MTLIB_HEADLESS", raising=False)
    with execute._environment():
        assert os.environ["MTLIB_HEADLESS"] == "1"
    assert "MTLIB_HEADLESS" not in os.environ


def test_progress_lines_come_whole_and_others_stay_away():
    said = []
    lines = execute.ProgressLines(said.append)
    for piece in ["· tra", "ining\nother\n·", " more\n", "· unfinished"]:
        lines.write(piece)
    assert said == ["· training", "· more"]


@pytest.mark.parametrize(("seconds", "said"), [(9.6, "10 s"), (119, "119 s"), (600, "10 min"), (20000, "5.6 h")])
def test_durations_as_people_say_them(seconds, said):
    assert execute.spell(seconds) == said


def test_refresh_replaces_outputs_only(course, pretend):
    path = course / "notebooks/01_tiny.ipynb"
    before = notebooks.load(path)
    pretend()
    execute.refresh(path)
    after = notebooks.load(path)
    assert (after.metadata, [c.metadata for c in after.cells]) == (before.metadata, [c.metadata for c in before.cells])
    assert [(c.id, c.source) for c in after.cells] == [(c.id, c.source) for c in before.cells]
    assert record.bundle(after)["claims"][0]["n"] == 5
    assert not list((course / "runs").iterdir())


def test_refresh_leaves_an_edited_or_failing_notebook_alone(course, pretend):
    path = course / "notebooks/01_tiny.ipynb"
    pretend(lambda notebook: notebook.cells[-1].outputs.clear())
    before = path.read_bytes()
    with pytest.raises(execute.RunFailed, match="exactly one record"):
        execute.refresh(path)
    assert path.read_bytes() == before
    pretend(lambda notebook: path.write_bytes(before + b"\n"))
    with pytest.raises(execute.RunFailed, match="edited while it ran"):
        execute.refresh(path)
    assert path.read_bytes() == before + b"\n"
