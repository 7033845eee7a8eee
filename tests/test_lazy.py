"""Inputs that are made when asked for: the same rows as a tensor would give, in every way that training asks."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mtlib import ensemble, lazy, tasks, toy
from mtlib.checkpoints import digest
from mtlib.controls import MultiTask
from mtlib.lazy import Lazy, Selected, Streamed, place, select, sent
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Split
from mtlib.training import fit


class Squares(Lazy):
    """Row i is (i, i squared); counts what was made."""

    def __init__(self, index, scale=1.0):
        super().__init__(index, (2,), torch.float32)
        self.scale, self.made = scale, 0

    @property
    def recipe(self):
        return f"squares times {self.scale}"

    def make(self, index):
        self.made += len(index)
        return torch.stack([index, index.square()], 1) * self.scale


def whole(n=10):
    return torch.stack([torch.arange(n), torch.arange(n).square()], 1).float()


ROWS = [torch.tensor([3, 0, 3]), slice(2, 9, 3), slice(None), torch.arange(10) % 3 == 0, 4, -1, torch.tensor([-2, 1])]


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_rows_are_those_of_the_tensor(rows):
    assert torch.equal(Squares(torch.arange(10))[rows], whole()[rows])


@given(st.integers(1, 12))
def test_parts_are_those_of_the_tensor(size):
    parts = list(Squares(torch.arange(10)).split(size))
    assert [len(part) for part in parts] == [len(part) for part in whole().split(size)]
    assert torch.equal(torch.cat(parts), whole())


def test_it_looks_like_the_tensor_and_makes_nothing_for_it():
    squares = Squares(torch.arange(10))
    found = (len(squares), squares.shape, squares.ndim, squares.dtype, squares.device, squares.is_floating_point())
    x = whole()
    assert found == (len(x), x.shape, x.ndim, x.dtype, x.device, x.is_floating_point())
    assert squares.made == 0


def test_rows_beyond_the_end_or_of_two_dimensions_are_refused():
    squares = Squares(torch.arange(10))
    with pytest.raises(IndexError):
        squares[torch.tensor([10])]
    with pytest.raises(IndexError, match=r"rows of a Squares are \(B,\) whole numbers, got \(1, 2\)"):
        squares[torch.tensor([[1, 2]])]


@given(st.lists(st.integers(0, 9), min_size=1), st.data())
def test_a_selection_of_a_selection_is_one_selection(rows, data):
    rows = torch.tensor(rows)
    places = torch.tensor(data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1)))
    for x in (Squares(torch.arange(10)), Selected(whole(), torch.arange(10)), Streamed(whole(), "cpu")):
        again = select(select(x, rows), places)
        assert type(again) is type(x)
        assert torch.equal(again[:], whole()[rows][places])
        assert torch.equal(x[:], whole())  # what it was selected from stays


def test_small_tensors_are_copied_and_large_ones_looked_up(monkeypatch):
    x, rows = whole(), torch.tensor([1, 5])
    assert isinstance(select(x, rows), torch.Tensor)
    monkeypatch.setattr(lazy, "ROOM", 15)  # two rows of two floats are 16 bytes
    found = select(x, rows)
    assert isinstance(found, Selected)
    x[5] = 7.0
    assert found[1].tolist() == [7.0, 7.0]


def test_a_digest_knows_what_the_rows_follow_from_and_makes_none():
    squares = Squares(torch.arange(10))
    assert digest(squares) == digest(Squares(torch.arange(10)))
    changed = whole()
    changed[9, 1] += 1
    others = [
        *(Squares(torch.arange(10), 2.0), Squares(torch.arange(1, 11)), squares.select(torch.arange(9)), whole()),
        *(Selected(whole(), torch.arange(9)), Selected(changed, torch.arange(10))),
    ]
    assert len({digest(squares), *map(digest, others)}) == 7
    assert squares.made == 0


def test_a_tensor_is_known_wherever_it_has_been_placed():
    assert digest(whole()) == digest(Selected(whole(), torch.arange(10))) == digest(Streamed(whole(), "cpu"))


# ------------------------------------------------------------------ streamed from CPU memory; the CPU plays the device


@pytest.mark.parametrize("rows", ROWS, ids=str)
@pytest.mark.parametrize("kind", [Selected, lambda x, index: Streamed(x, "cpu", index)], ids=["here", "streamed"])
def test_rows_looked_up_are_those_of_the_tensor(kind, rows):
    order = torch.randperm(10)
    assert torch.equal(kind(whole(), order)[rows], whole()[order][rows])
    assert torch.equal(torch.cat([*kind(whole(), order).split(3)]), whole()[order])
    with pytest.raises(IndexError):
        kind(whole(), order)[torch.tensor([10])]


def test_streamed_rows_are_wanted_where_their_index_was_and_looked_up_on_the_cpu():
    streamed = Streamed(whole(), "meta")  # a device that keeps nothing
    assert streamed.device.type == "meta"
    assert streamed.select(torch.tensor([1, 2])).device.type == "meta"
    rows = streamed[torch.tensor([3, 1])]
    assert (rows.device.type, rows.shape, rows.dtype) == ("meta", (2, 2), torch.float32)


def test_what_fits_into_the_devices_memory_is_kept_there_and_the_rest_streamed(monkeypatch):
    x = whole()  # 80 bytes
    assert place(x, "cpu") is x
    monkeypatch.setattr(lazy, "_free", lambda device: 100 if device.type == "meta" else None)
    assert isinstance(place(x, "meta", budget=0.8), torch.Tensor)
    found = place(x, "meta", budget=0.79)
    assert isinstance(found, Streamed)
    assert (found.x.data_ptr(), found.device.type, found.shape) == (x.data_ptr(), "meta", x.shape)
    assert isinstance(place(x.to("meta"), "meta", budget=0), torch.Tensor)  # it is there already
    assert place(x, "cpu", budget=0) is x
    with pytest.raises(ValueError, match=r"budget is a share of the free memory, 0 to 1, got 60"):
        place(x, "cpu", budget=60)


def test_the_whole_tensor_is_known_however_it_is_kept():
    x = whole()
    for kind in (Selected, lambda x, index: Streamed(x, "meta", index)):
        assert kind(x, torch.arange(10)).whole is x
        assert kind(x, torch.arange(9)).whole is None
        assert kind(x, torch.arange(10).flip(0)).whole is None
    assert Squares(torch.arange(10)).whole is None


def test_what_is_sent_to_where_it_is_stays():
    x = whole()
    assert sent(x, torch.device("cpu")) is x
    assert sent(x, torch.device("meta")).device.type == "meta"


# ------------------------------------------------------------------ training on it


def plane(storage):
    """Toy points as they are, or looked up one by one."""
    data = toy.make(8, 60, 20)

    def stored(split):
        x = split.x
        kinds = {
            "tensor": lambda: x,
            "lazy": lambda: Selected(x, torch.arange(len(x))),
            "streamed": lambda: Streamed(x, "cpu"),
        }
        return Split(kinds[storage](), split.y)

    return Dataset(data.name, data.tasks, stored(data.train), stored(data.test), stored(data.test))


def trained(data, **arguments):
    with seeded("weights"):
        method = MultiTask(mlp(2, 8), 8, data.tasks)
    return fit(method, data, Recipe(steps=12, batch=16), validate_every=5, **arguments)


@pytest.mark.parametrize("storage", ["lazy", "streamed"])
def test_a_run_on_lazy_rows_is_the_run_on_the_tensor(storage):
    assert trained(plane(storage)).history == trained(plane("tensor")).history


def test_streamed_rows_are_asked_for_in_cpu_memory_and_belong_on_the_methods_device(monkeypatch):
    data, asked, there = plane("streamed"), [], []

    class Watched(Streamed):
        def __getitem__(self, rows):
            asked.append(rows)
            return super().__getitem__(rows)

    def away(rows, device):
        there.append(rows.clone())
        return there[-1]

    data.train.x = Watched(data.train.x.x, "cpu")
    data.train.source = torch.arange(60) % 2
    monkeypatch.setattr(tasks, "sent", away)
    trained(data)
    assert len(there) >= 12
    assert all(torch.equal(rows, same) and rows is not same for rows, same in zip(asked, there, strict=True))
    data.train.x = Streamed(data.train.x.x, "meta")
    with pytest.raises(ValueError, match=r"train split of .*: x is on meta, the method on cpu; move one of them"):
        trained(data)


@pytest.mark.parametrize("storage", ["lazy", "streamed"])
def test_its_checkpoint_is_known_again_and_another_one_refused(tmp_path, storage):
    first = trained(plane(storage), checkpoint=tmp_path / "run")
    assert trained(plane(storage), checkpoint=tmp_path / "run").history == first.history
    other = plane(storage)
    other.train.x.index = other.train.x.index.flip(0)
    with pytest.raises(ValueError, match="training rows differ"):
        trained(other, checkpoint=tmp_path / "run")


def test_an_ensemble_says_that_it_needs_a_tensor():
    def build(copy):
        return MultiTask(mlp(2, 8), 8, toy.TASKS)

    for storage, kind in (("lazy", "Selected"), ("streamed", "Streamed")):
        with pytest.raises(ValueError, match=f"needs its inputs in a tensor, but they are {kind}, made when asked for"):
            ensemble.fit(build, plane(storage), [ensemble.Copy()], Recipe(steps=1, batch=4))
