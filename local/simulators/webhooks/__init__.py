"""What the simulated platforms ask of their customers: one file for each vendor, in that vendor's own words."""
