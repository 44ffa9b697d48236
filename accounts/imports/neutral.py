"""PURE. Cells that a spreadsheet would calculate (A-093; security rules, R-27)."""

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
MARK = "'"


def neutralised(cell: str) -> str:
    """A cell as it is exported: what a spreadsheet takes for a formula gets an apostrophe first."""
    return MARK + cell if cell.startswith(DANGEROUS) else cell


def as_typed(cell: str) -> str:
    """The reverse of `neutralised`, for a file that came from an export."""
    return cell[1:] if cell.startswith(MARK) and cell[1:].startswith(DANGEROUS) else cell
