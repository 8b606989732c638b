"""Whatever is kept on disk: whole or absent, with a manifest, a checksum and its recipe."""

from forecast.artifacts.entries import (
    MANIFEST,
    Arrays,
    caching,
    claim,
    enabled,
    is_sealed,
    keep,
    lookup,
    read_entry,
    read_sealed,
    sealed_folder,
    write_entry,
)
from forecast.artifacts.files import (
    atomic_file,
    atomic_folder,
    check_file,
    check_folder,
    check_writable,
    holding,
    recover,
    sha256,
    sweep,
    write_text,
)
from forecast.artifacts.recipes import described, digest, name_of, recipe

__all__ = [
    "MANIFEST", "Arrays", "atomic_file", "atomic_folder", "caching", "check_file",
    "check_folder", "check_writable", "claim", "described", "digest", "enabled", "holding",
    "is_sealed", "keep", "lookup", "name_of", "read_entry", "read_sealed", "recipe", "recover",
    "sealed_folder", "sha256", "sweep", "write_entry", "write_text",
]  # fmt: skip
