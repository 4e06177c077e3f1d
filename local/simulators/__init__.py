"""
Simulators of the four telephony vendors, for the local stack and the tests.

They are stateful, speak each vendor's own HTTP, keep what every tape heard, and make the requests to a customer's URLs
that the vendor makes, signed as it signs them. They are written from the vendors' own
documentation and share no code with the client that is tested against them: shared code would share its mistakes.

`python -m local.simulators` runs them; `server.serve()` does so inside a test. What a vendor's documentation leaves
open is decided in that vendor's file, in comments that begin with `[unverified]`.
"""
