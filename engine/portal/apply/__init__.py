"""The application site: one module for each of its pages."""
