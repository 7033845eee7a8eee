"""Watching validation examples: which ones, what the look leaves alone, and whose checkpoint it is."""

import copy

import pytest
import torch
from torch import nn

from mtlib.controls import MultiTask
from mtlib.method import Losses
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import fit
from mtlib.updates import Descend, Watch
from mtlib.weighting import Adaptive, DynamicAverage, Weighting

TASK = Task("t", "binary", 2)
RECIPE = Recipe(steps=20, batch=8, rate=0.01)


class Seen(Weighting):
    """Counts every task once and remembers what it was told."""

    def __init__(self, heads=2):
        super().__init__(heads)
        self.told = []

    def forward(self, losses):
        return losses.tasks

    def watched(self, values):
        self.told.append(values)


def split_of(n, seed=0):
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    return Split(x, {"t": (x[:, :2] > 0).long()})


def network():
    with seeded("weights", 0):
        trunk = nn.Sequential(mlp(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), mlp(8, 4))
        return MultiTask(trunk, 4, [TASK])


def started(update, method=None):
    method = method or network()
    method.train()
    update.start(method, RECIPE)
    return method, update


def steps(update, n):
    torch.manual_seed(0)
    for step in range(n):
        update(split_of(8, step).take(torch.arange(8)))


def test_the_look_leaves_the_method_and_the_random_numbers_as_they_were():
    ways = []
    for update in (Descend(Seen()), Watch(Seen(), split_of(30))):
        method, update = started(update)
        method.trunk[1].eval()  # one that somebody has frozen
        steps(update, 4)
        assert [module.training for module in method.trunk] == [True, False, True, True]
        ways.append({**method.state_dict(), "next": torch.rand(3)})
    assert all(torch.equal(ways[0][name], ways[1][name]) for name in ways[0])


def test_what_is_told_are_the_losses_in_evaluation_mode_after_the_step():
    split = split_of(5)
    method, update = started(Watch(Seen(), split, batch=5))
    steps(update, 1)
    method.eval()
    order = update._rows(0)
    torch.testing.assert_close(update.weighting.told[0], method.losses(split.take(order)).tasks.detach())
    assert not update.weighting.told[0].requires_grad


def test_every_example_is_seen_once_before_any_is_seen_again():
    class Numbers(MultiTask):
        def losses(self, batch):
            found = super().losses(batch)
            return found if self.training else Losses(batch.x.sum(0)[:2])

    split = split_of(12)
    split.x[:, 0] = 2.0 ** torch.arange(12)
    seen = []
    for seed in (0, 0, 1):
        _, update = started(Watch(Seen(), split, batch=4, seed=seed), Numbers(mlp(3, 4), 4, [TASK]))
        steps(update, 6)
        seen.append([int(told[0]) for told in update.weighting.told])
    assert sum(seen[0][:3]) == sum(seen[0][3:]) == 2**12 - 1
    assert seen[0] == seen[1] != seen[2]


def test_the_weights_follow_what_is_watched():
    _, update = started(Watch(Adaptive(2, period=2), split_of(30)))
    steps(update, 3)
    assert update.weighting.weights.tolist() == [1, 1]
    steps(update, 1)
    assert update.weighting.weights.mean().item() == pytest.approx(1)
    assert update.weighting.weights.std() > 1e-3


def test_a_checkpoint_is_another_runs_where_other_examples_are_watched(tmp_path):
    data = Dataset("rows", (TASK,), split_of(32), split_of(32))
    same, other = split_of(30), split_of(30, seed=1)
    histories = []
    for watched in (same, copy.deepcopy(same)):
        update = Watch(Adaptive(2, period=2), watched)
        histories.append(fit(network(), data, RECIPE, update, checkpoint=tmp_path / "run.pt").history)
    assert histories[0] == histories[1]
    with pytest.raises(ValueError, match="belongs to another run: update differ"):
        fit(network(), data, RECIPE, Watch(Adaptive(2, period=2), other), checkpoint=tmp_path / "run.pt")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Watch(DynamicAverage(2, 5), split_of(3)), "needs a weighting with a method 'watched'"),
        (lambda: Watch(None, split_of(3)), "needs a weighting with a method 'watched'"),
        (lambda: Watch(Adaptive(2, 5), split_of(3), batch=0), "batch must be a whole number of 1 or more, got 0"),
        (lambda: started(Watch(Adaptive(2, 5), split_of(0))), "has no examples"),
        (lambda: started(Watch(Adaptive(3, 5), split_of(3))), "is for 3 heads, the method has 2"),
    ],
)
def test_what_cannot_be_watched_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
