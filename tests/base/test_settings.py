"""Settings from the environment: what is no number of the kind is refused with an example."""

from __future__ import annotations

import pytest

from dealermart.base import ConfigError, load_settings

PORTS = {"": None, "0": 0, "8081": 8081, "65535": 65535}


@pytest.mark.parametrize("text", PORTS)
def test_the_port_is_what_is_said(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DEALERMART_PORT", text)
    assert load_settings().port == PORTS[text]


@pytest.mark.parametrize("text", ["65536", "-1", "http", "8080.5", " "])
def test_what_is_no_port_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DEALERMART_PORT", text)
    with pytest.raises(ConfigError, match="DEALERMART_PORT is not a port") as error:
        load_settings()
    assert "8081" in error.value.mend
