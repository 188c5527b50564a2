"""Settings that all tests share."""

from hypothesis import settings

# The same examples everywhere, so that a failure is a failure of the change under test; no
# deadline, since the machine runs other tests at the same time.
settings.register_profile("gmmcli", deadline=None, derandomize=True)
settings.load_profile("gmmcli")
