"""`./manage test`: lint, types, import rules, all tests; the last line counts the tests."""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = (
    ("ruff", ["-m", "ruff", "check", "--quiet", "."]),
    ("ruff format", ["-m", "ruff", "format", "--check", "--quiet", "."]),
    ("mypy", ["-m", "mypy", "--no-error-summary"]),
    ("import-linter", ["-c", "from importlinter.cli import lint_imports_command as check; check()", "--no-cache"]),
)


def check(name: str, arguments: list[str]) -> bool:
    started = time.monotonic()
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    good = done.returncode == 0
    print(f"{'ok  ' if good else 'FAIL'} {name} ({time.monotonic() - started:.0f} s)", flush=True)
    if not good:
        print(done.stdout, done.stderr, sep="\n")
    return good


def run_pytest(arguments: list[str]) -> tuple[int, dict[str, int]]:
    """Run pytest, showing its output as it comes; its exit code and its counts."""
    command = [sys.executable, "-m", "pytest", "--color=no", *arguments]
    counts: dict[str, int] = {}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if re.search(r"\d+ (passed|failed|error)", line) and " in " in line:
                found = re.findall(r"(\d+) (passed|failed|error|skipped)", line)
                counts = {kind: int(number) for number, kind in found}
    return process.returncode, counts


def main(arguments: list[str]) -> int:
    """All checks run, even after one failed; arguments go to pytest instead of the whole."""
    if arguments:
        return run_pytest(arguments)[0]
    good = sum(check(name, command) for name, command in CHECKS) == len(CHECKS)
    quick, first = run_pytest(["-n", "2", "--dist", "loadfile", "-m", "not processes", "tests"])
    slow, second = run_pytest(["-n", "2", "--dist", "loadfile", "-m", "processes", "tests"])
    passed, failed, skipped = (first.get(kind, 0) + second.get(kind, 0) for kind in ("passed", "failed", "skipped"))
    failed += first.get("error", 0) + second.get("error", 0)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if good and quick == 0 and slow == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
