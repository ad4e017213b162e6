"""The index finds what a plain look at every template finds, however it came about."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.gallery.roster import TemplateIndex, mean_template

DIM = 6
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.integers(0, 12)), max_size=60)


def template(number: int, version: int) -> npt.NDArray[np.float32]:
    drawn = np.random.default_rng([number, version]).standard_normal(DIM)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


@given(STEPS, st.integers(1, 15))
def test_as_a_plain_look_at_all(steps: list[tuple[str, int]], num_top: int) -> None:
    index, known = TemplateIndex(DIM), {}
    for version, (step, number) in enumerate(steps):
        person = bytes([number])
        if step == "add":
            known[person] = template(number, version)
            index.extend([person], known[person][np.newaxis])
        elif person in known:
            del known[person]
            index.remove(person)
        assert len(index) == len(known) and (person in index) == (person in known)
    sought = template(99, 0)
    found = index.best(sought, num_top)
    expected = sorted(((float(t @ sought), p) for p, t in known.items()), reverse=True)[:num_top]
    assert [person for person, _ in found] == [person for _, person in expected]
    np.testing.assert_allclose([cosine for _, cosine in found], [c for c, _ in expected],
                               atol=1e-6)


def test_many_at_once_and_equals_in_the_order_they_came() -> None:
    index = TemplateIndex(2)
    people = [bytes([number]) for number in range(20)]
    index.extend(people, np.tile(np.float32([1, 0]), (20, 1)))
    assert [person for person, _ in index.best(np.float32([1, 0]), 5)] == people[:5]
    index.extend([people[3]], np.float32([[0, 1]]))
    assert index.best(np.float32([0, 1]), 1) == [(people[3], 1.0)]


def test_nobody_and_nothing_wanted() -> None:
    index = TemplateIndex(2)
    assert index.best(np.float32([1, 0]), 5) == []
    index.extend([b"a"], np.float32([[1, 0]]))
    assert index.best(np.float32([1, 0]), 0) == []


def test_who_is_taken_out_leaves_no_template() -> None:
    index = TemplateIndex(2)
    index.extend([b"a", b"b"], np.float32([[0.6, 0.8], [1, 0]]))
    index.remove(b"a")
    assert not np.isin(index._templates, np.float32([0.6, 0.8])).any()
    with pytest.raises(KeyError):
        index.remove(b"a")


def test_the_mean_template() -> None:
    rows = np.float32([[1, 0], [0, 1]])
    np.testing.assert_allclose(mean_template(rows), np.sqrt([0.5, 0.5]), rtol=1e-6)
    np.testing.assert_array_equal(mean_template(rows[:1]), rows[0])
    assert np.isfinite(mean_template(np.float32([[1, 0], [-1, 0]]))).all()
