"""Which letter templates the vendor has approved, and as which proof they were shown to it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.catalogue import LETTERS, Notice
from engine.communications.rendering import Renderer
from engine.database import driver_connection
from engine.mail.contract import Template
from engine.mail.typesetting import LAYOUT

_APPROVED: Final = """
SELECT DISTINCT ON (sha256) sha256, proof_id, approved_by, approved_at
FROM print_proof WHERE approved_at IS NOT NULL AND sha256 = ANY($1::text[])
ORDER BY sha256, approved_at DESC
"""


@dataclass(frozen=True, slots=True)
class Approvals:
    """Templates as manifests name them, with the proof under which they were approved."""

    renderer: Renderer

    async def of(
        self, connection: AsyncConnection, notices: Sequence[Notice] = LETTERS
    ) -> dict[str, Template]:
        """Notice key → its template; its proof fields are None where none was approved.

        An approval is of the words and the layout as they are: a change of either needs a new one.
        """
        templates = {notice.key: self.template(notice) for notice in notices}
        driver = await driver_connection(connection)
        digests = [template.sha256 for template in templates.values()]
        approved = {row["sha256"]: row for row in await driver.fetch(_APPROVED, digests)}
        return {
            key: _with_proof(template, approved.get(template.sha256))
            for key, template in templates.items()
        }

    def template(self, notice: Notice) -> Template:
        """The template of a notice, without its proof."""
        digest = hashlib.sha256(self.renderer.digest(notice).encode())
        digest.update(LAYOUT.read_bytes())
        return Template(
            id=notice.key, version=self.renderer.version(notice), sha256=digest.hexdigest()
        )


def _with_proof(template: Template, row: Any) -> Template:
    if row is None:
        return template
    return template.model_copy(
        update={
            "proof_id": row["proof_id"],
            "approved_by": row["approved_by"],
            "approved_at": row["approved_at"],
        }
    )
