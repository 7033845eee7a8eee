"""Numbers by counting: uniform, normal, unrelated, and the same whatever the batch."""

import pytest
import torch
from scipy.stats import kstest, norm

from mtlib.faces.counter import normal, quantile, uniform

INDEX = torch.arange(50_000)


def test_uniform_numbers_are_uniform():
    u = uniform(0, "test", INDEX, 3)
    assert (u.shape, u.dtype) == ((50_000, 3), torch.float64)
    assert [kstest(lane.numpy(), "uniform").pvalue > 1e-3 for lane in u.T] == [True] * 3


def test_normal_numbers_are_normal_far_into_the_tails():
    z = normal(0, "test", INDEX, 40).flatten()
    assert z.mean().item() == pytest.approx(0, abs=0.004)
    assert (z**2).mean().item() == pytest.approx(1, abs=0.005)
    assert (z**4).mean().item() == pytest.approx(3, abs=0.04)
    assert (z > 4).double().mean().item() == pytest.approx(norm.sf(4), rel=0.5)
    assert z.abs().max() > 4.5


def test_the_quantile_is_that_of_the_normal_distribution():
    u = torch.cat([uniform(0, "test", INDEX[:1000], 1)[:, 0], 2.0 ** -torch.arange(1, 54).double()])
    for p in (u, 1 - u):
        inside = p[(p > 0) & (p < 1)]
        expected = torch.from_numpy(norm.ppf(inside.numpy()))
        torch.testing.assert_close(quantile(inside), expected, rtol=2e-15, atol=1e-15)


def test_the_ends_are_never_met():
    """The extreme hashes: with 53 bits the largest would round to 1, whose quantile is infinite."""
    most = torch.tensor([0, (1 << 52) - 1]).double().add_(0.5).mul_(2.0**-52)
    assert 0 < most[0] < most[1] < 1
    assert quantile(most).isfinite().all()


@pytest.mark.parametrize("change", ["seed", "stream", "index", "lane"])
def test_whatever_names_a_number_changes_it_altogether(change):
    u = uniform(0, "test", INDEX, 2)
    other = {
        "seed": lambda: uniform(1, "test", INDEX, 1)[:, 0],
        "stream": lambda: uniform(0, "tests", INDEX, 1)[:, 0],
        "index": lambda: uniform(0, "test", INDEX + 1, 1)[:, 0],
        "lane": lambda: u[:, 1],
    }[change]()
    assert (u[:, 0] != other).all()
    assert torch.corrcoef(torch.stack([u[:, 0], other]))[0, 1].abs() < 0.02  # 4.5 standard errors


def test_neighbours_of_every_distance_are_unrelated():
    u = uniform(0, "test", INDEX, 1)[:, 0] - 0.5
    for distance in (1, 2, 64, 100, 4096):
        assert (12 * (u[distance:] * u[:-distance]).mean()).abs() < 0.02


@pytest.mark.parametrize("draw", [uniform, normal])
def test_a_number_does_not_depend_on_the_others_of_its_batch(draw):
    index = torch.cat([INDEX[:999], torch.tensor([2**31 - 1, 2**40])])
    whole = draw(3, "test", index, 7)
    order = torch.randperm(len(index), generator=torch.Generator().manual_seed(0))
    assert torch.equal(draw(3, "test", index[order], 7), whole[order])
    assert torch.equal(torch.cat([draw(3, "test", part, 7) for part in index.split(13)]), whole)
    assert torch.equal(draw(3, "test", index, 2), whole[:, :2])
    assert draw(3, "test", index[:0], 7).shape == (0, 7)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("draw", [uniform, normal])
def test_a_gpu_counts_to_the_same_bits(draw):
    assert torch.equal(draw(0, "test", INDEX.cuda(), 40).cpu(), draw(0, "test", INDEX, 40))


def test_frozen_numbers():
    """Should a change move these, every drawn face moves with them."""
    assert uniform(0, "test", torch.tensor([0, 2**31 - 1]), 2).tolist() == [
        [0.9592564273477554, 0.49636823126220675],
        [0.9327572761704009, 0.09944048033106256],
    ]
    assert normal(7, "test", torch.tensor([5]), 3).tolist() == [
        [0.4910266554285645, 0.9619046020638241, -0.4561993408231845]
    ]
