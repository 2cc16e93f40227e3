"""The two languages: catalogues that never fall back in silence, and dates and money as read."""

from engine.i18n.catalogues import SOURCE_LANGUAGE, Language, StrictTranslations, translations
from engine.i18n.formats import clock_time, full_date, long_date, money, month, month_day, number

__all__ = [
    "SOURCE_LANGUAGE",
    "Language",
    "StrictTranslations",
    "clock_time",
    "full_date",
    "long_date",
    "money",
    "month",
    "month_day",
    "number",
    "translations",
]
