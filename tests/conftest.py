"""Settings that all tests share."""

import os

import pytest
from effort import chosen
from hypothesis import settings

# The same examples everywhere, so that a failure is a failure of the change under test; no
# deadline, since the machine runs other tests at the same time.
settings.register_profile("gmmcli", deadline=None, derandomize=True)
settings.load_profile("gmmcli")

# a worker that came to these last would be waited for
LONGEST = {"test_transcripts.py", "test_gallery.py", "test_golden.py"}

# set where the tests in a browser must not be left out: .ci/run does
BROWSER_IS_A_MUST = os.environ.get("GMMCLI_TEST_BROWSER", "") not in {"", "0"}


def pytest_collection_modifyitems(config, items):
    items[:], left_out = chosen(items)
    config.hook.pytest_deselected(items=left_out)
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if BROWSER_IS_A_MUST and report.skipped and "chromium" in item.fixturenames:
        report.outcome = "failed"
        report.longrepr = f"GMMCLI_TEST_BROWSER is set, and it was skipped: {report.longrepr[-1]}"
    return report
