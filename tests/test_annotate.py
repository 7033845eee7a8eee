"""Labels missing by design and wrong at a known rate: how many, whose, and that the rest stays as it was."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib import lazy, toy
from mtlib.annotate import annotate
from mtlib.lazy import Selected
from mtlib.rows import Mixed
from mtlib.tasks import Dataset, Split, Task

TASKS = (Task("signs", "binary", 3), Task("kind", "classes", 1, classes=5), Task("place", "points", 2))
SIZES = {"signs": 40, "kind": 20, "place": 30}


def made(n=100):
    """Row i holds i everywhere, so that it can be known again."""

    def split(n):
        i = torch.arange(n).unsqueeze(1)
        return Split(i.float(), {"signs": i.expand(n, 3) % 2, "kind": i % 5, "place": i.expand(n, 2) * 1.0})

    return Dataset("rows", TASKS, split(n), split(10), split(10))


def known(split):
    """{task: (N,) whether all its labels are known}, none being half known."""
    found = {}
    for task in TASKS:
        y = split.y[task.name]
        each = ~y.isnan() if task.kind == "points" else y >= 0
        assert (each.all(1) == each.any(1)).all()
        found[task.name] = each.all(1)
    return found


SMALL = st.fixed_dictionaries({task.name: st.integers(1, 30) for task in TASKS})


@settings(max_examples=40, deadline=None)
@given(SMALL, st.floats(0, 1), st.integers(0, 5))
def test_every_task_keeps_its_number_and_the_overlap_carries_all(sizes, overlap, seed):
    split = annotate(made(), sizes, overlap, seed=seed).train
    labelled = known(split)
    assert {name: rows.sum().item() for name, rows in labelled.items()} == sizes
    common = round(overlap * min(sizes.values()))
    together = torch.stack(list(labelled.values()))  # T N
    assert together.all(0).sum() == common
    assert (together.sum(0) >= 1).all()  # an example without a label is dropped
    assert ((together.sum(0) == 1) | together.all(0)).all()
    assert len(split) == common + sum(size - common for size in sizes.values())


@settings(max_examples=40, deadline=None)
@given(SMALL, st.floats(0, 1))
def test_the_source_says_which_tasks_an_example_is_labelled_for(sizes, overlap):
    split = annotate(made(), sizes, overlap).train
    for place, rows in enumerate(known(split).values(), 1):
        assert torch.equal(rows, (split.source == 0) | (split.source == place))
    assert set(split.source.tolist()) <= {0, 1, 2, 3}


def test_labels_that_are_kept_and_inputs_belong_together_and_keep_their_order():
    split = annotate(made(), SIZES, 0.5).train
    i = split.x.long()
    assert (i.diff(dim=0) > 0).all()
    original, labelled = made().train, known(split)
    for name, rows in labelled.items():
        assert torch.equal(split.y[name][rows], original.y[name][i.flatten()][rows])
        assert split.y[name].dtype == original.y[name].dtype


def test_shares_are_of_the_training_examples_and_an_int_is_a_number():
    split = annotate(made(), {"signs": 0.35, "kind": 1, "place": 1 / 3}).train
    assert [rows.sum().item() for rows in known(split).values()] == [35, 1, 33]
    whole = annotate(made(), dict.fromkeys(SIZES, 1.0), overlap=1).train
    assert len(whole) == 100
    assert (whole.source == 0).all()
    assert torch.equal(whole.x, made().train.x)


def test_validation_and_test_stay_and_the_original_too():
    data, original = made(), made()
    found = annotate(data, SIZES, 0.5, flip={"signs": 1.0})
    assert found.test is data.test
    assert found.validation is data.validation
    assert data.train.source is None
    assert all(torch.equal(data.train.y[name], original.train.y[name]) for name in SIZES)


def same(a, b):
    values = zip((a.x, a.source, *a.y.values()), (b.x, b.source, *b.y.values()), strict=True)
    return all(x.shape == y.shape and torch.equal(x.nan_to_num(), y.nan_to_num()) for x, y in values)


def test_one_seed_gives_one_choice_and_another_another():
    def run(seed):
        return annotate(made(), SIZES, 0.5, {"signs": 0.3}, seed).train

    assert same(run(1), run(1))
    assert not same(run(1), run(2))


def test_the_name_tells_what_was_done():
    assert annotate(made(), SIZES, 0.5, {"kind": 0.1}, 3).name == (
        "rows, labels of 40 signs, 20 kind, 30 place, overlap 0.5, 0.1 of kind wrong, seed 3"
    )
    assert annotate(made(), SIZES).name == "rows, labels of 40 signs, 20 kind, 30 place, overlap 0, seed 0"


def test_batches_can_be_mixed_from_the_sources():
    split = annotate(made(), SIZES, 0.5).train
    batch = split.take(Mixed(split.source, {0: 2, 1: 3, 2: 1, 3: 2}, seed=0)(0))
    assert batch.source.bincount().tolist() == [2, 3, 1, 2]


def test_the_toy_plane_can_be_annotated():
    data = annotate(toy.make(8, 200, 20), {"toy": 0.25}, flip=0.1)
    assert len(data.train) == 50
    assert (data.train.source == 1).all()


# ------------------------------------------------------------------ wrong labels


@pytest.mark.parametrize("rate", [0.0, 0.2, 1.0])
def test_labels_are_wrong_at_the_rate(rate):
    n = 4000
    split = annotate(made(n), dict.fromkeys(SIZES, 1.0), 1, {"signs": rate, "kind": rate}).train
    original = made(n).train
    for name in ("signs", "kind"):
        wrong = (split.y[name] != original.y[name]).double().mean().item()
        assert wrong == pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / n))  # four standard errors
        assert split.y[name].min() == 0
        assert split.y[name].max() == original.y[name].max()
    assert torch.equal(split.y["place"], original.y["place"])


def test_a_wrong_class_is_any_other_one():
    n = 5000
    y = annotate(made(n), dict.fromkeys(SIZES, 1.0), 1, {"kind": 1.0}).train.y["kind"]
    moved = ((y - made(n).train.y["kind"]) % 5).flatten().bincount(minlength=5)
    assert moved[0] == 0
    assert (moved[1:] / n).tolist() == pytest.approx([0.25] * 4, abs=0.025)


def test_the_same_labels_are_wrong_whatever_the_sizes():
    few = annotate(made(), dict.fromkeys(SIZES, 30), 1, {"signs": 0.3}).train
    all_of_them = annotate(made(), dict.fromkeys(SIZES, 1.0), 1, {"signs": 0.3}).train
    assert torch.equal(few.y["signs"], all_of_them.y["signs"][few.x.long().flatten()])


def test_a_larger_set_begins_with_the_same_wrong_labels():
    rates = {"signs": 0.3, "kind": 0.5}
    small, large = (annotate(made(n), dict.fromkeys(SIZES, 1.0), 1, rates).train for n in (60, 100))
    for name in rates:
        assert torch.equal(small.y[name], large.y[name][:60])


def test_one_rate_is_for_all_tasks():
    data = made()
    data = Dataset("no points", TASKS[:2], data.train, data.test)
    split = annotate(data, {"signs": 1.0, "kind": 1.0}, 1, 1.0).train
    assert torch.equal(split.y["signs"], 1 - made().train.y["signs"])


def test_what_was_missing_stays_missing_and_is_never_flipped():
    data = made()
    data.train.y["signs"] = data.train.y["signs"].clone()
    data.train.y["signs"][:, 1] = -1
    split = annotate(data, dict.fromkeys(SIZES, 1.0), 1, {"signs": 1.0}).train
    assert (split.y["signs"][:, 1] == -1).all()
    assert torch.equal(split.y["signs"][:, 0], 1 - made().train.y["signs"][:, 0])


# ------------------------------------------------------------------ inputs that are no small tensor


def test_large_and_lazy_inputs_are_looked_up(monkeypatch):
    expected = annotate(made(), SIZES, 0.5).train
    for x in (made().train.x, Selected(made().train.x, torch.arange(100))):
        monkeypatch.setattr(lazy, "ROOM", 10)
        data = made()
        data.train.x = x
        split = annotate(data, SIZES, 0.5).train
        assert isinstance(split.x, Selected)
        assert len(split) == len(expected)
        assert torch.equal(split.x[:], expected.x)


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": {"signs": 5}}, r"sizes name every task and no other: \['kind', 'place', 'signs'\], got \['signs'\]"),
        ({"sizes": {**SIZES, "game": 5}}, "sizes name every task and no other"),
        ({"sizes": {**SIZES, "kind": 0}}, "'kind' keeps a whole number of 1 to 100 examples, or a share"),
        ({"sizes": {**SIZES, "kind": 101}}, "of 1 to 100 examples, .*, got 101"),
        ({"sizes": {**SIZES, "kind": 1.5}}, "got 1.5"),
        ({"sizes": {**SIZES, "kind": math.nan}}, "got nan"),
        ({"sizes": {**SIZES, "kind": True}}, "got True"),
        ({"sizes": {**SIZES, "kind": "all"}}, "got 'all'"),
        ({"overlap": 1.2}, "overlap is a share of the smallest task's examples, 0 to 1, got 1.2"),
        ({"overlap": math.nan}, "overlap is a share"),
        (
            {"sizes": {"signs": 60, "kind": 20, "place": 0.4}, "overlap": 0.25},
            r"60 signs \+ 20 kind \+ 40 place with 5 in common take 110 examples, and there are 100",
        ),
        ({"flip": {"game": 0.1}}, "flip: there is no task 'game' among"),
        ({"flip": {"signs": 1.1}}, "flip: the rate of 'signs' is 0 to 1, got 1.1"),
        ({"flip": {"signs": math.nan}}, "flip: the rate of 'signs'"),
        ({"flip": {"place": 0.1}}, "'place' has points, which cannot be flipped"),
        ({"flip": 0.1}, "'place' has points, which cannot be flipped; give rates of the other tasks by name"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(change, message):
    with pytest.raises(ValueError, match=message):
        annotate(**{"data": made(), "sizes": SIZES, **change})


def test_a_set_of_several_sources_is_refused():
    with pytest.raises(ValueError, match="has sources already"):
        annotate(annotate(made(), SIZES), SIZES)
