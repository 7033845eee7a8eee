"""Equations (1) to (8) of SOS, each computed a second time with plain numbers and loops."""

from math import exp, isnan, log, sqrt
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mtlib.controls import MultiTask
from mtlib.sos import SOS, common_specific, specific_specific
from mtlib.tasks import Batch, Task

NAN = float("nan")
INPUTS, C, S, B = 4, 3, 2, 5  # S differs from C, as in the paper
EPS = 1e-5  # batch normalisation's
WEIGHTS = {"lambda_cs": 0.1, "lambda_ss": 0.2, "lambda_adv": 0.3, "lambda_disc": 0.4}

TWO = [Task("toy", "binary", ("t1", "t2"))]
THREE = [Task("a", "binary", ("t1",)), Task("b", "binary", ("t2", "t3"))]
MIXED = [
    Task("smile", "binary", ("t1",)),
    Task("digit", "classes", ("t2", "t3"), classes=3),
    Task("nose", "points", ("x", "y")),
]
LABELS = {
    "two": {"toy": [[0, 1], [1, 1], [1, 0], [0, 0], [1, 1]]},
    "three": {"a": [[0], [1], [1], [0], [1]], "b": [[1, 0], [0, 0], [1, 1], [1, 0], [0, 1]]},
    "mixed": {
        "smile": [[0], [1], [1], [0], [1]],
        "digit": [[0, 2], [1, 1], [2, 0], [0, 0], [1, 2]],
        "nose": [[0.5, -1.0], [2.0, 0.25], [0.0, 0.0], [-1.5, 1.0], [0.75, -0.5]],
    },
    "mixed, labels missing": {
        "smile": [[0], [-1], [1], [-1], [1]],
        "digit": [[0, -1], [1, -1], [-1, -1], [0, -1], [1, -1]],  # nobody knows t3
        "nose": [[0.5, NAN], [NAN, NAN], [0.0, 0.0], [-1.5, 1.0], [NAN, -0.5]],
    },
}
TASKS = {"two": TWO, "three": THREE, "mixed": MIXED, "mixed, labels missing": MIXED}


@pytest.fixture(params=list(LABELS))
def case(request, unpack):
    """A model without trunk, a batch, and both once more as plain numbers."""
    tasks = TASKS[request.param]
    torch.manual_seed(3)
    model = SOS(nn.Identity(), INPUTS, tasks, C, S, **WEIGHTS).double()
    x = torch.randn(B, INPUTS).double()
    y = {name: torch.tensor(rows) for name, rows in LABELS[request.param].items()}
    matrices = {name: matrix.tolist() for name, matrix in unpack(model).items()}

    # One entry per task i: its name, its kind, and its label in every example j.
    targets = []
    for task in tasks:
        rows = LABELS[request.param][task.name]
        for t, label in enumerate(task.labels):
            own = rows if task.kind == "points" else [row[t] for row in rows]
            targets.append(((task.name, label), task.kind, own))

    # h^c and h_i^s of every example, linear.
    common = [apply(matrices["space", "common"], row) for row in x.tolist()]
    specific = [[apply(matrices["space", name], row) for row in x.tolist()] for name, _, _ in targets]
    return SimpleNamespace(
        model=model, batch=Batch(x, y), targets=targets, n=len(targets), matrices=matrices, hc=common, hs=specific
    )


def apply(matrix, inputs):
    """W x + b, the bias as the matrix's last column."""
    return [sum(w * v for w, v in zip(row[:-1], inputs, strict=True)) + row[-1] for row in matrix]


def relu(vector):
    return [max(0.0, v) for v in vector]


def loss(kind, z, y):
    """L of one example; None where its label is missing."""
    if kind == "points":
        squares = [(a - b) ** 2 for a, b in zip(z, y, strict=True) if not isnan(b)]
        return sum(squares) / len(squares) if squares else None
    if y == -1:
        return None
    if kind == "binary":
        p = 1 / (1 + exp(-z[0]))
        return -log(p if y == 1 else 1 - p)
    return -log(exp(z[y]) / sum(exp(v) for v in z))


def mean_loss(kind, outputs, labels):
    """The mean over the examples with a label; 0 if there is none."""
    losses = [loss(kind, z, y) for z, y in zip(outputs, labels, strict=True)]
    losses = [value for value in losses if value is not None]
    return sum(losses) / len(losses) if losses else 0.0


def predictions(case, i):
    """Eq. (3): task i of every example j from h^c || h_i^s."""
    name = case.targets[i][0]
    return [apply(case.matrices["head", name], relu(case.hc[j]) + relu(case.hs[i][j])) for j in range(B)]


def fake_loss(case):
    """The triple sum of Eqs. (6) and (7): task i from h^c || h_k^s, k != i; mean over examples (S-4)."""
    total = 0.0
    for i in range(case.n):
        for k in range(case.n):
            if k == i:
                continue
            (name, kind, labels), source = case.targets[i], case.targets[k][0]
            head = case.matrices["fake", source, name]
            outputs = [apply(head, relu(case.hc[j]) + relu(case.hs[k][j])) for j in range(B)]
            total += mean_loss(kind, outputs, labels)
    return total / (case.n * (case.n - 1))


def column(rows, a):
    """Feature a of every example, centred and with unit variance."""
    values = [row[a] for row in rows]
    mean = sum(values) / B
    variance = sum((v - mean) ** 2 for v in values) / B
    return [(v - mean) / sqrt(variance + EPS) for v in values]


def frobenius(left, right):
    """|| Z_l^T Z_r / B ||_F^2 of standardised features: a squared correlation per pair of features."""
    total = 0.0
    for a in range(len(left[0])):
        for b in range(len(right[0])):
            total += (sum(u * v for u, v in zip(column(left, a), column(right, b), strict=True)) / B) ** 2
    return total


def common_specific_by_hand(case):
    return sum(frobenius(case.hc, case.hs[i]) for i in range(case.n)) / case.n


def specific_specific_by_hand(case):
    pairs = [(i, k) for i in range(case.n) for k in range(case.n) if k != i]
    return sum(frobenius(case.hs[i], case.hs[k]) for i, k in pairs) / len(pairs)


def test_equation_1_one_shared_vector_and_a_head_per_task():
    model = MultiTask(nn.Identity(), 2, TWO)
    with torch.no_grad():
        model.heads[0].weight.copy_(torch.tensor([[1.0, 2.0], [-1.0, 0.5]]))
        model.heads[0].bias.copy_(torch.tensor([0.5, 0.0]))
    assert model(torch.tensor([[3.0, 4.0]]))["toy"].tolist() == [[3 + 8 + 0.5, -3 + 2 + 0]]


def test_equation_2_the_mean_loss_of_every_task(case):
    by_hand = [mean_loss(kind, predictions(case, i), labels) for i, (_, kind, labels) in enumerate(case.targets)]
    assert case.model.losses(case.batch).tasks.tolist() == pytest.approx(by_hand, rel=1e-12)


def test_equation_3_a_head_reads_the_common_and_its_own_space(case):
    outputs, i = case.model(case.batch.x), 0
    for task in case.model.tasks:
        found = outputs[task.name].flatten().tolist()
        by_hand = [[] for _ in range(B)]
        for _ in task.labels:
            for j, z in enumerate(predictions(case, i)):
                by_hand[j] += z
            i += 1
        assert found == pytest.approx([z for row in by_hand for z in row], rel=1e-12)


def test_equation_4_correlations_of_the_common_with_every_specific_space(case):
    by_hand = common_specific_by_hand(case)
    assert common_specific(*case.model.embed(case.batch.x)).item() == pytest.approx(by_hand, rel=1e-9)
    found = case.model.losses(case.batch).extra["common-specific"]
    assert found.item() == pytest.approx(0.1 * by_hand, rel=1e-6)  # the weights are kept in single precision


def test_equation_5_correlations_of_the_specific_spaces_with_each_other(case):
    by_hand = specific_specific_by_hand(case)
    assert specific_specific(case.model.embed(case.batch.x)[1]).item() == pytest.approx(by_hand, rel=1e-9)
    found = case.model.losses(case.batch).extra["specific-specific"]
    assert found.item() == pytest.approx(0.2 * by_hand, rel=1e-6)


def test_equation_6_minus_the_mean_fake_loss(case):
    found = case.model.losses(case.batch).extra["semantic"]
    assert found.item() == pytest.approx(0.3 * -fake_loss(case), rel=1e-6)


def test_equation_7_the_mean_fake_loss(case):
    found = case.model.losses(case.batch).extra["adversarial"]
    assert found.item() == pytest.approx(0.4 * fake_loss(case), rel=1e-6)


def test_equation_8_the_weighted_sum(case):
    supervised = sum(mean_loss(kind, predictions(case, i), y) for i, (_, kind, y) in enumerate(case.targets))
    soft = 0.1 * common_specific_by_hand(case) + 0.2 * specific_specific_by_hand(case)
    game = 0.3 * -fake_loss(case) + 0.4 * fake_loss(case)
    assert case.model.losses(case.batch).total().item() == pytest.approx(supervised + soft + game, rel=1e-6)


def test_the_smallest_case_of_equation_4_with_numbers():
    """Features (1, -1) against (1, 1, -1, -1) and the like are their own standardisation."""
    c = torch.tensor([[1.0], [1.0], [-1.0], [-1.0]]).double()
    same, none, half = [1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0], [1.0, 1.0, 1.0, -3.0]
    s = torch.tensor([same, none, half]).double().T.unsqueeze(-1)  # 4 examples, 3 tasks, S = 1
    # correlations 1, 0, and (1 + 1 - 1 + 3) / 4 / sqrt(3) = 1 / sqrt(3)
    assert common_specific(c, s).item() == pytest.approx((1 + 0 + 1 / 3) / 3, rel=1e-4)


def test_the_smallest_case_of_equation_5_with_numbers():
    same, none, half = [1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0], [1.0, 1.0, 1.0, -3.0]
    s = torch.tensor([same, none, half]).double().T.unsqueeze(-1)
    # same-none 0, same-half 1/3, none-half (1 - 1 + 1 + 3)^2 / 16 / 3 = 1/3; each pair counts in both orders
    assert specific_specific(s).item() == pytest.approx(2 * (0 + 1 / 3 + 1 / 3) / 6, rel=1e-4)


def test_a_task_that_nobody_labelled_costs_nothing_and_moves_nothing(unpack):
    torch.manual_seed(3)
    model = SOS(nn.Identity(), INPUTS, MIXED, C, S, **WEIGHTS).double()
    y = {name: torch.tensor(rows) for name, rows in LABELS["mixed, labels missing"].items()}
    losses = model.losses(Batch(torch.randn(B, INPUTS).double(), y))
    losses.total().backward()
    gradients = unpack(model, lambda p: p.grad)
    assert losses.tasks[2] == 0
    for name, gradient in gradients.items():
        assert gradient.isfinite().all()
        after_t3 = name[-1] == ("digit", "t3") and name[0] in ("head", "fake")
        assert (gradient.abs().sum() == 0) == after_t3, name
