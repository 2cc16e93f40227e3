"""`python -m engine.cli` is `connect`."""

from engine.cli.main import main

if __name__ == "__main__":
    main()
