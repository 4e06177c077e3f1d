"""Who is calling, what they say, and what they are answered."""
