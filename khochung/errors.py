"""Errors that a person can act on.

Every message names the object, what was expected, what was found and the remedy; none carries personal data.
"""


class KhoChungError(Exception):
    """Base of all errors of this package: shown as one line, without a traceback, by the command line."""


class ConfigurationError(KhoChungError):
    """A setting is missing or cannot be used."""


class ContractError(KhoChungError):
    """A source contract or dataset declaration is malformed, or reality does not match it."""


class SourceUnavailableError(KhoChungError):
    """A source did not answer, or answered with a passing fault: worth another try."""


class SourceRefusedError(KhoChungError):
    """A source refused our credentials or our request: another try will not help."""


class LoadError(KhoChungError):
    """A load was stopped and rolled back: a guard fired or the counts did not add up."""


class GateError(KhoChungError):
    """A publication was refused: no verdict, a failed verdict, or a verdict of another build."""


class BackupError(KhoChungError):
    """A backup could not be made, is damaged, or does not give back what it was made from."""
