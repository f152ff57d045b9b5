"""Settings from YAML files and from the command line, and back to YAML."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import ConfigError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

# Functions import jsonargparse and yaml themselves: a network predicts without them.


def parser(kind: type, prog: str | None = None, default: Any = None) -> ArgumentParser:
    """The command line of settings of a kind.

    `--config FILE` and an option for each, as `--fit.lr 1e-3`.
    """
    from jsonargparse import ArgumentParser

    command_line = ArgumentParser(
        prog=prog, usage="%(prog)s [--SETTING VALUE ...]", exit_on_error=False, allow_abbrev=False
    )
    command_line.add_argument(
        "--config", action="config", help="YAML file of settings; the options given after it win"
    )
    command_line.add_class_arguments(kind, fail_untyped=True)
    command_line.set_defaults(asdict(default or kind()))
    return command_line


def parse(kind: type, command_line: ArgumentParser, arguments: Sequence[str]) -> Any:
    """The settings that a command line asks for.

    Raises:
        ConfigError: an option or a key is unknown, of a wrong type or out of range, or a file
            cannot be read.
    """
    from jsonargparse import ArgumentError

    names = command_line._option_string_actions
    for option in (argument.split("=")[0] for argument in arguments):
        if option.startswith("--") and option not in names:
            raise ConfigError(f"There is no option {option}.{_nearest(option, names)}")
    files = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    files.add_argument("--config", action="append", default=[], type=Path)
    for path in files.parse_known_args(arguments)[0].config:
        _check_keys(kind, path)
    try:
        settings = command_line.instantiate(command_line.parse_args(list(arguments)))
    except ArgumentError as error:
        raise ConfigError(" ".join(str(error).split())) from error
    return kind(**{setting.name: settings[setting.name] for setting in fields(kind)})


def load_config(path: Path | str, kind: Any) -> Any:
    """The settings of a YAML file, of a kind such as `QM9Config`.

    What it leaves out has the default of the version that wrote it, or of this one.

    Raises:
        ConfigError: the file is missing or not YAML, or a key is unknown, of a wrong type or out of
            range.
    """
    content = _check_keys(kind, Path(path))
    return parse(kind, parser(kind, default=kind.defaults(content)), ["--config", str(path)])


def dump_config(config: Any) -> str:
    """The settings as YAML that `load_config` reads."""
    import yaml

    return yaml.safe_dump(asdict(config), sort_keys=False)


def _check_keys(kind: type, path: Path) -> dict[str, Any]:
    """The content of a file of settings. Refuse a file that is not YAML of known keys.

    Jsonargparse checks the values and names no nearest key.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"The settings in {path} cannot be read: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"The settings in {path} are keys with values, as in `run: runs/mine`; got {content!r}."
        )
    sections = {name: value for name, value in asdict(kind()).items() if isinstance(value, dict)}
    names = [f"{section}.{key}" for section, values in sections.items() for key in values] + ["run"]
    for section, values in content.items():
        if section in sections and not isinstance(values, dict):
            raise ConfigError(
                f"{section} in {path} is a section of keys with values; got {values!r}."
            )
        for name in (
            [f"{section}.{key}" for key in values] if isinstance(values, dict) else [section]
        ):
            if name not in names:
                raise ConfigError(
                    f"There is no setting {name}, asked for in {path}.{_nearest(name, names)}"
                )
    return content


def _nearest(name: str, candidates: Iterable[str]) -> str:
    last = name.lstrip("-").split(".")[-1]
    near = [key for key in candidates if key.split(".")[-1] == last] or get_close_matches(
        name, candidates, n=1, cutoff=0.5
    )
    return f" Did you mean {near[0]}?" if near else f" Known are {', '.join(candidates)}."
