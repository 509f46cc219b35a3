"""What every test shares: deterministic property tests whose examples take as long as they take."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("tierline", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tierline")
