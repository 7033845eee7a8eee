"""SOS-SE: a block by hand, which term reaches what, readings of the print, and that it trains like any method."""

from math import exp, log

import pytest
import torch
from torch import nn

from mtlib import ensemble
from mtlib.ensemble import Copy
from mtlib.recipe import Recipe
from mtlib.sos import SOS, Reading
from mtlib.sos_se import SOSSE, Architecture, SEBlock, attributes, squeeze
from mtlib.tasks import Batch, Dataset, Split, Task
from mtlib.training import fit

TWO = [Task("a", "binary", 2)]
MIXED = [Task("a", "binary", 2), Task("c", "classes", 1, classes=3), Task("p", "points", 2)]
WEIGHTS = {"lambda_cs": 0.1, "lambda_ss": 0.2, "lambda_adv": 0.3, "lambda_disc": 0.4}


def model_of(tasks=MIXED, seed=0, channels=1, widths=(3, 4), common=5, specific=2, **settings):
    architecture = {name: settings.pop(name) for name in list(settings) if name in Architecture.__annotations__}
    torch.manual_seed(seed)
    settings = WEIGHTS | settings | {"architecture": Architecture(**architecture)}
    return SOSSE(tasks, channels, widths=widths, common=common, specific=specific, **settings).double()


def batch_of(tasks=MIXED, seed=1, size=6, channels=1):
    random = torch.Generator().manual_seed(seed)
    y = {}
    for task in tasks:
        y[task.name] = torch.randint(task.classes or 2, (size, len(task.columns)), generator=random)
        if task.kind == "points":
            y[task.name] = torch.randn(size, len(task.columns), generator=random).double()
    return Batch(torch.randn(size, channels, 8, 8, generator=random).double(), y)


# ------------------------------------------------------------------ one block by hand


def sigmoid(z):
    return 1 / (1 + exp(-z))


def test_squeeze_is_the_mean_of_every_channel():
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [0.0, -4.0]]]])
    assert squeeze(maps).tolist() == [[3.0, -1.0]]


def test_what_the_excitation_reads_by_hand():
    outputs = {
        "a": torch.tensor([[0.0, log(3)]]),
        "c": torch.tensor([[[0.0, log(2), log(5)]]]),
        "p": torch.tensor([[7.0, -2.0]]),
    }
    read = attributes(MIXED, outputs)[0].tolist()
    assert read == pytest.approx([1 / 2, 3 / 4, 1 / 8, 2 / 8, 5 / 8, 7.0, -2.0])
    read = attributes(MIXED, outputs, "logits")[0].tolist()
    assert read == pytest.approx([0, log(3), 0, log(2), log(5), 7.0, -2.0])


@pytest.mark.parametrize(("skip", "more"), [("se", 1), ("none", 0)])
def test_gains_and_weighted_maps_by_hand(skip, more):
    block = SEBlock(1, SOS(nn.Identity(), 2, TWO, 1, 1), 1, Architecture(skip=skip))
    with torch.no_grad():
        block.excite[0].weight.copy_(torch.tensor([[2.0, 0.0], [4.0, 4.0]]))  # channel by attribute
        block.excite[0].bias.copy_(torch.tensor([-1.0, log(3) - 5]))
    gains = block.gains({"a": torch.tensor([[0.0, log(3)]])})  # probabilities 1/2 and 3/4
    assert gains[0].tolist() == pytest.approx([sigmoid(2 / 2 - 1), sigmoid(4 / 2 + 4 * 3 / 4 + log(3) - 5)])
    assert gains[0].tolist() == pytest.approx([1 / 2, 3 / 4])
    maps = torch.tensor([[[[8.0, -4.0]], [[4.0, 0.0]]]])
    found = block.weigh(maps, gains).flatten().tolist()
    assert found == pytest.approx([8 * (0.5 + more), -4 * (0.5 + more), 4 * (0.75 + more), 0.0])


def test_a_whole_network_rebuilt_in_a_few_lines():
    model, x = model_of(TWO), batch_of(TWO).x
    for block, step in zip(model.blocks, model.steps(x), strict=True):
        maps = block.first(x)
        p = torch.sigmoid(block.head(maps.mean((2, 3)))["a"])  # B 2
        gains = torch.sigmoid(p @ block.excite[0].weight.T + block.excite[0].bias)[:, :, None, None]
        torch.testing.assert_close(gains[:, :, 0, 0], step.gains)
        x = block.second(maps * gains + maps)
    assert torch.equal(model(batch_of(TWO).x)["a"], model.every(batch_of(TWO).x)[-1]["a"])


def test_every_block_halves_the_maps_unless_told_otherwise():
    maps = model_of().blocks[0].first(torch.zeros(1, 1, 8, 8).double())
    assert maps.shape == (1, 3, 4, 4)
    maps = model_of(strides=(1, 4)).blocks[0].first(torch.zeros(1, 1, 8, 8).double())
    assert maps.shape == (1, 3, 8, 8)


@pytest.mark.parametrize(("activation", "gain"), [("none", 1), ("relu", 2)])
def test_the_first_convolution_keeps_the_signals_size(activation, gain):
    model = model_of(widths=(64, 64), first_activation=activation)
    weight = model.blocks[1].first[0].weight
    assert weight.square().mean().item() == pytest.approx(gain / (9 * 64), rel=0.05)


def test_bytes_are_the_floats_that_they_stand_for():
    model = model_of().float().eval()
    images = torch.randint(0, 256, (3, 1, 8, 8), dtype=torch.uint8)
    torch.testing.assert_close(model(images)["c"], model(images / 127.5 - 1)["c"])


# ------------------------------------------------------------------ which term reaches what


def reached(term, model):
    """{block: the pieces of it that receive any gradient from a term}, a head's parts by their own names."""
    names, parameters = zip(*model.named_parameters(), strict=True)
    found: dict[str, set] = {}
    gradients = torch.autograd.grad(term, parameters, allow_unused=True, retain_graph=True)
    for name, gradient in zip(names, gradients, strict=True):
        if gradient is not None and gradient.any():
            where, *rest = name.removeprefix("blocks.").split(".")
            found.setdefault(where, set()).add(rest[1] if rest[0] == "head" else rest[0])
    return found


PREDICTS = {"first", "spaces", "heads"}
WHOLE = PREDICTS | {"excite", "second"}
# What the second block's terms reach: of the first block, and of its own.
REACHED = {
    "tasks": (WHOLE, PREDICTS),
    "common-specific": (WHOLE, {"first", "spaces"}),
    "specific-specific": (WHOLE, {"first", "spaces"}),
    "semantic": (WHOLE, {"first", "spaces"}),
    "adversarial": (set(), {"fake"}),
}


@pytest.mark.parametrize("flow", [True, False])
@pytest.mark.parametrize("term", REACHED)
def test_a_term_of_the_second_block_reaches_the_first_ones_predictions_where_gradients_flow(term, flow):
    model, batch = model_of(gradients_flow=flow), batch_of()
    losses = model.steps(batch.x, batch.y)[1].losses
    first, second = REACHED[term]
    first = first if flow else first - {"spaces", "heads"}
    found = reached(losses.tasks.sum() if term == "tasks" else losses.extra[term], model)
    assert found == {block: parts for block, parts in {"0": first, "1": second}.items() if parts}


def test_equation_7_of_all_blocks_reaches_the_fake_heads_alone_and_equation_6_never():
    model, batch = model_of(), batch_of()
    extra = model.losses(batch).extra
    assert reached(extra["adversarial"], model) == {"0": {"fake"}, "1": {"fake"}}
    assert not any("fake" in parts for parts in reached(extra["semantic"], model).values())


@pytest.mark.parametrize("reported", ["last", "after"])
def test_everything_trains_but_what_nothing_reads(reported):
    model = model_of(reported=reported)
    model.losses(batch_of()).total().backward()
    idle = {name for name, p in model.named_parameters() if p.grad is None}
    tail = {name for name, _ in model.named_parameters() if name.startswith(("blocks.1.excite", "blocks.1.second"))}
    assert idle == (tail if reported == "last" else set())
    assert model.sizes()["idle"] == sum(p.numel() for name, p in model.named_parameters() if name in idle)


# ------------------------------------------------------------------ losses


def test_losses_are_means_over_the_blocks():
    model, batch = model_of(), batch_of()
    first, second = (step.losses for step in model.steps(batch.x, batch.y))
    found = model.losses(batch)
    torch.testing.assert_close(found.tasks, (first.tasks + second.tasks) / 2)
    assert set(found.extra) == {"common-specific", "specific-specific", "semantic", "adversarial"}
    for name, term in found.extra.items():
        torch.testing.assert_close(term, (first.extra[name] + second.extra[name]) / 2)


def test_a_blocks_losses_are_those_of_its_head_on_squeezed_maps():
    model, batch = model_of(), batch_of()
    block, step = model.blocks[0], model.steps(batch.x, batch.y)[0]
    alone = block.head.losses(Batch(squeeze(block.first(batch.x)), batch.y))
    assert torch.equal(step.losses.tasks, alone.tasks)
    assert all(torch.equal(step.losses.extra[name], term) for name, term in alone.extra.items())


def test_only_the_last_block_supervised():
    model, batch = model_of(supervised="last"), batch_of()
    first, second = (step.losses for step in model.steps(batch.x, batch.y))
    assert first is None
    assert torch.equal(model.losses(batch).total(), second.total())
    assert len(model.blocks[0].head.fake) == 0
    assert len(model.blocks[1].head.fake) > 0
    assert reached(model.losses(batch).total(), model)["0"] == WHOLE  # taught through the gains alone


def test_with_no_specific_space_there_is_no_extra_term():
    assert model_of(specific=0).losses(batch_of()).extra == {}


def test_a_head_behind_the_last_block():
    model, batch = model_of(reported="after"), batch_of()
    outputs = model.every(batch.x)
    assert len(outputs) == 3
    assert torch.equal(model(batch.x)["c"], outputs[2]["c"])
    steps = model.steps(batch.x, batch.y)
    assert steps[2].gains is None
    torch.testing.assert_close(model.losses(batch).tasks, sum(step.losses.tasks for step in steps) / 3)


def test_a_task_without_labels_costs_nothing_and_moves_nothing():
    model, batch = model_of(), batch_of()
    batch.y["a"][:, 0] = -1
    batch.y["p"][2] = float("nan")
    losses = model.losses(batch)
    assert losses.tasks[0] == 0
    losses.total().backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    assert not gradients["blocks.1.head.heads.0.common"][0].any()
    assert gradients["blocks.1.head.heads.0.common"][1].any()


def test_permuting_tasks_permutes_predictions_and_losses(pack, unpack):
    """Blocks of tasks in another order: the same heads by name, and the excitation's inputs reordered."""
    order = [5, 6, 2, 3, 4, 0, 1]  # p, c, a: where each attribute stood in a, c, p
    model, moved = model_of(), model_of(MIXED[::-1], seed=3)
    heads = {name for name, _ in model.named_parameters() if ".head." in name}
    moved.load_state_dict({k: v for k, v in model.state_dict().items() if k not in heads}, strict=False)
    for own, other in zip(moved.blocks, model.blocks, strict=True):
        pack(own.head, unpack(other.head))
        with torch.no_grad():
            own.excite[0].weight.copy_(other.excite[0].weight[:, order])
    batch = batch_of()
    for found, expected in zip(moved.every(batch.x), model.every(batch.x), strict=True):
        assert list(found) == ["p", "c", "a"]
        for name, outputs in expected.items():
            torch.testing.assert_close(found[name], outputs)
    ours, theirs = moved.losses(batch), model.losses(batch)
    torch.testing.assert_close(ours.tasks, theirs.tasks[[3, 2, 0, 1]])
    for name, term in theirs.extra.items():
        torch.testing.assert_close(ours.extra[name], term)


# ------------------------------------------------------------------ it trains like any method


def pictures(n=24):
    batch = batch_of(size=n)
    split = Split((batch.x * 50 + 127).clamp(0, 255).to(torch.uint8), {k: y.float() for k, y in batch.y.items()})
    return Dataset("noise", tuple(MIXED), split, split)


SHORT = Recipe(steps=12, batch=8, rate=1e-2, schedule="constant")


@pytest.mark.parametrize("settings", [{}, {"precision": "bfloat16"}, {"channels_last": True}])
def test_it_learns_by_heart(settings):
    history = fit(model_of().float(), pictures(8), Recipe(steps=30, batch=8, rate=3e-2, **settings)).history
    first, last = (sum(row[name] for name in ("a 1", "a 2", "c 1", "p")) for row in (history[0], history[-1]))
    assert last < 0.8 * first


def test_copies_trained_as_one_program_end_where_training_alone_would_bring_them():
    data, copies = pictures(), [Copy(seed=seed) for seed in (1, 2)]
    data.train.x = data.train.x.double()

    def build(copy):
        return model_of(seed=copy.seed, lambda_adv=float(copy.seed))

    together = ensemble.fit(build, data, copies, SHORT)
    for copy, network in zip(copies, together.networks(), strict=True):
        alone = fit(build(copy), data, SHORT, seed=copy.seed).method
        for (name, found), value in zip(network.named_parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(found, value, rtol=1e-7, atol=1e-9, msg=name)


def test_groups_hold_every_parameter_once_and_all_fake_heads_apart():
    model = model_of(fake_rate=3.0)
    rest, fake = model.groups()
    assert (rest["rate"], fake["rate"], fake["critic"]) == (1.0, 3.0, True)
    heads = [p for block in model.blocks for p in block.head.fake.parameters()]
    assert {id(p) for p in fake["params"]} == {id(p) for p in heads}
    assert sorted(id(p) for p in rest["params"] + fake["params"]) == sorted(id(p) for p in model.parameters())
    assert len(model_of([Task("a", "binary", 1)]).groups()) == 1


# ------------------------------------------------------------------ sizes, refusals, frozen values

FORTY = [Task("attributes", "binary", 40)]


def by_hand(widths, heads, channels=1):
    """Parameters for prediction, layer by layer: those of all blocks, and of one more head of that width."""
    total, inputs = 0, channels
    for width in widths:
        total += 9 * inputs * width + width + 40 * width + width + 9 * width * width + 2 * width
        inputs = width
    return total + sum((width + 1) * (512 + 40 * 32) + 40 * (512 + 32 + 1) for width in heads)


@pytest.mark.parametrize(
    ("settings", "prediction", "idle"),
    [
        ({}, 1_426_656, 152_960),
        ({"channels": 3}, 1_427_808, 152_960),
        ({"widths": (32, 64, 128, 128)}, 1_321_536, 152_960),
        ({"widths": (32, 64, 128, 256)}, 2_146_368, 600_832),
        ({"architecture": Architecture(reported="after")}, 1_679_624, 0),
        ({"architecture": Architecture(excitation_layers=2)}, 1_426_656 + 4 * 41 * 40, 152_960 + 41 * 40),
    ],
)
def test_numbers_of_parameters_at_the_papers_size(settings, prediction, idle):  # S-18
    with torch.device("meta"):
        model = SOSSE(FORTY, **settings)
    fake = 40 * 39 * 545 * (len(model.blocks) + (model.after is not None))
    assert model.sizes() == {"prediction": prediction, "training": prediction + fake, "idle": idle}


def test_those_numbers_layer_by_layer():
    widths = (64, 64, 128, 128)
    assert by_hand(widths, widths) == 1_426_656
    assert by_hand(widths, (*widths, 128)) == 1_679_624


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"channels": 0}, "channels must be a whole number of 1 or more, got 0"),
        ({"widths": ()}, r"widths are one or more whole numbers of 1 or more, got \(\)"),
        ({"widths": (4, 0)}, r"widths are .*, got \(4, 0\)"),
        ({"widths": 4}, "widths are .*, got 4"),
        ({"strides": (2,)}, r"strides are 4 whole numbers of 1 or more, one per block, got \(2,\)"),
        ({"strides": (2, 2, 2, 0.5)}, "strides are 4 whole numbers"),
        ({"architecture": "printed"}, "architecture must be an Architecture, got 'printed'"),
        ({"reading": "printed"}, "reading must be a Reading, got 'printed'"),
        ({"reading": Reading(semantic="uniform")}, "needs classes; a task of points has none"),
        ({"common": -1}, "common must be a whole number of 0 or more, got -1"),
        ({"lambda_adv": -1.0}, "lambda_adv must be a finite number of 0 or more"),
        ({"fake_rate": "fast"}, "fake_rate must be a finite number of 0 or more"),
        ({"tasks": []}, "one or more tasks"),
    ],
)
def test_what_cannot_train_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SOSSE(**{"tasks": MIXED} | arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"excitation_reads": "labels"}, "excitation_reads is one of probabilities, logits, got 'labels'"),
        ({"excitation_layers": 3}, "excitation_layers is one of 1, 2, got 3"),
        ({"gradients_flow": "yes"}, "gradients_flow is one of True, False, got 'yes'"),
        ({"supervised": "first"}, "supervised is one of every, last, got 'first'"),
        ({"skip": "block"}, "skip is one of se, none, got 'block'"),
        ({"first_activation": "gelu"}, "first_activation is one of none, relu, got 'gelu'"),
        ({"reported": "mean"}, "reported is one of last, after, got 'mean'"),
    ],
)
def test_an_unknown_architecture_is_refused_with_what_there_is(arguments, message):
    with pytest.raises(ValueError, match=message):
        Architecture(**arguments)


def frozen(**architecture):
    """Losses of a network whose numbers are all written down, not drawn."""
    model = model_of([Task("a", "binary", 2), Task("c", "classes", 1, classes=3)], **architecture)
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters(), 1):
            parameter.copy_(torch.arange(parameter.numel()).add(number).mul(1.7).sin().view_as(parameter))
    x = torch.arange(6 * 64).double().mul(2.3).cos().view(6, 1, 8, 8)
    y = {"a": torch.tensor([[0, 1], [1, 1], [0, 0], [1, -1], [0, 1], [1, 0]]), "c": torch.arange(6).view(6, 1) % 3}
    losses = model.losses(Batch(x, y))
    return [*losses.tasks.tolist(), *(term.item() for term in losses.extra.values())]


# a 1, a 2, c 1, common-specific, specific-specific, semantic, adversarial
VALUES = {
    "printed": [1.636411108, 2.092015366, 1.974375358, 0.6721342579, 0.5170535401, -0.5214710571, 0.7329299215],
    "logits": [1.674947296, 2.11672854, 1.950799025, 0.6566409975, 0.5035389672, -0.5271704877, 0.7399505726],
    "two layers": [0.9027266213, 0.9828747111, 2.32680963, 0.6930942579, 0.5716356951, -0.3154393782, 0.4205858272],
    "last": [0.7108397011, 1.276050464, 2.446066001, 0.8540822799, 0.6828694717, -0.22753272, 0.3033769525],
    "no skip": [1.694460626, 2.110706515, 1.937051114, 0.600582145, 0.4467092762, -0.5265644536, 0.7339348201],
    "relu": [0.9690391973, 1.197739918, 1.258626652, 0.5909241009, 0.4552010216, -0.3598593761, 0.4798124895],
    "after": [1.408970976, 1.729805752, 1.833728619, 0.6809180766, 0.4850931137, -0.43996422, 0.6117090761],
}
FROZEN = {
    "printed": {},
    "logits": {"excitation_reads": "logits"},
    "two layers": {"excitation_layers": 2},
    "last": {"supervised": "last"},
    "no skip": {"skip": "none"},
    "relu": {"first_activation": "relu"},
    "after": {"reported": "after"},
}


@pytest.mark.parametrize("name", FROZEN)
def test_frozen_values(name):
    """Should a change move one of these, it changes results: say so in the commit."""
    assert frozen(**FROZEN[name]) == pytest.approx(VALUES[name], rel=1e-6)
