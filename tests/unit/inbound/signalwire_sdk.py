"""SignalWire's own validator of webhooks, out of an environment of its own: its package does not go with the others.

https://github.com/signalwire/signalwire-python/blob/main/signalwire/core/security/webhook_validator.py
"""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

ENVIRONMENT = Path(__file__).parents[3] / ".venvs" / "sdk-signalwire-webhooks"
_MODULE = "lib/python*/site-packages/signalwire/core/security/webhook_validator.py"


@cache
def validator() -> ModuleType:
    """Return the module, which needs nothing but the standard library.  Raises RuntimeError where it is not installed."""
    found = sorted(ENVIRONMENT.glob(_MODULE))
    if not found:
        raise RuntimeError(f"SignalWire's validator is not in {ENVIRONMENT}: run `make unit`, which installs it")
    spec = importlib.util.spec_from_file_location("signalwire_webhook_validator", found[0])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
