//! `Schedule`.

use sprongus::runs::schedules::Overlap;

super::record! {
    /// Runs enqueued again and again.
    Schedule(it: sprongus::runs::schedules::Schedule) {
        /// Its name, once per project.
        name = it.name;
        /// A cron expression, where it goes by one.
        cron = it.cron;
        /// Seconds between slots, where it goes by an interval.
        every = it.every;
        /// The time zone that the cron expression is read in.
        tz = it.tz;
        /// The kind of its runs.
        kind = it.kind;
        /// The input of its runs.
        input = it.input;
        /// The project of its runs.
        project_id = it.project_id;
        /// What a slot does while an earlier run has not ended: "skip" or "queue".
        overlap = name(it.overlap);
        /// How late a missed slot is still made up for, in seconds.
        catch_up = it.catch_up;
        /// Whether it is held back.
        paused = it.paused;
        /// The next slot; None while paused.
        next_at = it.next_at;
    }
}

fn name(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::Skip => "skip",
        Overlap::Queue => "queue",
    }
}
