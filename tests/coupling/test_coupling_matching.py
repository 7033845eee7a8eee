"""Eqs. (2) and (3): by hand, gradients term by term, and where each form settles (X-1, X-2)."""

import math

import pytest
import torch

from mtlib.coupling import matching_loss, mixture
from mtlib.coupling.matching import EPSILON
from mtlib.coupling.printed import relations

FORMS = ("mended", "printed", "one-sided", "swapped", "divergence")
STUDY, DATABASE = relations("study"), relations("database")
AT = {name: k for k, name in enumerate(STUDY.classes)}
UNIT = {name: k for k, name in enumerate(STUDY.attributes)}


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def loss(p, q, **settings):
    return matching_loss(torch.logit(p), q, **settings)


def sure(expression, share=1.0):
    """Class probabilities (1, 7): one expression, and the rest alike."""
    p = torch.full((1, 7), (1 - share) / 6)
    p[0, AT[expression]] = share
    return p


# ------------------------------------------------------------------ Eq. (2)


def test_equation_2_by_hand():
    q = mixture(torch.tensor([[0.3, 0.7]]), torch.tensor([[1, 0.5, 0], [0, 0.5, 0.2]]))
    torch.testing.assert_close(q, torch.tensor([[0.3, 0.5, 0.14]]))


def test_the_papers_example_au2_is_surprise_and_fear():
    p = drawn(5, 7).float().softmax(1)
    q = mixture(p, STUDY.probability)[:, UNIT["AU2"]]
    torch.testing.assert_close(q, p[:, AT["surprise"]] + p[:, AT["fear"]])


def test_the_papers_example_a_happy_face_has_three_units_and_14_not():
    q = mixture(sure("happiness"), STUDY.probability)[0]
    assert {name for name, at in UNIT.items() if q[at] == 1} == {"AU12", "AU25", "AU6"}
    assert (q == 0).sum() == 14  # "i in {1..14}" are these


def test_q_is_a_probability():
    for own in (STUDY, DATABASE):
        q = mixture(drawn(100, 7, dtype=torch.float32).mul(9).softmax(1), own.probability)
        assert q.min() >= 0
        assert q.max() <= 1 + 1e-6


# ------------------------------------------------------------------ Eq. (3)

# -p log q and so on with p = 0.8, q = 0.25
HAND = {
    "mended": -0.25 * math.log(0.8) - 0.75 * math.log(0.2),
    "printed": -0.8 * math.log(0.25),
    "one-sided": -0.25 * math.log(0.8),
    "swapped": -0.8 * math.log(0.25) - 0.2 * math.log(0.75),
    "divergence": 0.25 * math.log(0.25 / 0.8) + 0.75 * math.log(0.75 / 0.2),
}


@pytest.mark.parametrize("form", FORMS)
def test_equation_3_by_hand(form):
    p, q = torch.tensor([[0.8]]), torch.tensor([[0.25]])
    assert loss(p, q, form=form).item() == pytest.approx(HAND[form], rel=1e-6)
    many = loss(p.expand(5, 3), q.expand(5, 3), form=form)
    assert many.item() == pytest.approx(3 * HAND[form], rel=1e-6)  # a sum over attributes, the mean over images
    two = loss(p.expand(5, 3), q.expand(5, 3), form=form, listed=torch.tensor([True, False, True]))
    assert two.item() == pytest.approx(2 * HAND[form], rel=1e-6)


# (by the logit of p, by q), per attribute
GRADIENTS = {
    "mended": lambda p, q: (p - q, torch.log((1 - p) / p)),
    "printed": lambda p, q: (-p * (1 - p) * q.log(), -p / q),
    "one-sided": lambda p, q: (-q * (1 - p), -p.log()),
    "swapped": lambda p, q: (p * (1 - p) * torch.log((1 - q) / q), -p / q + (1 - p) / (1 - q)),
    "divergence": lambda p, q: (p - q, torch.log((1 - p) / p) - torch.log((1 - q) / q)),
}


@pytest.mark.parametrize("form", FORMS)
def test_gradients_term_by_term(form):
    p, q = drawn(4, 6), drawn(4, 6, seed=1).requires_grad_()
    z = torch.logit(p).requires_grad_()
    matching_loss(z, q, form=form).backward()
    by_z, by_q = GRADIENTS[form](p, q.detach())
    torch.testing.assert_close(z.grad, by_z / 4)
    torch.testing.assert_close(q.grad, by_q / 4)


def test_the_classes_get_the_gradient_of_what_they_foretell():
    """dL / dz_c = p_c (g_c - sum_k p_k g_k) with g_c = - sum_a logit_a p(a | c): votes of the attributes' logits."""
    z, logits = drawn(1, 7).mul(3).requires_grad_(), drawn(1, 17, seed=1) * 4 - 2
    table = STUDY.probability.double()
    p = z.softmax(1)
    matching_loss(logits, mixture(p, table)).backward()
    g = -logits @ table.T
    torch.testing.assert_close(z.grad, (p * (g - (p * g).sum(1, keepdim=True))).detach())


def test_detach_stops_the_gradient_to_the_classes():
    values = {}
    for detach in (False, True):
        z, logits = drawn(3, 7).requires_grad_(), drawn(3, 17, seed=1).requires_grad_()
        found = matching_loss(logits, mixture(z.softmax(1), STUDY.probability.double()), detach=detach)
        found.backward()
        values[detach] = found.item(), logits.grad
        assert (z.grad is None) == detach
    assert values[False][0] == values[True][0]
    torch.testing.assert_close(values[False][1], values[True][1])


# ------------------------------------------------------------------ where each form settles


def settled(q, form):
    """p after descent of the loss for a fixed q, from 0.5 on."""
    z = torch.zeros_like(q, requires_grad=True)
    optimiser = torch.optim.Adam([z], lr=0.4)
    for _ in range(60):
        optimiser.zero_grad()
        matching_loss(z, q, form=form).backward()
        optimiser.step()
    return z.detach().sigmoid()


@pytest.mark.parametrize("form", FORMS)
def test_the_minimum_for_a_fixed_q_is_the_one_of_the_docstrings_table(form):
    q = torch.tensor([[0.1, 0.3, 0.7, 0.9]], dtype=torch.float64)
    where = {
        "mended": q,
        "divergence": q,
        "printed": torch.zeros_like(q),
        "one-sided": torch.ones_like(q),
        "swapped": (q > 0.5).double(),
    }[form]
    torch.testing.assert_close(settled(q, form), where, atol=0.02, rtol=0)


def test_no_p_is_better_than_p_equal_q():
    q = drawn(1, 5, seed=3)
    for form, least in (("mended", -(q * q.log() + (1 - q) * (1 - q).log()).sum()), ("divergence", 0.0)):
        assert loss(q, q, form=form).item() == pytest.approx(float(least), abs=1e-12)
        assert all(loss(drawn(1, 5, seed=s), q, form=form) > least for s in range(10, 60))


def test_x1_the_printed_form_pushes_every_p_down_whatever_q():
    q, p = drawn(1000, 17), drawn(1000, 17, seed=1).requires_grad_()
    z = torch.logit(p.detach()).requires_grad_()
    matching_loss(z, q, form="printed").backward()
    assert (z.grad >= 0).all()
    slope = -q.log()  # by p itself: linear, so what is pushed down is pushed down to 0
    (p * slope).sum().backward()
    assert (p.grad >= 0).all()


def test_x1_even_the_units_of_a_happy_face_are_pushed_down():
    q = mixture(sure("happiness", 0.94), STUDY.probability)[0]
    slope = -q.log()
    happy = [UNIT[name] for name in ("AU12", "AU6", "AU25")]
    assert [round(value, 2) for value in slope[happy].tolist()] == [0.06, 0.05, 0.04]
    others = slope[[at for at in UNIT.values() if at not in happy]]
    assert (round(others.min().item(), 1), round(others.max().item(), 1)) == (3.2, 4.6)


def together(form, own, steps=150, n=16):
    """Both predictions descended freely: (loss, p (n, M), class probabilities (n, K))."""
    random = torch.Generator().manual_seed(0)
    z = torch.randn(n, 7, generator=random).requires_grad_()
    logits = torch.randn(n, 17, generator=random).requires_grad_()
    optimiser = torch.optim.Adam([z, logits], lr=0.3)
    for _ in range(steps):
        optimiser.zero_grad()
        found = matching_loss(logits, mixture(z.softmax(1), own.probability), own.listed, form)
        found.backward()
        optimiser.step()
    return found.item(), logits.detach().sigmoid(), z.detach().softmax(1)


def test_x1_descending_the_printed_form_ends_with_no_unit_at_all():
    left, p, classes = together("printed", STUDY)
    assert left < 0.05
    assert p.max() < 0.07
    assert p.mean() < 0.005
    assert classes.amax(1).mean() < 0.7  # and it does not tell which expression


def test_descending_the_mended_form_ends_with_a_certain_class_and_its_units():
    _, p, classes = together("mended", STUDY)
    q = mixture(classes, STUDY.probability)
    assert (p - q).abs().max() < 0.05
    assert classes.amax(1).min() > 0.97
    assert p.amax(1).max() > 0.95


def test_descending_the_divergence_ends_where_both_agree_certain_or_not():
    left, p, classes = together("divergence", STUDY)
    assert left < 1e-3
    assert (p - mixture(classes, STUDY.probability)).abs().max() < 0.05
    assert classes.amax(1).mean() < 0.7


# ------------------------------------------------------------------ what mended does to the class


def test_for_a_fixed_p_mended_is_linear_in_q():
    p, one, other = drawn(3, 5), drawn(3, 5, seed=1), drawn(3, 5, seed=2)
    for share in (0.2, 0.5, 0.9):
        mixed = loss(p, share * one + (1 - share) * other)
        torch.testing.assert_close(mixed, share * loss(p, one) + (1 - share) * loss(p, other))
    bent = loss(p, (one + other) / 2, form="divergence")
    assert bent < (loss(p, one, form="divergence") + loss(p, other, form="divergence")) / 2


def test_divergence_has_no_pull_where_p_is_q_and_mended_has():
    q = drawn(2, 5).requires_grad_()
    found = loss(q.detach(), q, form="divergence")
    found.backward()
    assert found.item() == pytest.approx(0, abs=1e-12)
    assert q.grad.abs().max() < 1e-12
    q.grad = None
    loss(q.detach(), q).backward()
    torch.testing.assert_close(q.grad, torch.logit(q.detach()).neg() / 2)


def foretold_by(form, own, expression):
    """The class for which a face with the very p(a | expression) has the least loss."""
    p = own.probability[AT[expression]].clamp(0.02, 0.98).unsqueeze(0)
    found = [loss(p, own.probability[[k]], listed=own.listed, form=form).item() for k in range(7)]
    return own.classes[found.index(min(found))]


def test_by_the_data_base_mended_takes_sad_and_angry_faces_for_neutral():
    """Its units are at most 53 and 65 % likely there; to foretell none of them costs less. The divergence does not."""
    mended = {name: foretold_by("mended", DATABASE, name) for name in AT}
    assert {name: found for name, found in mended.items() if found != name} == {
        "sadness": "neutral",
        "anger": "neutral",
    }
    for form, own in (("divergence", DATABASE), ("mended", STUDY), ("divergence", STUDY)):
        assert all(foretold_by(form, own, name) == name for name in AT)


# ------------------------------------------------------------------


def test_x2_at_a_neutral_face_the_printed_logarithm_is_large_on_every_unit():
    slope = -mixture(sure("neutral", 0.994), STUDY.probability).log()
    assert (round(slope.min().item(), 1), round(slope.max().item(), 1)) == (5.5, 6.9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("form", FORMS)
def test_x2_q_of_0_and_1_and_halves_are_finite(form, dtype):
    z = torch.tensor([[-30.0, 0, 30], [-30, 0, 30]], dtype=dtype, requires_grad=True)
    q = torch.tensor([[0.0, 0, 0], [1, 1, 1]], dtype=dtype, requires_grad=True)
    found = matching_loss(z, q, form=form)
    found.backward()
    assert found.dtype == torch.float32
    assert found.isfinite()
    assert z.grad.isfinite().all()
    assert not q.grad.any()  # beyond the clamp there is none


def test_x2_the_clamp_by_hand():
    zero, half = torch.zeros(1, 1), torch.full((1, 1), 0.5)
    assert loss(half, zero, form="printed").item() == pytest.approx(0.5 * math.log(1 / EPSILON), rel=1e-6)
    assert loss(half, zero + 1, form="printed").item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_x2_unlisted_units_get_no_gradient(form):
    z, logits = drawn(4, 7, dtype=torch.float32), drawn(4, 17, seed=1, dtype=torch.float32).requires_grad_()
    matching_loss(logits, mixture(z.softmax(1), DATABASE.probability), DATABASE.listed, form).backward()
    still = [name for name, at in UNIT.items() if not logits.grad[:, at].any()]
    assert still == ["AU9", "AU11", "AU17", "AU20", "AU23", "AU24"]


# ------------------------------------------------------------------ what does not matter


@pytest.mark.parametrize("form", FORMS)
def test_the_order_of_images_attributes_and_classes_does_not_matter(form):
    z, logits, table = drawn(5, 4), drawn(5, 6, seed=1), drawn(4, 6, seed=2)
    listed = torch.tensor([True, True, False, True, False, True])
    value = matching_loss(logits, mixture(z.softmax(1), table), listed, form)
    images, classes, columns = torch.randperm(5), torch.randperm(4), torch.randperm(6)
    q = mixture(z[images][:, classes].softmax(1), table[classes][:, columns])
    torch.testing.assert_close(matching_loss(logits[images][:, columns], q, listed[columns], form), value)


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match=r"mended, printed, one-sided, swapped, divergence, got 'KL'"):
        matching_loss(torch.zeros(1, 1), torch.ones(1, 1), form="KL")
