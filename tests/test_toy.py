"""The ten toy sets: geometry, sampling, overlap, and that a set is a pure function of its arguments."""

import pytest
import torch

from mtlib.toy import SETS, Cos, Donut, Reading, labels, make, overlap

POINTS = 400_000


def label(template, x0, x1, **reading):
    return template(torch.tensor([[x0, x1]]), Reading(**reading)).item()


def test_a_donut_is_a_ring_moved_along_x0_by_its_one_offset():
    ring = Donut(0.5, 0.25, 0.1)  # centre (0.25, 0), between distances 0.45 and 0.55
    inside = [(0.75, 0.0), (0.25, 0.5), (-0.25, 0.0), (0.79, 0.0), (0.71, 0.0)]
    outside = [(0.25, 0.0), (0.0, 0.75), (0.81, 0.0), (0.69, 0.0)]
    assert [label(ring, *point) for point in inside] == [True] * 5
    assert [label(ring, *point) for point in outside] == [False] * 4


@pytest.mark.parametrize(("offset", "centre"), [("x0", (0.2, 0.0)), ("x1", (0.0, 0.2)), ("both", (0.2, 0.2))])
def test_the_missing_argument_of_a_donut_is_a_reading(offset, centre):  # S-10
    x = torch.rand(POINTS, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    ring = x[Donut(0.5, 0.2, 0.1)(x, Reading(offset=offset))]
    assert ring.mean(0).tolist() == pytest.approx(centre, abs=0.01)


def test_the_width_of_a_donut_is_a_reading():  # S-10
    ring = Donut(0.5, 0.0, 0.1)
    assert [label(ring, r, 0.0, band="half") for r in (0.56, 0.54, 0.46, 0.44)] == [False, True, True, False]
    assert [label(ring, r, 0.0, band="full") for r in (0.61, 0.59, 0.41, 0.39)] == [False, True, True, False]


def test_a_cosine_is_a_band_along_x1():
    band = Cos(4, 2, 0.5, 0.2)  # at X0 = -0.5 the curve is at 0.5 cos(0) = 0.5
    assert [label(band, -0.5, x1) for x1 in (0.61, 0.59, 0.41, 0.39)] == [False, True, True, False]
    assert label(Cos(4, 0, 1, 0.2), 0.0, 0.95)
    assert not label(Cos(4, 0, 1, 0.2), 0.25, 0.95)  # cos(1) = 0.54


def test_sets_9_and_10_are_tangent_only_if_the_offset_moves_one_coordinate():  # S-10
    for number, tangent in ((9, lambda a, b: a + b), (10, lambda a, b: b - a)):
        one, two = SETS[number]
        assert two.offset - one.offset == tangent(one.r, two.r) == 0.5
        assert tangent(one.r, two.r) != pytest.approx(2**0.5 * 0.5)  # the distance with both coordinates moved
    # The mid-circles touch at one point, and both labels hold there.
    assert labels(SETS[9], torch.tensor([[0.0, 0.0]])).tolist() == [[1, 1]]
    assert labels(SETS[10], torch.tensor([[-0.4, 0.0]])).tolist() == [[1, 1]]
    assert labels(SETS[9], torch.tensor([[0.0, 0.0]]), Reading(offset="both")).tolist() != [[1, 1]]


# By 2 million uniform points, independently of this code.
COMPUTED_OVERLAPS = {1: 0.52, 2: 0.51, 3: 0.02, 4: 0.03, 5: 0.03, 6: 0.04, 7: 0.50, 8: 0.0, 9: 0.08, 10: 0.06}


@pytest.mark.parametrize(("number", "found"), COMPUTED_OVERLAPS.items())
def test_overlaps_of_the_ten_sets(number, found):  # S-13
    assert overlap(number, POINTS) == pytest.approx(found, abs=0.012 if found > 0.4 else 0.008)


@pytest.mark.parametrize(("offset", "found"), [("x0", 0.04), ("x1", 0.11), ("both", 0.03)])
def test_only_set_6_tells_the_readings_of_the_offset_apart(offset, found):  # S-13
    assert overlap(6, POINTS, reading=Reading(offset=offset)) == pytest.approx(found, abs=0.008)


def test_of_the_two_printed_lists_of_overlapping_sets_the_caption_is_right():  # S-13
    by_overlap = sorted(SETS, key=lambda number: -overlap(number, 100_000))
    assert set(by_overlap[:3]) == {1, 2, 7}
    assert overlap(6, 100_000) < overlap(9, 100_000)  # the text calls 6 strong


def test_task_1_of_set_7_lies_wholly_inside_task_2():
    y = make(7, n_train=2000).train.y["toy"]
    assert (y[:, 0] <= y[:, 1]).all()


@pytest.mark.parametrize(("number", "majority"), [(9, 0.705), (8, 0.727)])
def test_the_cycle_gives_the_majority_rates_that_the_lowest_printed_accuracies_show(number, majority):  # S-11
    negative = 1 - make(number, n_train=20_000).train.y["toy"][:, 1].double().mean().item()
    assert negative == pytest.approx(majority, abs=0.01)


@pytest.mark.parametrize("number", SETS)
def test_examples_alternate_between_the_classes_of_the_two_tasks(number):  # S-11
    for split in (make(number, 202, 50).train, make(number, 202, 50).test):
        y = split.y["toy"]
        assert (y[0::4, 0] == 1).all()
        assert (y[1::4, 0] == 0).all()
        assert (y[2::4, 1] == 1).all()
        assert (y[3::4, 1] == 0).all()


@pytest.mark.parametrize(("number", "cells", "majority"), [(8, 3, 2 / 3), (9, 4, 1 / 2), (1, 3, 2 / 3)])
def test_joint_sampling_takes_the_non_empty_cells_in_turn(number, cells, majority):  # S-11
    y = make(number, n_train=1200, reading=Reading(sampling="joint")).train.y["toy"]
    _, counts = y.unique(dim=0, return_counts=True)
    assert counts.tolist() == [1200 / cells] * cells
    assert (y[:, 1] == 0).double().mean().item() == pytest.approx(majority)


def test_separate_sets_label_every_example_for_the_task_it_was_drawn_for():  # S-11
    own = make(9, n_train=40, reading=Reading(sampling="separate")).train.y["toy"]
    assert own[0::4].tolist() == [[1, -1]] * 10
    assert own[1::4].tolist() == [[0, -1]] * 10
    assert own[2::4].tolist() == [[-1, 1]] * 10
    assert own[3::4].tolist() == [[-1, 0]] * 10


def test_without_balancing_positives_are_2_to_16_per_cent():  # S-11
    shares = [
        share
        for number in SETS
        for share in make(number, 20_000, reading=Reading(sampling="uniform")).train.y["toy"].double().mean(0).tolist()
    ]
    assert min(shares) == pytest.approx(0.02, abs=0.005)
    assert max(shares) == pytest.approx(0.16, abs=0.01)


def test_a_set_is_what_the_types_and_the_docstring_say():
    data = make(5)
    assert (data.train.x.shape, data.test.x.shape) == ((5000, 2), (500, 2))
    assert (data.train.x.dtype, data.train.y["toy"].dtype) == (torch.float32, torch.int64)
    assert data.train.x.abs().max() <= 1
    assert torch.equal(data.train.y["toy"], labels(SETS[5], data.train.x))
    assert data.name == "toy set 5"


def same(a, b):
    return torch.equal(a.x, b.x) and torch.equal(a.y["toy"], b.y["toy"])


def test_one_seed_gives_one_set_and_another_seed_another():
    assert same(make(9, 100, seed=3).train, make(9, 100, seed=3).train)
    assert not torch.isin(make(9, 100, seed=3).train.x, make(9, 100, seed=4).train.x).any()


def test_train_and_test_share_no_point_and_do_not_depend_on_each_others_size():
    data = make(9, 100, 100)
    assert not torch.isin(data.train.x, data.test.x).any()
    assert same(make(9, 1, 100).test, data.test)


@pytest.mark.parametrize("number", [2, 8])
@pytest.mark.parametrize("sampling", ["cycle", "joint", "separate", "uniform"])
def test_a_small_set_is_the_beginning_of_a_large_one(number, sampling):
    reading = Reading(sampling=sampling)
    large = make(number, 4000, reading=reading).train
    for n in (1, 2, 3, 7, 500):
        small = make(number, n, reading=reading).train
        assert len(small) == n
        assert torch.equal(small.x, large.x[:n])
        assert torch.equal(small.y["toy"], large.y["toy"][:n])


def test_a_set_by_its_templates_is_the_set_by_its_number():
    by_hand = (Donut(0.25, 0.0, 0.1), Donut(0.55, 0.0, 0.1))  # printed 0, a slider's 0.0
    assert same(make(by_hand, 40).train, make(8, 40).train)
    assert overlap(by_hand, 1000) == overlap(8, 1000)


@pytest.mark.parametrize("number", [0, 11, "9", 1.5])
def test_there_are_ten_sets(number):
    with pytest.raises(ValueError, match=f"toy set {number!r} does not exist: Table I has sets 1 to 10"):
        make(number)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_train": 0}, "n_train must be 1 or more, got 0"),
        ({"n_test": -1}, "n_test must be 1 or more, got -1"),
        ({"number": (Donut(5, 0, 0.1), Donut(0.5, 0, 0.1))}, "r=5.*none of 1000000 points"),
    ],
)
def test_impossible_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**{"number": 9} | arguments)


@pytest.mark.parametrize("name", ["band", "offset", "sampling"])
def test_an_unknown_reading_is_named(name):
    with pytest.raises(ValueError, match=f"{name} is one of .*, got 'other'"):
        Reading(**{name: "other"})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gets_the_same_set():
    there, here = make(9, 100, device="cuda").train, make(9, 100).train
    assert there.x.is_cuda
    assert torch.equal(there.x.cpu(), here.x)
    assert torch.equal(there.y["toy"].cpu(), here.y["toy"])


def test_frozen_points():
    """Should a change move these, every recorded result moves with them."""
    positive, negative = make(9, 2, seed=0).train.x.tolist()
    assert positive == pytest.approx([-0.3398480, 0.2414488], abs=1e-6)
    assert negative == pytest.approx([0.5646788, -0.7584374], abs=1e-6)
    assert make(9, 1, 3, seed=0).test.x[2].tolist() == pytest.approx([0.4905869, -0.0920985], abs=1e-6)
