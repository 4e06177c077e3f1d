"""Says whether a stored request verifies, and if not, why: `python -m developer_tools.signature_doctor --help`.

A signature that does not hold says nothing of the reason: it is found by trying what commonly goes wrong
(https://github.com/twilio/twilio-node/issues/505, https://github.com/twilio/twilio-python/issues/402,
https://github.com/lkaric/nestjs-twilio/issues/81) until the layer's own verifier says yes.
"""
