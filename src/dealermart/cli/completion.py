"""What a shell needs to complete commands, options and their values: ``dealermart completion bash | zsh``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from dealermart.base import Settings
from dealermart.cli.examples import actions_of, commands_of
from dealermart.cli.table import add
from dealermart.config import load_alerts, source_names

_SCRIPT = """\
# Completion of dealermart for bash; zsh reads it by bashcompinit. Made by `dealermart completion`.
_dealermart() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}" at="" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$at $word" in
            {paths}) at="${{at:+$at }}$word" ;;
        esac
    done
    COMPREPLY=()
    case "$at|$prev" in
{values}
    esac
    case "$at" in
{words}
    esac
}}
complete -o default -F _dealermart dealermart
"""
_ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


def register(parser_of: Callable[[], argparse.ArgumentParser]) -> Callable[[Any], None]:
    """The function that adds the command; ``parser_of`` gives the parser of all commands when it runs."""

    def add_command(commands: Any) -> None:
        parser = add(commands, "completion", completion)
        parser.add_argument("shell", choices=["bash", "zsh"], help="which shell")
        parser.set_defaults(parser_of=parser_of)

    return add_command


def completion(config: Settings, arguments: argparse.Namespace) -> int:
    """Print a script for the shell that completes commands, options and their values."""
    known = {"--source": source_names(config), "--test": list(load_alerts(config).channels)}
    print((_ZSH if arguments.shell == "zsh" else "") + script(arguments.parser_of(), known), end="")
    return 0


def script(parser: argparse.ArgumentParser, known: dict[str, list[str]]) -> str:
    """The script for bash.

    Args:
        known: Values of options that this installation has, by option.
    """
    places = {"": parser} | dict(commands_of(parser))
    paths = [f'"{place.rpartition(" ")[0]} {place.rpartition(" ")[2]}"' for place in places if place]
    values, words = [], []
    for place, found in places.items():
        options = [action for action in found._actions if action.option_strings]
        for action in options:
            taken = [str(choice) for choice in action.choices or known.get(action.option_strings[-1]) or ()]
            if action.nargs == 0:
                continue  # takes no value
            names = "|".join(f'"{place}|{name}"' for name in action.option_strings)
            reply = f'COMPREPLY=($(compgen -W "{" ".join(taken)}" -- "$cur")); ' if taken else ""
            values.append(f"        {names}) {reply}return ;;")  # without an own reply the shell completes files
        here = [name for action in options for name in action.option_strings if name.startswith("--")]
        free = [
            str(choice) for action in found._actions if not action.option_strings for choice in action.choices or ()
        ]
        offered = " ".join([*(actions_of(found) or free), *here])
        words.append(f'        "{place}") COMPREPLY=($(compgen -W "{offered}" -- "$cur")) ;;')
    return _SCRIPT.format(paths=" | ".join(paths), values="\n".join(values), words="\n".join(words))
