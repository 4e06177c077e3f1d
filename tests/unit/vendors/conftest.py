"""What every test of the vendors needs."""

import pytest

# pytest rewrites the asserts of test files only; the contract's should explain themselves as well
pytest.register_assert_rewrite("tests.unit.vendors.contract")
