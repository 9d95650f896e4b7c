"""What holds for every test: a machine may be as slow as it likes."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "no clock", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("no clock")
