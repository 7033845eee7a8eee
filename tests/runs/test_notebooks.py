import copy
import tempfile
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mtlib import paths
from mtlib.runs import notebooks
from mtlib.runs.notebooks import NotebookError


def test_find_by_number_stem_file_and_path(course, monkeypatch):
    wanted = course / "notebooks/01_tiny.ipynb"
    monkeypatch.chdir(course.parent)
    assert notebooks.find("01") == wanted
    assert notebooks.find("01_tiny") == wanted
    assert notebooks.find("01_tiny.ipynb") == wanted
    assert notebooks.find("course/notebooks/01_tiny.ipynb") == wanted


def test_a_companion_is_another_notebook(course, make):
    make(course / "notebooks/01b_more.ipynb")
    assert notebooks.find("01").stem == "01_tiny"
    assert notebooks.find("01b").stem == "01b_more"


@pytest.mark.parametrize("name", ["07", "0", "", "nowhere/01_tiny.ipynb", "notebooks"])
def test_unknown_names_are_told_what_there_is(course, name):
    with pytest.raises(NotebookError, match="there are: 01_tiny, 02_other"):
        notebooks.find(name)


def test_ambiguous_and_misspelt_names(course, make):
    with pytest.raises(NotebookError, match="did you mean '02_other'"):
        notebooks.find("02_othr")
    make(course / "notebooks/01_twin.ipynb")
    with pytest.raises(NotebookError, match="several notebooks are called '01'"):
        notebooks.find("01")


def test_choose(course, make):
    assert [path.stem for path in notebooks.choose(["02", "all", "02_other"])] == ["02_other", "01_tiny"]
    elsewhere = make(course / "elsewhere/01_tiny.ipynb")
    with pytest.raises(NotebookError, match="two notebooks are called '01_tiny'"):
        notebooks.choose(["01", str(elsewhere)])


def test_a_file_that_is_no_notebook(tmp_path):
    (tmp_path / "x.ipynb").write_text("{")
    with pytest.raises(NotebookError, match=r"cannot read the notebook .*x\.ipynb"):
        notebooks.load(tmp_path / "x.ipynb")


def test_outputs_without_what_running_adds(monkeypatch):
    monkeypatch.setattr(paths, "ROOT", Path("/somewhere/course"))
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    source = new_notebook(cells=[new_code_cell("x", id="a", metadata={"tags": ["t"]})])
    ran = copy.deepcopy(source)
    ran.metadata.papermill = {"duration": 1.5}
    ran.cells[0].metadata.papermill = {"start_time": "now"}
    ran.cells[0].execution_count = 2
    cell = Path(tempfile.gettempdir()) / "ipykernel_12" / "345.py"  # as ipykernel names the file of a cell
    text = f"/somewhere/course/mtlib/a.py and /home/me/x, {cell}:3: not /usr/home/me/x"
    image = new_output("display_data", data={"image/png": text, "text/plain": text})
    ran.cells[0].outputs = [new_output("stream", text=text), image]
    ran.cells.insert(0, new_code_cell("p = 1", metadata={"tags": [notebooks.INJECTED], "papermill": {}}))
    kept = notebooks.with_outputs(source, ran, keep_injected=True)
    short = "mtlib/a.py and ~/x, <cell>:3: not /usr/home/me/x"
    assert kept.metadata == {}
    assert [cell.metadata for cell in kept.cells] == [{"tags": [notebooks.INJECTED]}, {"tags": ["t"]}]
    assert kept.cells[0].id == notebooks.INJECTED  # papermill's would be random
    assert kept.cells[1].outputs[0].text == short
    assert kept.cells[1].outputs[1].data == {"image/png": text, "text/plain": short}
    assert kept.cells[1].execution_count == 2
    assert len(notebooks.with_outputs(source, ran, keep_injected=False).cells) == 1
    ran.cells[1].source = "y"
    with pytest.raises(NotebookError, match="other cells"):
        notebooks.with_outputs(source, ran, keep_injected=False)
