"""What can go wrong, named by what happens next."""


class ConnectError(Exception):
    """Something this system knows how to name; its text is fit to show an operator."""


class SettingsError(ConnectError):
    """A setting is missing or wrong: the text names the variable and what is allowed."""


class InputError(ConnectError):
    """What was handed in cannot be used; nothing of it was kept."""


class MissingTranslationError(ConnectError):
    """A string has no translation in the reader's language; nothing falls back in silence."""
