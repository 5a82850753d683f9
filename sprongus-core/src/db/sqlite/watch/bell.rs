//! A wait that a write to the log ends, or another thread.

use std::path::Path;
use std::task::Waker;
use std::time::Duration;

#[cfg(target_os = "linux")]
pub(super) use linux::Bell;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Bell;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;
    use std::sync::Arc;
    use std::task::Wake;

    use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

    use super::{Duration, Path, Waker};

    /// `inotify(7)` on the log, and `eventfd(2)` for the other threads. The log is not opened: to close it would drop
    /// SQLite's locks (decision 0007).
    pub(in super::super) struct Bell {
        log: Option<OwnedFd>,
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
            Self { log: None, nudge: nudge.map(|nudge| Arc::new(Nudge(nudge))) }
        }

        /// Hangs it on the log, where the system has one left (`fs.inotify.max_user_instances`).
        pub(in super::super) fn hang(&mut self, log: &Path) {
            let hung = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
                .and_then(|bell| add_watch(&bell, log, WatchFlags::MODIFY).map(|_| bell));
            if let Err(error) = &hung {
                tracing::debug!(%error, "no sign of writes to the log: the file is asked every few milliseconds");
            }
            self.log = hung.ok();
        }

        pub(in super::super) fn hangs(&self) -> bool {
            self.log.is_some()
        }

        pub(in super::super) fn waker(&self) -> Waker {
            self.nudge.clone().map_or_else(|| Waker::noop().clone(), Waker::from)
        }

        /// Waits for a write to the log, a nudge, or so long; whether it was a write.
        pub(in super::super) fn wait(&mut self, most: Duration) -> bool {
            self.poll(self.log.as_ref(), most);
            self.rang()
        }

        /// Waits for a nudge, or so long.
        pub(in super::super) fn sleep(&mut self, most: Duration) {
            self.poll(None, most);
        }

        /// Whether the log was written since it was last asked.
        pub(in super::super) fn rang(&self) -> bool {
            let mut events = [0; 4096];
            let Some(log) = &self.log else { return false };
            rustix::io::read(log, &mut events).is_ok_and(|read| read > 0)
        }

        fn poll(&self, log: Option<&OwnedFd>, most: Duration) {
            let Some(nudge) = &self.nudge else { return std::thread::sleep(most) };
            let mut ends = vec![PollFd::new(&nudge.0, PollFlags::IN)];
            ends.extend(log.map(|log| PollFd::new(log, PollFlags::IN)));
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

    use super::{Duration, Path, Waker};

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

        pub(in super::super) fn wait(&mut self, most: Duration) -> bool {
            self.sleep(most);
            false
        }

        pub(in super::super) fn sleep(&mut self, most: Duration) {
            park_timeout(most);
        }

        pub(in super::super) fn rang(&self) -> bool {
            false
        }
    }
}
