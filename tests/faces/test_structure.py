"""The fitted population: that its parts agree with each other and with the printed table."""

import json

import pytest
import torch

from mtlib.faces import structure
from mtlib.faces.names import ATTRIBUTES, COLUMN, EXPRESSIONS, UNIT
from mtlib.faces.structure import from_json, load

POPULATION = load()


def test_the_appearances_have_unit_variance_and_the_partial_correlations_of_the_graph():
    covariance = POPULATION.mixing @ POPULATION.mixing.T
    assert covariance.diagonal().tolist() == pytest.approx([1] * 40, abs=1e-4)
    precision = covariance.inverse()
    scale = precision.diagonal().rsqrt()
    partial = (-precision * scale[:, None] * scale).fill_diagonal_(0)
    torch.testing.assert_close(partial, POPULATION.partial, atol=2e-3, rtol=0)


def test_the_graph_of_dependence_is_sparse_symmetric_and_joins_everybody():
    graph = POPULATION.dependence
    assert torch.equal(graph, graph.T)
    assert not graph.diagonal().any()
    assert 100 <= graph.sum() / 2 <= 200
    assert POPULATION.partial[graph].abs().min() > 0.05  # an edge that could be found
    assert POPULATION.partial.abs().max() < 0.9  # and none that is an identity
    reached = torch.matrix_power(graph.double() + torch.eye(40, dtype=torch.float64), 39)[0] > 0
    assert reached.all()


def test_the_innovation_of_pale_skin_serves_nobody_else():
    """Skin tone takes part in it, and is to be independent of every other label."""
    column = POPULATION.mixing[:, COLUMN["Pale_Skin"]].clone()
    assert column[COLUMN["Pale_Skin"]] > 0.5
    column[COLUMN["Pale_Skin"]] = 0
    assert not column.any()


def test_how_much_annotators_disagree_differs():
    bound = dict(zip(ATTRIBUTES, POPULATION.bound.tolist(), strict=True))
    assert all(bound[name] >= 0.985 for name in ("Eyeglasses", "Wearing_Hat", "Male", "Smiling", "Bangs"))
    assert all(bound[name] < 0.87 for name in ("High_Cheekbones", "Pointy_Nose", "Oval_Face", "Big_Lips"))
    assert 0.8 < bound["Attractive"] < 0.87


def test_probabilities_are_probabilities():
    for numbers in (POPULATION.stable, POPULATION.opinion, POPULATION.au_table, POPULATION.posterior):
        assert ((numbers >= 0) & (numbers <= 1)).all()
    torch.testing.assert_close(POPULATION.posterior.sum(1), torch.ones(4).double(), atol=1e-4, rtol=0)
    assert POPULATION.prior.sum().item() == pytest.approx(1, abs=1e-3)
    assert (POPULATION.median[0] < 0).all()
    assert (POPULATION.median[1] > 0).all()


@pytest.mark.parametrize(
    ("expression", "unit", "probability"),
    [
        ("happiness", 6, 0.54),  # 0.51 in the study, 0.57 in Aff-Wild2
        ("happiness", 7, 0.83),  # Aff-Wild2 alone
        ("sadness", 17, 0.67),  # the study alone
        ("disgust", 9, 0.98),  # prototypical: 1, cut
        ("surprise", 4, 0.02),  # not listed
        ("neutral", 1, 0.02),
    ],
)
def test_action_units_follow_the_printed_table(expression, unit, probability):
    assert POPULATION.au_table[EXPRESSIONS.index(expression), UNIT[unit]].item() == pytest.approx(probability, abs=1e-4)


def test_a_file_for_other_attributes_is_refused():
    content = json.loads(structure.FILE.read_text())
    content["attributes"] = content["attributes"][::-1]
    with pytest.raises(ValueError, match=r"names other attributes than mtlib\.faces\.names"):
        from_json(content)


def test_what_was_measured_on_the_drawings_may_be_absent():
    content = json.loads(structure.FILE.read_text())
    assert from_json(content | {"pixels": None}).pixels is None
    pixels = torch.eye(40).bool()
    assert torch.equal(from_json(content | {"pixels": pixels.int().tolist()}).pixels, pixels)
