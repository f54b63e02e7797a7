from ..settings import CITY


def look():
    return f"sun in {CITY}"
