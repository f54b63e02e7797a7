"""Says which command installs a package that a script lacks."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from importlib import metadata
from pathlib import Path

_PACKAGES = {
    "Crypto": "pycryptodome",
    "PIL": "pillow",
    "agents": "openai-agents",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "git": "gitpython",
    "github": "pygithub",
    "google": "google-genai",
    "google.adk": "google-adk",
    "google.genai": "google-genai",
    "google.generativeai": "google-generativeai",
    "google.protobuf": "protobuf",
    "jwt": "pyjwt",
    "langgraph.checkpoint.mongodb": "langgraph-checkpoint-mongodb",
    "langgraph.checkpoint.postgres": "langgraph-checkpoint-postgres",
    "langgraph.checkpoint.redis": "langgraph-checkpoint-redis",
    "langgraph.checkpoint.sqlite": "langgraph-checkpoint-sqlite",
    "multipart": "python-multipart",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "skimage": "scikit-image",
    "slugify": "python-slugify",
    "sklearn": "scikit-learn",
    "tavily": "tavily-python",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""The packages that are not called like the module that a script imports."""


def remedy(module: str) -> str:
    """What to do about a missing module, in a few words."""
    package = _package_of(module)
    top = module.partition(".")[0]
    if module != top and package == top and (version := _version(top)):
        return f"{top} {version} has no such module: install the version that the script was written for"
    requirements = _requirements(package)
    what = f"-r {requirements}" if requirements else package
    return f"install what is missing, for example with: {_installer()} {what}"


def _package_of(module: str) -> str:
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((_PACKAGES[name] for name in names if name in _PACKAGES), parts[0])


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _requirements(package: str) -> Path | None:
    """The file beside the script, or in a folder above it, that names the package."""
    folder = Path(sys.path[0])
    for file in (place / "requirements.txt" for place in (folder, *folder.parents)):
        if file.is_file():
            lines = file.read_text("utf-8", "replace").splitlines()
            return file if _normal(package) in map(_name_in, lines) else None
    return None


def _name_in(line: str) -> str:
    name = re.match(r"\s*([\w.-]*)", line)
    return _normal(name[1]) if name else ""


def _normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def _installer() -> str:
    # uv's environments have no pip.
    if importlib.util.find_spec("pip") is None:
        return f"uv pip install --python {sys.executable}"
    return f"{sys.executable} -m pip install"
