"""What goes wrong when structures are read."""


class ReadError(ValueError):
    """A file that cannot be read; the message names the file, and the frame or row."""
