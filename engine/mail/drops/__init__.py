"""The drop: where our files wait for the print vendor, and the vendor's for us."""
