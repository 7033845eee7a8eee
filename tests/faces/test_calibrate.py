"""The mathematics of the fit, on problems whose answer is known otherwise."""

import json

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from mtlib.faces import calibrate, expression_table, gaussian, structure
from mtlib.faces.gaussian import Target
from mtlib.faces.names import ATTRIBUTES, COLUMN, UNIT

P, Q = np.array([0.2, 0.48, 0.05, 0.6]), np.array([0.5, 0.48, 0.3, 0.04])
RHO = np.array([0.5, -0.9, 0.97, 0.0])


def test_phi_is_the_correlation_of_thresholded_normals():
    for rho, p, q in zip(RHO, P, Q, strict=True):
        both = multivariate_normal.cdf([norm.ppf(p), norm.ppf(q)], cov=[[1, rho], [rho, 1]])
        expected = (both - p * q) / np.sqrt(p * (1 - p) * q * (1 - q))
        assert gaussian.phi(np.array(rho), np.array(p), np.array(q)) == pytest.approx(expected, abs=1e-5)


def test_tetrachoric_undoes_phi_and_slope_is_its_derivative():
    assert gaussian.tetrachoric(gaussian.phi(RHO, P, Q), P, Q) == pytest.approx(RHO, abs=1e-5)
    numeric = (gaussian.phi(RHO + 1e-6, P, Q) - gaussian.phi(RHO - 1e-6, P, Q)) / 2e-6
    assert gaussian.slope(RHO, P, Q) == pytest.approx(numeric, rel=1e-4)


def chain() -> tuple[np.ndarray, Target]:
    """Partial correlations of a chain of five, and the labels that it gives."""
    partial = np.diag([0.4, -0.5, 0.3, 0.45], 1)
    partial += partial.T
    share, reliability = np.array([0.5, 0.3, 0.2, 0.6, 0.4]), np.array([1.0, 0.9, 0.8, 0.95, 0.9])
    target = Target(share, np.eye(5), reliability)
    target.correlation[target.pairs] = target.phi(gaussian.covariance(partial))
    return partial, target


def test_a_graph_is_recovered_from_the_correlations_that_it_gives():
    partial, target = chain()
    everybody = np.where(np.eye(5) > 0, 0, 0.05)
    fitted = gaussian.refit(target, everybody, ridge=1e-6, steps=100)
    assert np.abs(fitted - partial).max() < 1e-3
    for sparser in gaussian.prune(target, fitted, ridge=1e-6, smallest=0.05):
        if (sparser != 0).sum() == (partial != 0).sum():
            break
    assert ((sparser != 0) == (partial != 0)).all()


def test_bounds_of_labels_that_are_thresholds_are_what_counting_gives():
    """A balanced label and its appearance agree as two normals of correlation r do in sign: 1 - arccos(r) / pi."""
    target = Target(np.full(40, 0.5), np.eye(40), np.full(40, 0.8))
    bound = calibrate.bounds(target, np.eye(40))
    assert bound[COLUMN["Smiling"]] == pytest.approx(1 - np.arccos(0.8) / np.pi, abs=1e-4)
    assert bound[COLUMN["Attractive"]] == pytest.approx(0.5, abs=1e-4)  # nobody else tells of it


def test_expressions_come_as_close_to_the_cells_as_the_table_allows():
    table = expression_table.printed()
    prior = np.array([0.3, 0.4, 0.1, 0.05, 0.05, 0.05, 0.05])
    _, posterior, drawn = expression_table.fit(expression_table.joint(table) @ prior)  # cells that the table can give
    assert posterior.sum(1) == pytest.approx(np.ones(4), abs=1e-4)
    assert drawn[:, [UNIT[12], UNIT[25]]] == pytest.approx(table[:, [UNIT[12], UNIT[25]]], abs=2e-3)


def test_the_files_that_are_fitted_to_are_whole():
    facts = calibrate.celeba()
    assert facts.share[COLUMN["Eyeglasses"]] == 0.064637
    assert facts.between[COLUMN["Male"]] == 0.9801
    assert facts.correlation[COLUMN["Smiling"], COLUMN["High_Cheekbones"]] == pytest.approx(0.68, abs=0.01)
    assert (facts.correlation == facts.correlation.T).all()
    assert tuple(calibrate.RELIABILITY) == ATTRIBUTES


def test_the_file_is_as_the_fit_writes_it():
    written = structure.FILE.read_text()
    assert calibrate.text(json.loads(written)) == written
    assert json.loads(written)["version"] == calibrate.VERSION
