"""PURE. Text on a tenant's colour that everybody can read (WCAG 1.4.3)."""

WHITE, BLACK = "#fff", "#000"


def _channel(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def luminance(color: str) -> float:
    """Relative luminance of six hex digits, 0 for black to 1 for white."""
    red, green, blue = (_channel(int(color[at : at + 2], 16)) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable_on(color: str) -> str:
    """White or black, whichever stands out more; one of them always reaches 4.5:1."""
    light = luminance(color)
    return WHITE if 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 else BLACK
