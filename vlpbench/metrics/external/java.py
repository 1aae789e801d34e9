"""A Java program as a bounded subprocess: a time limit, one locale, UTF-8, and no process left behind.

The program gets a process group of its own, which is killed when the time is over, when Python is interrupted and when
all is done. Its standard error goes to a temporary file, so that no pipe can fill; its last lines explain a failure.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = ["JavaProgram", "Unavailable", "find_java", "java_program", "run_java"]

_FIXED = (
    *("-Duser.language=en", "-Duser.country=US", "-Duser.language.format=en", "-Duser.country.format=US"),
    *("-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8"),
)
# In a locale with a decimal comma METEOR prints "0,5"; what comes last on a command line counts.
_INSTALL = "install a Java runtime (8 or later) and put `java` on the PATH"
_LOOK = "look at these lines; `java -version` shows whether Java itself runs"
# For a program that reads no input. Its input ends when Python does, however that ended, and then its group is killed.
_GUARD = 'exec 3<&0; { read -r gone <&3; kill -9 0; } >/dev/null 2>&1 & exec "$@" 3<&- </dev/null'


class Unavailable(Exception):
    """A score cannot be had on this machine, or not in this time: one sentence, the cause and then the remedy."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}: {remedy}")
        self.cause, self.remedy = cause, remedy


def find_java() -> str:
    """The path of `java`: `JAVA_HOME`/bin first, then the PATH; Unavailable if neither has one that can be run.

    The variable VLPBENCH_JAVA=none does without Java where there is one.
    """
    if os.environ.get("VLPBENCH_JAVA", "") == "none":
        raise Unavailable("VLPBENCH_JAVA is none", "unset it, so that Java is looked for")
    home = os.environ.get("JAVA_HOME")
    found = (home and shutil.which("java", path=str(Path(home) / "bin"))) or shutil.which("java")
    if not found:
        raise Unavailable("no Java runtime was found", _INSTALL)
    return str(Path(found).absolute())


class JavaProgram:
    """A running program that is asked in lines and answers in lines; made by `java_program`."""

    def __init__(
        self, process: subprocess.Popen[bytes], errors: IO[bytes], seconds: float, name: str, remedy: str
    ) -> None:
        self._process, self._errors, self._seconds = process, errors, seconds
        self._name, self._remedy = name, remedy
        self._writers: list[threading.Thread] = []
        self._late = threading.Event()
        self._timer = threading.Timer(seconds, self._time_is_over)
        self._timer.daemon = True

    def watch(self) -> None:
        """Start the clock."""
        self._timer.start()

    def ask(self, lines: Sequence[str], answers: int) -> list[str]:
        """Send all lines while reading `answers` lines, so that neither side waits for the other for ever.

        Unavailable if the program ends first or its time is over.
        """
        writer = self._writer("".join(f"{line}\n" for line in lines), last=False)
        assert self._process.stdout is not None
        heard = []
        for _ in range(answers):
            line = self._process.stdout.readline()
            if not line.endswith(b"\n"):
                raise self._failure()
            heard.append(line.decode("utf-8", "replace").strip())
        writer.join()
        return heard

    def finish(self, text: str | None = "") -> str:
        """Send `text` and the end of input, and give the rest of its output; Unavailable unless it ended well.

        None sends nothing, not even the end of input.
        """
        writer = None if text is None else self._writer(text, last=True)
        assert self._process.stdout is not None
        rest = self._process.stdout.read().decode("utf-8", "replace")
        if self._process.wait() != 0 or self._late.is_set():
            raise self._failure()
        if writer:
            writer.join()
        return rest

    def _writer(self, text: str, last: bool) -> threading.Thread:
        """A running thread that writes `text`, and closes the input after it if it is the `last`."""
        assert self._process.stdin is not None
        thread = threading.Thread(target=_write, args=(self._process.stdin, _encoded(text), last), daemon=True)
        thread.start()
        self._writers.append(thread)
        return thread

    def _failure(self) -> Unavailable:
        """Why it ended early, by the clock or by the last lines of its standard error."""
        if self._late.is_set():
            cause = f"{self._name} did not finish within {self._seconds:g} s and was stopped"
            return Unavailable(cause, "allow it more seconds, or score fewer captions at once")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        cause = f"{self._name} failed (exit status {self._process.poll()}, {_last_lines(self._errors)})"
        return Unavailable(cause, self._remedy)

    def stop(self) -> None:
        """Kill it and all that it started, if anything still runs; safe to call twice."""
        self._timer.cancel()
        _kill(self._process)
        self._process.wait()
        for writer in self._writers:
            writer.join(5)  # it ends with the reader of its pipe; a stream is closed under nobody
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with suppress(BrokenPipeError):
                    stream.close()

    def _time_is_over(self) -> None:
        self._late.set()
        _kill(self._process)


@contextmanager
def java_program(
    arguments: Sequence[str], seconds: float, cwd: Path | None = None, reads: bool = True, remedy: str = _LOOK
) -> Iterator[JavaProgram]:
    """Start `java ARGUMENTS` in the folder `cwd`; it is dead when the block is left, whatever happened in it.

    `seconds` is the limit for the whole block. A program that `reads` its input finds it ended if Python is killed
    outright; one that does not is watched and killed then. `remedy` is what to do if it fails. Unavailable if there is
    no Java or it cannot be started.
    """
    java = find_java()
    command = [*([] if reads else ["/bin/sh", "-c", _GUARD, "sh"]), java, *_FIXED, *arguments]
    pipe = subprocess.PIPE
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=errors, cwd=cwd, env=_environment(), start_new_session=True
            )
        except OSError as error:
            raise Unavailable(f"{java} could not be started ({error})", _INSTALL) from error
        program = JavaProgram(process, errors, seconds, _name(arguments), remedy)
        try:
            program.watch()
            yield program
        finally:
            program.stop()


def run_java(
    arguments: Sequence[str], text_in: str | None, seconds: float, cwd: Path | None = None, remedy: str = _LOOK
) -> str:
    """What `java ARGUMENTS` prints when given `text_in`, started in the folder `cwd`; both are UTF-8.

    None says that it reads no input. Unavailable, with `remedy` if the program failed, if there is no Java, if it has
    not ended within `seconds`, or if its exit status is not zero.
    """
    with java_program(arguments, seconds, cwd, text_in is not None, remedy) as program:
        return program.finish(text_in)


def _environment() -> dict[str, str]:
    """This process's environment, but UTF-8 in names of files too, and the fixed locale in `_JAVA_OPTIONS`.

    What that variable says overrules a command line.
    """
    chosen = {**os.environ, "LC_ALL": "C.UTF-8"}
    if "_JAVA_OPTIONS" in chosen:
        chosen["_JAVA_OPTIONS"] = " ".join([chosen["_JAVA_OPTIONS"], *_FIXED])
    return chosen


def _name(arguments: Sequence[str]) -> str:
    """What to call the program in a message: its jar, or its class."""
    jars = [Path(one).name for one in arguments if one.endswith(".jar")]
    return f"the Java program {jars[0]}" if jars else "a Java program"


def _encoded(text: str) -> bytes:
    """The text in UTF-8, with U+FFFD for half a surrogate pair, which UTF-8 cannot hold (JSON files can)."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _write(stream: IO[bytes], data: bytes, last: bool) -> None:
    """Write all; a reader that is gone is no error here, since its missing answers are."""
    with suppress(BrokenPipeError):
        stream.write(data)
        stream.flush()
    if last:
        with suppress(BrokenPipeError):
            stream.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process group that `process` leads, if anything of it is left."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _last_lines(errors: IO[bytes], count: int = 3) -> str:
    """The last lines of a standard error as one line, or that there were none; what JVMs say of options is left out."""
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4000))
    lines = errors.read().decode("utf-8", "replace").splitlines()
    told = [line.strip() for line in lines if line.strip() and not line.startswith("Picked up ")]
    return "its last words: " + " / ".join(told[-count:]) if told else "it said nothing"
