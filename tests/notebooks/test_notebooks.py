"""What every committed notebook must be: run, in order, with alt text, and free of what differs between machines."""

import ast
import json
import re

import pytest

from mtlib import claims, mime
from mtlib.paths import repository
from mtlib.runs import notebooks, parameters, record

PATHS = notebooks.all_notebooks()
MACHINE = re.compile(r"/(?:home|root|tmp|Users|work|opt)/|\bsite-packages\b|[A-Z]:\\\\")
RECORDS = sorted((repository() / "data" / "results").glob("*.json"))


@pytest.fixture(params=PATHS, ids=lambda path: path.stem.split("_")[0])
def notebook(request):
    return notebooks.load(request.param)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def test_the_course_has_notebooks():
    assert PATHS


def test_no_cell_is_committed_unrun_and_all_ran_in_order(notebook):
    assert [cell.execution_count for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))


def test_no_output_is_an_error_or_a_warning(notebook):
    assert not [o for o in outputs(notebook) if o.output_type == "error" or o.get("name") == "stderr"]


def test_outputs_name_no_machine_and_hold_no_widget_state(notebook):
    found = MACHINE.search(json.dumps([outputs(notebook), notebook.metadata]))
    assert not found, found
    assert "widgets" not in notebook.metadata
    assert "widget-view" not in json.dumps(outputs(notebook))


def test_figures_have_alt_text_a_finding_and_their_own_name(notebook):
    figures = [o.data[mime.FIGURE] for o in outputs(notebook) if mime.FIGURE in o.get("data", {})]
    assert 1 <= len(figures) <= 9
    assert len({figure["id"] for figure in figures}) == len(figures)
    for figure in figures:
        assert len(figure["alt"]) > 60
        assert figure["finding"].endswith(".")
        assert figure["arrays"]


def test_some_cells_are_compared_across_machines(notebook):
    checked = [c for c in code_cells(notebook) if "nbval-check-output" in c.metadata.get("tags", [])]
    assert len(checked) >= 3
    assert all(cell.outputs for cell in checked)


def test_every_parameter_is_declared_with_a_range_and_a_meaning(notebook):
    declared = parameters.read(notebook)
    assert declared["profile"].default == "quick"
    assert all(one.meaning and str(one.accepts) for one in declared.values())


def test_solutions_are_folded_and_follow_exercises(notebook):
    at = [i for i, cell in enumerate(notebook.cells) if "solution" in cell.metadata.get("tags", [])]
    assert len(at) >= 3
    assert all(notebook.cells[i].metadata.jupyter.source_hidden for i in at)
    assert all(notebook.cells[i].metadata.jupyter.outputs_hidden for i in at)  # an open output tells the answer
    assert all(
        re.search(r"^\*\*\d\. ", notebook.cells[i - 2].source, re.MULTILINE) for i in at
    )  # exercise, its cell, solution


def test_nothing_needs_what_only_a_solution_gives(notebook, names):
    """A student's copy, which has no solutions, runs all the same."""
    given, solved = set(), set()
    for cell in code_cells(notebook):
        for statement in ast.parse(cell.source).body:
            gives, uses = names(statement)
            if "solution" in cell.metadata.get("tags", []):
                solved |= gives
            else:
                assert not (uses - gives) & (solved - given), ast.unparse(statement)
                given |= gives


def test_expected_times_are_declared(notebook):
    seconds = [notebooks.expected_seconds(notebook, profile) for profile in ("smoke", "quick", "standard", "paper")]
    assert seconds == sorted(seconds)
    assert seconds[1] <= 90


def test_the_committed_outputs_were_judged_by_the_committed_rules(notebook):
    rules = {claims.load(path.stem).rule for path in (repository() / "data" / "claims").glob("*.toml")}
    judged = record.bundle(notebook)["claims"]
    assert judged
    assert {one["rule"] for one in judged} <= rules


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_committed_record_was_judged_by_the_committed_rules(path):
    found = record.read(path)
    rules = {claims.load(one.stem).rule for one in (repository() / "data" / "claims").glob("*.toml")}
    assert found["claims"]
    assert {one["rule"] for one in found["claims"]} <= rules
    assert found["commit"], "a record names the commit it was made from"
    assert not found["commit"].endswith("+changes"), "a record is made from a clean tree"
    assert not MACHINE.search(path.read_text())


def test_every_verdict_follows_from_the_recorded_interval():
    """The record's verdicts, computed again from the intervals of its own metrics."""
    path = repository() / "data" / "results" / "01_semantic_orthogonal_spaces.standard.json"
    found, rules = record.read(path), claims.load("sos")
    for verdict in found["claims"]:
        claim = rules[verdict["id"]]
        kept = found["metrics"]["differences"][claim.key]
        sign = 1 if claim.direction == "greater" else -1
        assert kept["n"] == verdict["n"] >= claim.n
        # 95 % intervals are narrower than those corrected for a family: beyond the effect there means beyond it here.
        worst = min(sign * kept["low"], sign * kept["high"])
        best = max(sign * kept["low"], sign * kept["high"])
        if verdict["verdict"] in ("reproduced", "partly"):
            assert worst > claim.smallest
        elif verdict["verdict"] == "not reproduced":
            assert best < claim.smallest


def test_random_numbers_are_named_by_a_seed(notebook):
    """torch seeds a new process as it likes: a cell that draws without a seed prints other numbers every time."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and re.search(r"torch\.(rand|normal|bernoulli|multinomial)", cell.source):
            assert re.search(r"manual_seed\(|generator=|seeded\(", cell.source), cell.source
