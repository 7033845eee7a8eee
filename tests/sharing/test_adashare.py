"""AdaShare: policies against networks by hand, what a sample teaches, the two terms' symmetries, and repetition."""

import math

import pytest
import torch
from torch import nn

from mtlib import ensemble
from mtlib.ensemble import Copy
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.sharing import AdaShare
from mtlib.sharing.adashare import sharing, sparsity
from mtlib.tasks import Batch, Dataset, Split, Task, block_losses
from mtlib.training import fit

TASKS = (Task("kind", "classes", ("kind",), classes=3), Task("looks", "binary", 4))
BLOCKS = 3


def conv(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def adashare(tasks=TASKS, **settings):
    with seeded("weights"):
        blocks = [(conv(6, 6), nn.Identity()) for _ in range(BLOCKS)]
        neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return AdaShare(conv(3, 6), blocks, neck, 6, tasks, **settings)


def batch(n=16, progress=0.5):
    draw = torch.Generator().manual_seed(1)
    y = {
        "kind": torch.randint(-1, 3, (n, 1), generator=draw),
        "looks": torch.randint(-1, 2, (n, 4), generator=draw),
    }
    return Batch(torch.randn(n, 3, 8, 8, generator=draw), y, progress=torch.tensor(progress))


def logits(chosen):
    """Logits (T, L, 2) whose probabilities of "select" are ``chosen`` (T, L)."""
    chosen = torch.as_tensor(chosen, dtype=torch.double)
    return torch.stack([chosen.log(), (1 - chosen).log()], -1)


def test_at_first_every_task_goes_through_one_plain_residual_network():
    model, some = adashare(), batch(progress=0.0)
    h = model.stem(some.x)
    for branch in model.branches:
        h = torch.relu(h + branch(h))
    z = [head(model.neck(h)) for head in model.heads]
    plain = block_losses(TASKS, {"kind": z[0].unsqueeze(1), "looks": z[1]}, some.y)
    torch.testing.assert_close(model.losses(some).tasks, plain)
    # And the policy itself begins there, so that the step to learning is no jump.
    assert model.likeliest.all()
    assert model.policy.softmax(-1)[..., 0].unique().tolist() == [0.5]


def test_at_the_end_losses_are_those_of_what_is_predicted():
    model, some = adashare(), batch(progress=0.75)
    with torch.no_grad():
        model.policy[0, 1, 0] = model.policy[1, 2, 0] = -1.0
    torch.testing.assert_close(model.losses(some).tasks, block_losses(TASKS, model(some.x), some.y))
    assert model.likeliest.tolist() == [[1, 0, 1], [1, 1, 0]]


def test_a_task_changes_only_the_blocks_that_it_selects():
    model, some = adashare(), batch()
    u = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    for t in (0, 1):
        model.zero_grad()
        block_losses(TASKS, model.routed(some.x, u), some.y)[t].backward()
        assert [branch.weight.grad.any().item() for branch in model.branches] == u[t].bool().tolist()


def test_a_sample_teaches_select_and_skip_against_each_other():
    model = adashare(sparsity=0.0, sharing=0.0)
    torch.manual_seed(0)
    model.losses(batch()).total().backward()
    select, skip = model.policy.grad.unbind(-1)
    assert select.all()
    torch.testing.assert_close(select, -skip)  # only their difference says anything


def test_extra_terms_are_the_weighted_ones_while_policies_are_learned():
    model = adashare(sparsity=0.3, sharing=0.7)
    with torch.no_grad():
        model.policy.copy_(logits([[0.9, 0.8, 0.7], [0.6, 0.5, 0.4]]))
    logs = math.log(0.9 * 0.8 * 0.7 * 0.6 * 0.5 * 0.4)
    apart = 3 / 3 * 0.3 + 2 / 3 * 0.3 + 1 / 3 * 0.3
    for progress, learned in ((0.0, 0), (0.25, 1), (0.74, 1), (0.75, 0)):
        extra = {name: term.item() for name, term in model.losses(batch(progress=progress)).extra.items()}
        assert extra == pytest.approx({"sparsity": learned * 0.3 * logs, "sharing": learned * 0.7 * apart}, abs=1e-6)


def test_the_terms_do_not_care_which_task_is_first_and_same_policies_share_all():
    policy = logits([[0.9, 0.2], [0.6, 0.5], [0.3, 0.7]])
    by_hand = (0.3 + 0.6 + 0.3) + 1 / 2 * (0.3 + 0.5 + 0.2)  # three pairs; the second of two blocks counts half
    assert sharing(policy).item() == pytest.approx(by_hand)
    for order in ([1, 2, 0], [2, 1, 0]):
        assert sharing(policy[order]).item() == pytest.approx(by_hand)
        assert sparsity(policy[order]).item() == pytest.approx(sparsity(policy).item())
    assert sharing(policy[:1].expand(3, -1, -1)).item() == 0


def test_the_sparsity_term_pushes_hardest_where_a_block_is_skipped_already():
    policy = logits([[0.9, 0.1]]).requires_grad_()
    sparsity(policy).backward()
    assert policy.grad[0, :, 0].tolist() == pytest.approx([0.1, 0.9])  # 1 - P(select): as printed, it has no floor


def test_tasks_in_another_order_with_their_own_policies_and_heads_lose_the_same():
    model, turned, some = adashare(), adashare(TASKS[::-1]), batch(progress=0.9)
    with torch.no_grad():
        model.policy[0, 1, 0] = -1.0
    state = model.state_dict()
    state |= {"policy": state["policy"].flip(0)}
    state |= {f"heads.{t}.{part}": model.heads[1 - t].state_dict()[part] for t in (0, 1) for part in ("weight", "bias")}
    turned.load_state_dict(state)
    torch.testing.assert_close(turned.losses(some).tasks, model.losses(some).tasks.flip(0))


def test_a_run_repeats_whatever_was_drawn_before_it():
    some = batch(32)
    data = Dataset("tiny", TASKS, Split(some.x, some.y), Split(some.x, some.y))
    histories = []
    for before in (1, 2):
        torch.manual_seed(before)
        histories.append(fit(adashare(), data, Recipe(steps=8, batch=16, rate=1e-2), seed=5).history)
    assert histories[0] == histories[1]


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # of gumbel_softmax's scatter under vmap
def test_copies_are_trained_at_once():
    some = batch(32)
    data = Dataset("tiny", TASKS, Split(some.x, some.y), Split(some.x, some.y))
    # Learned from the first step on: a copy that samples no policy of its own would not show.
    result = ensemble.fit(
        lambda copy: adashare(learned=(0.0, 1.0)), data, [Copy(seed=0), Copy(seed=0)], Recipe(steps=4, batch=16)
    )
    one, other = (network.policy for network in result.networks())
    assert one.isfinite().all()
    assert not torch.equal(one, other)


def test_a_weight_penalty_leaves_policies_alone():
    some = batch(32, 0.0)
    data = Dataset("tiny", TASKS, Split(some.x, some.y), Split(some.x, some.y))
    model = adashare(learned=(1.0, 1.0))
    before = model.policy.detach().clone()
    fit(model, data, Recipe(steps=8, batch=16, rate=1e-2, weight_decay=0.1), seed=0)
    assert torch.equal(model.policy, before)
