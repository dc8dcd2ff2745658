"""An event tracker that runs next to the page: the Python core."""

__version__ = "0.1.0"
