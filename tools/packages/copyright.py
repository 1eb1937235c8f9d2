#!/usr/bin/env python3
"""Writes debian/copyright (DEP-5) for the binary of a crate of the workspace, with every crate that
is compiled into it, by the output of `cargo metadata` on standard input; without CRATE for files of
this project alone.

usage: tools/packages/copyright.py [CRATE]
"""

import json
import re
import sys
from pathlib import Path

HEADER = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: sgx-quote-helper

Files: *
Copyright: 2026 the sgx-quote-helper authors
License: Apache-2.0 or Expat
"""
COMMON = " On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0."
APACHE = re.compile(r"^[^\n]*Apache License\n[^\n]*Version 2\.0, January 2004.*?"
                    r"(?:limitations under the License\.|END OF TERMS AND CONDITIONS)", re.M | re.S)


def compiled_in(found, crate):
    """The crates from elsewhere whose code is in this one's binary."""
    packages = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    todo = [package["id"] for package in packages.values() if package["name"] == crate]
    if not todo:
        sys.exit(f"the workspace has no crate {crate}")
    seen = set()
    while todo:
        package = packages[todo.pop()]
        kinds = package["targets"][0]["kind"]
        if package["id"] in seen or "proc-macro" in kinds:
            continue
        seen.add(package["id"])
        for dependency in nodes[package["id"]]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                todo.append(dependency["pkg"])
    chosen = [packages[package] for package in seen if packages[package]["source"]]
    return sorted(chosen, key=lambda package: (package["name"], package["version"]))


def texts(package, *patterns):
    directory = Path(package["manifest_path"]).parent
    paths = sorted({path for pattern in patterns for path in directory.glob(pattern)})
    return "\n".join(path.read_text(errors="replace") for path in paths if path.is_file())


def holders(package, text):
    lines = re.findall(r"^\W*(?:Copyright|COPYRIGHT)\s+((?:\(c\)|©|\d{4}).*)$", text, re.M | re.I)
    named = [re.sub(r"^(\(c\)|©)\s*", "", line, flags=re.I).strip(" .*/") for line in lines]
    authors = ", ".join(package["authors"]) or f"the authors of {package['name']}"
    return list(dict.fromkeys(named)) or [authors]


def expression(package):
    """The licence as DEP-5 writes it."""
    licence = re.sub(r"\s*/\s*", " OR ", package["license"])
    licence = licence.replace("MIT-0", "Expat-0").replace("MIT", "Expat")
    return licence.replace(" OR ", " or ").replace(" AND ", " and ").replace(" WITH ", " with ")


def indented(text):
    return "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in text.splitlines())


def may_be_apache(package):
    """The common licence suffices where it is one of those to choose from."""
    return "Apache-2.0" in re.split(r" OR |\s*/\s*", package["license"])


def paragraph(package):
    text = APACHE.sub(COMMON.strip(), texts(package, "LICEN[CS]E*", "COPYING*", "UNLICENSE*"))
    notice = texts(package, "NOTICE*")
    lines = [f"Files: {package['name']}-{package['version']}/*"]
    lines.append("Copyright: " + "\n           ".join(holders(package, text)))
    lines.append(f"License: {expression(package)}")
    lines.append(COMMON if may_be_apache(package) else indented(text))
    if notice:
        lines.append(f"Comment:\n{indented(notice)}")
    return "\n".join(lines) + "\n"


def own_licences():
    expat = indented(Path("LICENSE-MIT").read_text())
    return f"License: Apache-2.0\n{COMMON}\n\nLicense: Expat\n{expat}\n"


def main(crate=None):
    crates = compiled_in(json.load(sys.stdin), crate) if crate else []
    print("\n".join([HEADER, *map(paragraph, crates), own_licences()]), end="")


main(*sys.argv[1:])
