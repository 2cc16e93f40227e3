"""Every table of the system in one place, for migrations and for tests: importing it is all."""

from engine.alarms import models as alarms
from engine.applications import draft_models as application_drafts
from engine.applications import models as applications
from engine.case_system import models as case_system
from engine.case_system.feed import models as feed
from engine.case_system.webhooks import models as webhooks
from engine.caseload import models as caseload
from engine.communications import models as communications
from engine.database import Base
from engine.email import models as email
from engine.inbox import models as inbox
from engine.mail import models as mail
from engine.recovery import models as recovery
from engine.retention import models as retention
from engine.security import models as security

METADATA = Base.metadata

__all__ = [
    "METADATA",
    "alarms",
    "application_drafts",
    "applications",
    "case_system",
    "caseload",
    "communications",
    "email",
    "feed",
    "inbox",
    "mail",
    "recovery",
    "retention",
    "security",
    "webhooks",
]
