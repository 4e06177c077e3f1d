"""`make bench`: what a caller waits for, cold and warm, and how large the layer is (README.md says how to read it)."""
