"""*Update My Information*: email, mailing address and phone, one thing a page; and the link that
proves an email address."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from engine.caseload.cells import EMAIL, PHONE, STATE, ZIP4, ZIP5
from engine.caseload.columns import LINE
from engine.caseload.contact_changes import Change, Kind, Made
from engine.caseload.profile import Contact, Profile, phone_as_written, profile_of
from engine.mail.addresses.checking import check
from engine.mail.addresses.fields import MailAddress
from engine.portal.places import Place, Private, Public
from engine.portal.tokens import FORM_FIELD
from engine.portal.visit import Visit
from engine.request_bodies import read_fields
from engine.security.audit import Entry

_FORM: Final = ("GET", "POST")
_AFTER: Final = "/profile"
_CONFIRM_RATE: Final = "30/minute"
_CHANGES_RATE: Final = "20/hour"
_YES_NO: Final = frozenset({"yes", "no"})
_RULES: Final = {
    "email": {"email": (EMAIL, True)},
    "phone": {"phone": (PHONE, True)},
    "mail": {
        "addr1": (LINE, True),
        "addr2": (LINE, False),
        "urbanization": (LINE, False),
        "city": (LINE, True),
        "state": (STATE, True),
        "zip5": (ZIP5, True),
        "zip4": (ZIP4, False),
    },
}
_NAMES: Final[Mapping[Kind, str]] = {"email": "email", "mail": "address", "phone": "phone"}


class ContactDetailsPages:
    """The three forms, and the door that a link in an email leads to."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Private("/profile/email", self.email, _FORM, after=_AFTER)
        yield Private("/profile/address", self.address, _FORM, after=_AFTER)
        yield Private("/profile/phone", self.phone, _FORM, after=_AFTER)
        yield Public("/confirm-email/{token}", self.confirm_email, _FORM)

    async def email(self, visit: Visit) -> Response:
        """The email address."""
        return await self._contact(visit, "email")

    async def phone(self, visit: Visit) -> Response:
        """The phone number."""
        return await self._contact(visit, "phone")

    async def address(self, visit: Visit) -> Response:
        """The mailing address; a protected participant's is not changed here."""
        return await self._contact(visit, "mail")

    async def confirm_email(self, visit: Visit) -> Response:
        """A page with one button: programs that look into mail follow its links, and must change
        nothing. A token that is used, too old or unknown is answered alike."""
        if not visit.posted:
            return visit.page("confirm_email.html", done=None)
        await visit.count("confirm_email.network", visit.network, rate=_CONFIRM_RATE)
        fields = await read_fields(visit.request)
        if not visit.tokens.form_is_ours(visit.request, fields.get(FORM_FIELD, "")):
            return visit.page("confirm_email.html", 403, done=None)
        async with visit.application.engine.begin() as connection:
            owner = await visit.application.contact_changes.confirm(
                connection, visit.request.path_params["token"]
            )
            if owner is not None:
                await visit.application.audit.append(
                    connection,
                    Entry(
                        actor=f"participant:{owner}",
                        act="contact.email.confirmed",
                        participant_id=owner,
                        network=visit.network,
                    ),
                )
        return visit.page("confirm_email.html", 200 if owner else 404, done=owner is not None)

    async def _contact(self, visit: Visit, kind: Kind) -> Response:
        async with visit.reading() as connection:
            profile = await profile_of(connection, visit.participant_id)
        contact: Contact | None = getattr(profile, kind)
        if kind == "mail" and profile.confidential:
            return visit.page("contact_protected.html", nav="profile")
        asks = _asks_about_old(kind, profile, contact)
        if not visit.posted:
            # Whether it is safe is asked anew each time: the answer was for what stood there.
            return self._form(visit, kind, _Answers(_as_typed(contact)), asks=asks)
        return await self._posted(visit, kind, profile, asks=asks)

    async def _posted(self, visit: Visit, kind: Kind, profile: Profile, *, asks: bool) -> Response:
        typed = {field: visit.fields.get(field, "").strip() for field in _RULES[kind]}
        if kind == "mail":
            typed["state"] = typed["state"].upper()
        answers = _Answers(typed, visit.fields.get("safe", ""), visit.fields.get("tell_old", ""))
        values, faults = _read(kind, typed)
        if visit.fields.get("none") == "yes" and kind != "mail":
            values, faults = dict.fromkeys(typed), {}
        elif answers.safe not in _YES_NO:
            faults["safe"] = "safe_missing"
        contact: Contact | None = getattr(profile, kind)
        replaces = contact is not None and not _same(contact, values)
        if asks and replaces and any(values.values()) and answers.tell_old not in _YES_NO:
            faults["tell_old"] = "tell_old_missing"
        flags = () if kind != "mail" or faults else _flags(values, profile.name)
        if faults or (flags and visit.fields.get("anyway") != " ".join(flags)):
            return self._form(
                visit, kind, answers, asks=asks, faults=faults, status=422, flags=flags
            )
        change = Change(
            kind,
            values,
            answers.safe != "no",
            " ".join(flags) if kind == "mail" else None,
            tell_old=answers.tell_old != "no",
        )
        await visit.count("contact_changes", str(visit.participant_id), rate=_CHANGES_RATE)
        async with visit.act(f"contact.{_NAMES[kind]}.changed") as doing:
            made = await visit.application.contact_changes.make(
                doing.transaction, visit.participant_id, change, str(visit.form)
            )
            doing.unchanged = made is Made.UNCHANGED
            if not replaces and contact is not None:
                doing.name = f"contact.{_NAMES[kind]}.safety_answered"
        said = made if made is Made.UNCHANGED else f"{_NAMES[kind]}_{made}"
        return visit.to(_AFTER, said=said)

    def _form(
        self,
        visit: Visit,
        kind: Kind,
        answers: "_Answers",
        *,
        asks: bool,
        faults: Mapping[str, str] | None = None,
        status: int = 200,
        flags: tuple[str, ...] = (),
    ) -> Response:
        return visit.page(
            f"contact_{_NAMES[kind]}.html",
            status,
            nav="profile",
            typed={field: answers.typed.get(field, "") for field in _RULES[kind]},
            safe=answers.safe,
            tell_old=answers.tell_old,
            asks_about_old=asks,
            faults=faults or {},
            flags=flags,
        )


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a form held."""

    typed: Mapping[str, str]
    safe: str = ""
    tell_old: str = ""


def _asks_about_old(kind: Kind, profile: Profile, contact: Contact | None) -> bool:
    """Whether a notice of a change would go to what stands there now: not to a telephone, to what
    is unsafe or dead, nor to an old address of a protected reader."""
    if kind == "phone" or contact is None or profile.confidential:
        return False
    return contact.safe and not (contact.bounced or contact.returned)


def _as_typed(contact: Contact | None) -> Mapping[str, str]:
    """What is on file as a person writes it."""
    if contact is None:
        return {}
    return contact.fields | {"phone": phone_as_written(contact.fields["phone"])}


def _same(contact: Contact, values: Mapping[str, str | None]) -> bool:
    return all((values[field] or "") == contact.fields[field] for field in values)


def _read(kind: Kind, typed: Mapping[str, str]) -> tuple[dict[str, str | None], dict[str, str]]:
    """The values of the fields by the rules an import reads them by, and what is wrong."""
    values: dict[str, str | None] = {}
    faults: dict[str, str] = {}
    for field, (rule, required) in _RULES[kind].items():
        if not typed[field]:
            values[field] = None
            if required:
                faults[field] = f"{field}_missing"
            continue
        value = rule.read(typed[field])
        values[field] = value if isinstance(value, str) else None
        if value is None:
            faults[field] = f"{field}_wrong"
    return values, faults


def _flags(values: Mapping[str, str | None], name: str) -> tuple[str, ...]:
    """Why a letter to this address would be held, in the contract's words."""
    address = MailAddress(
        name=name,
        urbanization=values["urbanization"] or "",
        addr1=values["addr1"] or "",
        addr2=values["addr2"] or "",
        city=values["city"] or "",
        state=values["state"] or "",
        zip5=values["zip5"] or "",
        zip4=values["zip4"] or "",
    )
    return tuple(str(flag) for flag in check(address).flags)
