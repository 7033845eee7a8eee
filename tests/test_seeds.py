"""Random numbers as a pure function of what they are for."""

import pytest
import torch

from mtlib.seeds import derive, generator, seeded


def test_a_seed_is_a_function_of_its_parts_alone():
    assert derive("toy", 9, "train", 0) == derive("toy", 9, "train", 0)
    assert len({derive("toy", number, split, seed) for number in (1, 2) for split in "ab" for seed in range(50)}) == 200


def test_parts_do_not_run_together():
    assert derive("ab", "c") != derive("a", "bc")
    assert derive("rows", 1, 11) != derive("rows", 11, 1)


def test_a_seed_fits_every_generator():
    seeds = [derive("x", i) for i in range(200)]
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62  # the numbers use their range


def test_a_seed_is_the_same_in_every_process_and_release():
    assert derive("rows", 0, 0) == 46982534787772619


def test_an_integer_is_the_same_seed_whatever_made_it():
    numpy = pytest.importorskip("numpy")
    assert derive("rows", numpy.int64(3)) == derive("rows", 3)


def test_neighbouring_seeds_give_unrelated_numbers():
    a, b = (torch.randn(2000, generator=generator("test", seed)) for seed in (0, 1))
    assert abs(torch.corrcoef(torch.stack([a, b]))[0, 1]) < 0.1


def test_seeded_repeats_itself_and_leaves_torch_as_it_was():
    torch.manual_seed(0)
    expected = torch.rand(4)
    torch.manual_seed(0)
    with seeded("weights", 1):
        first = torch.rand(3)
    assert torch.equal(torch.rand(4), expected)
    with seeded("weights", 1):
        assert torch.equal(torch.rand(3), first)
    with seeded("weights", 2):
        assert not torch.equal(torch.rand(3), first)


def test_seeded_leaves_torch_as_it_was_after_an_error_too():
    def draw_and_fail():
        torch.rand(3)
        raise KeyError

    state = torch.get_rng_state()
    with pytest.raises(KeyError), seeded("weights", 1):
        draw_and_fail()
    assert torch.equal(torch.get_rng_state(), state)
