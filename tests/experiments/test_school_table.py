"""The playground's table: splits keep their files, and estimates are paired by split."""

import pytest

from mtlib import claims
from mtlib.experiments import school, school_data, school_table
from mtlib.metrics import interval


@pytest.fixture
def few(monkeypatch):
    small = {"WEIGHTS": (1e-3,), "COUPLINGS": (1e-2,), "BETAS": (0.3,), "RANKS": (2,), "PENALTIES": (2e-2,)}
    for name, values in small.items():
        monkeypatch.setattr(school, name, values)
    one = {name: (values[2::2], solve) for name, (values, solve) in school_table.CURVES.items()}  # the fastest
    monkeypatch.setattr(school_table, "CURVES", one)


def test_a_split_that_is_done_is_read_and_not_solved_again(few, tmp_path, monkeypatch):
    done = []
    rows = school_table.run([0, 1], tmp_path, "stand-in", advance=done.append)
    assert [row["split"] for row in rows] == [0] * 6 + [1] * 6
    assert [row["method"] for row in rows[:6]] == list(school.METHODS)
    assert {row["data"] for row in rows} == {school_data.STAND_IN}
    assert sum(done) == school_table.total(2)
    found = school_table.varied(rows)
    assert {len(scores) for by in found.values() for scores in by.values()} == {2}  # one per split
    assert found["ξ"][1e-1] != found["ξ"][10.0]
    monkeypatch.setattr(school, "tuned", None)
    assert school_table.run([1, 0], tmp_path, "stand-in")[6:] == rows[:6]


def test_few_settings_are_some_of_all():
    every, some = list(school.settings()), list(school.settings(few=True))
    assert {method for method, *_ in some} == set(school.METHODS)
    assert len(some) < len(every) / 2
    assert all(one in every for one in some)


def test_with_few_settings_go_few_points_of_a_curve(tmp_path, monkeypatch):
    monkeypatch.setattr(school_table, "CURVES", {"w": ((0.1, 1.0, 10.0), lambda data, x: school.ridge(data, x))})
    monkeypatch.setattr(school, "tuned", lambda *data, few: [{"method": "alone"}] if few else [])
    (row,) = school_table.run([0], tmp_path, "stand-in", few=True)
    assert [value for value, _ in row["curves"]["w"]] == [0.1, 10.0]


def test_estimates_are_paired_by_split_and_claims_find_theirs():
    rows = [
        {"split": split, "method": method, "explained": value + split, "settings": [0.1, 1.0, "x"]}
        for split in (0, 1)
        for method, value in zip(school.METHODS, (30, 31, 33, 34, 33.5, 32), strict=True)
    ]
    found = school_table.samples(rows)
    assert found["school/complete graph-alone"] == [3, 3]
    assert found["school/graph-complete graph"] == [1, 1]
    assert set(found) == {one.key for one in claims.load("mtfap").claims if one.family == "mtfap-school"}
    shown = school_table.table(rows)
    assert shown.loc["graph", "explained (%)"] == "34.5"
    assert shown.loc["graph", "to alone"] == str(interval([4, 4]))
    assert shown.loc["alone", "to alone"] == "–"


def test_what_is_not_there_is_said_before_any_work(tmp_path):
    with pytest.raises(FileNotFoundError, match="School"):
        school_table.run([0], tmp_path, "real", str(tmp_path))
