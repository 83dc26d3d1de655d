"""Shells at a terminal, where someone types and presses the tabulator key."""

import os
import pty
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.waiting import wait_until

PROMPT = "ready> "
# Control-G writes the line as it stands to a file. The scripts are loaded as the help says.
BASH = f"""
PS1={PROMPT!r}
show() {{ printf %s "$READLINE_LINE" > ~/typed; mv ~/typed ~/line; }}
bind -x '"\\C-g": show'
eval "$(cat ~/completion)"
"""
ZSH = f"""
PROMPT={PROMPT!r}
show() {{ print -rn -- "$BUFFER" > ~/typed; mv ~/typed ~/line }}
zle -N show
bindkey '^G' show
autoload -Uz compinit && compinit -u -D
eval "$(cat ~/completion)"
"""
FILES = {"bash": ".bashrc", "zsh": ".zshrc"}
TEXTS = {"bash": BASH, "zsh": ZSH}


class Terminal:
    """A terminal with a shell in it.

    Args:
        shell: bash or zsh.
        home: the user's folder, with nothing in it.
        folder: where the shell begins.
        script: what ``seedbed completion`` prints for the shell.
    """

    def __init__(self, shell: str, *, home: Path, folder: Path, script: str) -> None:
        self._shell = shell
        self._home = home
        self._folder = folder
        self._seen = bytearray()
        (home / "completion").write_text(script)
        (home / FILES[shell]).write_text(TEXTS[shell])

    @property
    def text(self) -> str:
        """All that the shell has written to the terminal."""
        return self._seen.decode(errors="replace")

    def completed(self, line: str) -> str:
        """Return what a line becomes when the tabulator key is pressed at its end."""
        shown = self._home / "line"
        with self._open() as keyboard:
            wait_until(lambda: PROMPT in self.text)
            os.write(keyboard, f"{line}\t\a".encode())
            wait_until(shown.exists)
        return shown.read_text()

    @contextmanager
    def _open(self) -> Iterator[int]:
        keyboard, screen = pty.openpty()
        process = subprocess.Popen(
            [program(self._shell), "-i"],
            cwd=self._folder,
            env=variables(self._home),
            stdin=screen,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
        )
        os.close(screen)
        reader = threading.Thread(target=self._read, args=[keyboard])
        reader.start()
        try:
            yield keyboard
        finally:
            process.kill()
            process.wait()
            reader.join()
            os.close(keyboard)

    def _read(self, screen: int) -> None:
        with suppress(OSError):  # the shell has ended
            while some := os.read(screen, 4096):
                self._seen += some


def asked_of_fish(line: str, *, home: Path, folder: Path, script: str) -> str:
    """Return what fish, which can be asked, has to complete a line: one candidate a line."""
    place = home / ".config" / "fish" / "completions" / "seedbed.fish"
    place.parent.mkdir(parents=True)
    place.write_text(script)
    asked = subprocess.run(
        [program("fish"), "--command", "complete --do-complete $argv[1]", line],
        cwd=folder,
        env=variables(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return asked.stdout


def program(shell: str) -> str:
    """Return where a shell is."""
    path = shutil.which(shell)
    assert path is not None, f"{shell} is missing: see tests/shells/debian-packages.txt"
    return path


def variables(home: Path) -> dict[str, str]:
    """Return the environment's variables of a user with an empty folder."""
    # fish looks for what completes a program only if there is the program.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
    return {"HOME": str(home), "PATH": path, "TERM": "dumb", "LANG": "C.UTF-8"}
