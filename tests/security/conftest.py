"""A gateway with keys, as one on the open network has them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from security.guarded import SECRETS, SPEC, Guarded
from server.harness import serving


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    spec = tmp_path_factory.mktemp("guarded") / "tierline.yaml"
    spec.write_text(SPEC)
    with serving(spec, **SECRETS) as running:
        yield Guarded(running)
