"""Settings that all tests share."""

import os

import pytest
from effort import some
from hypothesis import settings

# The same examples everywhere, so that a failure is a failure of the change under test; no
# deadline, since the machine runs other tests at the same time.
settings.register_profile(
    "gmmcli", deadline=None, derandomize=True, max_examples=some(few=25, every=100)
)
settings.load_profile("gmmcli")

# set where the tests in a browser must not be left out: .ci/run does
BROWSER_IS_A_MUST = os.environ.get("GMMCLI_TEST_BROWSER", "") not in {"", "0"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if BROWSER_IS_A_MUST and report.skipped and "chromium" in item.fixturenames:
        report.outcome = "failed"
        report.longrepr = f"GMMCLI_TEST_BROWSER is set, and it was skipped: {report.longrepr[-1]}"
    return report
