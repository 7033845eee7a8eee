"""Eq. (1) term by term: which images enter which loss (X-13, X-14), what moves what, and how it trains."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

from mtlib import ensemble
from mtlib.coupling import Coupled, Relations, co_annotation_loss, indicators, matching_loss, mixture, soft_labels
from mtlib.coupling.printed import relations
from mtlib.ensemble import Copy
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.tasks import Batch, Dataset, Split, Task, block_losses
from mtlib.training import fit
from mtlib.updates import Aggregate, Descend, GradNorm

STUDY = relations("study")
EXPRESSION = Task("expression", "classes", ("expression",), classes=7)
UNITS = Task("units", "binary", STUDY.attributes)
KIND = Task("kind", "classes", ("kind",), classes=3)
MARKS = Task("marks", "binary", ("x", "y"))
SMALL = Relations("ABC", "xy", torch.tensor([[1, 0.5], [0, 1], [0, 0]]), torch.tensor([[1, 0.5], [0, 1], [0, 0]]))


def network(own=STUDY, seed=0, **settings):
    torch.manual_seed(seed)
    return Coupled(nn.Sequential(nn.Linear(4, 6), nn.Tanh()), 6, EXPRESSION, UNITS, own, **settings)


def small(own=SMALL, **settings):
    torch.manual_seed(0)
    return Coupled(nn.Identity(), 4, KIND, MARKS, own, **settings)


def batch(n=12, seed=0, classes=7, marks=17, names=("expression", "units"), width=4):
    """A third of the images has a class, a third attributes with gaps, a third both."""
    random = torch.Generator().manual_seed(seed)
    y_class = torch.randint(classes, (n, 1), generator=random)
    y = torch.randint(-1, 2, (n, marks), generator=random)
    y[:, 0] = y[:, 0].clamp(min=0)
    third = torch.arange(n) % 3
    y_class[third == 1] = -1
    y[third == 0] = -1
    return Batch(torch.randn(n, width, generator=random), {names[0]: y_class, names[1]: y})


# ------------------------------------------------------------------ Eq. (1)


def test_equation_1_by_hand():
    """Two images: one of class B; the other with x, not y, and no class."""
    z = {"kind": torch.tensor([[[1.0, 2, 0]], [[0, 0, 1]]]), "marks": torch.tensor([[0.5, -1.0], [2.0, 1.0]])}
    y = {"kind": torch.tensor([[1], [-1]]), "marks": torch.tensor([[-1, -1], [1, 0]])}
    s = lambda value: 1 / (1 + math.exp(-value))  # noqa: E731
    p = [[math.exp(v) / sum(map(math.exp, row)) for v in row] for row in ((1, 2, 0), (0, 0, 1))]

    own, attributes = block_losses((KIND, MARKS), z, y).tolist()
    assert own == pytest.approx(-math.log(p[0][1]))
    assert attributes == pytest.approx(-(math.log(s(2)) + math.log(1 - s(1))) / 2)

    terms = small().coupling(z, y)
    cross = lambda q, p: -q * math.log(p) - (1 - q) * math.log(1 - p)  # noqa: E731
    matching = [
        cross(p[0][0], s(0.5)) + cross(0.5 * p[0][0] + p[0][1], s(-1)),
        cross(p[1][0], s(2)) + cross(0.5 * p[1][0] + p[1][1], s(1)),
    ]
    assert terms["matching"].item() == pytest.approx(sum(matching) / 2)  # every image
    e = [math.exp(value) for value in (1 / 1.5, 0, 0)]  # of A: x and half of y; of B: y alone; C has no link
    assert terms["co-annotation"].item() == pytest.approx(
        -sum(a / sum(e) * math.log(b) for a, b in zip(e, p[1], strict=True))  # the second alone
    )


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.5, 2.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_the_total_is_the_two_losses_and_the_weighted_couplings(weights):
    matching, co_annotation = weights
    data, unit = batch(), network().losses(batch())
    found = network(matching=matching, co_annotation=co_annotation).losses(data)
    torch.testing.assert_close(found.tasks, unit.tasks)
    assert set(found.extra) == {name for name, w in zip(("matching", "co-annotation"), weights, strict=True) if w}
    whole = unit.tasks.sum() + matching * unit.extra["matching"] + co_annotation * unit.extra["co-annotation"]
    torch.testing.assert_close(found.total(), whole)
    assert found.features.shape == (12, 6)


def test_without_relations_there_are_no_extra_terms():
    model = network(None)
    assert model.losses(batch()).extra == {}
    torch.testing.assert_close(model.losses(batch()).total(), network().losses(batch()).tasks.sum())


def test_there_is_one_loss_for_a_block():
    model = network()
    assert model.loss_names == ("expression", "units")
    assert model.losses(batch()).tasks.shape == (2,)


def test_an_image_counts_once_however_many_of_its_attributes_are_annotated():
    """The mean over its annotated attributes, then over images (Eq. 1), and not a mean over columns."""
    z = {"kind": torch.zeros(2, 1, 3), "marks": torch.tensor([[3.0, 0.0], [1.0, 2.0]])}
    y = {"kind": torch.full((2, 1), -1), "marks": torch.tensor([[1, -1], [0, 1]])}
    loss = lambda z, y: F.softplus(torch.tensor(z if not y else -z)).item()  # noqa: E731
    own = block_losses((KIND, MARKS), z, y)
    assert own[0] == 0
    assert own[1].item() == pytest.approx((loss(3.0, 1) + (loss(1.0, 0) + loss(2.0, 1)) / 2) / 2)


@pytest.mark.parametrize("form", ["mended", "printed", "one-sided", "swapped", "divergence"])
def test_form_is_of_both_losses_as_printed_and_of_matching_else(form):
    model, data = network(form=form), batch()
    terms, out = model.losses(data).extra, model(data.x)
    z, y = out["expression"].squeeze(1), data.y["units"]
    q = mixture(z.softmax(1), STUDY.probability)
    torch.testing.assert_close(terms["matching"], matching_loss(out["units"], q, form=form))
    counts = (y >= 0).any(1) & (data.y["expression"] < 0).squeeze(1)
    other = "printed" if form == "printed" else "mended"
    soft = soft_labels(indicators(y, STUDY.weight))
    torch.testing.assert_close(terms["co-annotation"], co_annotation_loss(z, soft, counts, other))


# ------------------------------------------------------------------ which images count


@pytest.mark.parametrize("everywhere", [False, True])
def test_x13_which_images_are_co_annotated(everywhere):
    model, data = network(everywhere=everywhere), batch()
    outputs = {name: z.detach().requires_grad_() for name, z in model(data.x).items()}
    model.coupling(outputs, data.y)["co-annotation"].backward()
    third = torch.arange(12) % 3  # class alone, attributes alone, both
    expected = third != 0 if everywhere else third == 1
    assert torch.equal(outputs["expression"].grad.flatten(1).any(1), expected)
    assert outputs["units"].grad is None  # of the labels, and not of the predictions


def test_every_image_is_matched():
    model, data = network(), batch()
    outputs = {name: z.detach().requires_grad_() for name, z in model(data.x).items()}
    model.coupling(outputs, data.y)["matching"].backward()
    assert all(z.grad.flatten(1).any(1).all() for z in outputs.values())


@pytest.mark.parametrize("form", ["mended", "printed"])
@pytest.mark.parametrize("labels", ["indicators", "bayes"])
@pytest.mark.parametrize("neutral", ["zero", "rest", "out"])
def test_x14_images_without_annotation_cost_nothing_and_give_no_nan(form, labels, neutral):
    data = batch()
    for y in data.y.values():
        y.fill_(-1)
    model = network(form=form, labels=labels, neutral=neutral, everywhere=True)
    found = model.losses(data)
    assert found.tasks.tolist() == [0, 0]
    assert found.extra["co-annotation"].item() == 0
    assert found.extra["matching"] > 0  # which asks for no label
    found.total().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
    none = model.losses(Batch(data.x[:0], {name: y[:0] for name, y in data.y.items()}))
    assert none.tasks.tolist() == [0, 0]


def test_x14_images_without_annotation_change_no_others_loss():
    model, data = network(matching=0), batch()
    more = Batch(torch.cat([data.x, data.x[:5]]), {k: torch.cat([y, y[:5] * 0 - 1]) for k, y in data.y.items()})
    one, other = model.losses(data), model.losses(more)
    torch.testing.assert_close(other.tasks, one.tasks)
    torch.testing.assert_close(other.extra["co-annotation"], one.extra["co-annotation"])


# ------------------------------------------------------------------ what moves what


def moved(model, term):
    found = model.losses(batch())
    (found.tasks[term] if isinstance(term, int) else found.extra[term]).backward()
    return {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}


def test_what_each_term_moves():
    assert moved(network(), 0) == {"trunk", "class_head"}
    assert moved(network(), 1) == {"trunk", "attribute_head"}
    assert moved(network(), "matching") == {"trunk", "class_head", "attribute_head"}
    assert moved(network(), "co-annotation") == {"trunk", "class_head"}


def test_detach_keeps_matching_from_the_class_head():
    assert moved(network(detach=True), "matching") == {"trunk", "attribute_head"}
    torch.testing.assert_close(network(detach=True).losses(batch()).total(), network().losses(batch()).total())


def test_no_loss_changes_the_relations():
    model = network()
    assert {name for name, _ in model.named_buffers()} == {"probability", "weight", "listed"}
    before = {name: value.clone() for name, value in model.named_buffers()}
    fit(model, dataset(), Recipe(steps=2, batch=4))
    assert all(value.equal(before[name]) for name, value in model.named_buffers())
    model.weight.zero_()
    assert STUDY.weight.any()  # a copy of its own


# ------------------------------------------------------------------ invariances

ORDERS = {
    "images": (torch.arange(12).flip(0), torch.arange(7), torch.arange(17)),
    "classes": (torch.arange(12), torch.tensor([3, 1, 6, 0, 5, 2, 4]), torch.arange(17)),
    "attributes": (torch.arange(12), torch.arange(7), torch.arange(17).roll(5)),
}


@pytest.mark.parametrize("what", ORDERS)
@pytest.mark.parametrize("settings", [{}, {"form": "printed", "neutral": "rest"}, {"labels": "bayes"}], ids=str)
def test_the_order_of_images_classes_and_attributes_does_not_matter(what, settings):
    images, classes, columns = ORDERS[what]
    model, data = network(**settings), batch()
    own = Relations(
        [STUDY.classes[k] for k in classes],
        [STUDY.attributes[k] for k in columns],
        STUDY.probability[classes][:, columns],
        STUDY.weight[classes][:, columns],
    )
    other = Coupled(model.trunk, 6, EXPRESSION, Task("units", "binary", own.attributes), own, **settings)
    with torch.no_grad():
        for head, order in (("class_head", classes), ("attribute_head", columns)):
            for name in ("weight", "bias"):
                getattr(getattr(other, head), name).copy_(getattr(getattr(model, head), name)[order])
    y = data.y["expression"][images]
    turned = Batch(
        data.x[images],
        {
            "expression": torch.where(y >= 0, classes.argsort()[y.clamp(min=0)], -1),
            "units": data.y["units"][images][:, columns],
        },
    )
    here, there = other.losses(turned), model.losses(data)
    torch.testing.assert_close(here.tasks, there.tasks)
    for name, term in there.extra.items():
        torch.testing.assert_close(here.extra[name], term)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("form", ["mended", "printed", "divergence"])
def test_any_precision_comes_near_float32(dtype, form):
    exact, data = network(form=form).losses(batch()), batch()
    model = network(form=form).to(dtype)
    found = model.losses(Batch(data.x.to(dtype), data.y))
    torch.testing.assert_close(found.total().float(), exact.total(), rtol=0.03, atol=0.03)
    found.total().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())
    with torch.autocast("cpu", torch.bfloat16):
        mixed = network(form=form).losses(data).total()
    torch.testing.assert_close(mixed.float(), exact.total(), rtol=0.03, atol=0.03)


# ------------------------------------------------------------------ how it trains


class Total(nn.Module):
    def __init__(self, method):
        super().__init__()
        self.method = method

    def forward(self, x, y):
        return self.method.losses(Batch(x, y)).total()


@pytest.mark.parametrize("settings", [{}, {"neutral": "rest", "detach": True}, {"labels": "bayes"}], ids=str)
def test_many_copies_train_as_one_batched_program(settings):
    """The contract with ``ensemble``: losses are pure, so vmap(grad) over stacked copies equals the loop."""
    copies = [Total(network(STUDY.wrong(seed / 2, 0), seed, **settings)) for seed in range(3)]
    batches = [batch(seed=seed) for seed in range(3)]
    batches[1].y["expression"].fill_(-1)
    x = torch.stack([each.x for each in batches])
    y = {name: torch.stack([each.y[name] for each in batches]) for name in batches[0].y}
    found = vmap(grad(lambda p, b, x, y: functional_call(copies[0], (p, b), (x, y))))(*stack_module_state(copies), x, y)
    for i, (one, own) in enumerate(zip(copies, batches, strict=True)):
        alone = torch.autograd.grad(one(own.x, own.y), list(one.parameters()))
        for (name, _), gradient in zip(one.named_parameters(), alone, strict=True):
            torch.testing.assert_close(found[name][i], gradient)


def dataset(n=24):
    data = batch(n)
    split = Split(data.x, data.y)
    return Dataset("drawn", (EXPRESSION, UNITS), split, split, split)


def test_an_ensemble_with_other_relations_in_each_copy_trains_as_each_would_alone():
    def build(copy):
        with seeded("weights", copy.seed):
            own = STUDY.wrong(copy.settings["wrong"], seed=0)
            return Coupled(nn.Linear(4, 6), 6, EXPRESSION, UNITS, own).double()

    data = dataset()
    data.train.x = data.train.x.double()
    recipe = Recipe(steps=3, batch=8, rate=0.01)
    copies = [Copy(seed=1, settings={"wrong": 0.0}), Copy(seed=1, settings={"wrong": 1.0})]
    result = ensemble.fit(build, data, copies, recipe)
    assert list(result.names) == ["expression", "units", "matching", "co-annotation", "total"]
    ends = []
    for own, found in zip(copies, result.networks(), strict=True):
        alone = fit(build(own), data, recipe, seed=1).method
        for (_, one), (_, other) in zip(found.named_parameters(), alone.named_parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
        ends.append(found.class_head.weight)
    assert not torch.allclose(*ends, atol=1e-4)


@pytest.mark.parametrize(
    "update", [Descend(), GradNorm(), Aggregate("MGDA", at="features")], ids=["descend", "GradNorm", "MGDA"]
)
def test_it_trains_by_every_kind_of_update_with_two_losses(update):
    model, before = network(), copy.deepcopy(network())
    history = fit(model, dataset(), Recipe(steps=3, batch=8, rate=0.01), update=update, logged=3).history
    assert list(history[0]) == ["step", "expression", "units", "matching", "co-annotation", "total"]
    assert all(math.isfinite(value) for row in history for value in row.values())
    assert all(not p.equal(old) for p, old in zip(model.parameters(), before.parameters(), strict=True))


def test_the_coupling_teaches_a_task_that_has_no_labels():
    """Images with units alone, drawn by the study's table: from T = 0.1 on, most expressions are learned from it."""
    random = torch.Generator().manual_seed(0)
    kind = torch.randint(7, (300,), generator=random)
    y = torch.bernoulli(STUDY.weight[kind], generator=random).long()
    x = y + 0.1 * torch.randn(300, 17, generator=random)
    torch.manual_seed(0)
    right = {}
    for own in (STUDY, None):
        model = Coupled(nn.Identity(), 17, EXPRESSION, UNITS, own, temperature=0.1, matching=0.1)
        optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
        for _ in range(60):
            optimiser.zero_grad()
            model.losses(Batch(x, {"expression": torch.full((300, 1), -1), "units": y})).total().backward()
            optimiser.step()
        told = model.decide(model(x))["expression"].flatten()
        right[own is None] = (told == kind).float().mean().item()
    assert right[False] > 0.7
    assert right[True] < 0.4


# ------------------------------------------------------------------ refusals, frozen values


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"matching": -1}, "matching must be a finite weight of 0 or more, got -1"),
        ({"co_annotation": math.inf}, "co_annotation must be a finite weight"),
        ({"matching": math.nan}, "matching must be a finite weight"),
        ({"form": "KL"}, "form is one of mended, printed, one-sided, swapped, divergence, got 'KL'"),
        ({"labels": "best"}, "labels is one of indicators, bayes, got 'best'"),
        ({"temperature": 0}, "temperature of soft labels must be finite and above 0, got 0"),
        ({"neutral": "none"}, "zero, out, rest, got 'none'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        small(**settings)


def test_tasks_and_relations_that_do_not_fit_are_refused():
    two = Task("kind", "classes", ("a", "b"), classes=3)
    for classes in (MARKS, two, "kind", None):
        with pytest.raises(ValueError, match="classes are a Task of kind 'classes' with one column"):
            Coupled(nn.Identity(), 4, classes, MARKS)
    for attributes in (KIND, "marks"):
        with pytest.raises(ValueError, match="attributes are a Task of kind 'binary'"):
            Coupled(nn.Identity(), 4, KIND, attributes)
    with pytest.raises(ValueError, match="relations are Relations or None"):
        small(torch.ones(3, 2))
    for own in (STUDY, Relations("AB", "xy", SMALL.weight[:2], SMALL.weight[:2])):
        with pytest.raises(ValueError, match=r"the tasks have 3 classes and x, y, \.\.\. in this order"):
            small(own)
    with pytest.raises(ValueError, match="in this order"):
        small(Relations("ABC", "yx", SMALL.probability.flip(1), SMALL.weight.flip(1)))


def test_labels_that_do_not_fit_are_refused():
    x, y = torch.randn(3, 4), {"kind": torch.zeros(3, 1).long(), "marks": torch.zeros(3, 2).long()}
    model = small()
    model.losses(Batch(x, y))
    wrong = {
        "no labels for task 'marks'": {"kind": y["kind"]},
        r"labels must be \(B, 1\), got \(3,\)": y | {"kind": y["kind"].flatten()},
        r"labels must be \(B, 2\), got \(3, 1\)": y | {"marks": y["marks"][:, :1]},
        "'kind': 1 rows of labels for 3": y | {"kind": y["kind"][:1]},  # or the first image's class were everybody's
        "'marks': 2 rows of labels for 3": y | {"marks": y["marks"][:2]},
    }
    for message, labels in wrong.items():
        with pytest.raises(ValueError, match=message):
            model.losses(Batch(x, labels))


def fixed():
    """Outputs and labels that no generator draws."""
    z = torch.sin(torch.arange(4 * 7, dtype=torch.float64)).view(4, 1, 7) * 2
    logits = torch.cos(torch.arange(4 * 17, dtype=torch.float64)).view(4, 17) * 2
    y = (torch.arange(4 * 17) * 7 % 5 % 3 - 1).view(4, 17)
    y[3] = -1
    return {"expression": z, "units": logits}, {"expression": torch.tensor([[2], [-1], [-1], [6]]), "units": y}


# {name: (source, settings, [L_classes, L_attributes, matching, co-annotation])}
FROZEN = {
    "mended": ("study", {}, [0.94874785, 0.91932756, 16.178417, 2.7718878]),
    "printed": ("study", {"form": "printed"}, [0.94874785, 0.91932756, 19.129329, 1.967003]),
    "one-sided": ("study", {"form": "one-sided"}, [0.94874785, 0.91932756, 3.5592779, 2.7718878]),
    "swapped": ("study", {"form": "swapped"}, [0.94874785, 0.91932756, 21.620374, 2.7718878]),
    "divergence": ("study", {"form": "divergence"}, [0.94874785, 0.91932756, 9.3275389, 2.7718878]),
    "T = 0.1, everywhere": (
        "study",
        {"temperature": 0.1, "everywhere": True},
        [0.94874785, 0.91932756, 16.178417, 2.6809024],
    ),
    "rest": ("study", {"neutral": "rest"}, [0.94874785, 0.91932756, 16.178417, 2.7259473]),
    "out, half weights": (
        "study",
        {"neutral": "out", "matching": 0.5, "co_annotation": 0.5},
        [0.94874785, 0.91932756, 8.0892083, 1.4723019],
    ),
    "bayes": ("study", {"labels": "bayes"}, [0.94874785, 0.91932756, 16.178417, 1.9202354]),
    "data base": ("database", {}, [0.94874785, 0.91932756, 9.9345971, 2.8140661]),
    "data base, printed": ("database", {"form": "printed"}, [0.94874785, 0.91932756, 12.863188, 2.0241208]),
}


@pytest.mark.parametrize("name", FROZEN)
def test_frozen_values(name):
    source, settings, expected = FROZEN[name]
    model = network(relations(source), **settings).double()
    outputs, y = fixed()
    terms = model.coupling(outputs, y)
    own = block_losses(model.tasks, outputs, y)
    assert [*own.tolist(), *(term.item() for term in terms.values())] == pytest.approx(expected, rel=1e-6)
