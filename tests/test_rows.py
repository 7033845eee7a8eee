"""Rows: pure functions of (seed, step), and what every kind of batch promises."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtlib.rows import Epoch, Mixed, Pairs

# ------------------------------------------------------------------ an epoch's order


def test_rows_are_a_pure_function_of_seed_and_step():
    rows, again = Epoch(50, 8, seed=3), Epoch(50, 8, seed=3)
    forwards = [rows(step).tolist() for step in range(20)]
    assert [again(step).tolist() for step in reversed(range(20))] == forwards[::-1]
    assert Epoch(50, 8, seed=4)(0).tolist() != forwards[0]


def test_every_epoch_is_a_new_order_and_its_batches_do_not_overlap():
    rows = Epoch(50, 8, seed=0)  # 6 batches of 8; 2 rows are left out
    epochs = [[row for step in range(6) for row in rows(6 * epoch + step).tolist()] for epoch in range(3)]
    for epoch in epochs:
        assert len(set(epoch)) == 48
        assert set(epoch) <= set(range(50))
    assert epochs[0] != epochs[1] != epochs[2]


def test_an_epoch_that_divides_evenly_is_a_permutation():
    rows = Epoch(12, 4, seed=0)
    assert sorted(row for step in range(3) for row in rows(step).tolist()) == list(range(12))


def test_a_batch_larger_than_the_set_is_the_set():
    assert sorted(Epoch(5, 128, seed=0)(7).tolist()) == [0, 1, 2, 3, 4]


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="no rows"):
        Epoch(0, 8, seed=0)


# ------------------------------------------------------------------ sources in given numbers

SOURCES = torch.tensor([7] * 20 + [3] * 9 + [5] * 4)


def test_a_mixed_batch_has_so_many_rows_of_every_source_and_none_of_the_others():
    rows = Mixed(SOURCES, {3: 3, 7: 5}, seed=0)
    assert rows.per_epoch == 4  # 20 rows of source 7, five a batch
    for step in range(30):
        batch = rows(step)
        assert len(set(batch.tolist())) == 8
        assert SOURCES[batch].bincount(minlength=8).tolist() == [0, 0, 0, 3, 0, 0, 0, 5]


def test_every_source_has_epochs_of_its_own():
    rows = Mixed(SOURCES, {3: 3, 7: 5}, seed=0)
    batches = [rows(step) for step in range(12)]
    of_7 = torch.cat([batch[SOURCES[batch] == 7] for batch in batches[:4]])
    of_3 = [torch.cat([batch[SOURCES[batch] == 3] for batch in batches[i : i + 3]]) for i in (0, 3, 6)]
    assert sorted(of_7.tolist()) == list(range(20))
    assert all(sorted(epoch.tolist()) == list(range(20, 29)) for epoch in of_3)
    assert len({tuple(epoch.tolist()) for epoch in of_3}) == 3


def test_every_half_of_a_mixed_batch_is_mixed():  # for several processes, which take parts
    batch = Mixed(SOURCES, {7: 8, 3: 4}, seed=0)(0)
    for half in batch.split(6):
        assert (SOURCES[half] == 7).sum() == 4


def test_mixed_rows_are_a_pure_function_of_seed_and_step():
    rows, again = Mixed(SOURCES, {3: 3, 7: 5}, seed=1), Mixed(SOURCES, {3: 3, 7: 5}, seed=1)
    forwards = [rows(step).tolist() for step in range(20)]
    assert [again(step).tolist() for step in reversed(range(20))] == forwards[::-1]
    assert Mixed(SOURCES, {3: 3, 7: 5}, seed=2)(0).tolist() != forwards[0]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({}, "1 or more of each"),
        ({7: 0}, "1 or more of each"),
        ({5: 5}, "5 rows per batch of source 5, which has 4"),
        ({9: 1}, "source 9, which has 0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        Mixed(SOURCES, sizes, seed=0)


# ------------------------------------------------------------------ pairs


@given(
    st.lists(st.integers(0, 5), min_size=3, max_size=30).filter(lambda ids: 1 < len(set(ids)) < len(ids)),
    st.integers(0, 1000),
)
def test_pairs_are_genuine_and_impostor_in_turn(identities, step):
    identities = torch.tensor(identities)
    first, second = Pairs(identities, 16, seed=0)(step).view(8, 2).T
    assert ((identities[first] == identities[second]) == torch.tensor([True, False] * 4)).all()
    assert (first != second).all()


def test_every_pair_of_rows_comes_up():
    identities = torch.tensor([4, 1, 4, 1, 4, 2])
    rows = Pairs(identities, 40, seed=0)
    pairs = torch.cat([rows(step).view(-1, 2) for step in range(40)])
    assert set(map(tuple, pairs.tolist())) == {(a, b) for a in range(6) for b in range(6) if a != b}
    assert rows(3).tolist() == Pairs(identities, 40, seed=0)(3).tolist() != rows(4).tolist()


@pytest.mark.parametrize(
    ("identities", "batch", "message"),
    [([0, 0, 1], 6, "multiple of 4"), ([0, 0, 0], 4, "two identities"), ([0, 1, 2], 4, "two rows")],
)
def test_pairs_that_cannot_be_are_refused(identities, batch, message):
    with pytest.raises(ValueError, match=message):
        Pairs(torch.tensor(identities), batch, seed=0)
