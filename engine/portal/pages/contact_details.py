"""*Update My Information*: email, mailing address and phone, one thing a page; and the link that
proves an email address."""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.caseload.cells import EMAIL, PHONE, STATE, ZIP4, ZIP5
from engine.caseload.columns import LINE
from engine.caseload.contact_changes import Change, Kind, Made
from engine.caseload.profile import Contact, profile_of
from engine.mail.addresses.checking import check
from engine.mail.addresses.fields import MailAddress
from engine.portal.forms import read_fields
from engine.portal.places import Place, Private, Public
from engine.portal.tokens import FORM_FIELD
from engine.portal.visit import Visit
from engine.security.audit import Entry

_FORM: Final = ("GET", "POST")
_AFTER: Final = "/profile"
_CONFIRM_RATE: Final = "30/minute"
_RULES: Final = {
    "email": {"email": (EMAIL, True)},
    "phone": {"phone": (PHONE, True)},
    "mail": {
        "addr1": (LINE, True),
        "addr2": (LINE, False),
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
        if visit.request.method == "GET":
            return visit.page("confirm_email.html", done=None)
        decision = await visit.application.throttle.allow(
            "confirm_email.network", visit.network, rate=_CONFIRM_RATE
        )
        if not decision.allowed:
            raise HTTPException(429, headers={"Retry-After": str(decision.retry_after_seconds)})
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
        if visit.request.method == "GET":
            typed = contact.fields if contact else {}
            safe = ("yes" if contact.safe else "no") if contact else ""
            return self._form(visit, kind, typed, safe)
        return await self._posted(visit, kind, profile.name)

    async def _posted(self, visit: Visit, kind: Kind, name: str) -> Response:
        typed = {field: visit.fields.get(field, "").strip() for field in _RULES[kind]}
        if kind == "mail":
            typed["state"] = typed["state"].upper()
        safe = visit.fields.get("safe", "")
        values, faults = _read(kind, typed)
        if visit.fields.get("none") == "yes" and kind != "mail":
            values, faults = dict.fromkeys(typed), {}
        elif safe not in {"yes", "no"}:
            faults["safe"] = "safe_missing"
        flags = () if kind != "mail" or faults else _flags(values, name)
        if faults or (flags and visit.fields.get("anyway") != " ".join(flags)):
            return self._form(visit, kind, typed, safe, faults=faults, status=422, flags=flags)
        change = Change(kind, values, safe != "no", " ".join(flags) if kind == "mail" else None)
        async with visit.act(f"contact.{_NAMES[kind]}.changed") as transaction:
            made = await visit.application.contact_changes.make(
                transaction, visit.participant_id, change, str(visit.form)
            )
        said = made if made is Made.UNCHANGED else f"{_NAMES[kind]}_{made}"
        return visit.to(_AFTER, said=said)

    def _form(
        self,
        visit: Visit,
        kind: Kind,
        typed: Mapping[str, str],
        safe: str,
        *,
        faults: Mapping[str, str] | None = None,
        status: int = 200,
        flags: tuple[str, ...] = (),
    ) -> Response:
        return visit.page(
            f"contact_{_NAMES[kind]}.html",
            status,
            nav="profile",
            typed={field: typed.get(field, "") for field in _RULES[kind]},
            safe=safe,
            faults=faults or {},
            flags=flags,
        )


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
        urbanization="",
        addr1=values["addr1"] or "",
        addr2=values["addr2"] or "",
        city=values["city"] or "",
        state=values["state"] or "",
        zip5=values["zip5"] or "",
        zip4=values["zip4"] or "",
    )
    return tuple(str(flag) for flag in check(address).flags)
