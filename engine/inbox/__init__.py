"""My Documents: notices that are read in the portal, each kept as the PDF it was sent as."""
