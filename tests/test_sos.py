"""SOS: which term reaches which parameter, the readings of the print, and what must not change a result."""

import math

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

from mtlib.controls import MultiTask
from mtlib.networks import mlp
from mtlib.orthogonality import soft
from mtlib.sos import (
    SOS,
    Reading,
    common_specific,
    noise_floor,
    semantic_losses,
    specific_specific,
    standardise,
)
from mtlib.tasks import Batch, Task

THREE = [Task("a", "binary", 3)]
MIXED = [Task("a", "binary", 2), Task("c", "classes", 2, classes=3), Task("p", "points", 2)]
C, S = 4, 2
BOTH = {"semantic_reaches_heads": True, "adversarial_reaches_features": True}


def model_of(tasks=THREE, common=C, specific=S, seed=0, **settings):
    torch.manual_seed(seed)
    weights = {"lambda_cs": 0.5, "lambda_ss": 0.5, "lambda_adv": 0.5, "lambda_disc": 0.5} | settings
    return SOS(mlp(3, 5), 5, tasks, common, specific, **weights).double()


def batch_of(tasks=THREE, seed=1, size=8):
    random = torch.Generator().manual_seed(seed)
    y = {}
    for task in tasks:
        high = task.classes or 2
        y[task.name] = torch.randint(high, (size, len(task.columns)), generator=random)
        if task.kind == "points":
            y[task.name] = torch.randn(size, len(task.columns), generator=random).double()
    return Batch(torch.randn(size, 3, generator=random).double(), y)


def gradients(term, model):
    """{parameter name: gradient or None} of one term."""
    names, parameters = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(term, parameters, allow_unused=True, retain_graph=True), strict=True))


def reached(term, model):
    """The parts of the network that receive any gradient at all from a term."""
    parts = set()
    for name, gradient in gradients(term, model).items():
        if gradient is None or not gradient.any():
            continue
        part = name.split(".")[0]
        if part == "spaces":
            parts |= {"common"} if gradient[:C].any() else set()
            own = gradient[C:].unflatten(0, (model.n, S)).flatten(1).any(1).tolist()
            parts |= {f"specific {i + 1}" for i, any_gradient in enumerate(own) if any_gradient}
        else:
            parts.add(part)
    return parts


def terms_of(model, batch):
    losses = model.losses(batch)
    return {"supervised": losses.tasks.sum(), **losses.extra}


SPECIFIC = {"specific 1", "specific 2", "specific 3"}


@pytest.mark.parametrize(
    ("term", "parts"),
    [
        ("supervised", {"trunk", "common", *SPECIFIC, "heads"}),
        ("common-specific", {"trunk", "common", *SPECIFIC}),
        ("specific-specific", {"trunk", *SPECIFIC}),
        ("semantic", {"trunk", "common", *SPECIFIC}),
        ("adversarial", {"fake"}),
    ],
)
def test_every_term_reaches_exactly_what_the_paper_says(term, parts):  # S-5
    model = model_of()
    assert reached(terms_of(model, batch_of())[term], model) == parts


def test_what_a_term_must_not_reach_is_not_even_in_its_graph():
    model = model_of()
    terms = terms_of(model, batch_of())
    for name, gradient in gradients(terms["semantic"], model).items():
        assert (gradient is None) == name.startswith(("fake", "heads"))
    for name, gradient in gradients(terms["adversarial"], model).items():
        assert (gradient is None) == (not name.startswith("fake"))


@pytest.mark.parametrize("i", [0, 1, 2])
def test_the_loss_of_one_task_reaches_its_own_specific_space_only(i):
    model = model_of()
    assert reached(model.losses(batch_of()).tasks[i], model) == {"trunk", "common", f"specific {i + 1}", "heads"}


def test_the_semantic_term_after_one_task_reaches_every_other_specific_space():
    model, batch = model_of(), batch_of()
    batch.y["a"][:, [0, 2]] = -1  # only task 2 has labels
    assert reached(model.losses(batch).extra["semantic"], model) == {"trunk", "common", "specific 1", "specific 3"}


@pytest.mark.parametrize(
    ("settings", "term", "parts"),
    [
        ({"semantic_reaches_heads": True}, "semantic", {"trunk", "common", *SPECIFIC, "fake"}),
        ({"adversarial_reaches_features": True}, "adversarial", {"trunk", "common", *SPECIFIC, "fake"}),
        ({"detach_common": True}, "semantic", {"trunk", *SPECIFIC}),  # S-9
    ],
)
def test_a_reading_changes_what_a_term_reaches(settings, term, parts):
    model = model_of(reading=Reading(**settings))
    assert reached(terms_of(model, batch_of())[term], model) == parts


# ------------------------------------------------------------------ the game, S-5 to S-9


def test_as_one_total_loss_the_game_cancels_itself_identically():  # S-5
    model = model_of(MIXED, reading=Reading(semantic="printed", **BOTH))
    extra = model.losses(batch_of(MIXED)).extra
    game = extra["semantic"] + extra["adversarial"]
    assert extra["adversarial"] > 0.1
    assert game == 0
    for gradient in gradients(game, model).values():
        assert gradient is None or gradient.abs().max() < 1e-15


def test_at_unequal_weights_the_difference_of_the_weights_is_left():  # S-5
    reading = Reading(semantic="printed", **BOTH)
    model = model_of(lambda_adv=0.25, lambda_disc=1.0, reading=reading)
    extra = model.losses(batch_of()).extra
    game, fake = extra["semantic"] + extra["adversarial"], extra["adversarial"] / 1.0
    assert game.item() == pytest.approx((1.0 - 0.25) * fake.item())
    left, whole = gradients(game, model), gradients(fake, model)
    for name in whole:
        if whole[name] is not None:
            torch.testing.assert_close(left[name], 0.75 * whole[name])


def test_the_default_equals_a_gradient_reversal_layer_of_the_ratio_of_the_weights():  # S-5
    adv, disc = 0.3, 0.5
    model = model_of(MIXED, lambda_adv=adv, lambda_disc=disc, reading=Reading(semantic="printed"))
    batch = batch_of(MIXED)
    extra = model.losses(batch).extra
    ours = gradients(extra["semantic"] + extra["adversarial"], model)

    def reverse(h):  # h forwards, -(adv / disc) times the gradient backwards
        return h.detach() * (1 + adv / disc) - h * (adv / disc)

    model.reading = Reading(semantic="printed", adversarial_reaches_features=True)
    common, specific = (h.relu() for h in model.embed(batch.x))
    one_loss = model._game(reverse(common), reverse(specific), batch.y)["adversarial"]
    for name, gradient in gradients(one_loss, model).items():
        if gradient is not None:
            torch.testing.assert_close(ours[name], gradient, rtol=1e-6, atol=1e-9)


def adam(groups):
    return torch.optim.Adam(groups, eps=1e-15)  # its usual 1e-8 is not small beside the tiniest gradients


def trained(model, steps=20, optimiser=adam, rate=0.01):
    groups = [{"params": group["params"], "lr": rate * group["rate"]} for group in model.groups()]
    optimiser = optimiser(groups)
    for step in range(steps):
        optimiser.zero_grad()
        model.losses(batch_of(seed=step)).total().backward()
        optimiser.step()
    return model


def fake_weights(model):
    return nn.utils.parameters_to_vector(model.fake.parameters()).detach()


def test_without_lambda_disc_the_fake_heads_stay_where_they_were():  # S-7
    before = fake_weights(model_of())
    assert torch.equal(fake_weights(trained(model_of(lambda_disc=0.0))), before)
    assert not torch.equal(fake_weights(trained(model_of(lambda_disc=0.5))), before)


def test_under_adam_lambda_disc_does_nothing_and_fake_rate_does():  # S-6
    start = fake_weights(model_of())
    way = fake_weights(trained(model_of(lambda_disc=1.0))) - start
    other = fake_weights(trained(model_of(lambda_disc=0.01))) - start
    slower = fake_weights(trained(model_of(lambda_disc=1.0, fake_rate=0.1))) - start
    assert (way - other).norm() < 1e-3 * way.norm()
    assert 0.08 < slower.norm() / way.norm() < 0.2


def test_under_plain_descent_lambda_disc_is_a_learning_rate():  # S-6
    start = fake_weights(model_of())
    ways = [fake_weights(trained(model_of(lambda_disc=weight), 1, torch.optim.SGD)) - start for weight in (1.0, 0.25)]
    torch.testing.assert_close(ways[1], 0.25 * ways[0])


def test_groups_hold_every_parameter_once_and_the_fake_heads_apart():
    model = model_of(MIXED, fake_rate=3.0)
    main, fake = model.groups()
    assert (main["rate"], fake["rate"]) == (1.0, 3.0)
    assert {id(p) for p in fake["params"]} == {id(p) for p in model.fake.parameters()}
    assert sorted(id(p) for p in main["params"] + fake["params"]) == sorted(id(p) for p in model.parameters())


BINARY, CLASSES, POINTS = Task("b", "binary", 1), Task("c", "classes", 1, classes=3), Task("p", "points", 1)


def semantic(task, z, t, **reading):
    """The value and gradient of what Eq. (6) minimises for one example with outputs z."""
    z = torch.tensor([[z]], dtype=torch.double, requires_grad=True)
    value = semantic_losses(task, z, torch.tensor([[t]]), Reading(**reading))[0].sum()
    return value.item(), torch.autograd.grad(value, z)[0].flatten().tolist()


@pytest.mark.parametrize(("task", "z"), [(BINARY, [1000.0]), (CLASSES, [0.0, 1000.0, 0.0])])
def test_the_printed_equation_6_rewards_confident_wrong_heads_without_bound(task, z):  # S-8
    value, pull = semantic(task, z, 0, semantic="printed")
    assert value == -1000
    assert max(map(abs, pull)) == 1


def test_clipped_stops_pushing_beyond_the_clip():  # S-8
    assert semantic(BINARY, [9.0], 0)[0] == pytest.approx(-math.log(1 + math.exp(9)))
    assert semantic(BINARY, [9.0], 0)[1][0] < -0.99
    assert semantic(BINARY, [11.0], 0) == (-10, [0])
    assert semantic(BINARY, [5.0], 0, clip=4.0) == (-4, [0])


def test_uniform_has_its_minimum_where_the_head_is_undecided():  # S-8
    for label in (0, 1):
        assert semantic(BINARY, [0.0], label, semantic="uniform") == (pytest.approx(math.log(2)), [0])
        assert semantic(BINARY, [1.0], label, semantic="uniform")[0] > math.log(2)
        assert semantic(BINARY, [-1.0], label, semantic="uniform")[0] > math.log(2)
    value, pull = semantic(CLASSES, [5.0, 5.0, 5.0], 2, semantic="uniform")
    assert value == pytest.approx(math.log(3))
    assert pull == pytest.approx([0, 0, 0])


def test_swapped_is_the_cross_entropy_of_the_wrong_label():  # S-8
    assert semantic(BINARY, [2.0], 1, semantic="swapped")[0] == pytest.approx(math.log(1 + math.exp(2)))
    assert semantic(BINARY, [50.0], 0, semantic="swapped")[0] == pytest.approx(0)
    # Three classes: the mean over the two wrong ones, least where each of them has probability 1/2.
    value, _ = semantic(CLASSES, [1.0, 2.0, 3.0], 2, semantic="swapped")
    assert value == pytest.approx(math.log(math.exp(1) + math.exp(2) + math.exp(3)) - (1 + 2) / 2)
    value, pull = semantic(CLASSES, [0.0, 0.0, -50.0], 2, semantic="swapped")
    assert value == pytest.approx(math.log(2))
    assert pull == pytest.approx([0, 0, 0])


@pytest.mark.parametrize("kind", ["printed", "clipped", "uniform", "swapped"])
@pytest.mark.parametrize("task", [BINARY, CLASSES])
def test_no_reading_of_equation_6_pulls_where_the_label_is_missing(task, kind):
    assert semantic(task, [0.7] * task.outputs, -1, semantic=kind) == (0, [0] * task.outputs)


# ------------------------------------------------------------------ the soft terms, S-1 to S-4, S-24


def gaussian(batch, common, specific, n=1, seed=0):
    random = torch.Generator().manual_seed(seed)
    return torch.randn(batch, common, generator=random), torch.randn(batch, n, specific, generator=random)


def test_the_outer_product_only_measures_norms():  # S-1
    c, s = torch.tensor([[1.0, 2.0], [0.0, 1.0]]), torch.tensor([[[3.0]], [[2.0]]])
    by_hand = ((1 + 4) * 9 + (0 + 1) * 4) / 2
    reading = Reading(common_specific="outer", standardise=False)
    assert common_specific(c, s, reading).item() == by_hand
    outer = (c[0].unsqueeze(1) @ s[0]).square().sum()
    assert outer == (1 + 4) * 9


def test_the_outer_product_stays_where_independent_features_lose_their_correlation():  # S-1
    few, many = gaussian(100, 15, 5), gaussian(10_000, 15, 5)
    outer = Reading(common_specific="outer")
    assert common_specific(*few, outer).item() == pytest.approx(75, rel=0.1)
    assert common_specific(*many, outer).item() == pytest.approx(75, rel=0.1)
    assert common_specific(*few).item() == pytest.approx(0.86, abs=0.3)
    assert common_specific(*many).item() == pytest.approx(0.0075, abs=0.003)


def test_the_inner_product_by_hand_and_only_for_equal_sizes():  # S-1
    reading = Reading(common_specific="inner", standardise=False)
    c, s = torch.tensor([[1.0, 2.0]]), torch.tensor([[[3.0, 4.0], [-2.0, 1.0]]])
    assert common_specific(c, s, reading).item() == ((1 * 3 + 2 * 4) ** 2 + (-1 * 2 + 2 * 1) ** 2) / 2
    with pytest.raises(ValueError, match="one size, got common 3, specific 2"):
        common_specific(torch.zeros(4, 3), torch.zeros(4, 1, 2), reading)


def test_per_example_products_miss_dependence_and_see_it_where_there_is_none():  # S-2
    a = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    nothing = torch.zeros_like(a)
    dependent = torch.stack([torch.stack([a, nothing], 1), torch.stack([nothing, a], 1)], 1)  # h = (a, 0), g = (0, a)
    inner = Reading(specific_specific="inner")
    assert specific_specific(dependent, inner) == 0
    assert specific_specific(dependent).item() == pytest.approx(1, abs=1e-3)
    _, independent = gaussian(10_000, 1, 5, n=2)
    assert specific_specific(independent, inner).item() == pytest.approx(5, rel=0.1)
    assert specific_specific(independent).item() == pytest.approx(0, abs=0.01)


def test_the_noise_floor_is_what_independent_features_cost():  # S-3
    draws = [common_specific(*gaussian(64, 6, 4, seed=seed)).item() for seed in range(300)]
    assert noise_floor(6, 4, 64) == 6 * 4 / 63
    assert sum(draws) / len(draws) == pytest.approx(noise_floor(6, 4, 64), rel=0.06)


def test_soft_mean_divides_by_the_entries_of_the_correlation_matrix():  # S-3
    c, s = gaussian(16, 6, 4, n=3)
    mean = Reading(soft_mean=True)
    assert common_specific(c, s, mean).item() == pytest.approx(common_specific(c, s).item() / (6 * 4))
    assert specific_specific(s, mean).item() == pytest.approx(specific_specific(s).item() / (4 * 4))


@pytest.mark.parametrize("tasks", [THREE, MIXED])
def test_the_printed_sum_over_examples_is_the_batch_size_times_the_mean(tasks):  # S-4
    mean = model_of(tasks).losses(batch_of(tasks, size=8))
    total = model_of(tasks, reading=Reading(examples="sum")).losses(batch_of(tasks, size=8))
    torch.testing.assert_close(total.tasks, 8 * mean.tasks)
    for name, term in mean.extra.items():
        assert total.extra[name].item() == pytest.approx(8 * term.item())


def test_the_soft_terms_see_the_linear_spaces_or_what_the_heads_read():  # S-24
    model, batch = model_of(lambda_cs=1.0, lambda_ss=1.0), batch_of()
    c, s = model.embed(batch.x)
    found = {}
    for spaces in ("linear", "relu"):
        model.reading = Reading(spaces=spaces)
        found[spaces] = torch.stack(list(model.losses(batch).extra.values())[:2])
    torch.testing.assert_close(found["linear"], torch.stack([common_specific(c, s), specific_specific(s)]))
    c, s = c.relu(), s.relu()
    torch.testing.assert_close(found["relu"], torch.stack([common_specific(c, s), specific_specific(s)]))
    assert not torch.allclose(found["linear"], found["relu"])


def test_a_bias_that_no_head_sees_gets_no_gradient_at_all():
    """Rounding noise would do: Adam divides a gradient by its own size, and makes a full step of it."""
    model, batch = model_of(), batch_of()
    with torch.no_grad():
        model.spaces.bias.fill_(-100)  # every unit is below 0 for every example: ReLU lets nothing through
    model.losses(batch).total().backward()
    assert model.spaces.weight.grad.abs().max() > 0  # the orthogonality terms still see them
    assert (model.spaces.bias.grad == 0).all()


def test_without_centring_non_negative_spaces_are_orthogonal_only_if_never_active_together():  # S-24
    apart, together = [[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 0.0]]
    raw = Reading(standardise=False)
    for rows, value in ((apart, 0.0), (together, (1 / 2) ** 2)):
        h = torch.tensor(rows)
        assert common_specific(h[:, :1], h[:, 1:, None], raw).item() == value


def test_standardised_features_have_mean_0_and_variance_1_over_the_batch():
    h = standardise(gaussian(50, 1, 3, n=2)[1] * 7 + 3)
    torch.testing.assert_close(h.mean(0), torch.zeros(2, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(h.var(0, correction=0), torch.ones(2, 3), atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match=r"2 or more examples .*, got 1"):
        standardise(torch.zeros(1, 3))


@pytest.mark.parametrize(("scale", "shift"), [(7.0, 0.0), (0.2, 5.0), (-1.0, 0.0)])
def test_rescaling_or_shifting_a_space_leaves_the_soft_terms(scale, shift):
    c, s = gaussian(32, 6, 4, n=3)
    moved = s.clone()
    moved[:, 1] = scale * moved[:, 1] + shift
    assert common_specific(c, moved).item() == pytest.approx(common_specific(c, s).item(), rel=2e-3)
    assert specific_specific(moved).item() == pytest.approx(specific_specific(s).item(), rel=2e-3)


@pytest.mark.parametrize("settings", [{}, {"soft_mean": True}, {"standardise": False}])
@pytest.mark.parametrize(("batch", "common", "n"), [(8, 3, 4), (12, 3, 4), (11, 0, 4), (3, 5, 1)])
def test_with_fewer_examples_than_features_the_soft_terms_are_the_same_from_products_of_examples(
    settings, batch, common, n
):
    c, s = (h.double().requires_grad_() for h in gaussian(batch, common, 3, n=n))  # n S = 12 features, or 3
    reading = Reading(**settings)
    by_definition = {}
    if common:
        by_definition["common-specific"] = common_specific(c, s, reading)
    if n > 1:
        by_definition["specific-specific"] = specific_specific(s, reading)
    found = soft(c, s, reading)
    assert list(found) == list(by_definition)
    for name, term in found.items():
        assert term.item() == pytest.approx(by_definition[name].item(), rel=1e-12)
        ours, theirs = (
            torch.autograd.grad(t, [c, s], allow_unused=True, retain_graph=True) for t in (term, by_definition[name])
        )
        for mine, its in zip(ours, theirs, strict=True):
            if its is not None:
                torch.testing.assert_close(mine, its, rtol=1e-10, atol=1e-12)


def test_what_is_subtracted_there_leaves_enough_in_single_and_half_precision():
    """Off-diagonal blocks of little weight, and diagonal ones of much: every space says one thing S times."""
    own = standardise(gaussian(64, 1, 8, n=1)[1])
    own = torch.linalg.qr(own.flatten(1)).Q * 8  # 64 examples of 8 orthogonal features of variance 1
    s = own[:, :, None].expand(-1, -1, 16).contiguous()  # n = 8, S = 16: blocks of 256 beside blocks of nearly 0
    c = gaussian(64, 4, 1)[0]
    exact = specific_specific(s.double()).item()
    assert soft(c, s)["specific-specific"].item() == pytest.approx(exact, abs=1e-3)
    with torch.autocast("cpu", torch.bfloat16):
        rough = soft(c, s)["specific-specific"].item()
    assert rough == pytest.approx(exact, abs=0.01 * 256)


def test_from_features_gives_outputs_and_losses_of_one_pass():
    model, batch = model_of(MIXED), batch_of(MIXED)
    outputs, losses = model.from_features(model.trunk(batch.x), batch.y)
    for name, expected in model(batch.x).items():
        assert torch.equal(outputs[name], expected)
    expected = model.losses(batch)
    assert torch.equal(losses.tasks, expected.tasks)
    assert all(torch.equal(losses.extra[name], term) for name, term in expected.extra.items())


# ------------------------------------------------------------------ what must not change a result


def test_with_no_specific_space_sos_is_bitwise_the_multi_task_control():
    sos = model_of(MIXED, common=6, specific=0)
    control = MultiTask(nn.Sequential(sos.trunk, sos.spaces, nn.ReLU()), 6, MIXED).double()
    with torch.no_grad():
        for ours, theirs in zip(sos.heads, control.heads, strict=True):
            theirs.weight.copy_(ours.common)
            theirs.bias.copy_(ours.bias)
    batch = batch_of(MIXED)
    for name, outputs in sos(batch.x).items():
        assert torch.equal(outputs, control(batch.x)[name])
    ours, theirs = sos.losses(batch), control.losses(batch)
    assert torch.equal(ours.tasks, theirs.tasks)
    assert ours.extra == theirs.extra == {}
    shared = [*sos.trunk.parameters(), *sos.spaces.parameters()]
    found = torch.autograd.grad(ours.total(), [*shared, *(h.common for h in sos.heads)])
    other = torch.autograd.grad(theirs.total(), [*shared, *(h.weight for h in control.heads)])
    assert all(torch.equal(a, b) for a, b in zip(found, other, strict=True))


@pytest.mark.parametrize("task", [BINARY, CLASSES, POINTS])
def test_one_task_alone_has_no_pairs_and_no_game(task):
    model = model_of([task])
    losses = model.losses(batch_of([task]))
    assert list(losses.extra) == ["common-specific"]
    assert len(model.fake) == 0
    assert len(model.groups()) == 1


def test_without_a_common_space_equation_4_is_absent():
    losses = model_of(common=0).losses(batch_of())
    assert list(losses.extra) == ["specific-specific", "semantic", "adversarial"]


def test_permuting_tasks_permutes_outputs_losses_and_gradients(pack, unpack):
    """Blocks in another order, and columns in another order within a block; the same weights, by name."""
    tasks = [Task("a", "binary", ("u", "v")), Task("c", "classes", ("k", "l"), classes=3), Task("p", "points", 2)]
    other = [Task("p", "points", 2), Task("a", "binary", ("v", "u")), Task("c", "classes", ("l", "k"), classes=3)]
    model, moved = model_of(tasks), model_of(other, seed=5)
    moved.trunk.load_state_dict(model.trunk.state_dict())
    pack(moved, unpack(model))
    batch = batch_of(tasks)
    swapped = Batch(batch.x, {"p": batch.y["p"], "a": batch.y["a"].flip(1), "c": batch.y["c"].flip(1)})

    found, expected = moved(batch.x), model(batch.x)
    torch.testing.assert_close(found["a"], expected["a"].flip(1))
    torch.testing.assert_close(found["c"], expected["c"].flip(1))
    torch.testing.assert_close(found["p"], expected["p"])

    ours, theirs = moved.losses(swapped), model.losses(batch)
    torch.testing.assert_close(ours.tasks, theirs.tasks[[4, 1, 0, 3, 2]])
    for name, term in theirs.extra.items():
        torch.testing.assert_close(ours.extra[name], term)

    ours.total().backward()
    theirs.total().backward()
    gradient_of = {name: (unpack(m, lambda p: p.grad)) for name, m in (("moved", moved), ("model", model))}
    assert set(gradient_of["moved"]) == set(gradient_of["model"])
    for name, gradient in gradient_of["model"].items():
        torch.testing.assert_close(gradient_of["moved"][name], gradient)
    for mine, its in zip(moved.trunk.parameters(), model.trunk.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, its.grad)


def test_many_copies_train_as_one_batched_program():
    """The contract with ``ensemble``: losses are pure, so vmap(grad) over stacked copies equals the loop."""

    class Total(nn.Module):
        def __init__(self, method):
            super().__init__()
            self.method = method

        def forward(self, x, y):
            return self.method.losses(Batch(x, y)).total()

    copies = [Total(model_of(MIXED, seed=seed, lambda_adv=0.1 * seed, lambda_cs=0.3 * seed)) for seed in range(3)]
    batches = [batch_of(MIXED, seed=10 + i) for i in range(3)]
    batches[1].y["a"][:, 0] = -1
    x = torch.stack([batch.x for batch in batches])
    y = {task.name: torch.stack([batch.y[task.name] for batch in batches]) for task in MIXED}
    parameters, buffers = stack_module_state(copies)

    def total(p, b, x, y):
        return functional_call(copies[0], (p, b), (x, y))

    found = vmap(grad(total))(parameters, buffers, x, y)
    for i, (copy, batch) in enumerate(zip(copies, batches, strict=True)):
        alone = torch.autograd.grad(copy(batch.x, batch.y), list(copy.parameters()))
        for (name, _), gradient in zip(copy.named_parameters(), alone, strict=True):
            torch.testing.assert_close(found[name][i], gradient)


# ------------------------------------------------------------------ refusals, frozen values


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"common": -1}, "common must be a whole number of 0 or more, got -1"),
        ({"specific": 2.5}, "specific must be a whole number of 0 or more, got 2.5"),
        ({"common": 0, "specific": 0}, "nothing to read"),
        ({"features": 0}, "features must be a whole number of 1 or more"),
        ({"lambda_cs": -0.1}, "lambda_cs must be a finite number of 0 or more, got -0.1"),
        ({"lambda_disc": float("nan")}, "lambda_disc must be a finite number"),
        ({"fake_rate": -1.0}, "fake_rate"),
        ({"reading": Reading(common_specific="inner")}, "needs common == specific, got 4 and 2"),
        ({"reading": Reading(semantic="uniform"), "tasks": MIXED}, "needs classes; a task of points has none"),
        ({"tasks": []}, "one or more tasks"),
        ({"lambda_cs": "0.1"}, "lambda_cs must be a finite number of 0 or more, got '0.1'"),
        ({"reading": "printed"}, "reading must be a Reading, got 'printed'"),
        ({"tasks": Task("a", "binary", 3)}, "a sequence of Task"),
    ],
)
def test_what_cannot_train_is_refused_before_anything_is_built(arguments, message):
    with pytest.raises(ValueError, match=message):
        SOS(**{"trunk": nn.Identity(), "features": 5, "tasks": THREE, "common": 4, "specific": 2} | arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"semantic": "reversed"}, "semantic is one of clipped, printed, uniform, swapped, got 'reversed'"),
        ({"common_specific": None}, "common_specific is one of batch, outer, inner"),
        ({"clip": 0}, "clip must be above 0"),
    ],
)
def test_an_unknown_reading_is_refused_with_what_there_is(arguments, message):
    with pytest.raises(ValueError, match=message):
        Reading(**arguments)


def test_a_trunk_of_another_width_is_named():
    with pytest.raises(ValueError, match=r"trunk gives \(2, 3\), SOS was told \(B, 5\)"):
        SOS(nn.Identity(), 5, THREE, 4, 2)(torch.zeros(2, 3))


def test_frozen_values():
    """Should a change move one of these, it changes results: say so in the commit."""
    model = SOS(mlp(2, 5), 5, [Task("a", "binary", 2), Task("c", "classes", 1, classes=3)], 3, 2).double()
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters(), 1):
            parameter.copy_(torch.arange(parameter.numel()).add(number).mul(1.7).sin().view_as(parameter))
    x = torch.arange(12).double().mul(2.3).cos().view(6, 2)
    y = {"a": torch.tensor([[0, 1], [1, 1], [0, 0], [1, -1], [0, 1], [1, 0]]), "c": torch.arange(6).view(6, 1) % 3}
    losses = model.losses(Batch(x, y))
    losses.total().backward()
    fake = torch.cat([p.grad.flatten() for p in model.fake.parameters()])
    found = dict(zip(("a 1", "a 2", "c 1"), losses.tasks.tolist(), strict=True))
    found |= {name: term.item() for name, term in losses.extra.items()} | {"total": losses.total().item()}
    found |= {"gradient of the spaces": model.spaces.weight.grad.norm().item()}
    found |= {"gradient of the fake heads": fake.norm().item()}
    assert found == pytest.approx(
        {
            "a 1": 1.1174045462882447,
            "a 2": 0.7754497583458875,
            "c 1": 1.0113840980626498,
            "common-specific": 0.05257481427575733,
            "specific-specific": 0.030781133824295603,
            "semantic": -0.01018272506569454,
            "adversarial": 0.01018272506569454,
            "total": 2.987594350796835,
            "gradient of the spaces": 1.3785419186253252,
            "gradient of the fake heads": 0.002047795423234252,
        },
        rel=1e-6,
    )
