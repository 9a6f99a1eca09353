"""Every way an estimate fails, with its exit code and the next thing to do. 2 is typer's, for wrong usage."""

from standalone.command_line import ActionableError


class CostError(ActionableError):
    """There is no estimate."""


class NoStackError(CostError):
    """There is no such stack."""

    exit_code = 3


class SettingsProblemError(CostError):
    """The stack file holds what cannot be used."""

    exit_code = 13


class NoPriceError(CostError):
    """Something is declared that the table has no price for."""

    exit_code = 19
