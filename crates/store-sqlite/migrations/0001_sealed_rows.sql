-- Sealed rows, records and wrapped keys. In the clear are only: opaque ids, revisions, epochs, record kinds, keyed
-- hashes to look records up by, the day after which something is erased, and sizes (padded where content is sealed).

-- The life of this database: revisions compare only within it.
CREATE TABLE store (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id   BLOB NOT NULL CHECK (length(id) = 16)
) STRICT;
INSERT INTO store (only, id) VALUES (1, randomblob(16));

-- The daemon's own records.
CREATE TABLE record (
    kind   INTEGER NOT NULL,
    id     BLOB NOT NULL CHECK (length(id) = 16),
    lookup BLOB CHECK (length(lookup) = 16),
    sealed BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
CREATE UNIQUE INDEX record_by_lookup ON record (kind, lookup) WHERE lookup IS NOT NULL;

-- Content keys, wrapped by the key manager.
CREATE TABLE content_key (
    mailbox BLOB NOT NULL CHECK (length(mailbox) = 16),
    epoch   INTEGER NOT NULL,
    wrapped BLOB NOT NULL,
    PRIMARY KEY (mailbox, epoch)
) STRICT;

-- Where each mailbox's list stands, and the sealed state of its synchronization.
CREATE TABLE mailbox (
    id       BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    revision INTEGER NOT NULL CHECK (revision >= 0),
    floor    INTEGER NOT NULL CHECK (floor BETWEEN 0 AND revision),
    state    BLOB
) STRICT;

-- The lists.
CREATE TABLE meeting (
    mailbox     BLOB NOT NULL REFERENCES mailbox (id),
    id          BLOB NOT NULL CHECK (length(id) = 16),
    revision    INTEGER NOT NULL,
    erase_after INTEGER NOT NULL,
    sealed      BLOB NOT NULL,
    PRIMARY KEY (mailbox, id)
) STRICT;
CREATE INDEX meeting_by_revision ON meeting (mailbox, revision);
CREATE INDEX meeting_by_day ON meeting (erase_after);

-- Rows that were removed, for agents that still hold them.
CREATE TABLE tombstone (
    mailbox     BLOB NOT NULL REFERENCES mailbox (id),
    id          BLOB NOT NULL CHECK (length(id) = 16),
    revision    INTEGER NOT NULL,
    erase_after INTEGER NOT NULL,
    PRIMARY KEY (mailbox, id)
) STRICT;
CREATE INDEX tombstone_by_revision ON tombstone (mailbox, revision);
CREATE INDEX tombstone_by_day ON tombstone (erase_after);
