"""A file that is not whole."""


class FileBroken(ValueError):
    """The parts of a file do not fit its bytes: it was cut short, or says of a part what is not so."""
