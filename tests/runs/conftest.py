"""Small notebooks to run: a parameters cell, a figure, a record."""

import contextlib
import copy
import os
import pickle
import subprocess
import sys

import nbformat
import pytest
from click.testing import CliRunner
from filelock import FileLock  # torch brings it
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mtlib import paths
from mtlib.runs import execute, notebooks
from mtlib.runs.cli import cli

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PARAMETERS = """\
profile: str = "quick"  # [smoke|quick|standard|paper] how long it trains
steps: int = 3  # [1..1000] updates
rate: float = 0.005  # [0..1] learning rate
sets: list[int] = [2, 9]  # [1..10] which sets
data_root: str = ""  # [folder] where real data sets lie; empty: none"""
CHECK = "from mtlib.runs import parameters\nparameters.check(In, globals())"
FOLDED = {"source_hidden": True, "outputs_hidden": True}
WORK = """\
import os, sys, time
print("· training: done")
print("not progress, headless", os.environ["MTLIB_HEADLESS"])
print(os.path.join(os.getcwd(), "data"))"""
FIGURE = f"""\
from IPython.display import display
arrays = {{
    "points": {{"shape": [2, 2], "values": [0, 1, 2, steps], "tolerance": 1e-6, "kind": "exact"}},
    "map": {{"shape": [3], "values": [0.1, 0.2, 0.3], "tolerance": 0.05, "kind": "trained"}},
}}
figure = {{"id": "plane", "alt": "Two <b>sets</b>", "finding": "They \\"overlap\\" & differ.", "arrays": arrays}}
display({{"application/vnd.mtlib.figure+json": figure, "image/png": "{PIXEL}", "text/plain": "f"}}, raw=True)"""
RECORD = """\
from mtlib.runs import record
claim = dict(id="T1", where="Table I", statement="SOS < MT & <i>ST</i>", data="toy", scope="same-data",
             verdict="partly", n=steps, evidence={"gain": 0.25, "low": 0.125}, rule="c0ffee")
metrics = {"accuracy": {"st": 0.5, "mt": [0.25]}}
record.show(data={"name": "toy"}, seeds=[0, 1, 2, 3], metrics=metrics, claims=[claim])"""


def write(path, work=WORK, title="A tiny <course>"):
    """Write the tiny notebook, with ``work`` as its fourth cell and one exercise with its solution."""
    cells = [
        new_markdown_cell(f"# {title}"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell(CHECK),
        new_code_cell(work),
        new_code_cell(FIGURE),
        new_code_cell("answer = 42", metadata={"tags": ["solution"], "jupyter": FOLDED}),
        new_markdown_cell("Because.", metadata={"tags": ["solution"]}),
        new_code_cell(RECORD, metadata={"scrolled": False}),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    metadata = {"mtlib": {"seconds": {"smoke": 10, "quick": 60, "paper": 20000}}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


@pytest.fixture(scope="session")
def make():
    """Write the tiny notebook: ``make(path, work="print(1)")``."""
    return write


@pytest.fixture(scope="session")
def declaration():
    """What the parameters cell of the tiny notebook says."""
    return PARAMETERS


@pytest.fixture
def shell():
    """Run the command line in this process: ``shell("run", "01").exit_code``."""
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A repository of its own with two tiny notebooks, which mtlib takes for the real one."""
    write(tmp_path / "course/notebooks/01_tiny.ipynb")
    write(tmp_path / "course/notebooks/02_other.ipynb", title="Another")
    (tmp_path / "course/data/claims").mkdir(parents=True)
    monkeypatch.setattr(paths, "ROOT", tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture
def no_kernel(monkeypatch):
    """Starting a kernel fails the test."""
    import papermill

    def refuse(*args, **kwargs):
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(papermill, "execute_notebook", refuse)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The tiny notebook run once by the real command, from a folder outside the repository, for all workers."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "finished"
    folder.mkdir(exist_ok=True)
    kept = folder / "done.pickle"
    with FileLock(folder / "lock"):
        if not kept.exists():
            kept.write_bytes(pickle.dumps(_run_for_real(folder)))
        return pickle.loads(kept.read_bytes())


def _run_for_real(folder):
    write(folder / "tiny.ipynb")
    words = ["run", "tiny.ipynb", "-p", "steps", "5", "-p", "data_root", ".", "--to", "out", "--profile", "smoke"]
    done = subprocess.run(
        [sys.executable, "-m", "mtlib", *words], cwd=folder, capture_output=True, text=True, timeout=120
    )
    done.folder = folder
    with contextlib.suppress(FileNotFoundError):
        done.files = sorted(os.listdir(folder / "out"))
    return done


@pytest.fixture
def executed(finished):
    """A tiny notebook with the outputs of the finished one: ``executed(path)``."""
    outputs = notebooks.load(finished.folder / "out/tiny.smoke.ipynb")

    def fill(path):
        result = notebooks.load(path)
        for cell, ran in zip(result.cells, outputs.cells, strict=True):
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = copy.deepcopy(ran.outputs), ran.execution_count
        return result

    return fill


@pytest.fixture
def pretend(executed, monkeypatch):
    """Instead of a kernel, the finished outputs: ``pretend(change)`` says what happens to them."""

    def install(change=lambda notebook: None):
        def without_kernel(notebook, values, partial, say):
            result = executed(notebook)
            change(result)
            notebooks.save(result, partial)
            return result

        monkeypatch.setattr(execute, "_execute", without_kernel)

    return install
