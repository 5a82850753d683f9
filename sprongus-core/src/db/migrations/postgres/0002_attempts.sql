-- Timeouts of attempts, and what ended by when (DESIGN.md §5).

-- when the present attempt will have taken too long
ALTER TABLE sprongus_runs ADD COLUMN timeout_at TIMESTAMPTZ;

CREATE INDEX sprongus_runs_timeout ON sprongus_runs (timeout_at) WHERE state IN ('dispatching', 'running') AND timeout_at IS NOT NULL;
CREATE INDEX sprongus_runs_finished ON sprongus_runs (state, finished_at DESC, id DESC) WHERE finished_at IS NOT NULL;
CREATE INDEX sprongus_runs_finished_project ON sprongus_runs (project_id, state, finished_at DESC, id DESC) WHERE finished_at IS NOT NULL AND project_id IS NOT NULL;
