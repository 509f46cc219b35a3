"""The gate: which bars a router must clear, whether it does, and how that is told."""
