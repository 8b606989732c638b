"""One movement told by several sources: what was probably moved, and how far the counts agree."""
