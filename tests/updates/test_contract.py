"""The contract: one stub method driven by every update through ``fit``, cut off anywhere and taken up again.

The rules of the alternating updates are Algorithms 1 and 2 of structure-regularised attribute prediction (a
low-rank step with random probes, mirror descent with a memory) and its graph; the critic is one of attributes.
"""

import io
import math
import signal
from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mtlib.method import Losses, Method
from mtlib.recipe import Recipe
from mtlib.seeds import generator, seeded
from mtlib.tasks import Dataset, Split, Task, supervised
from mtlib.training import fit
from mtlib.updates import Aggregate, Alternate, Critic, Descend, GradNorm, Rule, Watch
from mtlib.weighting import Adaptive, DynamicAverage, Fixed, Uncertainty, ValidationTrend

TASKS = (Task("a", "binary", ("left", "right")), Task("p", "points", 2))
LABELS = ["left", "right", "p"]


class Everything(Method):
    """A trunk, heads W = L S, a graph over them, and a critic after the first task: all that updates can ask for."""

    tasks = TASKS

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6), nn.Tanh())
        self.L, self.S = nn.Parameter(torch.randn(6, 3) / 2), nn.Parameter(torch.randn(3, 4) / 2)
        self.critic = nn.Linear(6, 1)
        self.register_buffer("graph", torch.eye(4))

    def heads(self, h):
        z = h @ self.L @ self.S
        return {"a": z[:, :2], "p": z[:, 2:]}

    def forward(self, x):
        return self.heads(self.trunk(x))

    def losses(self, batch):
        h = self.trunk(batch.x)
        W, t = self.L @ self.S, batch.y["a"][:, :1].float()
        extra = {
            "graph": 0.01 * torch.trace(W @ self.graph @ W.T),
            "fool": 0.1 * F.binary_cross_entropy_with_logits(self.critic(h), 1 - t),
            "critic": F.binary_cross_entropy_with_logits(self.critic(h), t),
        }
        return Losses(supervised(TASKS, self.heads(h), batch.y), extra, features=h)

    def groups(self):
        rest = [parameter for name, parameter in self.named_parameters() if not name.startswith("critic")]
        return [{"params": rest}, {"params": list(self.critic.parameters()), "rate": 2.0, "critic": True}]


class Probed(Rule):
    """X - eta G Y Y^T by QR and a small SVD, kept at the rank of X (Algorithm 1); Y is drawn anew at every step."""

    def start(self, value):
        self.state = {"calls": 0}

    def __call__(self, X, gradient, eta=0.05, k=2):
        n = X.shape[1]
        draw = generator("probe", 0, self.state["calls"])
        Y = F.one_hot(torch.randint(n, (k,), generator=draw), n).to(X).T * math.sqrt(n / k)  # n k
        self.state["calls"] += 1
        u, sigma, v = torch.linalg.svd(X, full_matrices=False)
        left, right = torch.cat([u * sigma, gradient @ Y], 1), torch.cat([v.T, -eta * Y], 1)
        (qu, ru), (qv, rv) = torch.linalg.qr(left), torch.linalg.qr(right)
        m, core, w = torch.linalg.svd(ru @ rv.T, full_matrices=False)
        return (qu @ m * core) @ (w @ qv.T)


class Mirror(Rule):
    """theta <- soft(theta - r G, r lambda), S = f^-1(theta) column by column (Algorithm 2); theta is remembered."""

    p = 3.0

    def start(self, value):
        q = self.p / (self.p - 1)
        self.state = {"theta": self.link(value, q)}

    @staticmethod
    def link(x, p):
        norm = torch.linalg.vector_norm(x, p, dim=0).clamp(min=1e-12)
        return x.sign() * norm * (x.abs() / norm) ** (p - 1)

    def __call__(self, S, gradient, r=0.05, penalty=0.01):
        theta = self.state["theta"] - r * gradient
        self.state["theta"] = theta.sign() * (theta.abs() - r * penalty).clamp(min=0)
        return self.link(self.state["theta"], self.p)


class Related(Rule):
    """A graph from the products of the heads, which it reads off the method (in place of Algorithm 3's programme)."""

    def __init__(self, method):
        self.method = method

    def __call__(self, graph, gradient):
        W = self.method.L @ self.method.S
        return torch.eye(4) - 0.1 * (W.T @ W).tanh()


UPDATES = {
    "descend": lambda method: Descend(),
    "fixed": lambda method: Descend(Fixed([1, 2, 0.5])),
    "uncertainty": lambda method: Descend(Uncertainty(3)),
    "dynamic average": lambda method: Descend(DynamicAverage(3, period=3)),
    "validation trend": lambda method: Descend(ValidationTrend(3)),
    "watch": lambda method: Watch(Adaptive(3, period=2), data_of().validation, batch=10),
    "GradNorm": lambda method: GradNorm(),
    "GradNorm one by one": lambda method: GradNorm(chunk=1),
    "aggregate": lambda method: Aggregate("PCGrad"),
    "aggregate by eigenvectors": lambda method: Aggregate("AlignedMTL"),
    "aggregate MGDA": lambda method: Aggregate("MGDA", chunk=1),
    "aggregate features": lambda method: Aggregate("UPGrad", at="features", chunk=2),
    "aggregate CAGrad": lambda method: Aggregate("CAGrad", at="features"),
    "aggregate NashMTL": lambda method: Aggregate("NashMTL"),
    "alternate": lambda method: Alternate({"L": Probed(), "S": Mirror()}),
    "alternate once an epoch": lambda method: Alternate({"graph": Related(method)}, every=4),
    "critic": lambda method: Critic(steps=2, clip=0.3),
}
REPORT = {**{f"loss/{label}": 0.5 for label in LABELS}, "score": 0.7}
RECIPE = Recipe(steps=14, batch=8, rate=0.02)


@pytest.fixture(params=UPDATES)
def make(request):
    """make() -> a method and its update, alike at every call."""

    def make():
        with seeded("weights", 0):
            method = Everything()
        return method, UPDATES[request.param](method)

    return make


def data_of(broken=None):
    """32 examples, with two labels missing; ``broken`` is the row of one that is no number."""
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(32, 3, generator=draw)
    y = {"a": torch.stack([x[:, 0] > 0, x[:, 1] + x[:, 2] > 0], 1).long(), "p": x[:, :2].clone()}
    y["a"][3, 1], y["p"][5, 0] = -1, math.nan
    if broken is not None:
        x[broken] = math.inf
    split = Split(x, y)
    return Dataset("stub", TASKS, split, split, split)


def batch_of(step):
    """Batch number ``step``, for updates that are driven by hand."""
    return data_of().train.take(torch.randint(32, (8,), generator=generator("rows", step)))


def drive(update, steps):
    for step in steps:
        update(batch_of(step))
        update.scheduled()


def through_a_file(state):
    """As a checkpoint has it: only what is safe to load."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def same(a, b):
    """Are two states bitwise the same, down to the last tensor?"""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(one, other) for one, other in zip(a, b, strict=True))
    return a.shape == b.shape and torch.equal(a[~a.isnan()], b[~b.isnan()]) if isinstance(a, torch.Tensor) else a == b


# ------------------------------------------------------------------ the update alone


@pytest.mark.parametrize("cut", [1, 5, 8])
def test_steps_saved_and_taken_up_are_bitwise_the_steps_in_one_go(make, cut):
    method, update = make()
    update.start(method, RECIPE)
    drive(update, range(14))
    first, before = make()
    before.start(first, RECIPE)
    drive(before, range(cut))
    saved = through_a_file({"method": first.state_dict(), "update": before.state_dict()})
    drive(before, range(cut, cut + 2))  # what was saved is a copy and does not follow
    second, after = make()
    after.start(second, RECIPE)
    second.load_state_dict(saved["method"])
    after.load_state_dict(saved["update"])
    drive(after, range(cut, 14))
    assert same(second.state_dict(), method.state_dict())
    assert same(after.state_dict(), update.state_dict())


def test_an_update_that_is_started_again_is_as_new(make):
    (method, update), ways = make(), []
    initial = through_a_file(method.state_dict())
    for _ in range(2):
        method.load_state_dict(initial)
        update.start(method, RECIPE)
        drive(update, range(6))
        ways.append(through_a_file({"method": method.state_dict(), "update": update.state_dict()}))
    assert same(*ways)


def test_settings_stay_those_that_an_update_was_made_with(make):
    method, update = make()
    made = dict(update.settings())
    assert made == vars(update)
    fit(method, data_of(), RECIPE, update=update)
    assert update.settings() == made


def test_every_update_moves_every_parameter_it_should(make):
    method, update = make()
    before = {name: value.clone() for name, value in method.named_parameters()}
    update.start(method, RECIPE)
    drive(update, range(4))
    still = [name for name, value in method.named_parameters() if torch.equal(value, before[name])]
    assert still == []
    assert all(value.isfinite().all() for value in method.state_dict().values())


def test_a_plateau_reaches_the_rates_of_all_optimisers_and_is_remembered(make):
    method, update = make()
    update.start(method, Recipe(steps=14, batch=8, rate=0.02, schedule="plateau", factor=0.5))
    rates = [[group["lr"] for group in one.param_groups] for one in update.optimisers]
    drive(update, range(2))
    update.validated(REPORT)
    saved = through_a_file(update.state_dict())
    update.start(method, update.recipe)
    update.load_state_dict(saved)
    update.validated(REPORT)  # no rise
    halved = [[group["lr"] for group in one.param_groups] for one in update.optimisers]
    assert halved == [[rate / 2 for rate in of_one] for of_one in rates]


# ------------------------------------------------------------------ through fit


def test_fit_shows_every_term_of_every_update(make):
    method, update = make()
    history = fit(method, data_of(), RECIPE, update=update, logged=5).history
    assert [row["step"] for row in history] == [0, 2, 4, 6, 8, 10, 12, 13]
    assert list(history[0]) == ["step", *LABELS, "graph", "fool", "critic", "total"]
    assert all(math.isfinite(value) for row in history for value in row.values())


def test_fit_cut_off_and_called_again_ends_where_it_would_have(make, tmp_path):
    method, update = make()
    whole = fit(method, data_of(), RECIPE, update=update)
    path, done = tmp_path / "run.pt", []

    def interrupt(_):
        done.append(1)
        if len(done) == 6:
            signal.raise_signal(signal.SIGINT)

    cut, update = make()
    assert fit(cut, data_of(), RECIPE, update=update, checkpoint=path, advance=interrupt).interrupted
    assert len(done) == 6
    assert not same(cut.state_dict(), method.state_dict())
    resumed, update = make()
    again = fit(resumed, data_of(), RECIPE, update=update, checkpoint=path)
    assert same(resumed.state_dict(), method.state_dict())
    assert again.history == whole.history


class Blocks(Everything):
    """One loss for a block of two columns, so fewer losses than heads."""

    loss_names = ("a", "p")

    def losses(self, batch):
        found = super().losses(batch)
        found.tasks = torch.stack([found.tasks[:2].mean(), found.tasks[2]])
        return found


def test_losses_are_called_what_the_heads_are_unless_a_method_says_otherwise():
    assert Everything().loss_names == ("left", "right", "p")
    ways = [Descend(), Descend(Uncertainty(2)), GradNorm(), Aggregate("MGDA"), Aggregate("UPGrad", at="features")]
    for update in ways:
        history = fit(Blocks(), data_of(), Recipe(steps=2, batch=8), update=update).history
        assert list(history[0]) == ["step", "a", "p", "graph", "fool", "critic", "total"]


def test_fit_takes_no_checkpoint_of_other_weights_for_its_own(tmp_path):
    for weights, message in (([1, 2, 3], None), ([1, 2, 4], "belongs to another run: update differ")):
        with seeded("weights", 0), pytest.raises(ValueError, match=message) if message else nullcontext():
            fit(Everything(), data_of(), RECIPE, Descend(Fixed(weights)), checkpoint=tmp_path / "run.pt")


def test_fit_notices_a_loss_that_is_no_number_whatever_the_update(make):
    method, update = make()
    with pytest.raises(FloatingPointError, match=r"step \d+: the loss of"):
        fit(method, data_of(broken=7), RECIPE, update=update)
