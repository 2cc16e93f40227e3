"""What a program of the case system does, by a client that was generated from the document.

It is run by tests/api/test_over_http.py, in the generator's own environment.
"""

import os
import sys
from datetime import date
from uuid import uuid4

from generated.api.default import (
    cancel_communication,
    list_catalogue,
    look_at_communication,
    record_communication,
    record_communications,
)
from generated.client import AuthenticatedClient
from generated.models import (
    BatchAsk,
    DocumentReadyAsk,
    DocumentReadyFacts,
    PaymentNoticeAsk,
    PaymentNoticeFacts,
    Problem,
    ToldBatch,
    ToldCatalogue,
    ToldCommunication,
)

READER, CASE = os.environ["READER"], os.environ["CASE"]


def payment(participant: str) -> PaymentNoticeAsk:
    """An ask for a payment notice."""
    facts = PaymentNoticeFacts(
        direction="sent",
        amount_cents=48_250,
        paid_on=date(2026, 11, 20),
        case_number=CASE,
    )
    return PaymentNoticeAsk(notice="payment_notice", participant_id=participant, facts=facts)


def main() -> None:
    """Read the catalogue, record one, look at it, cancel it, record two, and be refused."""
    client = AuthenticatedClient(base_url=sys.argv[1], token=os.environ["TOKEN"])
    catalogue = list_catalogue.sync(client=client)
    assert isinstance(catalogue, ToldCatalogue)
    assert any(notice.recordable for notice in catalogue.notices)

    key = str(uuid4())
    one = record_communication.sync(client=client, body=payment(READER), idempotency_key=key)
    assert isinstance(one, ToldCommunication)
    again = record_communication.sync(client=client, body=payment(READER), idempotency_key=key)
    assert again == one
    assert look_at_communication.sync(client=client, id=one.id) == one
    ended = cancel_communication.sync(client=client, id=one.id)
    assert isinstance(ended, ToldCommunication)
    assert ended.state == "cancelled"

    document = DocumentReadyAsk(
        notice="document_ready",
        participant_id=READER,
        facts=DocumentReadyFacts(
            document="case_letter", ready_on=date(2026, 11, 23), case_number=CASE
        ),
    )
    both = BatchAsk(communications=[payment(READER), document])
    told = record_communications.sync(client=client, body=both, idempotency_key=str(uuid4()))
    assert isinstance(told, ToldBatch)
    assert [each.notice for each in told.communications] == ["payment_notice", "document_ready"]

    refused = record_communication.sync(
        client=client, body=payment("9999999999"), idempotency_key=str(uuid4())
    )
    assert isinstance(refused, Problem)
    assert [error.pointer for error in refused.errors] == ["#/participant_id"]
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
