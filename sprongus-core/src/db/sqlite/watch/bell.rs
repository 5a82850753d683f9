//! A wait that a write to the log ends, or another thread.

use std::path::Path;
use std::task::Waker;
use std::time::Duration;

/// What is known of writes to the log since it was last asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// There was one.
    Ring,
    Nothing,
    /// There may have been one, for nobody listened.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    Unknown,
}

#[cfg(target_os = "linux")]
pub(super) use linux::Bell;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Bell;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::task::Wake;

    use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

    use super::{Duration, Heard, Path, Waker};

    /// `inotify(7)` on the log, and `eventfd(2)` for the other threads. The log is not opened: to close it would drop
    /// SQLite's locks (decision 0007).
    ///
    /// It rings once, and is silent until it is waited for again: to ring takes as long as a write to the log, of which there
    /// are two for each page, and is done by who writes.
    pub(in super::super) struct Bell {
        log: Option<(OwnedFd, PathBuf)>,
        /// The next write rings.
        set: bool,
        nudge: Option<Arc<Nudge>>,
    }

    struct Nudge(OwnedFd);

    impl Wake for Nudge {
        fn wake(self: Arc<Self>) {
            // Full only where it was never taken: then it is awake.
            let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
        }
    }

    impl Bell {
        pub(in super::super) fn new() -> Self {
            let nudge = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok();
            Self { log: None, set: false, nudge: nudge.map(|nudge| Arc::new(Nudge(nudge))) }
        }

        /// Hangs it on the log, where the system has one left (`fs.inotify.max_user_instances`).
        pub(in super::super) fn hang(&mut self, log: &Path) {
            let bell = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
            (self.log, self.set) = (bell.map(|bell| (bell, log.to_owned())).ok(), false);
            if !self.set() {
                self.log = None;
                tracing::debug!("no sign of writes to the log: the file is asked every few milliseconds");
            }
        }

        /// Has the next write ring.
        fn set(&mut self) -> bool {
            let added =
                self.log.as_ref().map(|(bell, log)| add_watch(bell, log, WatchFlags::MODIFY | WatchFlags::ONESHOT));
            self.set = matches!(added, Some(Ok(_)));
            self.set
        }

        pub(in super::super) fn hangs(&self) -> bool {
            self.log.is_some()
        }

        pub(in super::super) fn waker(&self) -> Waker {
            self.nudge.clone().map_or_else(|| Waker::noop().clone(), Waker::from)
        }

        /// Waits for a write to the log, a nudge, or so long. After it has rung nobody knows of those before it is set again,
        /// which is not waited after: who asks the file then misses none.
        pub(in super::super) fn wait(&mut self, most: Duration) -> Heard {
            if !self.set && self.set() {
                return Heard::Unknown;
            }
            self.poll(self.set, most);
            if self.rang() { Heard::Ring } else { Heard::Nothing }
        }

        /// Waits for a nudge, or so long.
        pub(in super::super) fn sleep(&mut self, most: Duration) {
            self.poll(false, most);
        }

        /// Whether the log was written since it was set.
        fn rang(&mut self) -> bool {
            let mut events = [0; 4096];
            let read = |(bell, _): &(OwnedFd, PathBuf)| rustix::io::read(bell, &mut events).is_ok_and(|read| read > 0);
            let rang = self.log.as_ref().is_some_and(read);
            self.set &= !rang;
            rang
        }

        fn poll(&self, log: bool, most: Duration) {
            let Some(nudge) = &self.nudge else { return std::thread::sleep(most) };
            let mut ends = vec![PollFd::new(&nudge.0, PollFlags::IN)];
            ends.extend(self.log.iter().filter(|_| log).map(|(bell, _)| PollFd::new(bell, PollFlags::IN)));
            let most = Timespec {
                tv_sec: i64::try_from(most.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: most.subsec_nanos().into(),
            };
            // A signal ends it early, which costs a look.
            let _ = poll(&mut ends, Some(&most));
            let _ = rustix::io::read(&nudge.0, &mut [0; 8]);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::sync::Arc;
    use std::task::Wake;
    use std::thread::{Thread, current, park_timeout};

    use super::{Duration, Heard, Path, Waker};

    /// Other systems tell of writes only to those who have the file open, whose closing it would drop SQLite's locks.
    pub(in super::super) struct Bell(Waker);

    struct Nudge(Thread);

    impl Wake for Nudge {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    impl Bell {
        pub(in super::super) fn new() -> Self {
            Self(Waker::from(Arc::new(Nudge(current()))))
        }

        pub(in super::super) fn hang(&mut self, _: &Path) {}

        pub(in super::super) fn hangs(&self) -> bool {
            false
        }

        pub(in super::super) fn waker(&self) -> Waker {
            self.0.clone()
        }

        pub(in super::super) fn wait(&mut self, most: Duration) -> Heard {
            self.sleep(most);
            Heard::Nothing
        }

        pub(in super::super) fn sleep(&mut self, most: Duration) {
            park_timeout(most);
        }
    }
}
