"""``fit`` with augmentation: training batches alone, exactly resumed, each row its own numbers in every process."""

import pytest
import torch
from torch import nn

from mtlib import parallel
from mtlib.augment import Augment
from mtlib.controls import MultiTask
from mtlib.lazy import Streamed
from mtlib.method import Losses, Method
from mtlib.recipe import Recipe
from mtlib.rows import Epoch, Identities, Pairs
from mtlib.seeds import generator, seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import accuracy, fit
from mtlib.training.run import Run
from mtlib.updates import Descend

TASKS = (Task("smiles", "binary", 2), Task("place", "points", 4))
RECIPE = Recipe(steps=12, batch=8, rate=0.01)
ALL = Augment(flip=0.5, crop=2, rotate=10, scale=0.1, mixup=0.5, positions={"place": (1, 0)})


def drawn(n=40, stored=lambda x: x):
    random = generator("drawn")
    x = torch.randint(0, 256, (n, 3, 16, 16), generator=random).to(torch.uint8)
    y = {"smiles": torch.randint(-1, 2, (n, 2), generator=random), "place": torch.rand(n, 4, generator=random)}
    split = Split(stored(x), y)
    return Dataset("drawn", TASKS, split, split, split)


class Scaled(nn.Sequential):
    """Takes bytes."""

    def forward(self, x):
        return super().forward(x / 255)


def network():
    with seeded("weights"):
        trunk = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 4))
        return MultiTask(Scaled(trunk), 4, TASKS)


def trained(augment, **arguments):
    method, data = network(), arguments.pop("data", None) or drawn()
    result = fit(method, data, RECIPE, augment=augment, **arguments)
    return {**method.state_dict(), "history": result.history}


def assert_same(found, expected):
    assert found["history"] == expected["history"]
    assert all(torch.equal(found[name], value) for name, value in expected.items() if name != "history")


class Watched(Method):
    """Keeps the batches that it sees, and the rows that it is asked about."""

    tasks = TASKS

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.zeros(()))
        self.batches, self.asked = [], []

    def forward(self, x):
        self.asked.append(x)
        return {"smiles": torch.zeros(len(x), 2), "place": torch.zeros(len(x), 4)}

    def losses(self, batch):
        self.batches.append(batch)
        return Losses(self.a.expand(3) + 0)


def test_batches_are_augmented_by_seed_and_step_and_validation_is_not():
    method, data = Watched(), drawn()
    fit(method, data, RECIPE, augment=ALL, seed=3, validate_every=12)
    rows = Epoch(40, 8, 3)
    for step, batch in enumerate(method.batches):
        expected = ALL(data.train.take(rows(step)), 3, step)
        assert torch.equal(batch.x, expected.x)
        assert all(torch.equal(batch.y[name], expected.y[name]) for name in expected.y)
        assert batch.progress == torch.tensor(step / 12)
    assert torch.equal(torch.cat(method.asked), data.validation.x)


def test_nothing_switched_on_is_nothing_done():
    assert_same(trained(Augment(unmoved=["place"])), trained(None))
    assert trained(ALL)["history"] != trained(None)["history"]


class Kill(Exception):
    pass


@pytest.mark.parametrize("stored", [lambda x: x, lambda x: Streamed(x, "cpu")], ids=["kept", "streamed"])
def test_a_run_that_dies_ends_as_if_it_had_not(tmp_path, stored):
    steps = []

    def dies(_):
        steps.append(1)
        if len(steps) == 7:
            raise Kill

    arguments = {"data": drawn(stored=stored), "validate_every": 5, "score": accuracy}
    unbroken = trained(ALL, **arguments)
    with pytest.raises(Kill):
        trained(ALL, checkpoint=tmp_path / "run", save_every=0, advance=dies, **arguments)
    assert torch.load(tmp_path / "run", weights_only=True)["state"]["step"] == 6
    assert_same(trained(ALL, checkpoint=tmp_path / "run", **arguments), unbroken)


@pytest.mark.parametrize("other", [None, Augment(flip=0.5, unmoved=["place"])])
def test_the_checkpoint_of_a_run_augmented_otherwise_is_refused(tmp_path, other):
    trained(ALL, checkpoint=tmp_path / "run")
    trained(ALL, checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match="belongs to another run: augment differ"):
        trained(other, checkpoint=tmp_path / "run")


@pytest.mark.parametrize("processes", [2, 3])
def test_parts_of_a_batch_are_augmented_as_in_one_process(monkeypatch, processes):
    augment = Augment(flip=0.5, crop=2, rotate=10, positions={"place": (1, 0)})
    data, method = drawn(), network()
    arguments = {"every": 1, "validate_every": None, "score": accuracy, "checkpoint": None, "save_every": 0}
    run = Run(method, data, RECIPE, Descend(), Epoch(40, 8, 0), 0, **arguments, augment=augment, step=4)
    whole, parts = run.batch(), []
    monkeypatch.setattr(parallel, "world", lambda: processes)
    for rank in range(processes):
        monkeypatch.setattr(parallel, "rank", lambda rank=rank: rank)
        parts.append(run.batch())
    assert torch.equal(torch.cat([part.x for part in parts]), whole.x)
    assert torch.equal(torch.cat([part.y["place"] for part in parts]), whole.y["place"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"augment": Augment(flip=0.5)}, "does task 'place' move with the picture"),
        ({"augment": Augment(crop=16, unmoved=["place"])}, r"crop must be less than the pictures' size \(16, 16\): 16"),
        ({"augment": {"flip": 0.5}}, r"augment must be an Augment or None, got \{'flip': 0.5\}"),
        (
            {"augment": Augment(mixup=0.2), "rows": Pairs(torch.arange(40) // 2, 8, 0)},
            "mixup would mix the rows of a pair with others",
        ),
        (
            {"augment": Augment(mixup=0.2), "rows": Identities(torch.arange(40) // 4, people=2, each=2, seed=0)},
            "mixup would mix the rows of a pair with others",
        ),
    ],
)
def test_what_cannot_be_augmented_is_refused_before_training(arguments, message):
    method = Watched()
    with pytest.raises(ValueError, match=message):
        fit(method, drawn(), RECIPE, **arguments)
    assert not method.batches
