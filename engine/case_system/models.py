"""The tables of the machine API: who may come, and what they were answered."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Identity, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class ApiKey(Base):
    """A program that may call the machine API, and what for. What it shows are the secrets of
    `api_key_secret`: two of them while one takes the other's place."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_by: Mapped[str]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ApiKeySecret(Base):
    """A token that was shown once. The database holds a hash of it, never the token; `prefix` is
    how it begins, to be recognised by in a list."""

    __tablename__ = "api_key_secret"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_key.id"), index=True)
    prefix: Mapped[str]
    hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class KeptAnswer(Base):
    """What a request that recorded something was answered, for when it comes again under the same
    Idempotency-Key; `request` is a fingerprint of what was asked. The key itself is not kept: it
    is the caller's word, and may hold anything."""

    __tablename__ = "kept_answer"
    __table_args__ = (UniqueConstraint("api_key_id", "key"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_key.id"))
    key: Mapped[bytes]
    request: Mapped[bytes]
    status: Mapped[int]
    location: Mapped[str | None]
    body: Mapped[str]
    kept_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
