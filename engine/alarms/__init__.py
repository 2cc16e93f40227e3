"""What a person must look at: raised once, told once to each who is to hear of it, cleared once."""
