"""A probe reads off a space what is there to be read, and no more."""

import pytest
import torch

from mtlib import toy
from mtlib.experiments import probes
from mtlib.networks import mlp
from mtlib.seeds import seeded
from mtlib.sos import SOS
from mtlib.tasks import Dataset, Split


class Known(SOS):
    """Specific space 1 holds label 1, specific space 2 holds noise, the common space both labels."""

    def embed(self, x):
        labels, noise = x[:, :2], x[:, 2:]
        specific = torch.stack([labels[:, :1], noise], 1)  # B n S
        return labels.clone(), specific


@pytest.fixture(scope="module")
def found():
    generator = torch.Generator().manual_seed(0)
    y = (torch.rand(2000, 2, generator=generator) < torch.tensor([0.5, 0.3])).long()
    x = torch.cat([y.float() * 2 - 1, torch.rand(2000, 1, generator=generator)], 1)
    data = Dataset("known", toy.TASKS, Split(x[:1500], {"toy": y[:1500]}), Split(x[1500:], {"toy": y[1500:]}))
    with seeded("known"):
        return probes.scores(Known(mlp(3, 4), 4, toy.TASKS, common=2, specific=1), data), y[1500:]


def test_every_probe_is_there(found):
    assert list(found[0]) == sorted(probes.columns(), key=lambda name: name[-1])


def test_what_is_in_a_space_is_read_off_and_nothing_else(found):
    scores, y = found
    assert scores["probe common/task 1"] == scores["probe common/task 2"] == 100
    assert scores["probe specific 1/task 1"] == 100
    blind = 100 * (1 - y[:, 1].double().mean().item())
    assert scores["probe nothing/task 2"] == pytest.approx(blind)
    assert scores["probe specific 1/task 2"] == pytest.approx(blind, abs=1)
    assert scores["probe specific 2/task 1"] == pytest.approx(50, abs=6)


def test_a_missing_label_is_left_out():
    data = toy.make(8, n_train=400, n_test=100, reading=toy.Reading(sampling="separate"))
    assert (data.train.y["toy"] == -1).any()
    with seeded("separate"):
        scores = probes.scores(SOS(mlp(2, 4), 4, toy.TASKS, common=2, specific=2), data)
    assert scores["probe nothing/task 1"] == 50  # each task's own examples alternate
