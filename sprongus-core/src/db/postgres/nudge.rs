//! Lets a call and its connection move one another without a turn of the I/O loop between them.
//!
//! What a call sends wakes the connection, and what the connection takes in wakes the call. Both are polled in one place, so
//! they are polled once more; the runtime would first ask the system for news.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Polls on end, at most.
const MOST: usize = 16;

/// The waker of what is polled by [`Nudge::poll`].
pub(super) struct Nudge {
    bell: Arc<Bell>,
    waker: Waker,
}

#[derive(Default)]
struct Bell {
    /// Rung since it was last looked at.
    rung: AtomicBool,
    /// Somebody polls, and looks at the bell before he rests.
    polling: AtomicBool,
    /// Whoever rests, else.
    resting: Mutex<Option<Waker>>,
}

impl Nudge {
    pub(super) fn new() -> Self {
        let bell = Arc::<Bell>::default();
        Self { waker: bell.clone().into(), bell }
    }

    /// Polls until nothing is left that one part of `work` has for another.
    pub(super) fn poll<T>(&self, context: &Context<'_>, mut work: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        self.bell.rests(context.waker());
        for _ in 0..MOST {
            self.bell.polling.store(true, Ordering::SeqCst);
            self.bell.rung.store(false, Ordering::SeqCst);
            let polled = work(&mut Context::from_waker(&self.waker));
            // In this order, for another thread may ring meanwhile: it sees nobody polling, or is seen here.
            self.bell.polling.store(false, Ordering::SeqCst);
            if polled.is_ready() || !self.bell.rung.load(Ordering::SeqCst) {
                return polled;
            }
        }
        // Whoever wakes himself for ever waits for something that only the runtime gives.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Bell {
    fn rests(&self, waker: &Waker) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if !resting.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *resting = Some(waker.clone());
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        if self.polling.load(Ordering::SeqCst) {
            return;
        }
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = resting {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc::channel;
    use std::thread::spawn;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_is_woken_while_it_is_polled_is_polled_again_at_once() {
        let (nudge, count) = (Nudge::new(), Arc::<Count>::default());
        let waker = count.clone().into();
        let mut polls = 0;
        let polled = nudge.poll(&Context::from_waker(&waker), |context| {
            polls += 1;
            match polls {
                1 | 2 => context.waker().wake_by_ref(),
                _ => {}
            }
            Poll::<()>::Pending
        });
        assert_eq!((polls, polled, count.0.load(Ordering::SeqCst)), (3, Poll::Pending, 0));
    }

    #[test]
    fn nobody_keeps_the_runtime_out() {
        let (nudge, count) = (Nudge::new(), Arc::<Count>::default());
        let polled = nudge.poll(&Context::from_waker(&count.clone().into()), |context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!((polled, count.0.load(Ordering::SeqCst)), (Poll::Pending, 1));
    }

    #[test]
    fn whoever_rests_is_woken() {
        let (nudge, count) = (Nudge::new(), Arc::<Count>::default());
        let waker = count.clone().into();
        let (give, take) = channel();
        let _ = nudge.poll(&Context::from_waker(&waker), |context| {
            give.send(context.waker().clone()).unwrap();
            Poll::<()>::Pending
        });
        spawn(move || take.recv().unwrap().wake()).join().unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(nudge.poll(&Context::from_waker(&waker), |_| Poll::Ready(7)), Poll::Ready(7));
    }
}
