"""Every message of the source is translated into every language, with its places kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from lms.web.i18n import LANGUAGES
from tests.contract import catalogues

pytestmark = pytest.mark.house
TRANSLATED = sorted(set(LANGUAGES) - {catalogues.SOURCE_LANGUAGE})


@pytest.fixture(scope="module")
def source() -> Catalog:
    return catalogues.extract()


def test_messages_are_found_in_code_and_templates(source: Catalog) -> None:
    where = {place for message in source for place, _line in message.locations}
    assert "courses/plugin.py" in where
    assert any(place.endswith(".html") for place in where)
    assert not any(place.startswith("lms/bootstrap") for place in where)


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_left_untranslated(language: str, source: Catalog) -> None:
    found = list(catalogues.faults(source, catalogues.load(language)))
    assert found == [], f"{len(found)} faults in {language}; `make messages` adds what is new"


def catalogue(**translations: str) -> Catalog:
    made = Catalog(locale="de")
    for key, text in translations.items():
        made.add({"hello": "Hello, %(name)s.", "bye": "Goodbye."}[key], text)
    return made


def source_of_two() -> Catalog:
    return catalogue(hello="", bye="")


@pytest.mark.parametrize(
    ("translated", "fault"),
    [
        (catalogue(hello="Guten Tag, %(name)s."), "not in the catalogue"),
        (catalogue(hello="Guten Tag, %(name)s.", bye=""), "not translated"),
        (catalogue(hello="Guten Tag.", bye="Auf Wiedersehen."), "places"),
        (catalogue(hello="Guten Tag, %(nmae)s.", bye="Auf Wiedersehen."), "places"),
        (catalogue(hello="Guten Tag, %(name)s.", bye="Auf Wiedersehen."), None),
    ],
)
def test_what_is_missing_is_named(translated: Catalog, fault: str | None) -> None:
    found = list(catalogues.faults(source_of_two(), translated))
    assert len(found) == (0 if fault is None else 1)
    assert fault is None or fault in found[0]


def test_a_changed_message_is_not_taken_for_translated() -> None:
    translated = catalogue(hello="Guten Tag, %(name)s.")
    translated.add("Goodbye.", "Auf Wiedersehen.", flags=["fuzzy"])
    assert "changed" in next(catalogues.faults(catalogue(hello="", bye=""), translated))


def test_update_adds_what_is_new_and_keeps_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    monkeypatch.setattr(catalogues, "extract", lambda: catalogue(hello=""))
    catalogues.update()
    path = catalogues.path_of("ar")
    path.write_text(
        path.read_text().replace(
            'msgid "Hello, %(name)s."\nmsgstr ""',
            'msgid "Hello, %(name)s."\nmsgstr "%(name)s مرحبا"',
        )
    )
    monkeypatch.setattr(catalogues, "extract", source_of_two)
    catalogues.update()
    found = catalogues.load("ar")
    assert found["Hello, %(name)s."].string == "%(name)s مرحبا"
    assert len(list(catalogues.faults(source_of_two(), found))) == 1
