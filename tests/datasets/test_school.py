"""School: every pupil at one school, ten drawn splits, and what the columns of the real file mean."""

import numpy as np
import pytest
import torch
from scipy.io import savemat

from mtlib.datasets import load

SIZES = torch.tensor([4 + school % 5 for school in range(139)])  # of the example


def table(pupils):
    """x counts on from 0 in its first column over all schools; the score is 1 + that, modulo 70."""
    first = np.concatenate([[0], np.cumsum(pupils)])
    cells = {"X": np.empty((1, 139), dtype=object), "Y": np.empty((1, 139), dtype=object)}
    for school, n in enumerate(pupils):
        x = np.zeros((n, 28))
        x[:, 0] = first[school] + np.arange(n)
        cells["X"][0, school], cells["Y"][0, school] = x, 1 + x[:, :1] % 70
    return cells


@pytest.fixture
def by_hand(tmp_path):
    """by_hand(change) writes that table, changed, with 4 pupils at each school."""

    def write(change=lambda cells: None):
        (tmp_path / "school").mkdir(exist_ok=True)
        cells = table([4] * 139)
        change(cells)
        savemat(tmp_path / "school" / "school.mat", cells, do_compression=True)
        return tmp_path

    return write


def test_a_score_stands_in_the_column_of_the_school(by_hand):
    data = load("school", root=by_hand())
    assert (data.name, data.tasks[0].name, data.tasks[0].kind) == ("School", "exam", "points")
    assert data.tasks[0].columns[137] == "school 138"
    assert (data.train.x.shape, data.test.x.shape) == ((3 * 139, 28), (139, 28))
    for split in (data.train, data.test):
        pupil = split.x[:, 0].long()
        assert torch.equal(split.source, pupil // 4)
        scores = split.y["exam"]
        assert torch.equal(scores.isnan(), torch.arange(139) != split.source.unsqueeze(1))
        assert torch.equal(scores.nansum(1), 1 + pupil.float() % 70)


def test_every_pupil_is_in_one_split_and_three_quarters_of_each_school_are_for_training(example):
    data = load("school", root=example("school"))
    trained, tested = data.train.source.bincount(minlength=139), data.test.source.bincount(minlength=139)
    assert torch.equal(trained + tested, SIZES)
    assert torch.equal(trained, (SIZES * 0.75 + 0.5).floor().long())


def test_ten_splits_each_the_same_whenever_asked_for(by_hand):
    root = by_hand()
    drawn = [load("school", root=root, split=split).train.x[:, 0] for split in (0, 0, 1, 9)]
    assert torch.equal(drawn[0], drawn[1])
    for other in drawn[2:]:
        assert not torch.equal(drawn[0].sort().values, other.sort().values)


def test_the_first_pupils_come_from_many_schools(by_hand):
    data = load("school", root=by_hand(), train=100, validation=40)
    assert len(data.train.source.unique()) > 50
    assert len(data.validation.source.unique()) > 25


@pytest.mark.parametrize("split", [-1, 10, 1.0, "0", True])
def test_no_other_split(by_hand, split):
    with pytest.raises(ValueError, match="split is 0 to 9, got"):
        load("school", root=by_hand(), split=split)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"School: school.mat is not in .*says under 'School'"):
        load("school", root=tmp_path)


def test_numbers_have_no_size(by_hand):
    with pytest.raises(ValueError, match="school has no pictures: it takes no size"):
        load("school", root=by_hand(), size=32)


def put(name, school, cell):
    def change(cells):
        cells[name][0, school] = cell

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("X", 5, np.zeros((4, 27))), "cannot be read .not X and Y of 139 schools with 28 and 1 columns"),
        (put("Y", 5, np.ones((3, 1))), "cannot be read .not X and Y of 139 schools"),
        (put("Y", 5, np.ones((4, 2))), "cannot be read .not X and Y of 139 schools"),
        (put("X", 5, np.full((4, 28), np.nan)), "has numbers that are none, or scores outside 0 to 70"),
        (put("Y", 5, np.full((4, 1), 71.0)), "has numbers that are none, or scores outside 0 to 70"),
        (put("Y", 5, np.full((4, 1), np.nan)), "has numbers that are none, or scores outside 0 to 70"),
        (lambda cells: cells.pop("Y"), "cannot be read .'Y'"),
        (lambda cells: cells.update(X=cells["X"][:, :138]), "cannot be read .not X and Y of 139 schools"),
        (lambda cells: cells.update(X="texts"), "cannot be read"),
    ],
)
def test_another_table_is_named(by_hand, change, message):
    with pytest.raises(ValueError, match=f"^School: school.mat {message}"):
        load("school", root=by_hand(change))


@pytest.mark.parametrize(
    "change",
    [
        lambda old: old[: len(old) // 2],
        lambda old: old[:1000] + bytes(len(old) - 1000),
        lambda old: old[:1000] + bytes([old[1000] ^ 1]) + old[1001:],
        lambda old: b"",
        lambda old: b"hello, world",
        None,
    ],
)
def test_a_damaged_file_is_named(by_hand, spoil, change):
    root = by_hand()
    spoil(root / "school" / "school.mat", change)
    with pytest.raises(ValueError, match=r"^School: school.mat cannot be read"):
        load("school", root=root)


def test_the_real_one(real):
    data = load("school", root=real("school"))
    assert len(data.train) + len(data.test) == 15_362
    x, school = (torch.cat([getattr(split, name) for split in (data.train, data.test)]) for name in ("x", "source"))
    scores = torch.cat([data.train.y["exam"], data.test.y["exam"]]).nansum(1).double()
    assert (scores.mean().item(), scores.std(correction=0).item()) == pytest.approx((20.60, 12.72), abs=0.005)
    pupils = school.bincount()
    assert (pupils.min(), pupils.max()) == (22, 251)
    # What the reader says of the columns: one of each group is 1, and the last is a bias.
    groups = {"year": range(3), "sex": (5, 6), "band": (7, 8, 9), "ethnic group": range(10, 21)}
    groups |= {"sexes at the school": (21, 22, 23), "denomination": (24, 25, 26), "bias": (27,)}
    for name, columns in groups.items():
        assert set(x[:, list(columns)].unique().tolist()) <= {0, 1}, name
        assert (x[:, list(columns)].sum(1) != 1).sum() == (15 if name == "band" else 0), name
    for sexes, sex in ((22, 6), (23, 5)):  # at schools of one sex nearly all are of that one
        assert x[x[:, sexes] == 1, sex].mean() > 0.999
    for column in (21, 22, 23, 24, 25, 26):  # of the school, not of the pupil
        shares = torch.zeros(139).scatter_reduce_(0, school, x[:, column], "mean", include_self=False)
        assert set(shares.tolist()) <= {0, 1}
