"""Pointing game and overlap, by hand; chance and the centre beside them."""

import math

import pytest
import torch

from mtlib.cam import centre, localise, mass, overlap, pointing, summarise, upsample
from mtlib.faces import draw


def picture(*rows):
    """One map or mask (1, 1, H, W) from its rows."""
    return torch.tensor([[rows]])


MASK = picture([0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]).bool()  # 2 of 12 pixels


def test_the_maximum_is_inside_or_not():
    inside, outside = picture([0, 0, 0, 3], [0, 0, 4, 0], [0.0] * 4), picture([0, 0, 0, 3], [0, 0, 2, 0], [0.0] * 4)
    assert pointing(inside, MASK).tolist() == [[1.0]]
    assert pointing(outside, MASK).tolist() == [[0.0]]


def test_several_maxima_share_the_point():
    assert pointing(picture([5, 0, 0, 0], [0, 5, 5, 5.0], [0.0] * 4), MASK).item() == 0.5
    assert pointing(torch.zeros(1, 1, 3, 4), MASK).item() == pytest.approx(2 / 12)


@pytest.mark.parametrize(("tolerance", "hit"), [(0, 0.0), (1, 1.0), (2, 1.0)])
def test_the_tolerance_is_in_pixels_to_all_sides(tolerance, hit):
    assert pointing(picture([9, 0, 0, 0], [0.0] * 4, [0.0] * 4), MASK, tolerance).item() == hit  # diagonal to the mask
    mask = torch.zeros(1, 1, 5, 9, dtype=torch.bool)
    mask[..., 2, 4] = True
    for far in range(5):
        shown = torch.zeros(1, 1, 5, 9)
        shown[..., 2, 4 + far] = 1
        assert pointing(shown, mask, tolerance).item() == float(far <= tolerance)


def test_mass_counts_the_positive_part_alone():
    shown = picture([1, 0, 0, -9], [0, 2, 1, 0], [-9, 0, 0, 0.0])
    assert mass(shown, MASK).item() == pytest.approx(3 / 4)
    assert mass(-torch.ones(1, 1, 3, 4), MASK).item() == pytest.approx(2 / 12)  # points nowhere: as chance


def test_overlap_by_hand():
    both = picture([0, 0, 0, 0], [0, 8, 9, 0], [0.0] * 4)
    one = picture([7, 0, 0, 0], [0, 8, 0, 0], [0.0] * 4)
    none = picture([7, 6, 0, 0], [0, 0, 0, 0], [0.0] * 4)
    assert [overlap(shown, MASK).item() for shown in (both, one, none)] == [1.0, 1 / 3, 0.0]
    tied = picture([0, 0, 0, 0], [0, 5, 3, 3], [0, 0, 3, 0.0])  # one pixel to choose of three equal ones, one inside
    assert overlap(tied, MASK).item() == pytest.approx((1 + 1 / 3) / (4 - 4 / 3))


def test_the_mask_itself_is_the_best_map_and_its_complement_the_worst():
    masks = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(1)) > 0.7
    for score in (pointing, mass, overlap):
        assert score(masks.float(), masks).eq(1).all()
        assert score(1 - masks.float(), masks).eq(0).all()


def test_what_scores_do_not_depend_on():
    random = torch.Generator().manual_seed(2)
    maps, masks = torch.randn(4, 3, 7, 9, generator=random), torch.rand(4, 3, 7, 9, generator=random) > 0.6
    shuffle = torch.randperm(63, generator=random)
    for score in (pointing, mass, overlap):
        expected = score(maps, masks)
        torch.testing.assert_close(score(5 * maps, masks), expected)  # units
        moved = [each.flatten(2)[..., shuffle].view_as(each) for each in (maps, masks)]
        torch.testing.assert_close(score(*moved), expected)  # places
        torch.testing.assert_close(score(maps[[2, 0]], masks[[2, 0]]), expected[[2, 0]])  # company
    for score in (pointing, overlap):  # which look at the order of pixels alone
        torch.testing.assert_close(score(maps.exp(), masks), score(maps, masks))


def test_chance_is_the_masks_share_of_the_picture():
    masks = MASK.expand(1, 2, -1, -1).clone()
    masks[0, 1, 0] = True  # 6 of 12
    found = localise(torch.rand(1, 2, 3, 4), masks)
    torch.testing.assert_close(found["pointing by chance"], torch.tensor([[1 / 6, 1 / 2]]).double())
    torch.testing.assert_close(found["mass by chance"], torch.tensor([[1 / 6, 1 / 2]]).double())
    torch.testing.assert_close(found["overlap by chance"], torch.tensor([[1 / 11, 1 / 3]]).double())  # a / (2 - a)
    wide = localise(torch.rand(1, 2, 3, 4), masks, tolerance=1)
    assert wide["pointing by chance"].tolist() == [[1.0, 1.0]]  # every pixel is next to one of the mask


def test_random_maps_score_what_chance_says():
    masks = torch.zeros(4000, 1, 6, 6, dtype=torch.bool)
    masks[..., 1:4, 2:5] = True
    found = localise(torch.rand(4000, 1, 6, 6, generator=torch.Generator().manual_seed(3)), masks)
    for name in ("pointing", "mass", "overlap"):
        assert found[name].mean().item() == pytest.approx(found[f"{name} by chance"].mean().item(), abs=0.03)


def test_the_centre_is_a_gaussian_and_beats_chance_where_masks_are_central():
    blob = centre((5, 7), 0.2)
    assert blob[2, 3] == blob.max() == 1
    assert all(torch.equal(blob, blob.flip(axis)) for axis in (0, 1))
    assert (centre((6, 6)) == centre((6, 6)).max()).sum() == 4  # which share a point
    assert blob[2, 4].item() == pytest.approx(math.exp(-((1 / 7) ** 2) / (2 * 0.2**2)))
    found = localise(torch.rand(1, 1, 3, 4), MASK)
    assert found["pointing of the centre"].item() == 1
    assert found["mass of the centre"].item() > found["mass by chance"].item()
    assert found["overlap of the centre"].item() == 1


def test_faces_without_mask_are_left_out_and_counted():
    maps, masks = torch.rand(3, 2, 3, 4), MASK.repeat(3, 2, 1, 1)
    masks[:, 1] = False  # an attribute without pixels
    masks[2, 0] = False
    found = summarise(localise(maps, masks))
    assert found["faces"].tolist() == [2, 0]
    assert found["left out"].tolist() == [1, 3]
    alone = summarise(localise(maps[:2], masks[:2]))
    for name in ("pointing", "mass", "overlap", "mass by chance", "overlap of the centre"):
        assert found[name][1].isnan()
        assert found[name][0] == alone[name][0]


def test_only_the_faces_asked_for_count():
    maps, masks = torch.rand(3, 1, 3, 4), MASK.repeat(3, 1, 1, 1)
    found = localise(maps, masks, where=torch.tensor([[True], [False], [True]]))
    assert found["mass"].isnan().flatten().tolist() == [False, True, False]
    assert summarise(found)["faces"].tolist() == [2]


def test_drawn_faces_have_masks_and_a_good_map_beats_the_centre():
    names = ("Eyeglasses", "Mouth_Slightly_Open", "Attractive")
    faces = draw(range(0, 800, 100), size=32)
    masks = torch.stack([faces.mask(name) for name in names], 1)
    coarse = torch.nn.functional.avg_pool2d(masks.float(), 4)  # what the best map of 8 x 8 places could show
    found = summarise(localise(upsample(coarse, (32, 32)), masks))
    assert found["faces"].tolist() == [8, 8, 0]
    for name in ("mass", "overlap"):
        assert (found[name] > found[f"{name} of the centre"])[:2].all()
        assert (found[name] > 2 * found[f"{name} by chance"])[:2].all()


@pytest.mark.parametrize(
    ("maps", "masks", "message"),
    [
        (torch.rand(1, 2, 3, 4), MASK, "both"),
        (torch.rand(3, 4), MASK[0, 0], "both"),
        (torch.rand(1, 1, 3, 4), MASK.long(), "torch.int64"),
        (torch.full((1, 1, 3, 4), torch.nan), MASK, "finite"),
    ],
)
def test_what_does_not_fit_is_refused(maps, masks, message):
    for score in (pointing, mass, overlap, localise):
        with pytest.raises(ValueError, match=message):
            score(maps, masks)


@pytest.mark.parametrize("tolerance", [-1, 0.5])
def test_tolerances_that_cannot_be_are_refused(tolerance):
    with pytest.raises(ValueError, match="tolerance must be a whole number"):
        pointing(torch.rand(1, 1, 3, 4), MASK, tolerance)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="sigma"):
        centre((3, 4), 0)
    with pytest.raises(ValueError, match=r"where is \(1, 1\) bool"):
        localise(torch.rand(1, 1, 3, 4), MASK, where=torch.ones(1, 2, dtype=torch.bool))
