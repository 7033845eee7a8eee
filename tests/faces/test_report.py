"""The population against the aims that it was made for, over 100 000 faces, and the report's numbers by hand."""

import numpy as np
import pytest
import torch

from mtlib.faces import ATTRIBUTES, report
from mtlib.faces.names import UNIT
from mtlib.faces.population import people


@pytest.fixture(scope="module")
def found():
    return report.measure(100_000)


def test_every_attribute_is_as_frequent_as_in_celeba_within_a_point_and_a_half(found):
    assert 100 * np.abs(found.share[1] - found.share[0]).max() < 1.5


def test_correlations_are_celebas_within_three_hundredths(found):
    assert np.sqrt(((found.correlation[1] - found.correlation[0]) ** 2).mean()) <= 0.03


def test_what_stays_with_a_person_is_as_in_celeba_for_35_attributes(found):
    assert (np.abs(found.between[1] - found.between[0]) <= 0.10).sum() >= 35


def test_every_expression_is_seen(found):
    assert found.expressions.min() >= 0.03
    assert found.expressions.sum() == pytest.approx(1)


def test_the_sparse_graph_is_not_plain_correlation(found):
    assert found.recovery["correlation"] < 0.75 < found.recovery["partial correlation of the labels"]


def test_the_drawn_state_is_right_as_often_as_the_bound_says(found):
    bound = report.structure.load().bound.numpy()
    drawn = [k for k, name in enumerate(ATTRIBUTES) if name != "Attractive"]  # which is not drawn
    assert np.abs(found.accuracy - bound)[drawn].max() < 0.006


def test_happy_faces_pull_the_corners_of_their_lips(found):
    assert found.units[1, UNIT[12]] > 0.9 > 0.1 > found.units[0, UNIT[12]]


def test_variance_between_people_by_hand():
    few = people(torch.arange(300))
    y = few.attributes[:, ATTRIBUTES.index("Young")].double()
    means = torch.stack([y[few.identity == k].mean() for k in few.identity])
    assert report.between(few)[ATTRIBUTES.index("Young")] == pytest.approx((means.var() / y.var()).item())
