"""What relates two tasks: counted from labels (X-11), and made wrong on purpose."""

import math
from itertools import pairwise

import pytest
import torch

from mtlib.coupling import Relations, counted
from mtlib.coupling.printed import relations

Y_CLASS = torch.tensor([[0], [0], [0], [1], [-1]])
Y = torch.tensor([[1, 0], [1, -1], [0, 0], [1, 1], [1, 1]])


def table(rows, columns, links, seed=0):
    """Every class linked to as many attributes as ``links`` says, each by another weight."""
    random = torch.Generator().manual_seed(seed)
    weight = torch.zeros(rows, columns)
    for k, n in enumerate(links):
        weight[k, torch.randperm(columns, generator=random)[:n]] = torch.linspace(0.2, 0.9, n) + 0.001 * k
    return Relations([f"c{k}" for k in range(rows)], [f"a{k}" for k in range(columns)], weight.ceil(), weight)


# ------------------------------------------------------------------ counted


def test_x11_counted_with_smoothing_by_hand():
    """(with both + 1) / (of the class + 2): of three images of A two have x, of the two that are told none has y."""
    found = counted(["A", "B", "C"], ["x", "y"], Y_CLASS, Y)
    hand = torch.tensor([[3 / 5, 1 / 4], [2 / 3, 2 / 3], [1 / 2, 1 / 2]])  # nothing is known of C
    torch.testing.assert_close(found.probability, hand)
    torch.testing.assert_close(found.weight, hand)
    assert found.linked.all()


def test_x11_as_printed_there_are_zeros_and_nothing_over_nothing():
    found = counted(["A", "B", "C"], ["x", "y"], Y_CLASS, Y, smoothing=0)
    torch.testing.assert_close(found.probability, torch.tensor([[2 / 3, 0], [1, 1], [0, 0]]))
    assert found.linked.tolist() == [[True, False], [True, True], [False, False]]


def test_more_smoothing_comes_closer_to_knowing_nothing():
    far = [(counted("AB", "xy", Y_CLASS, Y, s).probability - 0.5).abs().sum().item() for s in (0, 1, 10, 1e6)]
    assert far == sorted(far, reverse=True)
    assert far[-1] < 1e-5


def test_images_without_labels_and_no_images_tell_nothing():
    more = counted("AB", "xy", torch.cat([Y_CLASS, Y_CLASS[:2], Y_CLASS[-1:]]), torch.cat([Y, Y[:2] * 0 - 1, Y[-1:]]))
    torch.testing.assert_close(more.probability, counted("AB", "xy", Y_CLASS, Y).probability)
    none = counted("AB", "xy", Y_CLASS[:0], Y[:0])
    assert none.probability.tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_the_order_of_images_classes_and_attributes_does_not_matter():
    found = counted("ABC", "xy", Y_CLASS, Y).probability
    order = torch.tensor([3, 0, 4, 2, 1])
    torch.testing.assert_close(counted("ABC", "xy", Y_CLASS[order], Y[order]).probability, found)
    torch.testing.assert_close(counted("ABC", "yx", Y_CLASS, Y.flip(1)).probability, found.flip(1))
    swapped = torch.where(Y_CLASS >= 0, 2 - Y_CLASS, -1)
    torch.testing.assert_close(counted("CBA", "xy", swapped, Y).probability, found.flip(0))


def test_what_was_drawn_is_counted():
    random = torch.Generator().manual_seed(0)
    true = torch.rand(4, 3, generator=random)
    y_class = torch.randint(4, (20_000, 1), generator=random)
    y = torch.bernoulli(true[y_class[:, 0]], generator=random).long()
    torch.testing.assert_close(counted(range(4), range(3), y_class, y).probability, true, atol=0.03, rtol=0)


# ------------------------------------------------------------------ the table itself


def test_linked_and_listed():
    own = Relations(["A", "B"], ["x", "y", "z"], torch.ones(2, 3), torch.tensor([[0.5, 0, 0], [1, 0.1, 0]]))
    assert own.linked.tolist() == [[True, False, False], [True, True, False]]
    assert own.listed.tolist() == [True, True, False]
    assert (own.classes, own.attributes) == (("A", "B"), ("x", "y", "z"))
    assert own.weight.dtype == own.probability.dtype == torch.float32


def test_what_cannot_be_is_refused():
    half = torch.full((2, 2), 0.5)
    wrong = {
        "classes need one or more names, each once": (["A", "A"], ["x", "y"], half, half),
        "classes need one or more": ([], ["x", "y"], half[:0], half[:0]),
        "attributes need": (["A", "B"], [], half, half),
        r"probability must be \(K, M\) = \(2, 2\), got \(1, 2\)": (["A", "B"], ["x", "y"], half[:1], half),
        r"weight must be \(K, M\)": (["A", "B"], ["x", "y"], half, half[0]),
        "weight must be 0 to 1": (["A", "B"], ["x", "y"], half, half * 3),
        "probability must be 0 to 1": (["A", "B"], ["x", "y"], half * math.nan, half),
    }
    for message, own in wrong.items():
        with pytest.raises(ValueError, match=message):
            Relations(*own)
    with pytest.raises(ValueError, match="probability must be 0 to 1"):
        Relations(["A", "B"], ["x", "y"], -half, half)


def test_labels_that_do_not_fit_are_refused():
    for y_class, y in ((Y_CLASS[:, 0], Y), (Y_CLASS[:3], Y), (Y_CLASS, Y[:, :1]), (Y_CLASS, Y[:, 0])):
        with pytest.raises(ValueError, match=r"labels must be \(N, 1\) and \(N, 2\)"):
            counted("AB", "xy", y_class, y)
    with pytest.raises(ValueError, match="there are 1 classes, and a label is 1"):
        counted("A", "xy", Y_CLASS, Y)
    for smoothing in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="smoothing must be finite and 0 or more"):
            counted("AB", "xy", Y_CLASS, Y, smoothing)


# ------------------------------------------------------------------ wrong relations

SHARES = (0.0, 0.2, 0.35, 0.7, 1.0)
STUDY, SPARSE = relations("study"), table(6, 12, (0, 1, 2, 4, 5, 6))


def test_none_wrong_is_the_same():
    for own in (STUDY, table(2, 5, (5, 5))):
        same = own.wrong(0, seed=3)
        assert torch.equal(same.weight, own.weight)
        assert torch.equal(same.probability, own.probability)


@pytest.mark.parametrize("own", [STUDY, SPARSE], ids=["study", "sparse"])
def test_every_class_keeps_its_number_of_links_and_their_weights(own):
    for share in SHARES:
        other = own.wrong(share, seed=1)
        assert torch.equal(other.weight.sort(1).values, own.weight.sort(1).values)
        assert torch.equal(other.probability.sort(1).values, own.probability.sort(1).values)
        assert torch.equal(other.linked, other.probability > 0)  # both tables are exchanged alike
        links = own.linked.sum(1)
        assert torch.equal((own.linked & ~other.linked).sum(1), (share * links + 0.5).floor().long())


@pytest.mark.parametrize("own", [STUDY, SPARSE], ids=["study", "sparse"])
def test_a_larger_share_keeps_what_a_smaller_one_exchanges(own):
    made = [own.wrong(share, seed=2).weight for share in SHARES]
    for smaller, larger in pairwise(made):
        exchanged = smaller != own.weight
        assert torch.equal(smaller[exchanged], larger[exchanged])
        assert (larger != own.weight).sum() > exchanged.sum()


def test_all_wrong_leaves_no_link_where_enough_attributes_are_free():
    for own in (STUDY, SPARSE):
        assert (own.linked.sum(1) <= (~own.linked).sum(1)).all()
        assert not (own.linked & own.wrong(1, seed=0).linked).any()


def test_where_too_few_attributes_are_free_only_they_get_wrong_links():
    own = table(1, 6, (4,))
    assert (own.linked & ~own.wrong(1, seed=0).linked).sum() == 2


def test_where_all_are_linked_values_change_places():
    own = table(3, 8, (8, 8, 8))
    for share, moved in ((0.5, 4), (1.0, 8)):
        other = own.wrong(share, seed=0)
        assert (other.weight != own.weight).sum(1).tolist() == [moved] * 3
        assert torch.equal(other.weight.sort(1).values, own.weight.sort(1).values)


def test_the_seed_names_which():
    assert torch.equal(STUDY.wrong(0.5, seed=1).weight, STUDY.wrong(0.5, seed=1).weight)
    assert not torch.equal(STUDY.wrong(0.5, seed=1).weight, STUDY.wrong(0.5, seed=2).weight)
    before = STUDY.weight.clone()
    STUDY.wrong(1, seed=1)
    assert torch.equal(STUDY.weight, before)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_is_0_to_1(share):
    with pytest.raises(ValueError, match="0 to 1, got"):
        STUDY.wrong(share, seed=0)
