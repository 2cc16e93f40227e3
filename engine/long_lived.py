"""What a process that serves has loaded stays loaded until it ends."""

import gc


def settle() -> None:
    """Have the collector of cycles look no more through what is loaded by now.

    Half a million objects of libraries and templates are looked through at every full collection:
    a pause of a tenth of a second, and more, for whoever asked for a page or a PIN just then.
    """
    gc.collect()
    gc.freeze()
