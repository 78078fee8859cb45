"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table of the first release."""
    op.create_table('connection',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=True),
    sa.Column('mode', sa.Text(), nullable=True),
    sa.Column('source_id', BIG, nullable=True),
    sa.Column('write_key', sa.Text(), nullable=True),
    sa.Column('enabled', FLAG, nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('segment_id', sa.Text(), nullable=True),
    sa.Column('overridden', FLAG, nullable=False),
    sa.Column('first_hour', BIG, nullable=True),
    sa.Column('stale_since', BIG, nullable=True),
    sa.Column('created_at', BIG, nullable=False),
    sa.Column('removed_at', BIG, nullable=True),
    sa.CheckConstraint("(kind = 'source' AND category IS NOT NULL AND source_id IS NULL AND mode IS NULL) OR (kind = 'destination' AND mode IS NOT NULL AND source_id IS NOT NULL)", name='shape'),
    sa.CheckConstraint("category IN ('event_streams', 'cloud_app', 'reverse_etl')", name='category_known'),
    sa.CheckConstraint("kind IN ('source', 'destination')", name='kind_known'),
    sa.CheckConstraint("mode IN ('cloud', 'device')", name='mode_known'),
    sa.CheckConstraint("origin IN ('local', 'segment')", name='origin_known'),
    sa.ForeignKeyConstraint(['source_id'], ['connection.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    op.create_index('connection_segment', 'connection', ['kind', 'segment_id'], unique=True)
    op.create_index('connection_slug', 'connection', ['slug'], unique=True, sqlite_where=sa.text('removed_at IS NULL'), postgresql_where=sa.text('removed_at IS NULL'))
    op.create_index('connection_write_key', 'connection', ['write_key'], unique=True)
    op.create_index('ix_connection_source_id', 'connection', ['source_id'], unique=False)
    op.create_table('endpoint',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('held_until', BIG, nullable=True),
    sa.Column('last_at', BIG, nullable=False),
    sa.Column('last_ok', FLAG, nullable=False),
    sa.Column('last_answer', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name'),
    sqlite_strict=True
    )
    op.create_table('lease',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('taken_at', BIG, nullable=False),
    sa.PrimaryKeyConstraint('name'),
    sqlite_strict=True
    )
    op.create_table('listening',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('since', BIG, nullable=False),
    sa.Column('until', BIG, nullable=False),
    sa.CheckConstraint('until >= since', name='forwards'),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    op.create_index('ix_listening_until', 'listening', ['until'], unique=False)
    op.create_table('member',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('account', sa.Text(), nullable=True),
    sa.Column('segment_id', sa.Text(), nullable=True),
    sa.Column('created_at', BIG, nullable=False),
    sa.Column('removed_at', BIG, nullable=True),
    sa.CheckConstraint("role IN ('workspace_owner', 'workspace_member')", name='role_known'),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    op.create_index('member_email', 'member', ['email'], unique=True, sqlite_where=sa.text('removed_at IS NULL'), postgresql_where=sa.text('removed_at IS NULL'))
    op.create_table('pass',
    sa.Column('hour', BIG, autoincrement=False, nullable=False),
    sa.Column('at', BIG, nullable=False),
    sa.Column('duration_us', BIG, nullable=False),
    sa.Column('judged', BIG, nullable=False),
    sa.Column('opened', BIG, nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('hour'),
    sqlite_strict=True
    )
    op.create_table('seen_messages',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('at', BIG, nullable=False),
    sa.Column('ids', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    op.create_index('ix_seen_messages_at', 'seen_messages', ['at'], unique=False)
    op.create_table('segment_link',
    sa.Column('id', BIG, autoincrement=False, nullable=False),
    sa.Column('workspace_id', sa.Text(), nullable=False),
    sa.Column('workspace_name', sa.Text(), nullable=False),
    sa.Column('region', sa.Text(), nullable=False),
    sa.Column('connected_at', BIG, nullable=False),
    sa.Column('last_sync_at', BIG, nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('requests', BIG, nullable=False),
    sa.CheckConstraint('id = 1', name='only_one'),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    op.create_table('workspace',
    sa.Column('id', BIG, autoincrement=False, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('created_at', BIG, nullable=False),
    sa.CheckConstraint('id = 1', name='only_one'),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    op.create_table('alert',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('connection_id', BIG, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('threshold', BIG, nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('baseline', sa.Text(), nullable=False),
    sa.Column('min_events', BIG, nullable=False),
    sa.Column('reminder_hours', BIG, nullable=False),
    sa.Column('say_resolved', FLAG, nullable=False),
    sa.Column('enabled', FLAG, nullable=False),
    sa.Column('muted_until', BIG, nullable=True),
    sa.Column('created_by', BIG, nullable=False),
    sa.Column('created_at', BIG, nullable=False),
    sa.Column('deleted_at', BIG, nullable=True),
    sa.Column('disabled_reason', sa.Text(), nullable=True),
    sa.Column('judged_hour', BIG, nullable=True),
    sa.Column('verdict', sa.Text(), nullable=True),
    sa.CheckConstraint("baseline IN ('day_before', 'week_before')", name='baseline_known'),
    sa.CheckConstraint("direction IN ('both', 'drop', 'spike')", name='direction_known'),
    sa.CheckConstraint("kind IN ('source_volume', 'successful_delivery_rate')", name='kind_known'),
    sa.CheckConstraint("threshold BETWEEN 1 AND 100000 AND (kind = 'source_volume' OR threshold <= 10000)", name='threshold_range'),
    sa.CheckConstraint("verdict IN ('ok', 'breached', 'learning', 'no_data', 'too_few', 'unknown', 'disabled')", name='verdict_known'),
    sa.CheckConstraint('min_events >= 0', name='min_events_natural'),
    sa.CheckConstraint('reminder_hours IN (0, 24, 72)', name='reminder_known'),
    sa.ForeignKeyConstraint(['connection_id'], ['connection.id'], ),
    sa.ForeignKeyConstraint(['created_by'], ['member.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    op.create_index('ix_alert_connection_id', 'alert', ['connection_id'], unique=False)
    op.create_index('ix_alert_created_by', 'alert', ['created_by'], unique=False)
    op.create_table('coverage',
    sa.Column('connection_id', BIG, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('from_hour', BIG, nullable=False),
    sa.Column('until_hour', BIG, nullable=False),
    sa.CheckConstraint("kind IN ('import', 'sync')", name='kind_known'),
    sa.CheckConstraint('until_hour > from_hour', name='forwards'),
    sa.ForeignKeyConstraint(['connection_id'], ['connection.id'], ),
    sa.PrimaryKeyConstraint('connection_id', 'kind', 'from_hour'),
    sqlite_strict=True,
    sqlite_with_rowid=False
    )
    op.create_table('hourly_count',
    sa.Column('connection_id', BIG, nullable=False),
    sa.Column('hour', BIG, nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('count', BIG, nullable=False),
    sa.CheckConstraint("stage IN ('received', 'delivered', 'failed', 'filtered')", name='stage_known'),
    sa.CheckConstraint('count >= 0', name='count_natural'),
    sa.ForeignKeyConstraint(['connection_id'], ['connection.id'], ),
    sa.PrimaryKeyConstraint('connection_id', 'hour', 'stage'),
    sqlite_strict=True,
    sqlite_with_rowid=False
    )
    op.create_table('preference',
    sa.Column('member_id', BIG, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], ),
    sa.PrimaryKeyConstraint('member_id', 'name'),
    sqlite_strict=True,
    sqlite_with_rowid=False
    )
    op.create_table('alert_channel',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('alert_id', BIG, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=True),
    sa.Column('label', sa.Text(), nullable=True),
    sa.Column('broken_since', BIG, nullable=True),
    sa.Column('broken_answer', sa.Text(), nullable=True),
    sa.Column('removed_at', BIG, nullable=True),
    sa.CheckConstraint("(kind = 'in_app') = (target IS NULL)", name='target_shape'),
    sa.CheckConstraint("kind IN ('email', 'slack', 'in_app')", name='kind_known'),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    op.create_index('ix_alert_channel_alert_id', 'alert_channel', ['alert_id'], unique=False)
    op.create_table('incident',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('alert_id', BIG, nullable=False),
    sa.Column('opened_at', BIG, nullable=False),
    sa.Column('opened_hour', BIG, nullable=False),
    sa.Column('closed_at', BIG, nullable=True),
    sa.Column('close_reason', sa.Text(), nullable=True),
    sa.Column('quiet_hour', BIG, nullable=True),
    sa.Column('told_hour', BIG, nullable=True),
    sa.Column('threshold', BIG, nullable=False),
    sa.Column('current', BIG, nullable=False),
    sa.Column('baseline', BIG, nullable=True),
    sa.Column('delivered', BIG, nullable=True),
    sa.Column('failed', BIG, nullable=True),
    sa.Column('worst_current', BIG, nullable=False),
    sa.Column('worst_baseline', BIG, nullable=True),
    sa.CheckConstraint("close_reason IN ('resolved', 'edited', 'alert_disabled', 'alert_deleted', 'connection_disabled', 'connection_removed')", name='close_reason_known'),
    sa.CheckConstraint('(closed_at IS NULL) = (close_reason IS NULL)', name='closed_with_reason'),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    op.create_index('incident_one_open', 'incident', ['alert_id'], unique=True, sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
    op.create_index('ix_incident_alert_id', 'incident', ['alert_id'], unique=False)
    op.create_table('notification',
    sa.Column('id', BIG, autoincrement=True, nullable=False),
    sa.Column('alert_id', BIG, nullable=True),
    sa.Column('incident_id', BIG, nullable=True),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('occasion', BIG, nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('channel_id', BIG, nullable=True),
    sa.Column('member_id', BIG, nullable=True),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('fold', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', BIG, nullable=False),
    sa.Column('created_at', BIG, nullable=False),
    sa.Column('due_at', BIG, nullable=False),
    sa.Column('claimed_by', sa.Text(), nullable=True),
    sa.Column('claimed_until', BIG, nullable=True),
    sa.Column('sent_at', BIG, nullable=True),
    sa.Column('read_at', BIG, nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.CheckConstraint("channel IN ('email', 'slack', 'in_app')", name='channel_known'),
    sa.CheckConstraint("event IN ('opened', 'reminder', 'resolved', 'test', 'channel_failed', 'gap')", name='event_known'),
    sa.CheckConstraint("state IN ('queued', 'sending', 'sent', 'failed', 'dropped')", name='state_known'),
    sa.ForeignKeyConstraint(['alert_id'], ['alert.id'], ),
    sa.ForeignKeyConstraint(['channel_id'], ['alert_channel.id'], ),
    sa.ForeignKeyConstraint(['incident_id'], ['incident.id'], ),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    op.create_index('ix_notification_alert_id', 'notification', ['alert_id'], unique=False)
    op.create_index('ix_notification_channel_id', 'notification', ['channel_id'], unique=False)
    op.create_index('notification_bell', 'notification', ['member_id', 'read_at'], unique=False)
    op.create_index('notification_due', 'notification', ['due_at'], unique=False, sqlite_where=sa.text("state IN ('queued', 'sending')"), postgresql_where=sa.text("state IN ('queued', 'sending')"))
    op.create_index('notification_gap_once', 'notification', ['member_id', 'occasion'], unique=True, sqlite_where=sa.text("event = 'gap'"), postgresql_where=sa.text("event = 'gap'"))
    op.create_index('notification_once', 'notification', ['incident_id', 'event', 'occasion', 'channel_id'], unique=True)
