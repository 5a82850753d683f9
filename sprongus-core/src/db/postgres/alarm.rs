//! The time limit of a connection's calls: one timer, which is hardly ever set.
//!
//! Setting one costs a message to the I/O loop and another to take it out again. The limits of calls that follow one another
//! lie ever later, so the timer stays as an earlier call set it; where it rings too soon it is set once more.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::{Sleep, sleep_until};

/// A timer of one runtime, kept from call to call.
#[derive(Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Runs `work` until then; `None` where it is not done. Within the runtime.
    pub(super) async fn until<T>(&mut self, then: Instant, mut work: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => self.poll(then, context).map(|()| None),
        })
        .await
    }

    fn poll(&mut self, then: Instant, context: &mut Context<'_>) -> Poll<()> {
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(then.into())));
        if timer.deadline().into_std() > then {
            timer.as_mut().reset(then.into());
        }
        while timer.as_mut().poll(context).is_ready() {
            if Instant::now() >= then {
                return Poll::Ready(());
            }
            timer.as_mut().reset(then.into());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::time::Duration;

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn it_rings_in_time_whatever_it_was_set_to_before() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let mut alarm = Alarm::default();
        let mut wait = |millis| {
            let start = Instant::now();
            let then = start + Duration::from_millis(millis);
            assert!(runtime.block_on(alarm.until(then, pin!(pending::<()>()))).is_none());
            start.elapsed()
        };
        for millis in [30, 1, 60, 20] {
            let (took, asked) = (wait(millis), Duration::from_millis(millis));
            assert!(took >= asked, "{took:?} instead of {asked:?}");
        }
        let later = Instant::now() + Duration::from_secs(3600);
        assert_eq!(runtime.block_on(alarm.until(later, pin!(ready(7)))), Some(7));
        let waiting = async { tokio::time::timeout(Duration::from_millis(20), pending::<()>()).await };
        assert!(runtime.block_on(alarm.until(later, pin!(waiting))).unwrap().is_err(), "other timers ring beside it");
        let soon = Instant::now() + Duration::from_millis(5);
        assert!(runtime.block_on(alarm.until(soon, pin!(pending::<()>()))).is_none(), "sooner than it was set to");
    }
}
