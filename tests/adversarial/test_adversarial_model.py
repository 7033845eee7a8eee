"""Eqs. (1) to (6), (10), (11): losses by hand, gradients term by term, and what must not matter."""

import pytest
import torch
import torch.nn.functional as F

from mtlib import ensemble
from mtlib.adversarial import Adversarial
from mtlib.controls import MultiTask
from mtlib.ensemble import Copy
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Batch, Dataset, Split, Task
from mtlib.training import fit
from mtlib.updates import Critic

MAIN, PARTNERS = Task("a", "binary", 1), Task("b", "binary", 1)
FORMS = ("reversal", "gan", "wasserstein", "clipped")
bce = F.binary_cross_entropy_with_logits


def data(a=1, b=1, n=24, seed=0):
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 5, generator=random, dtype=torch.double)
    return Batch(
        x, {"a": torch.randint(0, 2, (n, a), generator=random), "b": torch.randint(0, 2, (n, b), generator=random)}
    )


def network(weight=0.3, a=1, b=1, seed=0, **options):
    with seeded("adversarial", seed):
        return Adversarial(mlp(5, 6), 6, Task("a", "binary", a), Task("b", "binary", b), weight, **options).double()


def gradients(loss, *values):
    return torch.autograd.grad(loss, values, retain_graph=True, allow_unused=True)


def parts(model, batch):
    """Features, main logits and the adversary's, and the mean losses of both."""
    h = model.trunk(batch.x)
    z, guess = model.head(h), model.guess(h)
    return h, z, guess, bce(z, batch.y["a"].double()), bce(guess, batch.y["b"].double())


# ------------------------------------------------------------------ Eqs. (5), (6)


def test_reversal_term_by_term():
    model, batch = network(0.3), data()
    _, _, _, own, other = parts(model, batch)
    losses = model.losses(batch)
    torch.testing.assert_close(losses.tasks, own.unsqueeze(0))
    torch.testing.assert_close(losses.extra["adversary"], other)
    trunk, head, adversary = model.trunk[0].weight, model.head.weight, model.adversary[0].weight
    got = gradients(losses.total(), trunk, head, adversary)
    torch.testing.assert_close(got[0], gradients(own - 0.3 * other, trunk)[0])  # (6)
    torch.testing.assert_close(got[1], gradients(own, head)[0])  # C_a has nothing of b
    torch.testing.assert_close(got[2], gradients(other, adversary)[0])  # (5), with weight 1


def test_weight_0_is_a_single_task_network_with_an_onlooker():
    model, batch = network(0.0), data()
    alone = MultiTask(model.trunk, 6, [MAIN]).double()
    alone.heads[0].load_state_dict(model.head.state_dict())
    one = gradients(model.losses(batch).total(), *model.trunk.parameters())
    other = gradients(alone.losses(batch).total(), *model.trunk.parameters())
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b)


def test_weight_minus_1_is_sharing():
    """Eq. (2): the trunk descends the sum of both losses."""
    model, batch = network(-1.0), data()
    *_, own, other = parts(model, batch)
    for a, b in zip(
        gradients(model.losses(batch).total(), *model.parameters()),
        gradients(own + other, *model.parameters()),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_eq_3_taken_literally_trains_the_adversary_to_fail():
    """L-2: min over F and max over C_b of L_a + L_b moves both the wrong way."""
    model, batch = network(1.0), data()
    *_, other = parts(model, batch)
    trunk, adversary = model.trunk[0].weight, model.adversary[0].weight
    of_trunk, of_adversary = gradients(other, trunk, adversary)
    ours = gradients(model.losses(batch).extra["adversary"], trunk, adversary)  # what is descended
    torch.testing.assert_close(ours[0], -of_trunk)  # (3) would descend +of_trunk: F helps b
    torch.testing.assert_close(ours[1], of_adversary)  # (3) would ascend it


# ------------------------------------------------------------------ other forms


def test_the_flip_pushes_where_the_adversary_is_sure_and_reversal_does_not():
    """L-3: 0.98 against 0.018 at z = 4."""
    z = torch.tensor(4.0, requires_grad=True)
    flip = gradients(bce(z, torch.tensor(0.0)), z)[0].item()
    reversal = gradients(-bce(z, torch.tensor(1.0)), z)[0].item()
    assert (flip, reversal) == pytest.approx((0.982, 0.018), abs=1e-3)


def test_gan_term_by_term():
    """Eqs. (4), (5): F descends L_a + weight times the loss of flipped labels, the adversary its own."""
    model, batch = network(0.3, form="gan"), data()
    *_, guess, own, other = parts(model, batch)
    flipped = bce(guess, 1 - batch.y["b"].double())
    losses = model.losses(batch)
    torch.testing.assert_close(losses.extra["critic"], other)
    torch.testing.assert_close(losses.extra["flipped"], 0.3 * flipped)
    trunk, adversary = model.trunk[0].weight, model.adversary[0].weight
    got = gradients(losses.total(), trunk, adversary)
    torch.testing.assert_close(got[0], gradients(own + 0.3 * flipped, trunk)[0])
    torch.testing.assert_close(got[1], gradients(other, adversary)[0])


def test_the_best_linear_critic_of_slope_1_sees_the_distance_of_the_means():
    model, batch = network(0.5, form="wasserstein"), data()
    h = model.trunk(batch.x)
    has = batch.y["b"][:, 0] == 1
    between = (h[has].mean(0) - h[~has].mean(0)).detach()
    with torch.no_grad():
        model.adversary[0].weight.copy_(3 * between)
    losses = model.losses(batch)
    torch.testing.assert_close(losses.extra["critic"], -between.norm())
    torch.testing.assert_close(losses.extra["distance"], 0.5 * between.norm())
    got = gradients(losses.extra["critic"], model.adversary[0].weight, model.trunk[0].weight)
    assert got[1] is None  # the critic's loss does not reach the trunk
    assert gradients(losses.extra["distance"], model.adversary[0].weight)[0] is None
    for _ in range(20):  # no other direction sees more
        with torch.no_grad():
            model.adversary[0].weight.copy_(torch.randn(1, 6))
        assert -model.losses(batch).extra["critic"] <= between.norm()


def test_the_clipped_critic_is_trained_ahead():
    batch = data(n=64)
    split = Split(batch.x, batch.y)
    set_ = Dataset("both", (MAIN, PARTNERS), split, split)
    model = network(0.1, form="clipped")
    result = fit(model, set_, Recipe(steps=4, batch=16), Critic(steps=5, clip=0.01))
    assert len(result.history)
    assert all(parameter.abs().max() <= 0.01 for parameter in model.adversary.parameters())
    with pytest.raises(ValueError, match="no term 'critic'"):  # reversal needs no turns
        fit(network(0.1), set_, Recipe(steps=1, batch=16), Critic())


# ------------------------------------------------------------------ groups


@pytest.mark.parametrize("form", FORMS)
def test_listed_partners_are_all_that_counts(form):
    """Eqs. (10), (11): three partners of which two are listed, or those two alone."""
    batch = data(a=2, b=3)
    model = network(0.4, a=2, b=3, form=form, listed=[0, 2])
    few = network(0.4, a=2, b=2, form=form)
    few.trunk.load_state_dict(model.trunk.state_dict())
    few.head.load_state_dict(model.head.state_dict())
    with torch.no_grad():
        few.adversary[0].weight.copy_(model.adversary[0].weight[[0, 2]])
        few.adversary[0].bias.copy_(model.adversary[0].bias[[0, 2]])
    other = Batch(batch.x, {"a": batch.y["a"], "b": batch.y["b"][:, [0, 2]]})
    one, two = model.losses(batch), few.losses(other)
    torch.testing.assert_close(one.total(), two.total())
    for a, b in zip(
        gradients(one.total(), *model.trunk.parameters()), gradients(two.total(), *few.trunk.parameters()), strict=True
    ):
        torch.testing.assert_close(a, b)


def test_groups_are_means():
    batch, model = data(a=2, b=3), network(0.4, a=2, b=3)
    *_, own, other = parts(model, batch)  # means over rows and columns
    losses = model.losses(batch)
    torch.testing.assert_close(losses.tasks, own.unsqueeze(0))
    torch.testing.assert_close(losses.extra["adversary"], other)


# ------------------------------------------------------------------ what must not matter


@pytest.mark.parametrize("form", FORMS)
def test_unknown_labels_and_the_order_of_rows(form):
    batch, model = data(), network(0.3, form=form)
    known = batch.y["b"][:, 0].clone()
    hidden = known.clone()
    hidden[:9] = -1
    with_holes = Batch(batch.x, {"a": batch.y["a"], "b": hidden.unsqueeze(1)})
    rest = model.losses(Batch(batch.x[9:], {"a": batch.y["a"][9:], "b": known[9:].unsqueeze(1)}))
    found = model.losses(with_holes)
    for name, value in rest.extra.items():
        torch.testing.assert_close(found.extra[name], value)
    order = torch.randperm(24)
    turned = model.losses(Batch(batch.x[order], {name: y[order] for name, y in with_holes.y.items()}))
    torch.testing.assert_close(turned.total(), found.total())


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_without_labels_of_the_partner_leaves_a_single_network(form):
    batch, model = data(), network(0.3, form=form)
    batch.y["b"] = torch.full_like(batch.y["b"], -1)
    losses = model.losses(batch)
    assert all(value == 0 for value in losses.extra.values())
    got = gradients(losses.total(), model.trunk[0].weight)[0]
    torch.testing.assert_close(got, gradients(losses.tasks.sum(), model.trunk[0].weight)[0])


def test_a_batch_with_one_class_has_no_distance():
    batch, model = data(), network(0.3, form="wasserstein")
    batch.y["b"] = torch.ones_like(batch.y["b"])
    assert all(value == 0 for value in model.losses(batch).extra.values())


@pytest.mark.parametrize("form", FORMS[:3])
def test_an_ensemble_trains_what_one_by_one_trains(form):
    batch = data(b=3, n=48)
    split = Split(batch.x, batch.y)
    set_ = Dataset("both", (MAIN, Task("b", "binary", 3)), split, split)
    copies = [Copy(columns={"b": [k]}, settings={"weight": weight}) for k, weight in enumerate((0.1, 1.0, -1.0))]

    def build(copy):
        return network(copy.settings["weight"], seed=copy.columns["b"][0], form=form)

    recipe = Recipe(steps=12, batch=16, rate=0.01)
    together = ensemble.fit(build, set_, copies, recipe).networks()
    for copy, found in zip(copies, together, strict=True):
        alone = build(copy)
        own = Split(batch.x, {"a": batch.y["a"], "b": batch.y["b"][:, copy.columns["b"]]})
        fit(alone, Dataset("one", (MAIN, PARTNERS), own, own), recipe)
        for a, b in zip(alone.parameters(), found.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-11)


def test_an_adversary_with_a_hidden_layer_sees_what_a_line_cannot():
    model = network(0.0, hidden=8)
    assert [type(layer).__name__ for layer in model.adversary] == ["Linear", "ReLU", "Linear"]
    batch = data()
    assert model(batch.x)["b"].shape == (24, 1)
    trained = gradients(model.losses(batch).extra["adversary"], *model.adversary.parameters())
    assert all(value is not None for value in trained)


def test_blindness_by_training():
    """Inputs that hold a and b apart: shared features tell both, with the adversary b falls and a stays."""
    random = torch.Generator().manual_seed(0)
    y = torch.randint(0, 2, (512, 2), generator=random)
    x = torch.cat([2.0 * y - 1 + 0.3 * torch.randn(512, 2, generator=random), torch.randn(512, 3, generator=random)], 1)
    split = Split(x, {"a": y[:, :1], "b": y[:, 1:]})
    set_ = Dataset("apart", (MAIN, PARTNERS), split, split)
    seen = {}
    for weight in (-1.0, 1.0):
        with seeded("blindness"):
            model = Adversarial(mlp(5, 6), 6, MAIN, PARTNERS, weight)
        fit(model, set_, Recipe(steps=300, batch=64, rate=0.01))
        out = model(x)
        seen[weight] = [((out[name] > 0) == (y[:, [k]] == 1)).double().mean().item() for k, name in enumerate("ab")]
    assert min(*seen[-1.0], seen[1.0][0]) > 0.95
    assert seen[1.0][1] < 0.75


# ------------------------------------------------------------------ frozen values, bad input


def test_frozen_values():
    """Numbers that may not drift: four forms on one batch."""
    values = {form: network(0.3, form=form).losses(data()).total().item() for form in FORMS}
    assert values == pytest.approx(FROZEN, abs=1e-9)


FROZEN = {
    "reversal": 1.4036584882708834,
    "gan": 1.617416948395313,
    "wasserstein": 0.7525480230220933,
    "clipped": 0.7376054274697524,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"main": Task("a", "classes", 1, classes=3)}, "main is a Task of kind 'binary'"),
        ({"partners": "b"}, "partners is a Task of kind 'binary'"),
        ({"partners": Task("a", "binary", 1)}, "different names, both are 'a'"),
        ({"form": "wgan"}, "form is one of reversal, gan, wasserstein, clipped, got 'wgan'"),
        ({"weight": float("nan")}, "weight is a finite number"),
        ({"weight": "0.1"}, "weight is a finite number"),
        ({"hidden": -1}, "hidden is a layer's width"),
        ({"hidden": 4, "form": "wasserstein"}, "a linear adversary only"),
        ({"listed": []}, "listed are places of the 1 partners"),
        ({"listed": [1]}, "listed are places of the 1 partners"),
    ],
)
def test_what_cannot_be_built(change, message):
    arguments = {"trunk": mlp(5, 6), "features": 6, "main": MAIN, "partners": PARTNERS, **change}
    with pytest.raises(ValueError, match=message):
        Adversarial(**arguments)
