"""Completion of commands and options, in real shells."""

import shutil
import subprocess

import pytest

from colorizer.__main__ import main

needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
needs_zsh = pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")


@pytest.fixture
def script(capsys):
    """Gives the script for a shell."""

    def script(shell: str) -> str:
        assert main(["completion", shell]) == 0
        return str(capsys.readouterr().out)

    return script


@needs_bash
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["comp"], {"compare", "completion"}),
        (["colorize", "--wa"], {"--watch"}),
        (["colorize", "--preset", "vi"], {"vivid"}),
        (["completion", ""], {"bash", "zsh"}),
        (["colorize", "gran"], {"grandma.jpg"}),
    ],
)
def test_bash_completes(script, tmp_path, words, expected) -> None:
    (tmp_path / "grandma.jpg").touch()
    (tmp_path / "completion").write_text(script("bash"))
    quoted = " ".join(f"'{word}'" for word in ["colorizer", *words])
    test = f"""
        source completion
        COMP_WORDS=({quoted}); COMP_CWORD={len(words)}
        _shtab_colorizer colorizer '{words[-1]}' '{["colorizer", *words][-2]}' 2>/dev/null
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    made = subprocess.run(["bash", "-c", test], capture_output=True, text=True, cwd=tmp_path)
    assert set(made.stdout.split()) == expected


@needs_zsh
def test_zsh_takes_the_script(script, tmp_path) -> None:
    (tmp_path / "completion").write_text(script("zsh"))
    test = 'autoload -Uz compinit; compinit -u -D; eval "$(<completion)"; print $_comps[colorizer]'
    made = subprocess.run(["zsh", "-fc", test], capture_output=True, text=True, cwd=tmp_path)
    assert made.stderr == ""
    assert made.stdout.strip() == "_shtab_colorizer"


def test_another_shell_is_wrong_usage(capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["completion", "fish"])
    assert stop.value.code == 2
    assert "invalid choice: 'fish'" in capsys.readouterr().err
