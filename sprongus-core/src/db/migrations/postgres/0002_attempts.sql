-- Timeouts of attempts, and what ended by when (DESIGN.md §5).

-- when the present attempt will have taken too long
ALTER TABLE sprongus_runs ADD COLUMN timeout_at TIMESTAMPTZ;

CREATE INDEX sprongus_runs_timeout ON sprongus_runs (timeout_at) WHERE state IN ('dispatching', 'running') AND timeout_at IS NOT NULL;
CREATE INDEX sprongus_runs_finished ON sprongus_runs (state, finished_at DESC, id DESC) WHERE finished_at IS NOT NULL;
CREATE INDEX sprongus_runs_finished_project ON sprongus_runs (project_id, state, finished_at DESC, id DESC) WHERE finished_at IS NOT NULL AND project_id IS NOT NULL;
-- with the kind, so that runs due later are counted by kind from the index
DROP INDEX sprongus_runs_later;
CREATE INDEX sprongus_runs_later ON sprongus_runs (run_at, id, kind) WHERE state = 'queued' AND NOT ready;
