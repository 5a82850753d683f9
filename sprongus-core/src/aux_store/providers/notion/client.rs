//! Requests to the API: paced, and made again where that may help.

use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, DefaultConnector};

use super::config::Config;
use super::token::Token;
use crate::error::{Error, ErrorCode, Result, Violation};
use crate::id::backoff;

/// The version of the API that this is written for.
pub(super) const VERSION: &str = "2026-03-11";

/// How often a request is made at most.
const TRIES: u32 = 5;
const BACKOFF_BASE: Duration = Duration::from_secs(1);
const BACKOFF_CAP: Duration = Duration::from_secs(30);
/// Who is told to wait longer than that comes back later, by a retry of the whole.
const LONGEST_REST: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is read: a page of 100 with every property full stays below.
const LARGEST_ANSWER: u64 = 64 << 20;
/// The largest request that Notion takes (its page on request limits).
const LARGEST_REQUEST: usize = 500_000;
/// So much of what Notion says is passed on.
const LONGEST_MESSAGE: usize = 1000;

/// The API under one token.
pub(super) struct Client {
    agent: Agent,
    base: String,
    token: Token,
    bearer: HeaderValue,
    interval: Duration,
    /// The longest delay before the second try.
    pub(super) backoff_base: Duration,
    /// When the next request may be made.
    next: Instant,
}

/// Why a request was not answered as it should be.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether the same request may be answered later.
    pub(super) passing: bool,
    /// How long Notion wants to be left alone.
    rest: Option<Duration>,
}

impl Failure {
    fn last(error: Error) -> Self {
        Self { error, passing: false, rest: None }
    }

    fn passing(error: Error) -> Self {
        Self { error, passing: true, rest: None }
    }
}

impl Client {
    pub(super) fn new(config: &Config) -> Result<Self> {
        let builder = Agent::config_builder()
            .http_status_as_error(false)
            // A token is not carried to where a redirect points.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .https_only(!config.loopback)
            .timeout_global(Some(config.timeout))
            .timeout_connect(Some(CONNECT_TIMEOUT.min(config.timeout)))
            .user_agent(concat!("sprongus/", env!("CARGO_PKG_VERSION")));
        let builder = if config.loopback { builder.proxy(None) } else { builder };
        let connector = DefaultConnector::default().chain(config.token.clone());
        let mut bearer = HeaderValue::from_str(&config.token.header())
            .map_err(|_| Error::new(ErrorCode::Panic, "a stand-in is no header"))?;
        bearer.set_sensitive(true);
        Ok(Self {
            agent: Agent::with_parts(builder.build(), connector, DefaultResolver::default()),
            base: config.base_url.clone(),
            token: config.token.clone(),
            bearer,
            interval: Duration::from_secs_f64(1.0 / config.per_second),
            backoff_base: BACKOFF_BASE,
            next: Instant::now(),
        })
    }

    pub(super) fn get(&mut self, path: &str) -> Result<Value> {
        self.repeated(&Method::GET, path, None)
    }

    /// A POST that changes nothing: a query.
    pub(super) fn query(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.repeated(&Method::POST, path, Some(body))
    }

    /// A PATCH: made twice, it changes what it changes once.
    pub(super) fn patch(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.repeated(&Method::PATCH, path, Some(body))
    }

    /// A POST that makes something, once: after a failure it may be there all the same.
    pub(super) fn create(&mut self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.once(&Method::POST, path, Some(body))
    }

    fn repeated(&mut self, method: &Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut attempt = 1;
        loop {
            match self.once(method, path, body) {
                Ok(answer) => return Ok(answer),
                Err(failure) => self.rest(failure, attempt)?,
            }
            attempt += 1;
        }
    }

    /// Waits before the next attempt; the error, where there is to be none.
    pub(super) fn rest(&self, failure: Failure, attempt: u32) -> Result<()> {
        if !failure.passing || attempt >= TRIES || failure.rest.is_some_and(|rest| rest > LONGEST_REST) {
            return Err(failure.error);
        }
        tracing::debug!(attempt, code = failure.error.code().as_str(), "a request to Notion will be made again");
        std::thread::sleep(failure.rest.unwrap_or_else(|| backoff(attempt, self.backoff_base, BACKOFF_CAP)));
        Ok(())
    }

    fn once(&mut self, method: &Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let body = body.map(Value::to_string).unwrap_or_default();
        if body.len() > LARGEST_REQUEST {
            let message = format!("the request has {} bytes; Notion takes {LARGEST_REQUEST}", body.len());
            return Err(Failure::last(Error::new(ErrorCode::TooLarge, message)));
        }
        self.pace();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.base))
            .header(header::AUTHORIZATION, &self.bearer)
            .header("Notion-Version", VERSION);
        if *method != Method::GET {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(|_| Failure::last(Error::invalid("this is no path of the API")))?;
        let answered = match *method {
            Method::GET => self.agent.run(request.map(|_| ())),
            _ => self.agent.run(request),
        };
        let mut response = answered.map_err(|error| Failure::passing(unreachable(&error)))?;
        let read = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec();
        let bytes = read.map_err(|error| Failure::passing(unreachable(&error)))?;
        self.judged(&response, &bytes)
    }

    /// Waits until the next request may be made: so many a second on average, however fast answers come.
    fn pace(&mut self) {
        let now = Instant::now();
        std::thread::sleep(self.next.saturating_duration_since(now));
        self.next = self.next.max(now) + self.interval;
    }

    fn judged<B>(&self, response: &Response<B>, bytes: &[u8]) -> Result<Value, Failure> {
        let answer = serde_json::from_slice::<Value>(bytes);
        let status = response.status();
        match answer {
            Ok(answer) if status.is_success() && answer.is_object() => Ok(answer),
            _ if status.is_success() => Err(Failure::passing(Error::new(
                ErrorCode::Unavailable,
                "the answer is not the JSON object that Notion gives",
            ))),
            answer => {
                let message = answer.ok().and_then(|answer| Some(answer.get("message")?.as_str()?.to_owned()));
                Err(self.refused(status, message.as_deref().unwrap_or("no reason given"), rest(response)))
            }
        }
    }

    /// What a status means (Notion's page on status codes).
    fn refused(&self, status: StatusCode, message: &str, rest: Option<Duration>) -> Failure {
        let message = self.token.hidden(message);
        let text = format!("Notion answered {}: {}", status.as_u16(), crate::text::truncate(&message, LONGEST_MESSAGE));
        let (code, passing) = match status.as_u16() {
            400 => {
                let violation = Violation::new("", "notion", text);
                return Failure::last(Error::validation(vec![violation]));
            }
            401 | 403 => (ErrorCode::PermissionDenied, false),
            404 => (ErrorCode::NotFound, false),
            409 => (ErrorCode::Busy, true),
            413 => (ErrorCode::TooLarge, false),
            429 | 529 => (ErrorCode::RateLimited, true),
            500 | 502 | 503 | 504 => (ErrorCode::Unavailable, true),
            500.. => (ErrorCode::Unavailable, false),
            _ => (ErrorCode::Unsupported, false),
        };
        Failure { error: Error::new(code, text), passing, rest: rest.filter(|_| passing) }
    }
}

/// How long to wait: seconds (RFC 9110 §10.2.3; Notion gives no date).
fn rest<B>(response: &Response<B>) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The network, or what stands for it: nothing of the request is in these errors.
fn unreachable(error: &ureq::Error) -> Error {
    Error::new(ErrorCode::Unavailable, format!("Notion cannot be reached: {error}"))
}
