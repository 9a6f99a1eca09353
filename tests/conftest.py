"""What holds for every level."""

from hypothesis import HealthCheck, settings

# A busy machine is slow; that is no property of what is tested.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
