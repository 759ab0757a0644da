"""Help and completion: every command shows examples that work, and a shell completes all of it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from dealermart.cli import _parser, main
from dealermart.cli.completion import script
from dealermart.cli.examples import EXAMPLES, commands_of

PARSERS = dict(commands_of(_parser()))
LINES = [(path, line) for path, text in EXAMPLES.items() for line in text.splitlines()]


def test_every_command_has_examples() -> None:
    assert set(PARSERS) - set(EXAMPLES) == set(), "write an example into cli/examples.py"
    assert set(EXAMPLES) - set(PARSERS) == set()


@pytest.mark.parametrize(("path", "line"), LINES, ids=[line[11:50] for _, line in LINES])
def test_an_example_is_taken_as_it_stands(path: str, line: str) -> None:
    program, *words = shlex.split(line.split(" > ")[0].split(" >> ")[0])
    assert program == "dealermart"
    assert words[: len(path.split())] == path.split()
    _parser().parse_args(words)


def test_the_help_shows_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["plan", "lint", "--help"])
    assert capsys.readouterr().out.endswith(
        "examples:\n  dealermart plan lint config/plans/*.yml\n"
        "  dealermart plan lint config/plans/*.yml --period 2026-Q1\n"
    )


ASKED = {
    "dealermart ": {"ingest", "plan", "quarantine", "--version"},
    "dealermart in": {"ingest"},
    "dealermart plan ": {"lint", "show", "test", "schema", "--help"},
    "dealermart plan show --": {"--language", "--help"},
    "dealermart plan show --language ": {"en", "zh"},
    "dealermart ingest --source ": {"one", "two"},
    "dealermart ingest --source one --re": {"--received", "--reason"},
    "dealermart ingest --dry-run --ver": {"--verify"},
    "dealermart quarantine list --state re": {"released", "rejected"},
    "dealermart completion ": {"bash", "zsh", "--help"},
    "dealermart explain --out ": set(),  # a file: bash completes it itself
}
SHELLS = [shell for shell in ("bash", "zsh") if shutil.which(shell)]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_completes(tmp_path: Path, shell: str) -> None:
    """The script in the shell itself, asked as the shell asks it."""
    lines = ["autoload -U +X compinit bashcompinit && compinit -D && bashcompinit" if shell == "zsh" else ":"]
    lines.append(script(_parser(), {"--source": ["one", "two"]}))
    for line in ASKED:
        words = [*line.split(), ""] if line.endswith(" ") else line.split()
        quoted = " ".join(shlex.quote(word) for word in words)
        lines.append(f"COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _dealermart; echo ${{COMPREPLY[*]}}")
    file = tmp_path / "asked.sh"
    file.write_text("\n".join(lines[:1] + (["setopt ksharrays shwordsplit"] if shell == "zsh" else []) + lines[1:]))
    done = subprocess.run([shell, str(file)], capture_output=True, text=True, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(ASKED)
    for (line, wanted), answer in zip(ASKED.items(), answers, strict=True):
        found = set(answer.split())
        assert wanted <= found if line.endswith(("dealermart ", "plan ", "--", "completion ")) else wanted == found, (
            line
        )


def test_the_command_prints_what_this_installation_knows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("autoload -U +X bashcompinit")
    assert 'compgen -W "adventureworks fxiaoke sample zoho"' in text
    assert 'compgen -W "operations"' in text
