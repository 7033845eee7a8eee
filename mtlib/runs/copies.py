"""The teacher's two copies: for students without solutions and outputs, for instructors with all open."""

import copy
from pathlib import Path

from nbconvert.preprocessors import ClearOutputPreprocessor, TagRemovePreprocessor
from nbformat import NotebookNode

from mtlib.runs import notebooks

SOLUTION = "solution"  # the tag of a cell that solves an exercise


def teach(to: Path) -> list[Path]:
    """Write ``student/`` and ``instructor/`` copies of every notebook into a folder.

    Returns:
        The files written.

    Raises:
        NotebookError: there are no notebooks, or one cannot be read.
    """
    written = []
    for path in notebooks.choose(["all"]):
        source = notebooks.load(path)
        for kind, make in (("student", student), ("instructor", instructor)):
            written.append(to / kind / path.name)
            notebooks.save(make(source), written[-1])
    return written


def student(source: NotebookNode) -> NotebookNode:
    """The notebook without solutions and without outputs, which would give them away."""
    result = copy.deepcopy(source)
    result.metadata.pop("widgets", None)  # the state of widgets is output too
    for step in (TagRemovePreprocessor(remove_cell_tags={SOLUTION}), ClearOutputPreprocessor()):
        result, _ = step.preprocess(result, {})
    return result


def instructor(source: NotebookNode) -> NotebookNode:
    """The notebook with everything, its solutions unfolded."""
    result = copy.deepcopy(source)
    for cell in result.cells:
        if SOLUTION in cell.metadata.get("tags", []):
            folded = cell.metadata.get("jupyter", {})
            folded.pop("source_hidden", None)
            folded.pop("outputs_hidden", None)
            folded.pop("outputs_hidden", None)
            if not folded:
                cell.metadata.pop("jupyter", None)
    return result
