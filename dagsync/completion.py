"""Completion scripts for shells, made from the parser, so that they never say less or more than it takes.

The scripts hold words only: completing starts no Python.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command."""

    names: tuple[str, ...]
    help: str
    takes_value: bool
    choices: tuple[str, ...]
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the parser."""

    name: str
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...]
    """What its first argument may be; empty where it can be anything."""


def commands_of(parser: argparse.ArgumentParser) -> list[Command]:
    """Return what a parser with sub-commands takes."""
    subparsers = next(action for action in _actions(parser) if isinstance(action.choices, dict))
    summaries = {action.dest: action.help or "" for action in subparsers._get_subactions()}  # pyright: ignore[reportPrivateUsage]
    return [_command(name, summaries.get(name, ""), made) for name, made in subparsers.choices.items()]


def completion_script(shell: str, parser: argparse.ArgumentParser) -> str:
    """Return the script for ``bash``, ``zsh`` or ``fish``. It completes the program under both of its names."""
    programs = ("airflow-control-plane", "dagsync")
    render = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]
    return "\n".join(render(programs, commands_of(parser))) + "\n"


def _actions(parser: argparse.ArgumentParser) -> list[Any]:
    # argparse has no public way to ask a parser what it takes.
    return parser._actions  # pyright: ignore[reportPrivateUsage]


def _command(name: str, summary: str, parser: argparse.ArgumentParser) -> Command:
    options: list[Option] = []
    words: tuple[str, ...] = ()
    for action in _actions(parser):
        choices = tuple(map(str, action.choices or ()))
        if action.option_strings:
            names = tuple(action.option_strings)
            help_text = _first_clause(action.help or "")
            options.append(Option(names, help_text, action.nargs != 0, choices, action.type is Path))
        else:
            words = words or choices
    return Command(name, _first_clause(summary), tuple(options), words)


def _first_clause(text: str) -> str:
    # Defaults are those of the environment the script is made in.
    return re.sub(r"\s*\((?:[^()]|\([^()]*\))*\)$", "", " ".join(text.split())).replace("%%", "%")


def _bash(programs: tuple[str, ...], commands: list[Command]) -> Iterator[str]:
    yield "# bash completion of dagsync, written by `dagsync completion bash`"
    yield "_dagsync() {"
    yield '    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=""'
    yield "    COMPREPLY=()"
    yield "    if ((COMP_CWORD == 1)); then"
    yield f'        words="{" ".join(["--help", *(command.name for command in commands)])}"'
    yield "    else"
    yield '        case "${COMP_WORDS[1]} $before" in'
    for command in commands:
        for option in command.options:
            if option.takes_value:
                pattern = " | ".join(f'"{command.name} {name}"' for name in option.names)
                yield f"            {pattern}) {_bash_values(option)}; return ;;"
    yield "        esac"
    yield "        case ${COMP_WORDS[1]} in"
    for command in commands:
        names = " ".join([*(name for option in command.options for name in option.names), *command.words])
        yield f'            {command.name}) words="{names}" ;;'
    yield "        esac"
    yield "    fi"
    yield '    COMPREPLY=($(compgen -W "$words" -- "$word"))'
    yield "}"
    yield f"complete -F _dagsync {' '.join(programs)}"


def _bash_values(option: Option) -> str:
    if option.choices:
        return f'COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$word"))'
    if option.is_folder:
        return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$word"))'
    return ":"


def _zsh(programs: tuple[str, ...], commands: list[Command]) -> Iterator[str]:
    yield f"#compdef {' '.join(programs)}"
    yield "# zsh completion of dagsync, written by `dagsync completion zsh`"
    yield "_dagsync() {"
    yield "    if ((CURRENT == 2)); then"
    yield "        local -a commands=("
    for command in commands:
        yield f"            {_quoted(f'{command.name}:{command.help}')}"
    yield "        )"
    yield "        _describe command commands"
    yield "        return"
    yield "    fi"
    yield "    local command=$words[2]"
    yield '    words=("$words[1] $command" "${(@)words[3,-1]}")'
    yield "    ((CURRENT--))"
    yield "    case $command in"
    for command in commands:
        yield f"        {command.name})"
        yield "            _arguments \\"
        for option in command.options:
            for name in option.names:
                yield f"                {_quoted(_zsh_option(name, option))} \\"
        words = f":argument:({' '.join(command.words)})" if command.words else "*::argument: "
        yield f"                {_quoted(words)} ;;"
    yield "    esac"
    yield "}"
    yield f"compdef _dagsync {' '.join(programs)}"


def _zsh_option(name: str, option: Option) -> str:
    text = option.help.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    value = ""
    if option.takes_value:
        value = (
            f":value:({' '.join(option.choices)})"
            if option.choices
            else ":folder:_files -/"
            if option.is_folder
            else ":value: "
        )
    return f"{name}[{text}]{value}"


def _fish(programs: tuple[str, ...], commands: list[Command]) -> Iterator[str]:
    yield "# fish completion of dagsync, written by `dagsync completion fish`"
    for program in programs:
        for command in commands:
            first = f"complete -c {program} -n __fish_use_subcommand -f"
            yield f"{first} -a {command.name} -d {_quoted(command.help)}"
        for command in commands:
            here = f"complete -c {program} -n '__fish_seen_subcommand_from {command.name}' -f"
            if command.words:
                yield f"{here} -a {_quoted(' '.join(command.words))}"
            for option in command.options:
                yield f"{here} {_fish_option(option)}"


def _fish_option(option: Option) -> str:
    parts = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    if option.takes_value:
        parts.append("-r")
    if option.choices:
        parts.append(f"-a {_quoted(' '.join(option.choices))}")
    elif option.is_folder:
        parts.append("-a '(__fish_complete_directories)'")
    return f"{' '.join(parts)} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    """Return a word in single quotes, which in all three shells leave everything but themselves alone."""
    return "'" + text.replace("'", "'\\''") + "'"
