//! A server on this host that behaves as Notion's published API (version 2026-03-11) does, as far as a data source goes.

mod api;
mod filter;
mod http;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use api::State;
use http::Request;

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it is answered as it should be.
    None,
    /// Answered with that status before anything is done; with `Retry-After` where seconds are given.
    Status(u16, Option<u64>),
    /// Answered with that status and that message before anything is done.
    Saying(u16, String),
    /// The connection is cut before anything is done.
    CutBefore,
    /// The connection is cut once it is done: the answer is lost.
    CutAfter,
    /// Done, and answered with that status all the same.
    DoneBut(u16),
    /// Answered with 200 and that text, whatever it is.
    Answer(String),
    /// Answered with a redirect to there.
    Redirect(String),
    /// Never answered, until the client gives up.
    Silence,
}

/// A running server; dropped, it ends.
#[derive(Debug)]
pub struct NotionServer {
    url: String,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl NotionServer {
    /// The token it takes.
    pub const TOKEN: &'static str = "ntn_the-token-that-nobody-may-see";
    /// Its database.
    pub const DATABASE: &'static str = "11111111-1111-4111-8111-111111111111";
    /// The data source of that.
    pub const DATA_SOURCE: &'static str = "22222222-2222-4222-8222-222222222222";

    /// A server whose data source has those properties, `(name, type)`, and no pages.
    pub fn start(properties: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on this host");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let state = Arc::new(Mutex::new(State::new(properties)));
        let stop = Arc::new(AtomicBool::new(false));
        let (kept, ends) = (Arc::clone(&state), Arc::clone(&stop));
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), state) = (stream, Arc::clone(&kept)) else { continue };
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { url, state, stop, acceptor: Some(acceptor) }
    }

    /// What a profile's `baseUrl` is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A profile's config for it, with that token.
    pub fn config(&self, token: &Value) -> Value {
        json!({ "token": token, "database": Self::DATABASE, "baseUrl": self.url, "requestsPerSecond": 1000 })
    }

    /// Puts a page there, of the plain values of its properties as the API takes them; its id.
    pub fn add(&self, properties: &Value) -> String {
        self.state().add(properties)
    }

    /// Changes a page as somebody in Notion would.
    pub fn change(&self, id: &str, properties: &Value) {
        self.state().change(id, properties);
    }

    /// Moves a page into the trash, or out of it.
    pub fn trash(&self, id: &str, in_trash: bool) {
        self.state().page(id)["in_trash"] = json!(in_trash);
    }

    /// Puts a page under another parent.
    pub fn move_away(&self, id: &str) {
        self.state().page(id)["parent"] =
            json!({ "type": "page_id", "page_id": "44444444-4444-4444-8444-444444444444" });
    }

    /// The pages that are not in the trash, in the order of their creation.
    pub fn pages(&self) -> Vec<Value> {
        self.state().pages.iter().filter(|page| page["in_trash"] == false).cloned().collect()
    }

    /// What goes wrong with the next request whose `METHOD /path` begins so, once; several come one after the other.
    pub fn fail(&self, request: &str, fault: Fault) {
        self.state().faults.push((request.to_owned(), fault));
    }

    /// The next such request is answered with that status and that message.
    pub fn fail_saying(&self, request: &str, status: u16, message: &str) {
        self.fail(request, Fault::Saying(status, message.to_owned()));
    }

    /// The same for `times` requests, once `good` of them went well.
    pub fn fail_after(&self, request: &str, good: usize, fault: Fault, times: usize) {
        let mut state = self.state();
        state.faults.extend((0..good).map(|_| (request.to_owned(), Fault::None)));
        state.faults.extend((0..times).map(|_| (request.to_owned(), fault.clone())));
    }

    /// How many faults still wait for their request.
    pub fn faults_left(&self) -> usize {
        self.state().faults.len()
    }

    /// How many pages one query gives at most (10,000).
    pub fn limit_queries(&self, limit: usize) {
        self.state().limit = limit;
    }

    /// How many data sources the database has, the first of them ours (1).
    pub fn data_sources(&self, count: usize) {
        self.state().sources = count;
    }

    /// `METHOD /path` of every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no handler panicked")
    }
}

impl Drop for NotionServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let address = self.url.trim_start_matches("http://");
        drop(TcpStream::connect(address));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
    }
}

/// Answers one request after the other on a connection.
fn serve(stream: TcpStream, state: &Mutex<State>) {
    while let Some(request) = Request::read(&stream) {
        let Ok(mut state) = state.lock() else { return };
        let line = request.line();
        state.requests.push(line.clone());
        let fault = state.faults.iter().position(|(on, _)| line.starts_with(on.as_str()));
        let fault = fault.map(|at| state.faults.remove(at).1);
        let sent = match fault {
            None | Some(Fault::None) => {
                let (status, answer) = state.answer(&request);
                http::send(&stream, status, &[], &answer.to_string())
            }
            Some(Fault::Status(status, rest)) => {
                let rest = rest.map(|seconds| ("Retry-After", seconds.to_string()));
                http::send(&stream, status, rest.as_slice(), &api::error(status, "as the test asks").to_string())
            }
            Some(Fault::Saying(status, message)) => {
                http::send(&stream, status, &[], &api::error(status, &message).to_string())
            }
            Some(Fault::DoneBut(status)) => {
                state.answer(&request);
                http::send(&stream, status, &[], &api::error(status, "as the test asks").to_string())
            }
            Some(Fault::Answer(text)) => http::send(&stream, 200, &[], &text),
            Some(Fault::Redirect(to)) => http::send(&stream, 302, &[("Location", to)], ""),
            Some(Fault::CutBefore) => false,
            Some(Fault::CutAfter) => {
                state.answer(&request);
                false
            }
            Some(Fault::Silence) => {
                drop(state);
                http::wait_for_end(&stream);
                false
            }
        };
        if !sent {
            drop(stream.shutdown(Shutdown::Both));
            return;
        }
    }
}
