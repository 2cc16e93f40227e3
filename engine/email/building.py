"""From a claimed delivery to the message that is handed over."""

from dataclasses import dataclass

from engine.clock import Clock
from engine.communications.catalogue import Channel, Secret
from engine.communications.claims import Claimed
from engine.communications.ports import EmailAddress, Secrets
from engine.email.addressing import Addressing
from engine.email.dkim import DkimSigner
from engine.email.extras import EmailExtras
from engine.email.forms import Forms
from engine.email.mail_object import MailObject
from engine.email.message import Envelope
from engine.email.parts import Transfer
from engine.security.sealing import SecretBox


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds what is sent for a delivery: the same at every attempt, but for its date and how it
    is encoded."""

    forms: Forms
    addressing: Addressing
    box: SecretBox
    secrets: Secrets
    clock: Clock
    signer: DkimSigner | None = None

    def build(
        self, item: Claimed, address: EmailAddress, extras: EmailExtras, *, takes_8bit: bool
    ) -> MailObject:
        """The message of `item` to `address`, in its envelope.

        What we sign is kept to seven bits: a server on the way that had to convert it would break
        the signature (RFC 6376, 5.3). Raises MessageError where no message can be sent there, and
        other ConnectErrors where a person has to mend a template or a key first.
        """
        now = self.clock()
        may_be_8bit = takes_8bit and self.signer is None
        form = self.forms.of(
            item.notice,
            item.language,
            item.facts,
            secret=self._secret(item),
            link=extras.unsubscribe,
            transfer=Transfer.EIGHT_BIT if may_be_8bit else Transfer.QUOTED_PRINTABLE,
        )
        message = form.filled(
            Envelope(
                sender=self.forms.sender,
                recipient=address.address,
                message_id=self.addressing.message_id(item.delivery_id),
                date=now,
                extras=extras,
            )
        )
        return MailObject(
            sender=self.addressing.return_path(item.delivery_id),
            recipient=address.address,
            message=message if self.signer is None else self.signer.sign(message, now),
            envelope_id=self.addressing.envelope_id(item.delivery_id),
            is_8bit=form.is_8bit,
            # What a signer folds we do not know.
            may_begin_with_dots=form.may_begin_with_dots or self.signer is not None,
        )

    def _secret(self, item: Claimed) -> Secret | None:
        if item.secret is None:
            return None
        pin = self.box.open(item.secret, str(item.delivery_id))
        return Secret(pin, self.secrets.works_until(Channel.EMAIL, self.clock()))
