"""Tests that take half a minute each: `make test-long` runs them."""

import os

import pytest

LONG = pytest.mark.skipif(
    "LONG_TESTS" not in os.environ, reason="half a minute: make test-long runs it"
)
