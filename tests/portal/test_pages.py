"""The signed-out pages, over real servers."""

import asyncio
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
import structlog
import time_machine
from redis.asyncio import Redis
from sqlalchemy import event

from engine.settings import Settings
from tests.portal.conftest import (
    NOBODY,
    PARTICIPANT,
    Portal,
    form_token,
    portal_over,
    post_form,
)
