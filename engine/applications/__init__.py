"""Applications for child support: accounts of those who apply, and what they hand in."""
