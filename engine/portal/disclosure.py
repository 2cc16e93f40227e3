"""What a reader is told before they consent to eCommunications (15 U.S.C. § 7001(c)(1)(B) and (C)),
out of the one template that says it, for the portal's page and for a caseworker to read out."""

import json

from engine.caseload.consent_words import ConsentWords, Section
from engine.i18n import Language
from engine.portal.layout import Layout

_TEMPLATE = "ecommunications_disclosure.txt"


def disclosure(layout: Layout, language: Language) -> ConsentWords:
    """The words as they are today, under the agency's names and numbers."""
    said = json.loads(layout.environments[language].get_template(_TEMPLATE).render())
    return ConsentWords(
        language, tuple(Section(each["heading"], tuple(each["lines"])) for each in said)
    )
