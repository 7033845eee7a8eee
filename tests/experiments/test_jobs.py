"""Long work in parts: what is done is not done again, and several processes find the same."""

import json
from functools import partial

import pytest

from mtlib.experiments import jobs


def square(job, factor, advance=jobs.nothing):
    advance(1)
    return [{"job": job, "square": factor * job**2}]


def wrong(job, advance=jobs.nothing):
    raise ValueError(f"job {job} went wrong")


def test_one_process_tells_its_progress_as_it_goes():
    told = []
    rows = jobs.run_all([1, 2, 3], partial(square, factor=10), lambda job: 1, 1, told.append)
    assert [row["square"] for row in rows] == [10, 40, 90]
    assert told == [1, 1, 1]


def test_several_processes_give_the_same_rows_in_some_order():
    todo, told = [[{"row": 1}], [{"row": 2}, {"row": 3}]], []
    rows = jobs.run_all(todo, list, len, 2, told.append)  # a job is its own rows
    assert sorted(row["row"] for row in rows) == [1, 2, 3]
    assert sorted(told) == [1, 2]


def test_one_process_keeps_the_order():
    assert [row["job"] for row in jobs.run_all([3, 1, 2], partial(square, factor=1), lambda job: 1)] == [3, 1, 2]


def test_a_failing_job_ends_the_work_with_its_own_error():
    with pytest.raises(ValueError, match="job 1 went wrong"):
        jobs.run_all([1, 2], wrong, lambda job: 1)


def test_a_finished_job_is_read_and_not_made_again(tmp_path):
    path, calls = tmp_path / "one.json", []

    def make():
        calls.append(1)
        return [{"value": 0.1}]

    assert jobs.once(path, make) == jobs.once(path, make) == [{"value": 0.1}]
    assert len(calls) == 1
    assert json.loads(path.read_text()) == [{"value": 0.1}]


def test_a_job_that_fails_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError):
        jobs.once(tmp_path / "one.json", lambda: 1 / 0)
    assert not list(tmp_path.iterdir())


def test_the_name_follows_everything_that_decides():
    assert jobs.digest(1, "a") == jobs.digest(1, "a") != jobs.digest(1, "b")
