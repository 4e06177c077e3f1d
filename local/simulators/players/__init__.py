"""
Plays call flows, as the platforms do: fetches the documents, does what they say, and asks the caller.

One module for each language; `play.py` has what they share. A player does what the vendor documents and refuses the rest
by name, so that a flow is never half played. What a vendor leaves open is marked `[unverified]`.
"""
