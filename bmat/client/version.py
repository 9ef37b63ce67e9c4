"""The version of the client, which is that of the service that it was released with."""

__version__ = "1.1.0"
