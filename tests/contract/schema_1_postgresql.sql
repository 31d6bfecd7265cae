CREATE TABLE campaigns (
    id BIGSERIAL NOT NULL,
    series TEXT NOT NULL,
    key TEXT NOT NULL,
    event TEXT NOT NULL,
    rule TEXT NOT NULL,
    revision INTEGER NOT NULL,
    occurrence TEXT NOT NULL,
    kind TEXT NOT NULL,
    due BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    priority SMALLINT NOT NULL,
    audience TEXT NOT NULL,
    tags TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'expanded', 'done', 'dropped')),
    reason TEXT NOT NULL,
    expanded BIGINT,
    PRIMARY KEY (id),
    UNIQUE (series, key)
);
CREATE INDEX campaigns_by_event ON campaigns (series, event);
CREATE INDEX campaigns_by_state ON campaigns (state, due);
CREATE TABLE editions (
    series TEXT NOT NULL,
    catalogue TEXT NOT NULL,
    ledger TEXT NOT NULL,
    head TEXT NOT NULL,
    published BIGINT NOT NULL,
    PRIMARY KEY (series)
);
CREATE TABLE forgotten (
    series TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (series, digest)
);
CREATE TABLE meta (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE subscribers (
    id BIGSERIAL NOT NULL,
    series TEXT NOT NULL,
    address TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    folded TEXT NOT NULL,
    public_id TEXT NOT NULL,
    language TEXT NOT NULL,
    kinds INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')),
    bounces SMALLINT NOT NULL,
    consent TEXT NOT NULL,
    added BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (series, folded),
    UNIQUE (public_id)
);
CREATE TABLE deliveries (
    campaign_id BIGINT NOT NULL,
    subscriber_id BIGINT NOT NULL,
    language TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'sending', 'sent', 'retry', 'failed', 'dropped', 'doubt')),
    next_try BIGINT NOT NULL,
    attempts SMALLINT NOT NULL,
    doubts SMALLINT NOT NULL,
    owner TEXT,
    lease_until BIGINT,
    dated BIGINT,
    finished BIGINT,
    code SMALLINT,
    reason TEXT,
    PRIMARY KEY (campaign_id, subscriber_id),
    FOREIGN KEY(campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE,
    FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE INDEX deliveries_in_doubt ON deliveries (doubts) WHERE doubts > 0;
CREATE INDEX deliveries_in_hand ON deliveries (state, campaign_id, subscriber_id) WHERE state IN ('claimed', 'sending');
CREATE INDEX deliveries_waiting ON deliveries (campaign_id, next_try, subscriber_id) WHERE state IN ('pending', 'retry');
CREATE TABLE letters (
    campaign_id BIGINT NOT NULL,
    language TEXT NOT NULL,
    subject TEXT NOT NULL,
    source BYTEA NOT NULL,
    PRIMARY KEY (campaign_id, language),
    FOREIGN KEY(campaign_id) REFERENCES campaigns (id) ON DELETE CASCADE
);
CREATE TABLE subscriber_tags (
    subscriber_id BIGINT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (subscriber_id, tag),
    FOREIGN KEY(subscriber_id) REFERENCES subscribers (id) ON DELETE CASCADE
);
CREATE TABLE attempts (
    id BIGSERIAL NOT NULL,
    campaign_id BIGINT NOT NULL,
    subscriber_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    code SMALLINT,
    text TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(campaign_id, subscriber_id) REFERENCES deliveries (campaign_id, subscriber_id) ON DELETE CASCADE
);
CREATE INDEX attempts_by_delivery ON attempts (campaign_id, subscriber_id);
