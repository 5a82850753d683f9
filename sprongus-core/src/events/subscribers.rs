//! Those in this process who are told of what this store commits.
//!
//! A commit is known when its call comes back, and calls come back in another order than their commits took effect. So an
//! event waits for the calls that were under way when it became known; only then can none of them bring one of its subject
//! that came before.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::Event;
use super::queue::Queue;
use crate::session::locked;

/// An event that was written, and the project it is of.
#[derive(Debug, Clone)]
pub(crate) struct News {
    pub(crate) project: Option<String>,
    pub(crate) event: Event,
}

/// The subscriptions of a store.
#[derive(Default)]
pub(crate) struct Subscribers {
    count: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queues: Vec<Arc<Queue>>,
    closed: bool,
    /// The calls that may be committing; the number of the next one.
    calls: BTreeSet<u64>,
    next: u64,
    held: Vec<Held>,
}

/// News that came when the calls before that number were to be waited for.
struct Held {
    before: u64,
    news: News,
}

impl Subscribers {
    /// Whether there is anybody to tell.
    pub(crate) fn any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Adds one; false where the store is closed.
    pub(super) fn add(&self, queue: Arc<Queue>) -> bool {
        let mut state = locked(&self.state);
        if state.closed {
            return false;
        }
        state.queues.push(queue);
        self.count.store(state.queues.len(), Ordering::Release);
        true
    }

    pub(super) fn remove(&self, queue: &Arc<Queue>) {
        let mut state = locked(&self.state);
        state.queues.retain(|other| !Arc::ptr_eq(other, queue));
        self.count.store(state.queues.len(), Ordering::Release);
        if state.queues.is_empty() {
            state.held.clear();
        }
    }

    /// No news any more: each subscription ends with what it has been told.
    pub(crate) fn close(&self) {
        let mut state = locked(&self.state);
        state.closed = true;
        // Nobody is waited for any more.
        state.calls.clear();
        state.release();
        state.queues.drain(..).for_each(|queue| queue.finish());
        self.count.store(0, Ordering::Release);
    }

    /// A commit may take effect from now on, until the call is dropped; none where nobody listens.
    pub(crate) fn call(self: &Arc<Self>) -> Option<Call> {
        self.any().then(|| {
            let mut state = locked(&self.state);
            let number = state.next;
            state.next += 1;
            state.calls.insert(number);
            Call { subscribers: self.clone(), number }
        })
    }

    /// Tells what was committed, by a call that is over then.
    pub(crate) fn tell(&self, call: Option<Call>, news: Vec<News>) {
        if !news.is_empty() && self.any() {
            let mut state = locked(&self.state);
            if let Some(call) = &call {
                state.calls.remove(&call.number);
            }
            if state.calls.is_empty() && state.held.is_empty() {
                // As almost always: nobody else is committing.
                return news.iter().for_each(|news| state.hand_out(news));
            }
            let before = state.next;
            state.held.extend(news.into_iter().map(|news| Held { before, news }));
            state.release();
        }
    }
}

/// A call that may be committing.
pub(crate) struct Call {
    subscribers: Arc<Subscribers>,
    number: u64,
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = locked(&self.subscribers.state);
        if state.calls.remove(&self.number) {
            state.release();
        }
    }
}

impl State {
    /// Hands out what needs to wait no longer, and with it what came before it of the same subject.
    fn release(&mut self) {
        let oldest = self.calls.first().copied().unwrap_or(u64::MAX);
        let mut ready: HashMap<&str, i64> = HashMap::new();
        for Held { before, news } in &self.held {
            if *before <= oldest || news.event.seq == 1 {
                let last = ready.entry(&news.event.subject).or_default();
                *last = news.event.seq.max(*last);
            }
        }
        let is_ready = |Held { news, .. }: &Held| {
            ready.get(news.event.subject.as_str()).is_some_and(|last| news.event.seq <= *last)
        };
        let ready: Vec<bool> = self.held.iter().map(is_ready).collect();
        let mut ready = ready.into_iter();
        let held = std::mem::take(&mut self.held).into_iter();
        let (mut now, later): (Vec<_>, _) = held.partition(|_| ready.next() == Some(true));
        self.held = later;
        now.sort_by_key(|held| held.news.event.seq);
        now.iter().for_each(|held| self.hand_out(&held.news));
    }

    fn hand_out(&self, news: &News) {
        self.queues.iter().for_each(|queue| queue.push(news));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Json;
    use crate::events::filter::Filter;

    fn news(subject: &str, seq: i64) -> News {
        let event = Event {
            id: crate::id::new_id(),
            run_id: None,
            subject: subject.to_owned(),
            seq,
            kind: "run.started".to_owned(),
            at: crate::Timestamp::from_micros(0),
            actor: "a".to_owned(),
            payload: Json::null(),
        };
        News { project: None, event }
    }

    fn told(queue: &Queue) -> Vec<(String, i64)> {
        queue.waiting().into_iter().map(|event| (event.subject, event.seq)).collect()
    }

    fn expect(queue: &Queue, events: &[(&str, i64)]) {
        assert_eq!(told(queue), events.iter().map(|(subject, seq)| ((*subject).to_owned(), *seq)).collect::<Vec<_>>());
    }

    #[test]
    fn a_call_that_comes_back_late_is_waited_for() {
        let subscribers = Arc::new(Subscribers::default());
        assert!(subscribers.call().is_none(), "nobody listens");
        let queue = Arc::new(Queue::new(Filter::default()));
        assert!(subscribers.add(queue.clone()));
        let (first, second, third) = (subscribers.call(), subscribers.call(), subscribers.call());
        subscribers.tell(second, vec![news("x", 2), news("y", 1)]);
        expect(&queue, &[("y", 1)]);
        let fourth = subscribers.call();
        subscribers.tell(first, vec![news("x", 1)]);
        expect(&queue, &[("y", 1), ("x", 1)]);
        subscribers.tell(fourth, vec![news("y", 2)]);
        expect(&queue, &[("y", 1), ("x", 1)]);
        drop(third);
        expect(&queue, &[("y", 1), ("x", 1), ("x", 2), ("y", 2)]);
    }

    #[test]
    fn what_came_before_goes_before_though_it_was_told_later() {
        let subscribers = Arc::new(Subscribers::default());
        let queue = Arc::new(Queue::new(Filter::default()));
        subscribers.add(queue.clone());
        let (first, second) = (subscribers.call(), subscribers.call());
        subscribers.tell(second, vec![news("x", 8)]);
        let third = subscribers.call();
        subscribers.tell(first, vec![news("x", 7)]);
        expect(&queue, &[("x", 7), ("x", 8)]);
        drop(third);
        let (first, second) = (subscribers.call(), subscribers.call());
        subscribers.tell(second, vec![news("x", 10)]);
        subscribers.tell(first, vec![news("x", 9)]);
        let told = [("x", 7), ("x", 8), ("x", 9), ("x", 10), ("x", 11)];
        expect(&queue, &told[..4]);
        let waited_for = subscribers.call();
        subscribers.tell(subscribers.call(), vec![news("x", 11)]);
        expect(&queue, &told[..4]);
        subscribers.close();
        expect(&queue, &told);
        drop(waited_for);
        assert!(!subscribers.add(queue) && !subscribers.any());
    }
}
