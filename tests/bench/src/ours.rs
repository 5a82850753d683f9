//! The library's queue, as the yardstick's is asked.

use sprongus::json::Json;
use sprongus::runs::{Claim, Enqueue, EnqueueMany, GetRun, Run, Succeed, SucceedMany};
use sprongus::{Options, Store};

use crate::by_hand::{Held, INPUT, KIND, Queue};

/// The worker's name.
pub(crate) const WORKER: &str = "bench";

pub(crate) struct Ours(pub(crate) Store);

/// A store with the library's defaults.
pub(crate) fn open(url: &str) -> Store {
    open_as(url, Options::default())
}

pub(crate) fn open_as(url: &str, options: Options) -> Store {
    Store::open(url, Options { actor: Some(WORKER.to_owned()), ..options }).unwrap()
}

/// The input is parsed in each call, as one that comes from a program is.
pub(crate) fn run() -> Enqueue {
    Enqueue::new(KIND, Json::parse(INPUT).unwrap())
}

fn held(run: Run) -> Held {
    Held { id: run.id, attempt: run.attempt, lease: run.lease, version: run.version }
}

fn success(held: &Held) -> Succeed {
    Succeed::new(&held.id, held.lease)
}

impl Queue for Ours {
    fn enqueue(&mut self) -> String {
        self.0.runs().enqueue(&run()).unwrap().id
    }

    fn enqueue_many(&mut self, runs: usize) {
        let items = (0..runs).map(|_| run()).collect();
        assert_eq!(self.0.runs().enqueue_many(&EnqueueMany::new(items)).unwrap().len(), runs);
    }

    fn get(&mut self, id: &str) -> String {
        self.0.runs().get(&GetRun::new(id)).unwrap().state.to_string()
    }

    fn claim(&mut self, most: usize) -> Vec<Held> {
        let claim = Claim { limit: most as i64, ..Claim::new(WORKER) };
        self.0.runs().claim_next(&claim).unwrap().into_iter().map(held).collect()
    }

    fn complete(&mut self, held: &[Held]) {
        match held {
            [one] => drop(self.0.runs().succeed(&success(one)).unwrap()),
            many => {
                let items = many.iter().map(success).collect();
                self.0
                    .runs()
                    .succeed_many(&SucceedMany { items })
                    .unwrap()
                    .into_iter()
                    .for_each(|one| drop(one.unwrap()));
            }
        }
    }

    fn complete_and_claim(&mut self, done: &Held) -> Option<Held> {
        let claim = Claim { succeeded: Some(success(done)), ..Claim::new(WORKER) };
        self.0.runs().claim_next(&claim).unwrap().pop().map(held)
    }
}
