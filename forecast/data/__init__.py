"""Where figures come from: bundled tables, files of one's own, official sources."""
