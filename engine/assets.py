"""Where templates, catalogues and the demonstration vendor are: in the source tree, or inside an
installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "assets"
_ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent

TEMPLATES = _ROOT / "templates"
LOCALES = _ROOT / "locales"

VENDOR_PATH = _ROOT
"""What PYTHONPATH must say for `python -m tests.vendor`. No module of ours imports it: it is a
vendor's program, written from the contract alone, and runs as a process of its own."""

CONTRACT_SCHEMAS = _ROOT / "docs" / "print-batch-contract"
