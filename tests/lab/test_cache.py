"""The cache where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import LabError, cache


def test_a_folder_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    with pytest.raises(LabError, match=r"^/\S+: Not a directory: .* XDG_CACHE_HOME"):
        cache.entry("some/entry", Path.touch)
