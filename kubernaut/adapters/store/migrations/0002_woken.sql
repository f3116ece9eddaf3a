-- Something happened that every part should look at: whoever writes the row next looks again at once, because what it saw
-- may be older.

ALTER TABLE remediation ADD COLUMN woken INTEGER NOT NULL DEFAULT 0;
ALTER TABLE track ADD COLUMN woken INTEGER NOT NULL DEFAULT 0;
