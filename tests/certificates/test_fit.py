"""What `ropes doctor` says of a machine that cannot draw certificates."""

from __future__ import annotations

import pytest

from certificates.rendering import fit


def test_libraries_and_fonts_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fit.check_pango() is None
    monkeypatch.setattr(fit, "PANGO", ("libnowhere.so.0",))
    assert "libnowhere.so.0 is missing" in (fit.check_pango() or "")
    monkeypatch.setattr(fit.shutil, "which", lambda _name: None)
    assert "Install fontconfig" in (fit.check_fonts() or "")
