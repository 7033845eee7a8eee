"""Augmentation: what happens to each pixel, that labels go with it, and that all follows from (seed, step)."""

import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib import faces
from mtlib.augment import DRAWN, Augment
from mtlib.faces.names import MIRRORED
from mtlib.seeds import generator
from mtlib.tasks import Batch, Split, Task

ALL = Augment(flip=0.5, crop=2, rotate=20, scale=0.2, shift=0.1, mixup=0.5, positions={"place": None})


def numbers(rows=1, **columns):
    """Random numbers by hand: 0.5 is the middle of a range, which changes nothing, 1 nearly its upper end."""
    table = torch.full((rows, len(DRAWN)), 0.5, dtype=torch.float64)
    for name, values in columns.items():
        table[:, DRAWN.index(name.replace("_", " "))] = torch.as_tensor(values, dtype=torch.float64)
    return table


def pictures(*shape, dtype=torch.float32, seed=0):
    return torch.randint(0, 256, shape, generator=generator("pictures", seed)).to(dtype)


def changed(augment, x, table, **y):
    return augment.apply(Batch(x, y), table)


# ------------------------------------------------------------------ pixels by hand

PICTURE = torch.tensor([[[[1, 2, 3], [4, 5, 6]]]], dtype=torch.uint8)


@pytest.mark.parametrize(
    ("settings", "drawn", "expected"),
    [
        ({"flip": 1.0}, {}, [[3, 2, 1], [6, 5, 4]]),
        ({"flip": 0.5}, {"flip": 0.49}, [[3, 2, 1], [6, 5, 4]]),
        ({"flip": 0.5}, {"flip": 0.5}, [[1, 2, 3], [4, 5, 6]]),
        ({"crop": 1}, {}, [[1, 2, 3], [4, 5, 6]]),
        ({"crop": 1}, {"right": 0.99}, [[1, 1, 2], [4, 4, 5]]),  # beyond the edge lies the outermost pixel
        ({"crop": 1}, {"right": 0.0}, [[2, 3, 3], [5, 6, 6]]),
        ({"crop": 1}, {"down": 0.99}, [[1, 2, 3], [1, 2, 3]]),
        ({"crop": 1, "flip": 1.0}, {"right": 0.99, "down": 0.99}, [[3, 3, 2], [3, 3, 2]]),
        ({"shift": 1 / 3}, {"shift_right": 1.0}, [[1, 1, 2], [4, 4, 5]]),  # one of three pixels
        ({"shift": 1 / 6}, {"shift_right": 1.0}, [[1, 2, 2], [4, 4, 6]]),  # 1, 1.5, 2.5: bytes are rounded to even
        ({"rotate": 180}, {"angle": 1.0}, [[6, 5, 4], [3, 2, 1]]),
        ({"rotate": 180, "flip": 1.0}, {"angle": 0.0}, [[4, 5, 6], [1, 2, 3]]),
        ({"mixup": 1.0}, {"share": 0.25}, [[1, 2, 3], [4, 5, 6]]),  # a batch of one is mixed with itself
    ],
)
def test_a_picture_of_six_pixels(settings, drawn, expected):
    found = changed(Augment(**settings), PICTURE, numbers(**drawn)).x
    assert found.dtype == torch.uint8
    assert found[0, 0].tolist() == expected


def test_a_quarter_turn_is_clockwise():
    x = pictures(2, 3, 4, 4)
    found = changed(Augment(rotate=90), x, numbers(2, angle=[1.0, 0.0])).x
    torch.testing.assert_close(found[0], x[0].rot90(-1, (1, 2)), atol=1e-3, rtol=0)
    torch.testing.assert_close(found[1], x[1].rot90(1, (1, 2)), atol=1e-3, rtol=0)


def test_smaller_and_larger():
    x = pictures(2, 1, 8, 8, dtype=torch.float64)
    found = changed(Augment(scale=0.5), x, numbers(2, size=[0.0, 1.0])).x
    small = F.avg_pool2d(x[:1], 2)  # at half the size a pixel lies in the middle of four
    torch.testing.assert_close(found[:1, :, 2:6, 2:6], small)
    wide = F.interpolate(x[1:], scale_factor=1.5, mode="bilinear", align_corners=False)
    torch.testing.assert_close(found[1:], wide[..., 2:10, 2:10])


@settings(deadline=None, max_examples=40)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(4, 7), st.integers(4, 7)),
    crop=st.integers(0, 3),
    flip=st.sampled_from([0.0, 0.5, 1.0]),
    dtype=st.sampled_from([torch.uint8, torch.float32, torch.float16]),
    seed=st.integers(0, 1000),
)
def test_flips_and_crops_are_those_of_a_loop_over_pixels(shape, crop, flip, dtype, seed):
    augment, x = Augment(flip=flip, crop=crop), pictures(*shape, dtype=dtype, seed=seed)
    table = augment.numbers(seed, 7, len(x))
    found = changed(augment, x, table).x
    assert found.dtype == dtype
    height, width = shape[2:]
    for row, drawn in enumerate(table.tolist()):
        drawn = dict(zip(DRAWN, drawn, strict=True))
        right, down = (math.floor(drawn[name] * (2 * crop + 1)) - crop for name in ("right", "down"))
        for i in range(height):
            for j in range(width):
                here = min(max(j - right, 0), width - 1)
                here = width - 1 - here if drawn["flip"] < flip else here
                assert torch.equal(found[row, :, i, j], x[row, :, min(max(i - down, 0), height - 1), here])


def test_interpolating_by_nothing_is_copying():
    x = pictures(64, 3, 9, 6, dtype=torch.uint8)
    copied, interpolated = (Augment(flip=0.5, crop=3, rotate=angle)(Batch(x, {}), 0, 0).x for angle in (0, 1e-9))
    assert torch.equal(copied, interpolated)


def test_channels_last_pictures_and_any_precision_are_treated_alike():
    x = pictures(8, 3, 6, 5)
    for augment in (Augment(flip=0.5, crop=2), ALL):
        found = augment(Batch(x, {}), 3, 4).x
        last = augment(Batch(x.contiguous(memory_format=torch.channels_last), {}), 3, 4).x
        assert torch.equal(found, last)
        for dtype, error in ((torch.uint8, 0.51), (torch.float64, 1e-3), (torch.bfloat16, 1.0)):
            other = augment(Batch(x.to(dtype), {}), 3, 4).x
            assert other.dtype == dtype
            torch.testing.assert_close(other.float(), found, atol=error, rtol=0)


# ------------------------------------------------------------------ places go with their picture


def blobs(centres, height, width):
    """Pictures (n, P, H, W) of a soft blob per channel, at places (n, P, 2) as fractions."""
    x = (2 * torch.arange(width) + 1) / width - 1
    y = (2 * torch.arange(height) + 1) / height - 1
    across, down = (x - centres[..., :1]) * width / 2, (y - centres[..., 1:]) * height / 2  # n P W, n P H, in pixels
    return 200 * torch.exp(-(across.square().unsqueeze(2) + down.square().unsqueeze(3)) / 8)


def centroids(x):
    """Where the blobs are (n, P, 2), as fractions."""
    height, width = x.shape[2:]
    x = x.double() / x.double().sum((2, 3), keepdim=True)
    across, down = (2 * torch.arange(width) + 1) / width - 1, (2 * torch.arange(height) + 1) / height - 1
    return torch.stack([(x.sum(2) * across).sum(2), (x.sum(3) * down).sum(2)], 2)


@pytest.mark.parametrize(
    "settings",
    [
        {"flip": 0.5},
        {"crop": 3},
        {"rotate": 30},
        {"scale": 0.2},
        {"shift": 0.05},
        {"flip": 0.5, "crop": 2, "rotate": 20, "scale": 0.1, "shift": 0.05},
    ],
    ids=lambda settings: ", ".join(settings),
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_places_go_where_the_picture_goes(settings, dtype):
    height, width = 40, 60  # a turn must not stretch
    places = 0.7 * torch.rand(64, 3, 2, generator=generator("places")) - 0.35
    x = blobs(places, height, width).to(dtype)
    found = Augment(**settings, positions={"place": None})(Batch(x, {"place": places.flatten(1)}), 0, 0)
    moved = centroids(found.x)
    assert (moved - places).abs().max() > 0.05
    led = found.y["place"].unflatten(1, (-1, 2))
    pixels = (moved - led).abs() * torch.tensor([width, height]) / 2
    assert pixels.max() < (0.05 if dtype == torch.float32 else 0.1)


def test_a_turn_does_not_stretch():
    """In a picture of 8 x 4 pixels, a point two pixels to the right of the middle goes to two pixels below it."""
    augment, y = Augment(rotate=90, positions={"place": None}), torch.tensor([[0.5, 0.0]])
    found = changed(augment, pictures(1, 1, 4, 8), numbers(angle=1.0), place=y).y["place"]
    torch.testing.assert_close(found, torch.tensor([[0.0, 1.0]]), atol=1e-6, rtol=0)


def test_a_point_takes_the_name_of_the_one_whose_side_it_has_come_to():
    """Left eye, right eye, nose: in a mirrored picture the left eye is what was the right one."""
    y = torch.tensor([[-0.5, -0.2, 0.3, -0.1, 0.1, 0.4]])
    augment = Augment(flip=1.0, positions={"five": (1, 0, 2)})
    found = changed(augment, pictures(1, 1, 4, 4), numbers(), five=y).y["five"]
    torch.testing.assert_close(found, torch.tensor([[-0.3, -0.1, 0.5, -0.2, -0.1, 0.4]]))
    still = changed(Augment(flip=0.5, positions={"five": (1, 0, 2)}), pictures(1, 1, 4, 4), numbers(), five=y)
    torch.testing.assert_close(still.y["five"], y)  # one that is not mirrored keeps its names


def test_missing_places_stay_missing_and_nothing_else_moves():
    y = torch.tensor([[0.5, 0.5, math.nan, 0.5]])
    labels = {"place": y, "age": torch.tensor([[31.5]]), "smiles": torch.tensor([[-1]])}
    augment = Augment(flip=1.0, rotate=90, positions={"place": None}, unmoved=["age"])
    found = changed(augment, pictures(1, 1, 4, 4), numbers(angle=1.0), **labels).y
    torch.testing.assert_close(found["place"][:, :2], torch.tensor([[-0.5, -0.5]]))  # mirrored, then turned clockwise
    assert found["place"][:, 2:].isnan().all()
    assert found["age"] is labels["age"]
    assert found["smiles"] is labels["smiles"]


def test_drawn_faces_keep_their_eyes_where_they_are_seen():
    data = faces.dataset(train=32, validation=1, test=1, size=32, tasks=["landmarks"], storage="fly")
    batch = data.train.take(torch.arange(32))
    found = Augment(flip=1.0, positions={"landmarks": MIRRORED})(batch, 0, 0)
    before, after = (each.y["landmarks"].unflatten(1, (-1, 2)) for each in (batch, found))
    assert (after[:, 68, 0] < after[:, 69, 0]).all()  # left and right as seen
    torch.testing.assert_close(after[:, 30, 0], -before[:, 30, 0])
    torch.testing.assert_close(after[:, 68], before[:, 69] * torch.tensor([-1.0, 1.0]))


# ------------------------------------------------------------------ mix-up


def test_two_pictures_mixed_by_hand():
    x = torch.tensor([[0.0, 10.0], [100.0, 20.0]])  # inputs of any shape
    y = {"b": torch.tensor([[1], [-1]]), "p": torch.tensor([[0.5], [math.nan]])}
    batch = Batch(x, y, source=torch.tensor([1, 2]))
    table = numbers(2, share=[0.75, 0.9], coin=[0.8, 0.8], partner=[0.9, 0.1])  # each other's partner
    found = Augment(mixup=1.0).apply(batch, table)
    torch.testing.assert_close(found.x, torch.tensor([[25.0, 12.5], [90.0, 19.0]]))
    # The first row's coin is above its share: it takes all labels of the second, missing ones too.
    assert found.y["b"].tolist() == [[-1], [-1]]
    assert found.y["p"].isnan().all()
    assert found.source.tolist() == [2, 2]


def test_on_average_the_loss_is_mix_ups():
    n, heads = 6, 3
    augment = Augment(mixup=0.4)
    outputs = torch.randn(n, heads, generator=generator("outputs"), dtype=torch.float64)
    y = torch.randint(0, 2, (n, heads), generator=generator("labels"))
    y[0] = -1  # what a missing label counts for moves along: nothing
    tosses, table = 1000, augment.numbers(0, 0, n)
    order, share = table[:, DRAWN.index("partner")].argsort(), table[:, DRAWN.index("share")]

    def loss(labels):
        each = F.binary_cross_entropy_with_logits(outputs, labels.clamp(min=0).double(), reduction="none")
        return (each * (labels >= 0)).sum(1)

    mean = torch.zeros(n, dtype=torch.float64)
    for toss in range(tosses):
        table[:, DRAWN.index("coin")] = (toss + 0.5) / tosses  # evenly spread: the average over coins is nearly exact
        mean += loss(augment.apply(Batch(outputs, {"y": y}), table).y["y"]) / tosses
    exact = share * loss(y) + (1 - share) * loss(y[order])
    torch.testing.assert_close(mean, exact, atol=loss(y).max().item() / tosses, rtol=0)


@pytest.mark.parametrize("mixup", [0.2, 1.0, 8.0])
def test_shares_and_coins_have_their_distributions(mixup):
    table = torch.cat([Augment(mixup=mixup).numbers(0, step, 500) for step in range(40)])
    share, coin = (table[:, DRAWN.index(name)] for name in ("share", "coin"))
    assert share.mean().item() == pytest.approx(0.5, abs=0.01)
    assert share.var().item() == pytest.approx(1 / (4 * (2 * mixup + 1)), rel=0.03)
    first = (coin < share).double()
    for low, high in ((0, 0.3), (0.3, 0.7), (0.7, 1)):  # first pictures' labels are taken as often as they share
        inside = (share > low) & (share <= high)
        if inside.sum() > 500:
            assert first[inside].mean().item() == pytest.approx(share[inside].mean().item(), abs=0.04)


def test_relations_between_a_rows_labels_stay_true_and_every_row_is_somebodys_partner():
    n = 100
    y = torch.arange(n).unsqueeze(1)
    found = Augment(mixup=1.0)(Batch(torch.eye(n), {"a": y, "b": 2 * y}, source=3 * y[:, 0]), 0, 0)
    assert torch.equal(found.y["b"], 2 * found.y["a"])
    assert torch.equal(found.source.unsqueeze(1), 3 * found.y["a"])
    parts = [row.nonzero().flatten().tolist() for row in found.x]
    assert all(row in part and len(part) <= 2 for row, part in enumerate(parts))
    assert all(label in part for part, (label,) in zip(parts, found.y["a"].tolist(), strict=True))
    assert max(Counter(place for part in parts for place in part).values()) == 2
    torch.testing.assert_close(found.x.sum(1), torch.ones(n))


def test_groups_mix_among_themselves():
    n = 40
    x = torch.eye(n)
    table = torch.cat([ALL.numbers(seed, 0, n // 2) for seed in (1, 2)])
    together = Augment(mixup=1.0).apply(Batch(x, {}), table, groups=2).x
    halves = [Augment(mixup=1.0).apply(Batch(x[rows], {}), table[rows]).x for rows in (slice(20), slice(20, 40))]
    assert torch.equal(together, torch.cat(halves))


# ------------------------------------------------------------------ a pure function of (seed, step) and the row's place


def test_the_same_seed_and_step_give_the_same_and_others_give_others():
    batch = Batch(pictures(16, 3, 8, 8), {"place": torch.rand(16, 4)})
    torch.manual_seed(1)
    first, expected = ALL(batch, 5, 9), torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(3), expected)  # nobody else's random numbers are touched
    torch.manual_seed(2)
    again = ALL(batch, 5, 9)
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.y["place"], again.y["place"])
    for seed, step in ((6, 9), (5, 10), (9, 5)):
        assert not torch.equal(ALL(batch, seed, step).x, first.x)


def test_what_is_given_is_never_written_to():
    for dtype in (torch.uint8, torch.float32, torch.float64):
        batch = Batch(pictures(16, 3, 8, 8, dtype=dtype), {"place": torch.rand(16, 4)}, source=torch.arange(16))
        x, y, source = batch.x.clone(), batch.y["place"].clone(), batch.source.clone()
        ALL(batch, 0, 0)
        assert torch.equal(batch.x, x)
        assert torch.equal(batch.y["place"], y)
        assert torch.equal(batch.source, source)


def test_one_setting_leaves_the_others_numbers_as_they_are():
    for augment in (Augment(flip=0.1), Augment(crop=1, rotate=3), Augment(mixup=0.3), ALL):
        table, other = augment.numbers(3, 4, 50), Augment().numbers(3, 4, 50)
        columns = [place for place, name in enumerate(DRAWN) if name != "share"]
        assert torch.equal(table[:, columns], other[:, columns])


def test_parts_of_a_batch_are_changed_as_in_the_whole():
    augment = Augment(flip=0.5, crop=2, rotate=20, positions={"place": None})
    batch = Batch(pictures(10, 3, 8, 8), {"place": torch.rand(10, 4)})
    whole, table = augment(batch, 2, 3), augment.numbers(2, 3, 10)
    rows = slice(4, 7)
    part = augment.apply(Batch(batch.x[rows], {"place": batch.y["place"][rows]}), table[rows])
    assert torch.equal(part.x, whole.x[rows])
    assert torch.equal(part.y["place"], whole.y["place"][rows])


def test_settings_that_are_off_change_nothing():
    batch = Batch(torch.arange(12).view(6, 2), {"p": torch.rand(6, 2)})
    found = Augment()(batch, 0, 0)
    assert torch.equal(found.x, batch.x)
    assert found.y == batch.y


def test_frozen_values():
    """Another order of the random numbers would make every augmented record one of another run."""
    table = Augment(mixup=0.2).numbers(seed=1, step=2, rows=2)
    first = [0.162100, 0.902029, 0.932581, 0.975874, 0.898662, 0.048719, 0.463787, 0.0, 0.469875, 0.854187]
    assert table[0].tolist() == pytest.approx(first, abs=1e-6)
    x = torch.arange(2 * 3 * 3, dtype=torch.uint8).view(2, 1, 3, 3)
    found = Augment(flip=0.5, crop=1, mixup=0.2)(Batch(x, {"y": torch.tensor([[0], [1]])}), 1, 2)
    assert found.x.flatten(1).tolist() == [[10, 11, 11, 10, 11, 11, 13, 14, 14], [4, 4, 3, 4, 4, 3, 7, 7, 6]]
    assert found.y["y"].flatten().tolist() == [1, 0]


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flip": 1.1}, "flip must be a number from 0 to 1, got 1.1"),
        ({"flip": True}, "flip must be a number from 0 to 1, got True"),
        ({"rotate": -1}, "rotate must be a number from 0 to 180, got -1"),
        ({"scale": 1.0}, r"scale must be a number from 0 to 0\.9, got 1\.0"),
        ({"shift": "a"}, "shift must be a number from 0 to 1, got 'a'"),
        ({"mixup": math.inf}, "mixup must be a number from 0 to inf, got inf"),
        ({"mixup": math.nan}, "mixup must be a number"),
        ({"crop": -1}, "crop must be a whole number of pixels, 0 or more, got -1"),
        ({"crop": 1.5}, "crop must be a whole number of pixels, 0 or more, got 1.5"),
        ({"positions": ("place",)}, r"positions are \{task: order of its points\}, got \('place',\)"),
        (
            {"positions": {"place": (1, 2, 0)}},
            r"positions of 'place': the order says for every point .* got \(1, 2, 0\)",
        ),
        ({"positions": {"place": (0, 2)}}, r"\(1, 0\) for two eyes, or None; got \(0, 2\)"),
        ({"positions": {"place": "01"}}, "or None; got '01'"),
        ({"unmoved": "age"}, r"unmoved are names of tasks, \('age',\) for one"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Augment(**settings)


TASKS = (Task("place", "points", 4), Task("smiles", "binary", 1))


def split(shape=(4, 3, 8, 6), dtype=torch.uint8, place=(4, 4)):
    return Split(torch.zeros(*shape, dtype=dtype), {"place": torch.zeros(*place), "smiles": torch.zeros(4, 1)})


@pytest.mark.parametrize(
    ("settings", "split", "message"),
    [
        ({"flip": 0.5}, split((4, 2)), r"x must be pictures \(N, C, H, W\) to be moved, got \(4, 2\)"),
        ({"crop": 6}, split(), r"crop must be less than the pictures' size \(8, 6\): 6"),
        ({"mixup": 0.2}, split((4, 2), torch.int64), "x must be uint8 or floating, got torch.int64"),
        (
            {"shift": 0.2},
            split(),
            r"does task 'place' move with the picture\? .* positions=\{'place': order\}, else unm",
        ),
        (
            {"flip": 1, "positions": {"place": (1, 0, 2)}},
            split(),
            "'place' has an order of 3 points, its columns are 2",
        ),
        (
            {"flip": 1, "positions": {"smiles": None}, "unmoved": ["place"]},
            split(),
            r"positions of 'smiles' must be floating x1, y1, x2, ... \(N, 2 P\), got \(4, 1\)",
        ),
    ],
)
def test_data_that_it_cannot_be_done_to_is_refused(settings, split, message):
    with pytest.raises(ValueError, match=message):
        Augment(**settings).check(split, TASKS)


@pytest.mark.parametrize(
    "settings",
    [
        {"flip": 1, "positions": {"place": (1, 0)}},
        {"crop": 5, "positions": {"place": None, "of another data set": None}},
        {"rotate": 5, "unmoved": ["place"]},
        {"mixup": 1},  # moves nothing
        {},
    ],
)
def test_data_that_it_can_be_done_to_is_not(settings):
    Augment(**settings).check(split(), TASKS)
