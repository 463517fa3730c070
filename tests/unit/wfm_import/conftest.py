"""A jar compiled from the Java sources under fixtures/java, and what is read from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from java_jar import SOURCES, compile_jar

from flex_plugin_backend.wfm.contract import Profile, load_profile
from flex_plugin_backend.wfm.contract.importer import Draft, Evidence, draft_profile, read_jar


@pytest.fixture(scope="session")
def jar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_jar(SOURCES / "sdk", tmp_path_factory.mktemp("jar"))


@pytest.fixture(scope="session")
def evidence(jar: Path) -> Evidence:
    return read_jar(jar)


@pytest.fixture(scope="session")
def draft(evidence: Evidence) -> Draft:
    return draft_profile(load_profile(), evidence, name="acme")


@pytest.fixture(scope="session")
def drafted(draft: Draft, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    file = tmp_path_factory.mktemp("draft") / "acme.toml"
    file.write_text(draft.toml, encoding="utf-8")
    return load_profile(file)
