"""Eqs. (4) to (6): indicators and soft labels by hand, what they can say at most, and where the loss settles."""

import math

import pytest
import torch

from mtlib.coupling import co_annotation_loss, indicators, posterior, soft_labels
from mtlib.coupling.printed import relations

STUDY, DATABASE = relations("study"), relations("database")
AT = {name: k for k, name in enumerate(STUDY.classes)}
UNIT = {name: k for k, name in enumerate(STUDY.attributes)}
HAPPY = ("AU12", "AU25", "AU6")


def face(*active, missing=()):
    """(1, 17) labels: 1 for the active units, -1 for the missing, 0 for the rest."""
    y = torch.zeros(1, 17, dtype=torch.long)
    y[0, [UNIT[name] for name in active]] = 1
    y[0, [UNIT[name] for name in missing]] = -1
    return y


def units_of(own, expression):
    return [name for name, at in UNIT.items() if own.linked[AT[expression], at]]


def said(values):
    return dict(zip(AT, values.squeeze(0).tolist(), strict=True))


def drawn(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# ------------------------------------------------------------------ Eq. (4)


def test_equation_4_happy_by_hand():
    """I(happy) = (y12 + y25 + 0.51 y6) / 2.51."""
    assert STUDY.weight[AT["happiness"]].sum().item() == pytest.approx(2.51)
    for active, over in (((), 0), (("AU12",), 1), (("AU12", "AU6"), 1.51), (HAPPY, 2.51), (("AU6", "AU4"), 0.51)):
        assert said(indicators(face(*active), STUDY.weight))["happiness"] == pytest.approx(over / 2.51)


def test_equation_4_of_a_happy_face_by_hand():
    found = said(indicators(face(*HAPPY), STUDY.weight))
    hand = {"sadness": 0.5 / 4.03, "fear": 1 / 5.53, "surprise": 1 / 4.66, "happiness": 1}
    assert found == pytest.approx(dict.fromkeys(AT, 0) | hand)


def test_x6_missing_units_are_in_neither_sum():
    both = face("AU12", missing=("AU6",))
    assert said(indicators(both, STUDY.weight))["happiness"] == pytest.approx(1 / 2)
    assert said(indicators(face("AU12", missing=("AU25",)), STUDY.weight))["happiness"] == pytest.approx(1 / 1.51)
    none = face("AU1", missing=HAPPY)
    for neutral in ("zero", "rest", "out"):
        assert said(indicators(none, STUDY.weight, neutral))["happiness"] == 0  # not 0/0, and not what neutral gets


@pytest.mark.parametrize("neutral", ["zero", "rest", "out"])
def test_x6_one_unit_that_is_absent_does_not_make_its_own_expression_likely(neutral):
    only = face(missing=[name for name in UNIT if name != "AU12"])  # known: AU12 is not active
    q = said(soft_labels(indicators(only, STUDY.weight, neutral)))
    assert q["happiness"] == pytest.approx(min(q[name] for name in AT if name != "neutral"))


# ------------------------------------------------------------------ Eq. (5)

LARGEST = {7: 0.312, 6: 0.352, 10: 0.232, 200: 0.0135, 10_200: 0.00027}


@pytest.mark.parametrize("classes", LARGEST)
def test_x4_the_largest_possible_soft_probability(classes):
    """All of one class's attributes and none of any other's: e / (e + K - 1)."""
    indicator = torch.zeros(1, classes)
    indicator[0, 0] = 1
    found = soft_labels(indicator)[0, 0].item()
    assert found == pytest.approx(math.e / (math.e + classes - 1), rel=1e-5)
    assert found == pytest.approx(LARGEST[classes], rel=0.02)


def test_x4_the_units_of_happy_give_happy_0_293():
    q = said(soft_labels(indicators(face(*HAPPY), STUDY.weight)))
    assert round(q["happiness"], 3) == 0.293
    others = sorted(value for name, value in q.items() if name != "happiness")
    assert [round(others[0], 2), round(others[-1], 2)] == [0.11, 0.13]
    assert sum(q.values()) == pytest.approx(1)


@pytest.mark.parametrize(("temperature", "happy"), [(1.0, 0.293), (0.3, 0.770), (0.1, 0.9986)])
def test_a_temperature_sharpens_soft_labels(temperature, happy):
    q = said(soft_labels(indicators(face(*HAPPY), STUDY.weight), temperature))
    assert q["happiness"] == pytest.approx(happy, abs=1e-3)


# Soft probability by reading of a face without active unit and of a happy one: (neutral, happy, a third).
E, I_REST = math.e, (0.5 / 4.03, 1 / 5.53, 1 / 4.66)
READINGS = {
    "zero": ((1 / 7, 1 / 7, 1 / 7), 3),
    "rest": ((E / (E + 6), 1 / (E + 6), 1 / (E + 6)), 3),
    "out": ((0, 1 / 6, 1 / 6), 2),
}


@pytest.mark.parametrize("neutral", READINGS)
def test_x5_readings_of_neutral_by_hand(neutral):
    q = said(soft_labels(indicators(face(), STUDY.weight, neutral)))
    still, zeros = READINGS[neutral]
    assert (q["neutral"], q["happiness"], q["anger"]) == pytest.approx(still)
    happy = said(soft_labels(indicators(face(*HAPPY), STUDY.weight, neutral)))
    others = E + sum(math.exp(value) for value in I_REST)
    assert happy["happiness"] == pytest.approx(E / (others + zeros))  # anger, disgust, and neutral unless it is out
    assert happy["neutral"] == pytest.approx(0 if neutral == "out" else 1 / (others + zeros))


def test_x5_rest_is_what_the_best_other_leaves():
    found = said(indicators(face("AU12"), STUDY.weight, "rest"))
    assert found["neutral"] == pytest.approx(1 - 1 / 2.51)
    two = torch.cat([STUDY.weight, torch.zeros(1, 17)])  # "other" has no link either
    assert indicators(face("AU12"), two, "rest")[0, [0, 7]].tolist() == pytest.approx([1 - 1 / 2.51] * 2)


def test_a_table_without_links_says_nothing():
    for neutral in ("zero", "rest", "out"):
        q = soft_labels(indicators(face("AU12"), torch.zeros(7, 17), neutral))
        torch.testing.assert_close(q, torch.full((1, 7), 1 / 7))


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_indicators_do_not_tell_expressions_whose_units_are_parts_of_others(temperature):
    """Eq. (4) counts what is there and not what is missing: all of fear is all of surprise, too. Bayes' rule tells."""
    q = said(soft_labels(indicators(face(*units_of(STUDY, "fear")), STUDY.weight), temperature))
    assert q["fear"] == pytest.approx(q["surprise"])
    own = face(*units_of(STUDY, "fear"))
    assert said(posterior(own, STUDY.probability))["fear"] > 0.999
    q = said(soft_labels(indicators(face(*units_of(DATABASE, "anger")), DATABASE.weight), temperature))
    assert q["anger"] == pytest.approx(q["disgust"])


# ------------------------------------------------------------------ Bayes' rule


def test_posterior_by_hand():
    table = torch.tensor([[0.9, 0.5], [0.1, 0.5]])
    torch.testing.assert_close(posterior(torch.tensor([[1, 0]]), table), torch.tensor([[0.9, 0.1]]))
    torch.testing.assert_close(posterior(torch.tensor([[0, -1]]), table), torch.tensor([[0.1, 0.9]]))
    torch.testing.assert_close(posterior(torch.tensor([[-1, -1]]), table), torch.tensor([[0.5, 0.5]]))
    sure = posterior(torch.tensor([[1]]), torch.tensor([[1.0], [0.0]]), least=0.02)
    torch.testing.assert_close(sure, torch.tensor([[0.98, 0.02]]))


def test_posterior_knows_each_expression_by_its_units_and_neutral_by_none():
    y = STUDY.linked.long()
    assert posterior(y, STUDY.probability).argmax(1).tolist() == list(range(7))


# ------------------------------------------------------------------ Eq. (6)


def test_equation_6_by_hand():
    p, q = torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([[0.2, 0.2, 0.6]])
    mended = -(0.2 * math.log(0.5) + 0.2 * math.log(0.3) + 0.6 * math.log(0.2))
    printed = -(0.5 * math.log(0.2) + 0.3 * math.log(0.2) + 0.2 * math.log(0.6))
    assert co_annotation_loss(p.log(), q).item() == pytest.approx(mended)
    assert co_annotation_loss(p.log(), q, form="printed").item() == pytest.approx(printed)


def test_gradients_term_by_term():
    """By the logits: p - q as mended; as printed p_c (sum_k p_k log q_k - log q_c)."""
    z, q = drawn(4, 5).requires_grad_(), drawn(4, 5, seed=1).softmax(1)
    p = z.detach().softmax(1)
    co_annotation_loss(z, q).backward()
    torch.testing.assert_close(z.grad, (p - q) / 4)
    z.grad = None
    co_annotation_loss(z, q, form="printed").backward()
    torch.testing.assert_close(z.grad, p * ((p * q.log()).sum(1, keepdim=True) - q.log()) / 4)


def settled(q, form, label=None):
    """p after descent of the loss, and of the cross-entropy with a label besides."""
    z = torch.zeros_like(q, requires_grad=True)
    optimiser = torch.optim.Adam([z], lr=0.2)
    for _ in range(130):
        optimiser.zero_grad()
        found = co_annotation_loss(z, q, form=form)
        if label is not None:
            found = found - z.log_softmax(1)[:, label].mean()
        found.backward()
        optimiser.step()
    return z.detach().softmax(1)


def test_x3_printed_ends_one_hot_at_the_largest_q_and_mended_at_q():
    q = soft_labels(indicators(face(*HAPPY), STUDY.weight)).double()
    torch.testing.assert_close(settled(q, "mended"), q, atol=2e-3, rtol=0)
    assert settled(q, "printed")[0, AT["happiness"]] > 0.99  # though the label says 0.29


def test_x4_with_a_hard_label_mended_softens_and_printed_hardens():
    q = soft_labels(indicators(face(*HAPPY), STUDY.weight)).double()
    happy = AT["happiness"]
    assert settled(q, "mended", happy)[0, happy].item() == pytest.approx((1 + q[0, happy].item()) / 2, abs=2e-3)
    assert round((1 + q[0, happy].item()) / 2, 2) == 0.65
    assert settled(q, "printed", happy)[0, happy] > 0.99


def test_printed_is_linear_in_p():
    q, one, other = drawn(3, 5).softmax(1), drawn(3, 5, seed=1).softmax(1), drawn(3, 5, seed=2).softmax(1)
    of = lambda p: co_annotation_loss(p.log(), q, form="printed")  # noqa: E731
    torch.testing.assert_close(of(0.3 * one + 0.7 * other), 0.3 * of(one) + 0.7 * of(other))


@pytest.mark.parametrize("form", ["mended", "printed"])
def test_the_mean_is_over_the_images_that_count(form):
    z, q = drawn(4, 5).requires_grad_(), drawn(4, 5, seed=1).softmax(1)
    counts = torch.tensor([True, False, False, True])
    found = co_annotation_loss(z, q, counts, form)
    torch.testing.assert_close(found, co_annotation_loss(z[counts], q[counts], form=form))
    found.backward()
    assert z.grad.any(1).tolist() == counts.tolist()
    nobody = co_annotation_loss(z, q, counts & False, form)
    assert nobody.item() == 0
    assert co_annotation_loss(z[:0], q[:0], counts[:0], form).item() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("form", ["mended", "printed"])
def test_certain_labels_and_halves_are_finite(form, dtype):
    """Neutral out and a low temperature: q of 0, whose logarithm is held at that of 1e-6 (X-2)."""
    q = soft_labels(indicators(face(*HAPPY), STUDY.weight, "out"), 0.01).to(dtype)
    assert (q == 0).any()
    z = (torch.arange(7) * 10.0 - 30).unsqueeze(0).to(dtype).requires_grad_()
    found = co_annotation_loss(z, q, form=form)
    found.backward()
    assert found.dtype == torch.float32
    assert found.isfinite()
    assert z.grad.isfinite().all()


@pytest.mark.parametrize("neutral", ["zero", "rest", "out"])
def test_the_order_of_images_units_and_classes_does_not_matter(neutral):
    y = torch.randint(-1, 2, (6, 17), generator=torch.Generator().manual_seed(0))
    images, classes, columns = torch.randperm(6), torch.randperm(7), torch.randperm(17)
    for make in (lambda y, w: soft_labels(indicators(y, w, neutral), 0.5), posterior):
        found = make(y[images][:, columns], STUDY.weight[classes][:, columns])
        torch.testing.assert_close(found, make(y, STUDY.weight)[images][:, classes])


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="zero, out, rest, got 'none'"):
        indicators(face(), STUDY.weight, "none")
    for temperature in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="must be finite and above 0"):
            soft_labels(torch.zeros(1, 2), temperature)
    with pytest.raises(ValueError, match="mended, printed, got 'swapped'"):
        co_annotation_loss(torch.zeros(1, 2), torch.ones(1, 2), form="swapped")
