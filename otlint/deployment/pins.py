"""Which distributions a project asks for: requirements, pyproject.toml, Pipfile, setup files, conda files and locks."""

from __future__ import annotations

import ast
import configparser
import json
import re
from typing import TYPE_CHECKING, Any

from otlint.known import distribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Pins = dict[str, str | None]

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?P<rest>\(?\s*(?:[<>=!~][^;#]*)?)?(?:;.*)?(?:\s#.*)?$"
)
_COMMENTED = re.compile(r"\s*#\s*(opentelemetry-(?:api|sdk))\s*(==[\d.]+)\s*$")
_LOCKED = re.compile(r'^name = "([^"]+)"\r?\nversion = "([^"]+)"', re.MULTILINE)
_INSTALL = re.compile(r"(?:\bpip[\d.]*|\buv pip|\buv|\bpoetry|\bpipenv|\bpdm) (?:install|add)\b([^&|;\n]*)")
LOCKS = frozenset({"poetry.lock", "uv.lock", "pdm.lock", "pylock.toml", "Pipfile.lock"})


def is_pin_file(name: str, folder: str) -> bool:
    """Whether a file of this name in a folder of this name states pins."""
    if name in LOCKS or name in {"pyproject.toml", "Pipfile", "setup.py", "setup.cfg"}:
        return True
    if name.endswith((".txt", ".in")):
        return "requirement" in name or "constraint" in name or folder == "requirements"
    return name.endswith((".yml", ".yaml")) and name.startswith(("environment", "conda"))


def read(name: str, text: str) -> Pins:
    """The distributions a pin file asks for, by normalised name; nothing for a broken one."""
    try:
        return _read(name, text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError, AttributeError, configparser.Error):
        return {}


def includes(text: str) -> list[str]:
    """The files that a requirements file includes with -r or -c, as it writes them."""
    return re.findall(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]\s*([^\s#]+)", text, re.MULTILINE)


def installed_by(command: str) -> Pins:
    """The distributions that a command line such as `pip install flask==3.0` asks for."""
    found: Pins = {}
    for match in _INSTALL.finditer(command):
        words = (word.strip("'\"") for word in match[1].split())
        found |= _requirements(word for word in words if not word.startswith(("-", ".", "/", "$")) and word[-1:] != ".")
    return {name: pin for name, pin in found.items() if "/" not in name and not name.endswith((".txt", "-txt", ".whl"))}


def merge(pins: Pins, more: Pins) -> None:
    """Adds `more`; an exact version is kept."""
    for name, pin in more.items():
        if not (pins.get(name) or "").startswith("=="):
            pins[name] = pin if pin is not None else pins.get(name)


def _read(name: str, text: str) -> Pins:
    if name in {"pyproject.toml", "Pipfile"}:
        import tomli

        return (_pipfile if name == "Pipfile" else _pyproject)(tomli.loads(text))
    if name == "Pipfile.lock":
        return _pipfile_lock(json.loads(text))
    if name == "setup.py":
        return _setup_py(text)
    if name == "setup.cfg":
        return _setup_cfg(text)
    if name in LOCKS:
        return {distribution(found): f"=={version}" for found, version in _LOCKED.findall(text)}
    if name.endswith((".yml", ".yaml")):
        return _conda(text)
    return _requirements(re.sub(r"\\\r?\n", " ", text).splitlines())


def _requirements(lines: Iterable[str]) -> Pins:
    found: Pins = {}
    optional: Pins = {}
    for line in lines:
        if said := _COMMENTED.match(line):
            optional[said[1]] = said[2]  # telemetry is left to whoever wants it, in that version
        line = re.sub(r"\s+--hash=\S+", "", line)
        if "://" in line or " @ " in line:
            name, at, _ = line.partition("@")
            egg = re.search(r"#egg=([\w.-]+)", line)
            name = egg[1] if egg else name if at and "/" not in name else ""
            line = re.sub(r"\[.*", "", name).strip()
        if line.lstrip().startswith(("#", "-")) or not (match := _REQUIREMENT.fullmatch(line)):
            continue
        merge(found, {distribution(match["name"]): _specifier(match["rest"] or "")})
    return {**optional, **found}


def _specifier(text: str) -> str | None:
    return re.sub(r"\s+", "", text).strip("()") or None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)


def _pyproject(data: dict[str, Any]) -> Pins:
    project, tool = data.get("project", {}), data.get("tool", {})
    found: Pins = {}
    for part in (
        project.get("dependencies", []),
        project.get("optional-dependencies", {}),
        data.get("dependency-groups", {}),
        tool.get("pdm", {}).get("dev-dependencies", {}),
        tool.get("uv", {}).get("dev-dependencies", []),
        [text for env in tool.get("hatch", {}).get("envs", {}).values() for text in env.get("dependencies", [])],
    ):
        merge(found, _requirements(_strings(part)))
    poetry = tool.get("poetry", {})
    groups = [poetry, *poetry.get("group", {}).values()]
    for table in [group.get("dependencies", {}) for group in groups] + [poetry.get("dev-dependencies", {})]:
        merge(found, _table(table))
    return found


def _pipfile(data: dict[str, Any]) -> Pins:
    found: Pins = {}
    for section in ("packages", "dev-packages"):
        merge(found, _table(data.get(section, {})))
    return found


def _table(table: dict[str, Any]) -> Pins:
    found: Pins = {}
    for name, value in table.items():
        if name == "python":
            continue
        version = value.get("version") if isinstance(value, dict) else value
        found[distribution(name)] = _version_range(version) if isinstance(version, str) else None
    return found


def _version_range(text: str) -> str | None:
    """A Poetry constraint as a PEP 440 specifier: "^1.2" is ">=1.2,<2"."""
    parts = [_one_range(part.strip()) for part in text.split("||", maxsplit=1)[0].split(",")]
    return ",".join(part for part in parts if part) or None


def _one_range(part: str) -> str:
    if not (match := re.fullmatch(r"(\^|~(?!=))\s*(\d+(?:\.\d+)*)(.*)", part)):
        return "" if part in {"*", ""} else f"=={part}" if part[0].isdigit() else part.replace(" ", "")
    numbers = [int(number) for number in match[2].split(".")]
    if match[1] == "^":
        keep = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        keep = min(1, len(numbers) - 1)
    upper = [*numbers[:keep], numbers[keep] + 1]
    return f">={match[2]}{match[3]},<{'.'.join(map(str, upper))}"


def _pipfile_lock(data: dict[str, Any]) -> Pins:
    found: Pins = {}
    for section in ("develop", "default"):
        found |= {distribution(name): entry.get("version") for name, entry in data.get(section, {}).items()}
    return found


def _setup_py(text: str) -> Pins:
    tree = ast.parse(text)
    lists = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found: Pins = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in {"install_requires", "extras_require", "tests_require"}:
            value = lists.get(node.value.id, node.value) if isinstance(node.value, ast.Name) else node.value
            values = value.values if isinstance(value, ast.Dict) else [value]
            texts = [item.value for part in values for item in ast.walk(part) if isinstance(item, ast.Constant)]
            merge(found, _requirements(item for item in texts if isinstance(item, str)))
    return found


def _setup_cfg(text: str) -> Pins:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    found: Pins = {}
    for section, key in [("options", "install_requires"), *(("options.extras_require", None),)]:
        if parser.has_section(section):
            values = [value for name, value in parser.items(section) if key in {None, name}]
            merge(found, _requirements(line for value in values for line in value.splitlines()))
    return found


def _conda(text: str) -> Pins:
    found: Pins = {}
    listed = re.findall(r"^\s*-\s+['\"]?(?:[\w-]+::)?([^\s:'\"#]+)['\"]?\s*(?:#.*)?$", text, re.MULTILINE)
    for item in listed:
        line = re.sub(r"^([\w.-]+)=([\w.]+)(=[\w.]*)?$", r"\1==\2.*", item)
        merge(found, _requirements([line]))
    return found
