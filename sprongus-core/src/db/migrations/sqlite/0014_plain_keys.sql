-- The keys of runs by project without the function char(): a statement whose rows call one may fail in the middle for all
-- SQLite knows, and keeps a journal of the pages it changes, in a file once they are some.

DROP INDEX sprongus_runs_ready_project;
DROP INDEX sprongus_runs_ready_project_limited;
CREATE INDEX sprongus_runs_ready_project ON sprongus_runs ((project_id || CAST(X'01' AS TEXT) || kind), priority DESC, run_at, id) WHERE state = 'queued' AND ready = 1 AND limited = 0 AND project_id IS NOT NULL;
CREATE INDEX sprongus_runs_ready_project_limited ON sprongus_runs ((project_id || CAST(X'01' AS TEXT) || kind), priority DESC, run_at, id) WHERE state = 'queued' AND ready = 1 AND limited = 1 AND project_id IS NOT NULL;
