import copy

import pytest

from mtlib import mime
from mtlib.figures import MOST
from mtlib.runs import notebooks, verify

FIGURE_CELL, RECORD_CELL = 4, 7


@pytest.fixture
def committed(executed, make, tmp_path):
    return executed(make(tmp_path / "tiny.ipynb"))


def figure(notebook):
    return notebook.cells[FIGURE_CELL].outputs[0].data[mime.FIGURE]


def shown(notebook):
    return notebook.cells[RECORD_CELL].outputs[0].data[mime.RECORD]


def differences(committed, change):
    fresh = copy.deepcopy(committed)
    change(fresh)
    return verify.compare(committed, fresh)


def test_equal_notebooks_do_not_differ(committed):
    assert differences(committed, lambda fresh: None) == []
    assert verify.count(committed) == (1, 2)


@pytest.mark.parametrize(("length", "fits"), [(MOST, True), (MOST - 1, False), (10_000, False)])
def test_a_large_array_is_compared_by_its_sample(committed, length, fits):
    def sampled(notebook, last=0.0):
        points = figure(notebook).arrays.points
        points["shape"], points["values"] = [100, 100], [1.0] * (length - 1) + [1.0 + last]

    sampled(committed)
    found = differences(committed, sampled)
    assert found == [] if fits else "do not fill the shape [100, 100]" in found[0]
    assert differences(committed, lambda fresh: sampled(fresh, last=0.1)) != []


def within(fresh):
    arrays = figure(fresh).arrays
    arrays.points["values"][3] += 4e-6  # 5 is the largest, 1e-6 the tolerance
    arrays.map["values"] = [0.1, 0.2, 0.4]  # 0.033 on average, 0.05 allowed
    shown(fresh).metrics["accuracy"].st = 0.9


def test_differences_within_the_tolerance_pass(committed):
    assert differences(committed, within) == []


CHANGES = {
    "array 'points': differs by 6e-06 at most": lambda nb: figure(nb).arrays.points["values"].__setitem__(3, 5 + 6e-6),
    "array 'map': differs by 0.1 on average": lambda nb: figure(nb).arrays.map.update({"values": [0.2, 0.3, 0.4]}),
    "array 'map': NaN or infinity": lambda nb: figure(nb).arrays.map.update({"values": [0.1, None, 0.3]}),
    "array 'map': its values do not fill": lambda nb: figure(nb).arrays.map.update({"values": [0.1, 0.2]}),
    "array 'map': shape [3] committed, [1, 3]": lambda nb: figure(nb).arrays.map.update({"shape": [1, 3]}),
    "array 'map': tolerance 0.05 committed, 9": lambda nb: figure(nb).arrays.map.update({"tolerance": 9}),
    "arrays map, points committed, map computed": lambda nb: figure(nb).arrays.pop("points"),
    "figure 'plane' is missing": lambda nb: nb.cells[FIGURE_CELL].outputs.clear(),
    "figure 'plane' (number 2) is new": lambda nb: nb.cells[FIGURE_CELL].outputs.append(
        nb.cells[FIGURE_CELL].outputs[0]
    ),
    "figure 'other' is new": lambda nb: figure(nb).update({"id": "other"}),
    "claim 'T1': n 5 committed, 4": lambda nb: shown(nb).claims[0].update({"n": 4}),
    "claim 'T1': verdict partly committed, undecided": lambda nb: shown(nb).claims[0].update({"verdict": "undecided"}),
    "claim 'T1': rule c0ffee": lambda nb: shown(nb).claims[0].update({"rule": "other"}),
    "claims T1 committed, none computed": lambda nb: shown(nb).claims.clear(),
    "metrics with other keys: metrics.accuracy.sos": lambda nb: shown(nb).metrics["accuracy"].update({"sos": 1}),
    "exactly one record": lambda nb: nb.cells[RECORD_CELL].outputs.clear(),
}


@pytest.mark.parametrize("says", CHANGES)
def test_each_difference_is_told(committed, says):
    found = differences(committed, CHANGES[says])
    assert any(says in line for line in found), found


def test_the_order_of_figures(committed):
    second = copy.deepcopy(committed.cells[FIGURE_CELL].outputs[0])
    second.data[mime.FIGURE].id = "second"
    committed.cells[FIGURE_CELL].outputs.append(second)
    found = differences(committed, lambda fresh: fresh.cells[FIGURE_CELL].outputs.reverse())
    assert found == ["the figures come in another order"]


def test_nothing_to_compare_is_a_difference(committed):
    figure(committed).arrays.clear()
    assert "carries no arrays" in verify.compare(committed, committed)[0]
    committed.cells[FIGURE_CELL].outputs.clear()
    assert "carries no figures" in verify.compare(committed, committed)[0]


def test_exact_zeros_may_be_rounding(committed):
    figure(committed).arrays.map.update({"values": [0, 0, 0], "kind": "exact"})
    assert differences(committed, lambda nb: figure(nb).arrays.map.update({"values": [1e-9, 0, 0]})) == []
    assert differences(committed, lambda nb: figure(nb).arrays.map.update({"values": [1e-7, 0, 0]}))


def test_the_command_runs_the_notebooks_again(course, shell, pretend):
    """Two kernels' outputs agree: the one that refreshes the notebook here, and the one of the finished run."""
    path = course / "notebooks/01_tiny.ipynb"
    assert shell("notebooks", "01").exit_code == 0

    def as_many_steps(notebook):  # as the default
        figure(notebook).arrays.points["values"][3] = shown(notebook).claims[0].n = 3

    pretend(as_many_steps)
    done = shell("verify", "01")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "01_tiny: 1 figures, 2 arrays compared, 0 differences" in done.stdout
    assert (course / "runs/verify/01_tiny.quick.json").exists()
    assert notebooks.load(path).cells[FIGURE_CELL].outputs


def test_the_command_fails_on_a_difference(course, shell, pretend):
    pretend()
    assert shell("notebooks").exit_code == 0
    pretend(lambda notebook: figure(notebook).arrays.points["values"].reverse())
    done = shell("verify")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[0].startswith("01_tiny: figure 'plane': array 'points': differs by 5")
    assert len(done.stderr.splitlines()) == 2


def test_notebooks_never_run_do_not_pass(course, shell, pretend):
    pretend()
    done = shell("verify", "01")
    assert done.exit_code == 1
    assert "carries no figures" in done.stderr
