"""Face verification: Eqs. (17) to (19) by hand, what their gradients do, and rates with intervals over people."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from mtlib import metrics
from mtlib.controls import MultiTask
from mtlib.recipe import Recipe
from mtlib.rows import Identities
from mtlib.seeds import seeded
from mtlib.tasks import Batch, Dataset, Split, Task
from mtlib.training import fit
from mtlib.verification import (
    Coupling,
    Siamese,
    coupling,
    distances,
    embeddings,
    every_pair,
    false_match_rates,
    threshold_at,
    true_match_rate,
)

LOOKS = Task("looks", "binary", ("Male", "Smiling", "Young"))
READINGS = [Coupling(1.5, hinge, average) for hinge in ("printed", "usual") for average in ("balanced", "printed")]


def on_circle(*degrees):
    """Embeddings of length 1 (B, 2) at these angles."""
    angles = torch.tensor(degrees).double().deg2rad()
    return torch.stack([angles.cos(), angles.sin()], 1)


# ------------------------------------------------------------------ Eqs. (17) to (19)


def test_by_hand():
    """At 0, 60 and 90 degrees D^2 = 2 - 2 cos is 1, 2 and, between the last two, 2 - sqrt 3."""
    z, who = on_circle(0, 60, 90), torch.tensor([5, 5, 7])
    near = 2 - math.sqrt(3)
    genuine = 1 / 2  # Eq. (17), of the pair 0, 60
    impostor = [0, (1 - near) / 2]  # Eq. (18), of 0, 90 and of 60, 90
    balanced = (genuine + sum(impostor) / 2) / 2
    assert coupling(z, who).item() == pytest.approx(balanced)
    printed = 2 * (genuine + sum(impostor)) / 9  # Eq. (19): nine ordered pairs, three of them i = j with 0
    assert coupling(z, who, Coupling(average="printed")).item() == pytest.approx(printed)
    usual = (genuine + (1 - math.sqrt(near)) ** 2 / 2 / 2) / 2
    assert coupling(z, who, Coupling(hinge="usual")).item() == pytest.approx(usual)


@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_against_loops(reading):
    random = torch.Generator().manual_seed(0)
    z = torch.randn(7, 3, generator=random, dtype=torch.double) / 2
    who = [3, 1, 3, -1, 2, 1, 3]  # nobody knows the fourth
    losses = {0: [], 1: []}
    for i in range(7):
        for j in range(7):
            if -1 in (who[i], who[j]) or (i == j and reading.average == "balanced"):
                continue
            c, d = int(who[i] != who[j]), math.dist(z[i], z[j])
            far = reading.margin - d * d if reading.hinge == "printed" else (max(0.0, reading.margin - d)) ** 2
            losses[c].append(max(0.0, far) / 2 if c else d * d / 2)
    means = [sum(each) / len(each) for each in losses.values()]
    every = losses[0] + losses[1]
    expected = sum(means) / 2 if reading.average == "balanced" else sum(every) / len(every)
    assert coupling(z, torch.tensor(who), reading).item() == pytest.approx(expected)


@pytest.mark.parametrize("hinge", ["printed", "usual"])
def test_genuine_pairs_are_drawn_together_and_near_impostors_apart(hinge):
    for who, sign in (([0, 0], 1), ([0, 1], -1)):
        z = torch.tensor([[0.0, 0.0], [0.5, 0.0]], requires_grad=True)
        coupling(z, torch.tensor(who), Coupling(hinge=hinge)).backward()
        assert torch.sign(-z.grad[:, 0]).tolist() == [sign, -sign]  # where descent moves them
        assert z.grad[:, 1].tolist() == [0, 0]


@pytest.mark.parametrize("hinge", ["printed", "usual"])
def test_impostors_beyond_the_margin_are_left_alone(hinge):
    z = torch.tensor([[0.0], [1.5]], requires_grad=True)
    coupling(z, torch.tensor([0, 1]), Coupling(hinge=hinge)).backward()
    assert z.grad.tolist() == [[0], [0]]


def test_the_printed_hinge_does_not_part_who_has_become_one():
    """Its gradient is proportional to D, the usual one's goes to m: a collapsed embedding is stationary (M-23)."""
    forces = {}
    for hinge in ("printed", "usual"):
        z = torch.tensor([[0.0], [1e-3]], requires_grad=True)
        coupling(z, torch.tensor([0, 1]), Coupling(hinge=hinge)).backward()
        forces[hinge] = z.grad[0].item()
    assert forces["printed"] == pytest.approx(1e-3 / 2, rel=1e-3)
    assert forces["usual"] == pytest.approx(0.999 / 2, rel=1e-3)


@pytest.mark.parametrize("who", [[0, 1, 2], [4, 4, 4], [-1, -1, -1], [0, 0, -1]])
@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_a_batch_without_pairs_of_a_kind_is_finite(who, reading):
    z = torch.zeros(3, 2, requires_grad=True)  # all in one place, where a distance has no gradient
    loss = coupling(z, torch.tensor(who), reading)
    loss.backward()
    assert loss.isfinite()
    assert z.grad.isfinite().all()
    assert (loss > 0) == (who == [0, 1, 2])


@settings(deadline=None)
@given(st.permutations(range(6)))
def test_the_order_of_pictures_names_of_people_and_rotations_do_not_matter(order):
    z, who = on_circle(0, 20, 100, 130, 200, 300), torch.tensor([0, 0, 1, 1, 2, 2])
    turned = on_circle(*[angle + 77 for angle in (0, 20, 100, 130, 200, 300)])
    order = list(order)
    for reading in READINGS:
        expected = coupling(z, who, reading)
        torch.testing.assert_close(coupling(z[order], who[order], reading), expected)
        torch.testing.assert_close(coupling(turned, 9 - who, reading), expected)


def test_balanced_does_not_depend_on_how_many_impostors_there_are_and_printed_does():
    z, who = on_circle(0, 60, 90), torch.tensor([0, 0, 1])
    more = torch.cat([z, on_circle(90, 90, 90, 90)])
    people = torch.tensor([0, 0, 1, -1, -1, -1, -1])
    torch.testing.assert_close(coupling(more, people), coupling(z, who))  # unknown people are in no pair
    far = torch.cat([z, -z[2:]])  # somebody beyond the margin of all
    people = torch.tensor([0, 0, 1, 2])
    printed = Coupling(average="printed")
    assert coupling(far, people, printed) == pytest.approx(coupling(z, who, printed).item() * 9 / 16)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 0}, "margin"),
        ({"margin": math.inf}, "margin"),
        ({"hinge": "soft"}, "hinge"),
        ({"average": 1}, "average"),
    ],
)
def test_readings_that_there_are_not_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Coupling(**options)


# ------------------------------------------------------------------ the method


def made(tasks=(LOOKS,), **options):
    with seeded("siamese"):
        return Siamese(nn.Linear(4, 6), 6, tasks, 5, **options).double()


@pytest.fixture
def batch():
    random = torch.Generator().manual_seed(1)
    looks = torch.tensor([[1, 0, 1], [1, 1, -1], [0, 0, 1], [0, 1, 1], [0, -1, 0], [1, 0, 0]])
    who = torch.tensor([[0], [0], [1], [1], [2], [2]])
    return Batch(torch.randn(6, 4, generator=random, dtype=torch.double), {"looks": looks, "identity": who})


def test_terms_one_by_one(batch):
    method = made(attributes=2.0, invariant=["Young", "Male"], matching=0.5, matching_margin=0.3)
    losses = method.losses(batch)
    z = method.embedding(method.trunk(batch.x))
    who = batch.y["identity"][:, 0]
    torch.testing.assert_close(losses.extra["coupling"], coupling(z / z.norm(dim=1, keepdim=True), who))
    logits = method.heads[0](z)
    for k in range(3):
        known = batch.y["looks"][:, k] >= 0
        bce = nn.functional.binary_cross_entropy_with_logits(logits[known, k], batch.y["looks"][known, k].double())
        torch.testing.assert_close(losses.tasks[k], 2 / 3 * bce)
    p = logits.sigmoid()[:, [2, 0]]
    squared = (p.unsqueeze(1) - p).square().mean(-1)
    same = who.unsqueeze(1) == who
    genuine = squared[same & ~torch.eye(6, dtype=torch.bool)].mean() / 2
    impostor = (0.3 - squared[~same]).clamp(min=0).mean() / 2
    torch.testing.assert_close(losses.extra["matching"], 0.5 * (genuine + impostor) / 2)
    assert set(losses.extra) == {"coupling", "matching"}


def test_without_attributes_it_is_the_baseline(batch):
    baseline, with_them = made(()), made(attributes=0.0)
    for name, parameter in baseline.named_parameters():
        assert torch.equal(parameter, with_them.get_parameter(name))
    losses = baseline.losses(batch)
    assert (len(losses.tasks), list(losses.extra), baseline(batch.x)) == (0, ["coupling"], {})
    torch.testing.assert_close(losses.total(), with_them.losses(batch).total())
    assert torch.equal(baseline.embed(batch.x), with_them.embed(batch.x))


def test_attributes_are_predicted_as_plain_multi_task_learning_does(batch):
    method = made()
    plain = MultiTask(nn.Sequential(method.trunk, method.embedding), 5, [LOOKS]).double()
    plain.heads[0].load_state_dict(method.heads[0].state_dict())
    torch.testing.assert_close(method(batch.x)["looks"], plain(batch.x)["looks"])
    torch.testing.assert_close(method.losses(batch).tasks, plain.losses(batch).tasks / 3)
    assert torch.equal(method.decide(method(batch.x))["looks"], plain.decide(plain(batch.x))["looks"])


def test_matching_draws_the_attribute_of_one_person_together(batch):
    batch.y["identity"] = torch.zeros(6, 1, dtype=torch.long)
    method = made(attributes=0.0, invariant=["Male"])

    def spread():
        return method(batch.x)["looks"][:, 0].sigmoid().std().item()

    before = spread()
    optimiser = torch.optim.SGD(method.heads.parameters(), 1.0)
    for _ in range(20):
        optimiser.zero_grad()
        method.losses(batch).extra["matching"].backward()
        optimiser.step()
    assert spread() < before
    assert method.heads[0].weight.grad[1:].eq(0).all()  # Smiling and Young are no part of it


def test_embeddings_have_length_one_and_distances_are_theirs():
    method = made()
    x = torch.randn(9, 4, dtype=torch.double)
    z = embeddings(method.train(), x, rows=4)
    assert method.training
    assert not z.requires_grad
    torch.testing.assert_close(z, method.embed(x).detach())
    torch.testing.assert_close(z.norm(dim=1), torch.ones(9).double())
    first, second, same = every_pair(torch.tensor([4, 4, -1, 7, 7, 7, 4, 9, 2]))
    assert (len(first), same.sum().item()) == (8 * 7 / 2, 3 + 3)
    assert 2 not in first.tolist() + second.tolist()
    far = distances(z, first, second)
    cosine = (z[first] * z[second]).sum(1)
    torch.testing.assert_close(far.square(), 2 - 2 * cosine)
    assert metrics.verification(far, same)["n"] == 28


def test_losses_are_pure_so_that_many_copies_train_as_one(batch):
    copies = [made(invariant=["Male"]) for _ in range(3)]
    for copy in copies:
        nn.init.normal_(copy.embedding.weight)
    parameters, _ = stack_module_state(copies)

    class Total(nn.Module):
        def __init__(self, method):
            super().__init__()
            self.method = method

        def forward(self, x):
            return self.method.losses(Batch(x, batch.y)).total()

    stacked = {f"method.{name}": value for name, value in parameters.items()}
    totals = vmap(lambda p: functional_call(Total(copies[0]), p, (batch.x,)))(stacked)
    torch.testing.assert_close(totals, torch.stack([copy.losses(batch).total() for copy in copies]))


@pytest.mark.parametrize("tasks", [(), (Task("side", "binary", 1),)], ids=["baseline", "attributes"])
def test_training_tells_unseen_people_apart(tasks):
    """People are places on a line, seen through much noise in other directions."""
    random = torch.Generator().manual_seed(0)
    who = torch.arange(40).repeat(8)
    place = torch.randn(40, generator=random)
    x = 3 * torch.randn(320, 6, generator=random)
    x[:, 0] = 2 * place[who] + 0.1 * torch.randn(320, generator=random)
    y = {"side": (place[who] > 0).long().unsqueeze(1), "identity": who.unsqueeze(1)}
    seen = who < 30
    train, test = (Split(x[rows], {name: each[rows] for name, each in y.items()}) for rows in (seen, ~seen))
    with seeded("weights"):
        method = Siamese(nn.Sequential(nn.Linear(6, 32), nn.ReLU()), 32, tasks, 8)
    rows = Identities(train.y["identity"][:, 0], people=8, each=4, seed=0)
    first, second, same = every_pair(who[~seen])

    def area():
        return metrics.verification(distances(embeddings(method, test.x), first, second), same)["AUC"]

    before = area()
    run = fit(method, Dataset("line", tasks, train, test), Recipe(steps=150, batch=32, rate=5e-3), rows=rows)
    assert run.history
    assert area() > max(0.75, before + 0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"invariant": ["Tall"]}, "names of binary columns, Male, Smiling, Young"),
        ({"invariant": "Male"}, "names of binary columns"),
        ({"attributes": -1}, "attributes must be"),
        ({"matching": math.nan}, "matching must be"),
        ({"matching_margin": 2}, "matching_margin"),
    ],
)
def test_methods_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        made(**options)


def test_sizes_and_labels_that_are_not_there_are_refused(batch):
    with pytest.raises(ValueError, match="embedding must be"):
        Siamese(nn.Linear(4, 6), 6, (), 0)
    with pytest.raises(ValueError, match="no labels 'person', who is shown; the batch has"):
        made(identity="person").losses(batch)


# ------------------------------------------------------------------ rates by people


@pytest.fixture
def pairs():
    """Pairs of 30 people with four pictures each, who differ in how alike they look."""
    random = torch.Generator().manual_seed(2)
    who = torch.arange(30).repeat_interleave(4)
    z = torch.randn(30, 3, generator=random)[who] + 0.6 * torch.randn(120, 3, generator=random)
    first, second, same = every_pair(who)
    return distances(z, first, second), torch.stack([who[first], who[second]], 1), same


@pytest.mark.parametrize("false_match", [0, 0.01, 0.1, 0.29, 1])
def test_the_true_match_rate_is_that_of_the_curve(pairs, false_match):
    far, people, same = pairs
    found = true_match_rate(far, people, false_match, resamples=20)
    assert found.rate == pytest.approx(metrics.rate_at(far, same, false_match))
    assert (found.pairs, found.people) == (30 * 6, 30)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=6, max_size=6), st.sampled_from([0, 0.25, 1 / 3, 0.5, 1]))
def test_thresholds_allow_what_they_should_and_no_less_also_with_ties(far, false_match):
    far = torch.tensor(far).double()
    people = torch.tensor([[0, 0], [1, 1], [0, 1], [0, 2], [1, 2], [3, 2]])
    threshold = threshold_at(far, people, false_match)
    impostors = far[2:]
    assert (impostors <= threshold).double().mean() <= false_match
    assert (impostors <= threshold + 1e-9).double().mean() > false_match or (impostors <= threshold).all()
    expected = metrics.rate_at(far, torch.tensor([1, 1, 0, 0, 0, 0]), false_match)
    assert true_match_rate(far, people, false_match, resamples=5).rate == expected


def test_false_matches_by_group_by_hand():
    far = torch.tensor([0.1, 0.9, 0.2, 0.75, 0.9, 0.1, 0.3])
    people = torch.tensor([[0, 1], [0, 2], [1, 2], [5, 6], [6, 7], [5, 5], [0, 5]])
    groups = torch.tensor([3, 3, 3, 4, 4, 4, -1])
    found = false_match_rates(far, people, groups, 0.5)
    assert list(found) == [3, 4]
    assert (found[3].rate, found[3].pairs, found[3].people) == (pytest.approx(2 / 3), 3, 3)
    assert (found[4].rate, found[4].pairs, found[4].people) == (0, 2, 3)  # the genuine pair does not count
    assert found[3].low <= found[3].rate <= found[3].high
    assert false_match_rates(far, people, groups, 0.75)[4].rate == 0.5  # up to the threshold


def test_a_rate_of_zero_is_not_known_better_than_the_people_allow():
    """Of 10 people 45 pairs can be made, but only 5 in which nobody is twice: those could be independent."""
    first, second, _ = every_pair(torch.arange(10))
    people = torch.stack([first, second], 1)
    none = false_match_rates(torch.ones(45), people, torch.zeros(45).long(), 0.5)[0]
    assert (none.rate, none.low, none.high) == (0, 0, pytest.approx(1 - 0.025 ** (1 / 5)))
    every = false_match_rates(torch.zeros(45), people, torch.zeros(45).long(), 0.5)[0]
    assert (every.rate, every.low, every.high) == (1, pytest.approx(0.025 ** (1 / 5)), 1)


def test_a_group_of_genuine_pairs_alone_has_no_false_match_rate():
    found = false_match_rates(torch.tensor([0.1]), torch.tensor([[2, 2]]), torch.tensor([0]), 0.5)[0]
    assert (math.isnan(found.rate), math.isnan(found.high), found.pairs) == (True, True, 0)


def test_more_pictures_of_the_same_people_do_not_make_the_interval_narrower(pairs):
    far, people, _ = pairs
    groups, threshold = torch.zeros(len(far)).long(), threshold_at(far, people, 0.1)
    once = false_match_rates(far, people, groups, threshold)[0]
    twice = false_match_rates(far.repeat(9), people.repeat(9, 1), groups.repeat(9), threshold)[0]
    assert (twice.rate, twice.low, twice.high) == pytest.approx((once.rate, once.low, once.high))
    independent = 1.96 * math.sqrt(0.1 * 0.9 / once.pairs)  # what pairs taken for independent would promise
    assert once.high - once.low > 2 * 2 * independent


def test_intervals_are_reproducible_and_wider_for_fewer_misses(pairs):
    far, people, _ = pairs
    found = true_match_rate(far, people, 0.05, resamples=200)
    assert found == true_match_rate(far, people, 0.05, resamples=200)
    wide = true_match_rate(far, people, 0.05, resamples=200, level=0.01)
    assert wide.low < found.low < found.rate < found.high < wide.high


def test_what_does_not_fit_is_refused(pairs):
    far, people, _ = pairs
    for wrong, message in (
        ((far[:3], people, 0.1), r"\(P,\) distances and \(P, 2\) people"),
        ((far + math.nan, people, 0.1), "finite"),
        ((far, people, 1.5), "from 0 to 1"),
        ((far[:3], people[:3], 0.1), "only those of one kind"),
    ):
        with pytest.raises(ValueError, match=message):
            true_match_rate(*wrong)
    with pytest.raises(ValueError, match="level between 0 and 1"):
        true_match_rate(far, people, 0.1, level=1)
    with pytest.raises(ValueError, match="one per pair"):
        false_match_rates(far, people, torch.zeros(2), 0.5)
