"""The self-service phone line: a call as a conversation over webhooks, in English and Spanish."""
