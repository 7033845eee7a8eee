"""An ensemble with augmentation: each copy ends where training alone, augmented by its seed, would bring it."""

import pytest
import torch
from torch import nn

from mtlib import ensemble
from mtlib.augment import Augment
from mtlib.controls import MultiTask
from mtlib.ensemble import Copy
from mtlib.ensemble.stack import Batches
from mtlib.recipe import Recipe
from mtlib.rows import Epoch, Pairs
from mtlib.seeds import generator, seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import fit

TASKS = (Task("smiles", "binary", 2), Task("place", "points", 4))
CHUNK = 16
SHORT = Recipe(steps=CHUNK + 10, batch=8, rate=1e-3)
ALL = Augment(flip=0.5, crop=2, rotate=10, scale=0.1, mixup=0.5, positions={"place": (1, 0)})


def drawn(seed, dtype=torch.float64, columns=(0, 1)):
    random = generator("drawn", seed)
    x = torch.rand(30, 1, 8, 8, generator=random, dtype=torch.float64).to(dtype)
    labels = torch.randint(-1, 2, (30, 2), generator=random)[:, list(columns)]
    split = Split(x, {"smiles": labels, "place": torch.rand(30, 4, generator=random, dtype=torch.float64)})
    tasks = (Task("smiles", "binary", len(columns)), TASKS[1])
    return Dataset(f"drawn {seed}", tasks, split, split)


def build(copy, width=2):
    with seeded("weights", copy.seed):
        trunk = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 6), nn.ReLU())
        return MultiTask(trunk, 6, (Task("smiles", "binary", width), TASKS[1])).double()


def values(method):
    return torch.cat([value.detach().flatten() for value in method.parameters()])


COPIES = {
    "seeds and sets": [Copy(seed=1), Copy(seed=2, data=1), Copy(seed=1, data=1)],
    "one batch for all": [Copy(seed=4, settings={"a": 1}), Copy(seed=4)],
}


@pytest.mark.parametrize("copies", COPIES.values(), ids=COPIES)
def test_every_copy_ends_where_training_alone_would_bring_it(copies):
    data = [drawn(0), drawn(1)]
    result = ensemble.fit(build, data, copies, SHORT, augment=ALL)
    plain = ensemble.fit(build, data, copies, SHORT)
    for copy, found, other in zip(copies, result.networks(), plain.networks(), strict=True):
        alone = fit(build(copy), data[copy.data], SHORT, seed=copy.seed, augment=ALL).method
        torch.testing.assert_close(values(found), values(alone), rtol=1e-12, atol=1e-12)
        assert not torch.allclose(values(found), values(other), atol=1e-4)


def test_copies_that_learn_other_columns_mix_their_own_labels():
    copies = [Copy(columns={"smiles": (0,)}), Copy(columns={"smiles": (1,)})]
    result = ensemble.fit(lambda copy: build(copy, 1), drawn(0), copies, SHORT, augment=ALL)
    for column, found in enumerate(result.networks()):
        alone = fit(build(Copy(), 1), drawn(0, columns=(column,)), SHORT, augment=ALL).method
        torch.testing.assert_close(values(found), values(alone), rtol=1e-12, atol=1e-12)


def test_batches_are_those_of_fit_to_the_last_bit():
    data, copies = [drawn(0, torch.float32), drawn(1, torch.float32)], COPIES["seeds and sets"]
    for step, (x, y) in enumerate(Batches(data, copies, 8, Epoch, ALL).draw(5, 3), 5):
        for k, copy in enumerate(copies):
            own = ALL(data[copy.data].train.take(Epoch(30, 8, copy.seed)(step)), copy.seed, step)
            assert torch.equal(x[k], own.x)
            assert all(torch.equal(y[name][k], own.y[name]) for name in own.y)


class Stopped(Exception):
    pass


def test_a_run_that_was_cut_short_ends_as_if_it_had_not_been(tmp_path):
    def stop(_):
        raise Stopped

    arguments = (build, drawn(0), [Copy(seed=0), Copy(seed=1)], SHORT)
    whole = ensemble.fit(*arguments, augment=ALL)
    saved = {"checkpoint": tmp_path / "run", "save_every": 0}
    calls = iter([lambda _: None, stop])
    with pytest.raises(Stopped):
        ensemble.fit(*arguments, augment=ALL, advance=lambda n: next(calls)(n), **saved)
    told = []
    resumed = ensemble.fit(*arguments, augment=ALL, advance=told.append, **saved)
    assert told[0] == 2 * CHUNK
    for found, expected in zip(resumed.networks(), whole.networks(), strict=True):
        assert torch.equal(values(found), values(expected))
    for other in (None, Augment(crop=1, unmoved=["place"])):
        with pytest.raises(ValueError, match="belongs to another run: augment differ"):
            ensemble.fit(*arguments, augment=other, **saved)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"augment": Augment(rotate=5)}, "does task 'place' move with the picture"),
        ({"augment": "flip"}, "augment must be an Augment or None, got 'flip'"),
        (
            {"augment": ALL, "copies": [Copy(), Copy(columns={"place": (2, 3, 0, 1)})]},
            "copy 1: augment moves whole points, so all columns of 'place' are learned",
        ),
        (
            {"augment": Augment(mixup=1), "rows": lambda n, batch, seed: Pairs(torch.arange(n) // 2, batch, seed)},
            "mixup would mix the rows of a pair",
        ),
    ],
)
def test_what_cannot_be_augmented_is_refused(arguments, message):
    arguments = {"copies": [Copy()], **arguments}
    with pytest.raises(ValueError, match=message):
        ensemble.fit(build, drawn(0), recipe=SHORT, **arguments)
