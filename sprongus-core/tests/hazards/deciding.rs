//! Many processes decide, accept and store at once: one decision an approval, one run a message, one result a step.

use std::process::Stdio;

use sprongus::inbox::Accept;
use sprongus::runs::approvals::{Decide, GetApproval};
use sprongus::runs::{Claim, Enqueue, GetRun, ListRuns, ListSteps, RunEvents, SaveStep};
use sprongus::{ErrorCode, Json, Options, Store};
use sprongus_testkit::{Postgres, temp_file};

use super::child;
use super::rivals::patient;

const HERE: &str = "deciding::many_processes_at_once_decide_once";
const CHILDREN: usize = 6;
const EACH: usize = 15;

#[test]
fn many_processes_at_once_decide_once() {
    if let Some(told) = child::told() {
        let lines: Vec<&str> = told.lines().collect();
        return work(&open(lines[0], lines[1]), &lines[2..]);
    }
    let (_folder, path) = temp_file("store.db");
    together(path.to_str().unwrap(), "");
    together(Postgres::shared().url(), "decided_together");
}

fn open(url: &str, schema: &str) -> Store {
    let schema = Some(schema.to_owned()).filter(|schema| !schema.is_empty());
    Store::open(url, Options { schema, ..patient() }).unwrap()
}

/// A child: its name, the claimed run and its lease, then the runs to decide on.
fn work(store: &Store, told: &[&str]) {
    let (name, claimed, lease, gates) = (told[0], told[1], told[2].parse().unwrap(), &told[3..]);
    println!(); // what the test's runner began is not a line of ours
    let approves = name.len().is_multiple_of(2);
    for (at, run) in gates.iter().enumerate() {
        let decide = Decide::new(*run, name);
        let decided = if approves { store.approvals().approve(&decide) } else { store.approvals().deny(&decide) };
        match decided {
            Ok(approval) if approval.decided_by.as_deref() == Some(name) => println!("decided {run}"),
            Ok(_) => {}
            Err(error) => assert_eq!(error.code(), ErrorCode::InvalidState, "{error}"),
        }
        let message =
            Accept { enqueue: Some(Enqueue::new("mail", Json::null())), ..Accept::new("mail", at.to_string()) };
        if store.inbox().accept(&message).unwrap().first {
            println!("accepted {at}");
        }
        let own = Json::parse(format!("{name:?}")).unwrap();
        let step = store.runs().save_step(&SaveStep::new(claimed, lease, at.to_string(), own.clone())).unwrap();
        if step.output == own {
            println!("stored {at}");
        }
    }
}

fn together(url: &str, schema: &str) {
    let store = open(url, schema);
    store.runs().enqueue(&Enqueue::new("work", Json::null())).unwrap();
    let claimed = store.runs().claim_next(&Claim::new("w")).unwrap().remove(0);
    let gated = || Enqueue { needs_approval: true, ..Enqueue::new("gated", Json::null()) };
    let gates: Vec<String> = (0..EACH).map(|_| store.runs().enqueue(&gated()).unwrap().id).collect();
    let start = |n: usize| {
        // The length of a name says how its bearer decides.
        let told =
            format!("{url}\n{schema}\n{}\n{}\n{}\n{}", "x".repeat(n + 1), claimed.id, claimed.lease, gates.join("\n"));
        child::command(HERE, &told, "").stdout(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..CHILDREN).map(start).collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    assert!(outputs.iter().all(|output| output.status.success()), "a process failed on {url}");
    let said = outputs.iter().map(|output| String::from_utf8_lossy(&output.stdout)).collect::<Vec<_>>().join("\n");
    for what in ["decided ", "accepted ", "stored "] {
        let mut all: Vec<&str> = said.lines().filter(|line| line.starts_with(what)).collect();
        assert_eq!(all.len(), EACH, "{what}once each");
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), EACH, "{what}each of them");
    }
    for run in &gates {
        let approval = store.approvals().get(&GetApproval::new(run)).unwrap();
        let ended = store.runs().get(&GetRun::new(run)).unwrap();
        let event = format!("run.{}", approval.decision.unwrap().as_str());
        let told = store.runs().events(&RunEvents::new(run)).unwrap();
        assert_eq!((told.len(), told[1].kind.as_str()), (2, event.as_str()));
        assert_eq!((ended.version, Some(told[1].actor.as_str())), (2, approval.decided_by.as_deref()));
    }
    assert_eq!(store.runs().steps(&ListSteps::new(&claimed.id)).unwrap().len(), EACH);
    let mails = ListRuns { kind: Some(vec!["mail".to_owned()]), ..ListRuns::default() };
    assert_eq!(store.runs().list(&mails).unwrap().len(), EACH);
}
