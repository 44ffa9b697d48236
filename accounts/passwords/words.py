"""PURE. Words that are in every password guesser's first try, whatever the organisation."""

_SEASONS = "spring summer autumn winter fruehling frühling sommer herbst printemps automne hiver "
_SEASONS += "primavera verano otono invierno"
_MONTHS = "january february march april june july august september october november december "
_MONTHS += "januar februar märz juni juli oktober dezember janvier fevrier avril juillet aout "
_MONTHS += "septembre octobre novembre decembre enero febrero abril agosto septiembre diciembre"
_DAYS = "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch "
_DAYS += "donnerstag freitag samstag sonntag lundi mardi mercredi jeudi vendredi samedi dimanche"
_ACCESS = "password passwort kennwort motdepasse contraseña contrasena parola senha login logon "
_ACCESS += "signin welcome willkommen bienvenue bienvenido benvenuto admin administrator root "
_ACCESS += "guest user test temp changeme letmein secret geheim default company office windows "
_ACCESS += "microsoft azure reset unlock hello hallo bonjour hola master access system server"
_KEYS = "qwerty qwertyuiop qwertz qwertzuiop azerty azertyuiop asdf asdfgh asdfghjkl zxcv zxcvbn "
_KEYS += "zxcvbnm yxcv yxcvbnm 1qaz 2wsx 3edc 1qaz2wsx qaywsx qazwsx 1q2w 1q2w3e 1q2w3e4r q1w2e3r4 "
_KEYS += "abcd abcde abcdef abc123 aaaa xxxx zzzz"

_DIGITS = "12345678901234567890"
_RUNS = [_DIGITS[start : start + length] for length in range(4, 11) for start in range(10)]
_YEARS = [str(year) for year in range(1940, 2060)]

GUESSED_FIRST = (
    *f"{_SEASONS} {_MONTHS} {_DAYS} {_ACCESS} {_KEYS}".split(),
    *_RUNS,
    *(run[::-1] for run in _RUNS),
    *(digit * 4 for digit in "0123456789"),
    *_YEARS,
)
"""Seasons, months, days, words around signing in, keyboard rows, digit runs both ways, repeated
digits and the years people put behind a word. Four characters and more."""
