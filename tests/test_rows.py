"""Rows: pure functions of (seed, step), and what every kind of batch promises."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtlib.rows import Epoch, Identities, Mixed, Pairs

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


# ------------------------------------------------------------------ people with pictures

IDS = torch.tensor([8, 2, 8, 5, 2, 8, -1, 5, 8, 9, -1, 5, 8, 2])  # 8 has five rows, 2 and 5 have three, 9 has one


def test_a_batch_is_so_many_people_with_so_many_different_pictures_each():
    rows = Identities(IDS, people=2, each=3, seed=0)
    for step in range(50):
        batch = rows(step)
        assert len(set(batch.tolist())) == 6
        one, other = IDS[batch].view(2, 3)
        assert len(one.unique()) == len(other.unique()) == 1  # person after person
        assert {one[0].item(), other[0].item()} < {2, 5, 8}  # neither the unknown, nor who has too few


def test_every_person_comes_up_once_a_round_and_every_picture_in_the_end():
    rows = Identities(IDS, people=3, each=2, seed=0)
    batches = [rows(step) for step in range(30)]
    assert all(IDS[batch].unique().tolist() == [2, 5, 8] for batch in batches)
    assert set(torch.cat(batches).tolist()) == set(range(14)) - {6, 9, 10}
    many = Identities(torch.arange(12).repeat(4), people=4, each=3, seed=0)
    for start in (0, 3, 6):
        seen = torch.cat([many(start + step) % 12 for step in range(3)])
        assert seen.bincount().tolist() == [3] * 12


def test_people_and_pictures_are_a_pure_function_of_seed_and_step():
    rows, again = Identities(IDS, 2, 2, seed=1), Identities(IDS, 2, 2, seed=1)
    forwards = [rows(step).tolist() for step in range(20)]
    assert [again(step).tolist() for step in reversed(range(20))] == forwards[::-1]
    assert [Identities(IDS, 2, 2, seed=2)(step).tolist() for step in range(20)] != forwards


def test_an_epoch_has_as_many_steps_as_batches_of_usable_rows():
    assert Identities(IDS, 2, 2, seed=0).per_epoch == 11 // 4
    assert Identities(IDS, 3, 3, seed=0).per_epoch == 1


@given(st.lists(st.integers(-1, 4), min_size=8, max_size=40), st.integers(0, 100))
def test_identities_deliver_or_refuse(ids, step):
    ids = torch.tensor(ids)
    usable = sum((ids == person).sum() >= 2 for person in range(5))
    if usable < 2:
        with pytest.raises(ValueError, match="2 people with 2 rows"):
            Identities(ids, 2, 2, seed=0)
    else:
        people = ids[Identities(ids, 2, 2, seed=0)(step)].view(2, 2)
        assert (people[:, 0] == people[:, 1]).all()
        assert people[0, 0] != people[1, 0]


@pytest.mark.parametrize(
    ("ids", "people", "each", "message"),
    [
        (IDS, 1, 3, "2 or more"),
        (IDS, 2, 1, "2 or more"),
        (IDS, 4, 3, "3 of 4 have so many"),
        (IDS.view(2, 7), 2, 2, r"whole numbers \(N,\)"),
        (IDS.float(), 2, 2, "torch.float32"),
    ],
)
def test_people_that_there_are_not_are_refused(ids, people, each, message):
    with pytest.raises(ValueError, match=message):
        Identities(ids, people, each, seed=0)
