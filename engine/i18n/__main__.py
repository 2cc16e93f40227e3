"""`python -m engine.i18n` names what is wrong with the catalogues; `… extract` updates them."""

import argparse
import sys

from engine.i18n.catalogues import TRANSLATED
from engine.i18n.upkeep import check_catalogues, update_catalogue


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status is 0 when nothing is wanting."""
    parser = argparse.ArgumentParser(prog="python -m engine.i18n", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("check", "extract"), default="check")
    if parser.parse_args(arguments).command == "extract":
        waiting = {language: update_catalogue(language) for language in TRANSLATED}
        for language, count in waiting.items():
            sys.stdout.write(f"{language}: {count} strings want a translation\n")
        return int(any(waiting.values()))
    faults = check_catalogues()
    sys.stdout.writelines(f"{fault}\n" for fault in faults)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
