"""People in the gallery: enrolled, found, rejected, and of which bundle they are."""

from __future__ import annotations

import concurrent.futures
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_runtime.bundle.manifest import Manifest
from edge_runtime.errors import GalleryError, UsageError
from edge_runtime.files import checked_name, name_key
from edge_runtime.gallery import database
from edge_runtime.gallery.roster import mean_template
from edge_runtime.gallery.samples import NewSample
from edge_runtime.gallery.store import Gallery
from tests.edge_runtime.gallery.refusing import refusal, with_networks

SamplesOf = Callable[..., list[NewSample]]
EmbeddingsOf = Callable[..., npt.NDArray[np.float32]]


def test_enrolled_people_are_found(
    gallery: Gallery, samples_of: SamplesOf, embeddings_of: EmbeddingsOf
) -> None:
    for seed in range(20):
        summary = gallery.enroll(f"person {seed}", samples_of(seed))
        assert (summary.person, summary.faces, summary.clips) == (f"person {seed}", 3, 2)
    for seed in range(20):
        for modality, offset in (("face", 0), ("voice", 10_000)):
            sought = embeddings_of(offset + seed, 5)[4]
            found = gallery.search(modality, sought, num_top=3)  # type: ignore[arg-type]
            assert len(found) == 3 and found[0].person == f"person {seed}"
            samples = [s.embedding for s in samples_of(seed) if s.modality == modality]
            assert found[0].similarity == pytest.approx(
                float(mean_template(np.stack(samples)) @ sought), abs=1e-6)
            assert found[0].similarity > 0.6 > found[1].similarity


def test_search_before_anybody_is_enrolled(
    gallery: Gallery, samples_of: SamplesOf, embeddings_of: EmbeddingsOf
) -> None:
    assert gallery.search("face", embeddings_of(1, 1)[0]) == []
    gallery.enroll("Anna", samples_of(1, clips=0))
    assert gallery.search("voice", embeddings_of(1, 1)[0]) == []
    assert [match.person for match in gallery.search("face", embeddings_of(1, 1)[0])] == ["Anna"]


def test_people(gallery: Gallery, samples_of: SamplesOf) -> None:
    assert gallery.people() == []
    gallery.enroll("Ben", samples_of(2, 20, 20), consent="yes")
    gallery.enroll("Anna", samples_of(1, 0, 1))
    gallery.reject("Anna", samples_of(3, 2, 3))
    ben, anna = gallery.people()
    assert (ben.person, ben.faces, ben.clips, ben.rejected, ben.consent) == (
        "Ben", 20, 20, 0, "yes")
    assert (anna.person, anna.faces, anna.clips, anna.rejected, anna.consent) == (
        "Anna", 0, 1, 5, None)


def test_a_name_is_taken_once(gallery: Gallery, samples_of: SamplesOf) -> None:
    gallery.enroll("Anna", samples_of(1))
    for name in ("Anna", "ANNA", " anna "):
        assert "is enrolled already; 'visavox forget'" in refusal(
            lambda name=name: gallery.enroll(name, samples_of(2)))
    assert len(gallery.people()) == 1


@pytest.mark.parametrize(("faces", "clips"), [(3, 0), (0, 2), (3, 2)])
def test_the_same_person_under_another_name(
    gallery: Gallery, samples_of: SamplesOf, faces: int, clips: int
) -> None:
    gallery.enroll("Anna", samples_of(1))
    again = samples_of(1, faces + 2, clips + 2)
    again = [s for s in again if faces or s.modality == "voice"]
    again = [s for s in again if clips or s.modality == "face"]
    message = refusal(lambda: gallery.enroll("Annika", again))
    assert message.startswith("'Annika' seems to be enrolled already as 'Anna' (cosine 0.")
    assert "repeat with --allow-duplicate" in message
    assert [p.person for p in gallery.people()] == ["Anna"]
    gallery.enroll("Annika", again, allow_duplicate=True)
    assert [p.person for p in gallery.people()] == ["Anna", "Annika"]


def test_anothers_voice_alone_is_no_duplicate(gallery: Gallery, samples_of: SamplesOf) -> None:
    gallery.enroll("Anna", samples_of(1))
    mixed = [*samples_of(2, clips=0), *samples_of(1, faces=0)]
    gallery.enroll("Ben", mixed)
    assert len(gallery.people()) == 2


def test_samples_that_disagree_enroll_nobody(gallery: Gallery, samples_of: SamplesOf) -> None:
    samples = [*samples_of(1), *samples_of(2, 1, 0)]
    assert "does not agree with the other faces" in refusal(
        lambda: gallery.enroll("Anna", samples))
    assert gallery.people() == [] and len(gallery.audit()) == 1


def test_without_a_bundle_people_are_listed_and_nobody_enrolled(
    gallery: Gallery, path: Path, key_file: Path, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1))
    with Gallery.open(path, key_file=key_file, mode="write") as other:
        assert len(other.people()) == 1
        with pytest.raises(UsageError, match="opened with a bundle's manifest"):
            other.enroll("Ben", samples_of(2))


def test_opened_for_reading_nothing_is_written(
    gallery: Gallery, path: Path, manifest: Manifest, key_file: Path, samples_of: SamplesOf
) -> None:
    with Gallery.open(path, manifest, key_file) as reader:
        assert "may only be read" in refusal(lambda: reader.enroll("Anna", samples_of(1)))
    assert gallery.people() == []


def test_programs_see_each_other(
    gallery: Gallery, path: Path, manifest: Manifest, key_file: Path, samples_of: SamplesOf,
    embeddings_of: EmbeddingsOf,
) -> None:
    sought = embeddings_of(1, 1)[0]
    with Gallery.open(path, manifest, key_file, mode="write") as other:
        other.enroll("Ben", samples_of(2))
        assert [m.person for m in gallery.search("face", sought)] == ["Ben"]
        gallery.enroll("Anna", samples_of(1))
        assert [m.person for m in other.search("face", sought)] == ["Anna", "Ben"]
        gallery.forget("Anna")
        assert [m.person for m in other.search("face", sought)] == ["Ben"]
        other.forget("Ben")
        assert gallery.search("face", sought) == [] and gallery.people() == []
        assert [e.event for e in gallery.audit()].count("forgotten") == 2


def test_reading_while_others_write(
    gallery: Gallery, path: Path, manifest: Manifest, key_file: Path, samples_of: SamplesOf
) -> None:
    """Whoever reads sees one moment: nobody half there, and no log without its end."""
    def enroll_and_forget() -> None:
        with Gallery.open(path, manifest, key_file, mode="write") as writer:
            for seed in range(15):
                writer.enroll(f"person {seed}", samples_of(seed, 2, 0), consent="yes")
                writer.forget(f"person {seed}")

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        writing = pool.submit(enroll_and_forget)
        rounds = 0
        while not writing.done():
            assert all((p.faces, p.consent) == (2, "yes") for p in gallery.people())
            entries = gallery.audit()
            assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
            rounds += 1
        writing.result()
    assert rounds > 3 and len(gallery.audit()) == 31


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, max_size=5), consent=st.none() | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=200), seed=st.integers(0, 1000))
def test_what_goes_in_comes_out(
    manifest: Manifest, key_file: Path, samples_of: SamplesOf, names: list[str],
    consent: str | None, seed: int,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gallery.db"
        expected: dict[str, str] = {}
        with Gallery.open(path, manifest, key_file, mode="create") as gallery:
            for number, name in enumerate(names):
                try:
                    summary = gallery.enroll(name, samples_of(seed + number, 2, 1),
                                             consent=consent)
                except GalleryError:
                    continue
                assert name_key(name) not in expected
                expected[name_key(name)] = summary.person
        with Gallery.open(path, manifest, key_file) as gallery:
            people = gallery.people()
            assert [p.person for p in people] == list(expected.values())
            assert all(p.consent == consent and (p.faces, p.clips) == (2, 1) for p in people)
            assert len(gallery.audit()) == 1 + len(people)
    fit = {name_key(name) for name in names if is_fit(name)}
    assert set(expected) == (set() if consent is not None and not consent.strip() else fit)


def is_fit(name: str) -> bool:
    try:
        checked_name(name)
    except GalleryError:
        return False
    return True


# Rejected samples.

def test_rejected_samples_are_kept_for_thirty_days(
    gallery: Gallery, path: Path, manifest: Manifest, key_file: Path, samples_of: SamplesOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gallery.enroll("Anna", samples_of(1))
    gallery.reject("Anna", samples_of(2, 2, 0))
    np.testing.assert_array_equal(gallery.rejected("Anna", "face"),
                                  [s.embedding for s in samples_of(2, 2, 0)])
    begun = datetime.now(UTC)

    class Later(datetime):
        days = 2

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return begun + timedelta(days=cls.days)

    monkeypatch.setattr(database, "datetime", Later)
    gallery.reject("Anna", samples_of(2, 0, 1))
    assert gallery.rejected("Anna", "voice").shape == (1, 320)
    Later.days = 31
    assert gallery.people()[0].rejected == 1  # even where nobody has opened it for writing since
    with Gallery.open(path, manifest, key_file) as reader:
        assert reader.people()[0].rejected == 1
    assert gallery.rejected("Anna", "face").shape == (2, 320)
    with Gallery.open(path, manifest, key_file, mode="write") as writer:
        assert writer.rejected("Anna", "face").size == 0
        [summary] = writer.people()
        assert (summary.faces, summary.clips, summary.rejected) == (3, 2, 1)
        assert writer.audit()[-1].event == "expired"
        assert writer.audit()[-1].counts == {"faces": 2, "clips": 0}
    with Gallery.open(path, manifest, key_file, mode="write") as writer:
        assert [entry.event for entry in writer.audit()].count("expired") == 1


def test_nobody_to_reject(gallery: Gallery, samples_of: SamplesOf) -> None:
    assert "nobody is enrolled as 'Anna'" in refusal(
        lambda: gallery.reject("Anna", samples_of(1)))


# Another bundle.

def test_another_bundle_is_refused(
    gallery: Gallery, path: Path, manifest: Manifest, key_file: Path, samples_of: SamplesOf
) -> None:
    gallery.enroll("Anna", samples_of(1, clips=0))
    other_voice = with_networks(manifest, voice="1" * 64)
    Gallery.open(path, other_voice, key_file).close()  # nobody's voice is enrolled yet
    gallery.enroll("Ben", samples_of(2))
    for other in (other_voice, with_networks(manifest, face="1" * 64)):
        message = refusal(lambda other=other: Gallery.open(path, other, key_file))
        assert "made with another bundle" in message and "111111111111" in message
    gallery.forget("Ben")
    Gallery.open(path, other_voice, key_file).close()
    gallery.forget("Anna")
    Gallery.open(path, with_networks(manifest, face="1" * 64), key_file).close()


def test_two_bundles_at_the_same_time(
    gallery: Gallery, path: Path, manifest: Manifest, key_file: Path, samples_of: SamplesOf
) -> None:
    other = with_networks(manifest, face="1" * 64)
    with Gallery.open(path, other, key_file, mode="write") as quicker:
        quicker.enroll("Anna", samples_of(1))
        assert "made with another bundle" in refusal(
            lambda: gallery.enroll("Ben", samples_of(2)))
        assert len(quicker.people()) == 1
