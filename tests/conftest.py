"""What all tests share."""

import hypothesis

from tests import examples

hypothesis.settings.register_profile("offtape", examples.settings(100))
hypothesis.settings.load_profile("offtape")
