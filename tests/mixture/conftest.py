"""BLAS on one thread: the tests themselves run side by side."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def one_thread_each():
    with threadpool_limits(limits=1):
        yield
