"""How fast letters are drawn, and in how much memory: ours beside WeasyPrint and ReportLab."""
