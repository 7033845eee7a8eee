"""Partitions of tasks: ranks by default, places by name, the paper's learned groups, and what is refused."""

import pytest

from mtlib.faces.names import ATTRIBUTES
from mtlib.structure.groups import Partition, learned_groups


def test_ranks_are_half_the_group_rounded_up():
    names = [f"t{k}" for k in range(21)]
    sizes = (1, 2, 3, 7, 8)
    groups = [names[sum(sizes[:k]) : sum(sizes[: k + 1])] for k in range(len(sizes))]
    partition = Partition(groups)
    assert partition.sizes == sizes
    assert partition.ranks == (1, 1, 2, 4, 4)  # below the size, but for the group of one (M-6)
    assert Partition(groups, [1, 2, 1, 7, 3]).ranks == (1, 2, 1, 7, 3)


def test_places_follow_the_tasks_order():
    partition = Partition([["c", "a"], ["b"]])
    assert partition.places(["a", "b", "c"]) == [[2, 0], [1]]
    assert partition.places(["c", "b", "a"]) == [[0, 2], [1]]


def test_shuffled_deals_the_names_anew_to_groups_of_the_same_sizes():
    names = [f"t{k}" for k in range(12)]
    partition = Partition([names[:5], names[5:6], names[6:]], [2, 1, 6])
    dealt = partition.shuffled(0)
    assert (dealt.sizes, dealt.ranks) == (partition.sizes, partition.ranks)
    assert sorted(name for group in dealt.groups for name in group) == sorted(names)
    assert dealt != partition
    assert dealt == partition.shuffled(0)
    assert dealt != partition.shuffled(1)


def test_the_learned_groups_are_those_of_section_5_4():
    partition = learned_groups(ATTRIBUTES)
    assert partition.sizes == (3, 15, 8, 1, 1, 1, 1, 1, 2, 7)
    assert partition.ranks == (2, 8, 4, 1, 1, 1, 1, 1, 1, 4)
    assert sorted(at for group in partition.places(ATTRIBUTES) for at in group) == list(range(40))
    assert set(partition.groups[0]) == {"High_Cheekbones", "Mouth_Slightly_Open", "Smiling"}
    assert set(partition.groups[8]) == {"Black_Hair", "Straight_Hair"}
    alone = {name for group in partition.groups if len(group) == 1 for name in group}
    assert alone == {"Wearing_Hat", "Gray_Hair", "Blurry", "Pale_Skin", "Eyeglasses"}


def test_the_learned_groups_take_any_forty_names_in_that_order():
    names = [f"a{k}" for k in range(40)]
    assert learned_groups(names).places(names) == learned_groups(ATTRIBUTES).places(ATTRIBUTES)
    with pytest.raises(ValueError, match="of 40 attributes, got 39 names"):
        learned_groups(names[1:])


@pytest.mark.parametrize(
    ("groups", "ranks", "message"),
    [
        ([], None, "needs one or more groups, none of them empty"),
        ([["a"], []], None, "needs one or more groups, none of them empty"),
        ([["a", "b"], ["c", "b"]], None, "more than once: b"),
        ([["a", "a"]], None, "more than once: a"),
        (["ab", "c"], None, "groups are sequences of names, one per group"),
        ("ab", None, "groups are sequences of names, one per group"),
        ([["a", "b"]], [3], "the group of a, b has rank 3, but only 2 tasks"),
        ([["a", "b"]], [0], "a rank must be a whole number of 1 or more, got 0"),
        ([["a", "b"]], [1, 1], "1 groups need 1 ranks, got 2"),
    ],
)
def test_groups_that_are_no_partition_are_refused(groups, ranks, message):
    with pytest.raises(ValueError, match=message):
        Partition(groups, ranks)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b", "c", "d"], "without a group: d"),
        (["a", "b"], "unknown: c"),
        (["a", "b", "c", "a"], "some are there twice"),
    ],
)
def test_tasks_that_do_not_fit_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        Partition([["c", "a"], ["b"]]).places(names)
