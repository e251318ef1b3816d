"""The statements of the store on PostgreSQL."""

from tactful.serving.store.port import EVENTS_READ, FORBIDDING
from tactful.serving.store.rows import CONTACT_COLUMNS, EVENT_COLUMNS, FIRST_TIME

PATIENCE = 10
"""Seconds to wait for a connection, or for another writer."""

SHARE = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))"
"""Taken by whoever takes in; who erases takes it alone."""
EXCLUDE = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
SESSION = (
    f"SET lock_timeout = '{PATIENCE}s'",
    f"SET idle_in_transaction_session_timeout = '{PATIENCE}s'",
)
"""What a connection starts with: nobody waits or holds a lock for ever."""
DURABILITY = {
    "full": """
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local')""",
    "normal": "SET synchronous_commit = off",
}
"""Whether what was acknowledged is on disk, whatever the database was told."""
UNHURRIED = "SET LOCAL idle_in_transaction_session_timeout = 0"
"""For a load, which may prepare rows for longer than a decision may."""
CUSTOMERS = """
SELECT c.customer, c.version, t.zone, c.zone, c.joined, c.attributes
FROM customers c JOIN tenants t USING (tenant) WHERE tenant = %s AND customer = ANY(%s)"""
CONSENTS = "SELECT customer, channel, purpose, allowed FROM consents WHERE tenant = %s AND customer = ANY(%s)"
WANTED = "unnest(%(customers)s::text[], %(moments)s::bigint[]) WITH ORDINALITY AS wanted (customer, moment, position)"
EVENTS = f"""
SELECT position, e.* FROM {WANTED} CROSS JOIN LATERAL (
  SELECT coalesce((
    SELECT time FROM events WHERE tenant = %(tenant)s AND customer = wanted.customer
    ORDER BY time DESC LIMIT 1 OFFSET {EVENTS_READ - 1}), {FIRST_TIME}) AS since
) newest CROSS JOIN LATERAL (
  SELECT {EVENT_COLUMNS} FROM events
  WHERE tenant = %(tenant)s AND customer = wanted.customer AND time >= newest.since
  UNION ALL
  SELECT {EVENT_COLUMNS} FROM events
  WHERE tenant = %(tenant)s AND customer = wanted.customer AND time < newest.since AND type IN {FORBIDDING}
) e ORDER BY position, time, id"""  # noqa: S608 # nosec B608 # our own columns and numbers
CONTACTS = f"""
SELECT position, l.* FROM {WANTED} CROSS JOIN LATERAL (
  SELECT {CONTACT_COLUMNS} FROM ledger WHERE tenant = %(tenant)s AND customer = wanted.customer
  AND (status = 'sent' OR (status = 'reserved' AND expires > moment)) ORDER BY time, id
) l ORDER BY position, time, id"""  # noqa: S608 # nosec B608
LOCK = """
SELECT customer, version FROM customers WHERE tenant = %s AND customer = ANY(%s) ORDER BY customer FOR UPDATE"""
IDENTITIES = "SELECT alias, customer FROM identities WHERE tenant = %s AND alias = ANY(%s)"
ATTRIBUTES = "SELECT customer, attributes FROM customers WHERE tenant = %s AND customer = ANY(%s)"
MOVE = "UPDATE customers SET version = version + 1 WHERE tenant = %s AND customer = %s"
EXIST = "SELECT id FROM decisions WHERE tenant = %s AND id = ANY(%s)"
DECISIONS = "SELECT id, customer, opened_by, record, inputs FROM decisions WHERE tenant = %s AND id = ANY(%s)"
KEEP_DECISION = """
INSERT INTO decisions VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id"""
KEEP_CONTACT = """
INSERT INTO ledger VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
KEEP_RECORD = "INSERT INTO outbox VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
KEEP_TENANT = """
INSERT INTO tenants (tenant, zone) VALUES (%s, %s) ON CONFLICT (tenant) DO UPDATE SET zone = excluded.zone"""
KEEP_CUSTOMER = """
INSERT INTO customers AS known VALUES (%s, %s, 1, %s, %s, %s, TRUE) ON CONFLICT (tenant, customer) DO UPDATE SET
  version = known.version + 1, is_user = TRUE, zone = coalesce(excluded.zone, known.zone),
  joined = coalesce(known.joined, excluded.joined), attributes = excluded.attributes"""
KEEP_CATALOGUE = "INSERT INTO catalogues VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
CATALOGUE = "SELECT content FROM catalogues WHERE tenant = %s AND version = %s AND features = %s"
SETTLE = {
    "sent": "UPDATE ledger SET status = 'sent' WHERE tenant = %s AND customer = %s AND id = %s AND status <> 'sent'",
    "released": "UPDATE ledger SET status = 'released' WHERE tenant = %s AND customer = %s AND id = %s "
    "AND status = 'reserved'",
}
