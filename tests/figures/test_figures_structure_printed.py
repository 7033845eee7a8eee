"""The printed tables of MTFAP beside our comparison: counted as printed."""

import pandas as pd
import pytest

from mtlib.figures import structure_printed as draw
from mtlib.paths import repository


@pytest.fixture
def tables():
    folder = repository() / "data" / "papers"
    return [pd.read_csv(folder / f"mtfap_{name}.csv") for name in ("table1_celeba", "table2_lfwa")]


def test_the_prior_wins_on_all_cells_and_who_is_better_without_it(tables, checked):
    ours = {"known groups minus learned graph": [0.1, 0.2, 0.15], "shuffled": [0.0, -0.5, 0.5]}
    drawing = checked(draw.printed(*tables, ours, "n = 3"))
    assert "the prior wins on 80 of 80 cells, by 2.05 points on CelebA and 2.02 on LFWA" in drawing.finding
    assert "the mean on CelebA is below GNAS, PS-MCNN-LC, DMM-CNN" in drawing.finding
    assert "known groups minus learned graph +0.15 points, above zero" in drawing.finding
    assert "shuffled +0.00 points, not clearly off zero" in drawing.finding
    assert drawing.arrays["ours"] == [pytest.approx(0.15), 0]


def test_nothing_run_and_tables_that_do_not_fit(tables, checked):
    assert "nothing was run" in checked(draw.printed(*tables, {"known groups minus learned graph": []}, "none")).finding
    with pytest.raises(ValueError, match="table of LFWA lacks"):
        draw.printed(tables[0], tables[1].drop(columns="prior"), {}, "none")
    with pytest.raises(ValueError, match="same attributes"):
        draw.printed(tables[0], tables[1].iloc[::-1].reset_index(drop=True), {}, "none")
