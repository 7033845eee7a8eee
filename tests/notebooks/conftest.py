"""What the tests of several notebooks share."""

import pytest

from mtlib.runs import execute, notebooks


@pytest.fixture
def said_with(tmp_path):
    """said_with(path, {source: replacement}) -> what the notebook prints at smoke with these answers filled in."""

    def run(path, answers):
        notebook = notebooks.load(path)
        for given, answer in answers.items():
            (cell,) = [c for c in notebook.cells if given in c.source]
            cell.source = cell.source.replace(given, answer)
        notebooks.save(notebook, tmp_path / "answered.ipynb")
        execute.run(tmp_path / "answered.ipynb", {"profile": "smoke"}, tmp_path)
        cells = notebooks.load(tmp_path / "answered.smoke.ipynb").cells
        return "".join(out.get("text", "") for cell in cells for out in cell.get("outputs", []))

    return run
