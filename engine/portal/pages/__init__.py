"""The pages, one module for each: they read forms, call services, and draw."""
