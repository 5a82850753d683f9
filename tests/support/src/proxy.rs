//! A TCP proxy in front of PostgreSQL that breaks connections where it is told to.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::wire::{Message, Statements};
use crate::{Postgres, postgres};

/// On which side of the statement the connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The server never sees the statement.
    Before,
    /// The server has run the statement to its end; the client never sees an answer.
    After,
}

/// How often each fault has struck: a test of a fault asserts that it did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fired {
    /// Connections cut by [`Proxy::cut_on`] and [`Proxy::cut_on_commit`].
    pub statements: u64,
    /// Connections cut by [`Proxy::cut_now`].
    pub cut: u64,
    /// Messages (of either side) and new connections swallowed while silent.
    pub swallowed: u64,
    /// New connections turned away.
    pub refused: u64,
}

/// A proxy on a free port of the loopback. Passes everything through until told otherwise; gone on drop.
///
/// ```
/// use sprongus_testkit::{Postgres, Proxy, When};
/// let server = Postgres::start();
/// let proxy = Proxy::before(&server);
/// proxy.cut_on_commit(When::After); // the next COMMIT takes effect, its answer is lost
/// let mut client = postgres::Client::connect(&proxy.url(), postgres::NoTls).unwrap();
/// assert!(client.batch_execute("BEGIN; CREATE TABLE kept (); ").and_then(|()| client.batch_execute("COMMIT")).is_err());
/// assert_eq!(proxy.fired().statements, 1);
/// assert_eq!(server.psql("SELECT to_regclass('kept')"), "kept");
/// ```
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    url: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    #[default]
    Pass,
    Silent,
    Refuse,
    Closed,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    statements: AtomicU64,
    cut: AtomicU64,
    swallowed: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    rules: Vec<(String, When)>,
    links: Vec<Arc<Link>>,
}

impl Proxy {
    /// A proxy in front of that server.
    pub fn before(server: &Postgres) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on the loopback");
        let address = listener.local_addr().expect("its address");
        let upstream = postgres::authority(server.url_tcp()).to_owned();
        let url = server.url_tcp().replacen(&upstream, &address.to_string(), 1);
        let shared = Arc::new(Shared::default());
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &upstream, &accepting));
        Self { address, url, shared }
    }

    /// The server's database `postgres`, through the proxy, without encryption (the proxy has to read along).
    pub fn url(&self) -> String {
        format!("{}?sslmode=disable", self.url)
    }

    /// Back to passing everything. Connections that lost bytes to [`Proxy::go_silent`] cannot go on and are cut.
    pub fn pass(&self) {
        let mut state = self.shared.state();
        state.mode = Mode::Pass;
        for link in state.links.iter().filter(|link| link.lossy.load(SeqCst)) {
            link.cut();
        }
    }

    /// From now on nothing gets through in either direction, and no connection is closed: the network is dead.
    pub fn go_silent(&self) {
        self.shared.state().mode = Mode::Silent;
    }

    /// From now on new connections are closed at once; those there are stay.
    pub fn refuse(&self) {
        self.shared.state().mode = Mode::Refuse;
    }

    /// Cuts every connection there is; new ones are as before.
    pub fn cut_now(&self) {
        let links = std::mem::take(&mut self.shared.state().links);
        let live = links.iter().filter(|link| link.cut()).count();
        self.shared.cut.fetch_add(live as u64, SeqCst);
    }

    /// Cuts the connection that next runs a statement containing `fragment` (whatever the case), once; call again for more.
    pub fn cut_on(&self, fragment: &str, when: When) {
        self.shared.state().rules.push((fragment.to_ascii_uppercase(), when));
    }

    /// Cuts the connection that commits next, once.
    pub fn cut_on_commit(&self, when: When) {
        self.cut_on("COMMIT", when);
    }

    /// Forgets the faults that have not fired yet.
    pub fn clear(&self) {
        self.shared.state().rules.clear();
    }

    /// How often each fault has struck so far.
    pub fn fired(&self) -> Fired {
        let Shared { statements, cut, swallowed, refused, .. } = &*self.shared;
        let [statements, cut, swallowed, refused] =
            [statements, cut, swallowed, refused].map(|count| count.load(SeqCst));
        Fired { statements, cut, swallowed, refused }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state().mode = Mode::Closed;
        self.cut_now();
        // Wakes the accepting thread, which then ends.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the first rule that this statement triggers.
    fn trigger(&self, sql: &str) -> Option<When> {
        // A setting is named so, which is no commit.
        let sql = sql.to_ascii_uppercase().replace("SYNCHRONOUS_COMMIT", "");
        let mut state = self.state();
        let index = state.rules.iter().position(|(fragment, _)| sql.contains(fragment))?;
        self.statements.fetch_add(1, SeqCst);
        Some(state.rules.remove(index).1)
    }

    /// Whether bytes may go through now; counts them where not.
    fn open(&self, link: &Link) -> bool {
        if self.state().mode != Mode::Silent {
            return true;
        }
        link.lossy.store(true, SeqCst);
        self.swallowed.fetch_add(1, SeqCst);
        false
    }
}

fn accept(listener: &TcpListener, upstream: &str, shared: &Arc<Shared>) {
    for client in listener.incoming().flatten() {
        let mut state = shared.state();
        match state.mode {
            Mode::Closed => return,
            Mode::Refuse => {
                shared.refused.fetch_add(1, SeqCst);
                continue;
            }
            Mode::Silent | Mode::Pass => {}
        }
        // A server that is down is a connection closed, as without a proxy.
        let Ok(server) = TcpStream::connect(upstream) else { continue };
        let link = Arc::new(Link::new(client, server));
        state.links.retain(|link| !link.ended.load(SeqCst));
        state.links.push(Arc::clone(&link));
        drop(state);
        let (there, back) = (Arc::clone(&link), link);
        let (shared_there, shared_back) = (Arc::clone(shared), Arc::clone(shared));
        thread::spawn(move || ended(&there, there.forward(&shared_there)));
        thread::spawn(move || ended(&back, back.answer(&shared_back)));
    }
}

/// Whichever direction ends first takes the other with it.
fn ended(link: &Link, _how: io::Result<()>) {
    link.cut();
}

/// One connection and its two directions.
#[derive(Debug)]
struct Link {
    client: TcpStream,
    server: TcpStream,
    ended: AtomicBool,
    lossy: AtomicBool,
    /// Requests sent that the server ends with ReadyForQuery.
    sent: AtomicU64,
    /// The request whose answer is held back: nothing of it reaches the client, and at its end the link is cut. 0: none.
    last: AtomicU64,
    /// Whether the latest request was ended by Sync.
    extended: AtomicBool,
}

impl Link {
    fn new(client: TcpStream, server: TcpStream) -> Self {
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
        }
        let [ended, lossy, extended] = [(); 3].map(|()| AtomicBool::new(false));
        let [sent, last] = [(); 2].map(|()| AtomicU64::new(0));
        Self { client, server, ended, lossy, sent, last, extended }
    }

    /// Closes both ends; whether they were open.
    fn cut(&self) -> bool {
        // Before the shutdown: that wakes the link's own threads, which cut it too.
        let open = !self.ended.swap(true, SeqCst);
        for stream in [&self.client, &self.server] {
            let _ = stream.shutdown(Shutdown::Both);
        }
        open
    }

    /// Client to server.
    fn forward(&self, shared: &Shared) -> io::Result<()> {
        let (mut client, mut server) = (&self.client, &self.server);
        let mut statements = Statements::default();
        let mut armed = false;
        loop {
            let message = Message::read_startup(&mut client)?;
            let more = message.asks_encryption();
            self.sent.fetch_add(u64::from(!more), SeqCst);
            self.send(shared, &mut server, &message.bytes)?;
            if !more {
                break;
            }
            // The answer to the request is one byte, read by `answer`; the server of these tests always declines.
        }
        loop {
            let message = Message::read(&mut client)?;
            match statements.run_by(&message).and_then(|sql| shared.trigger(&sql)) {
                Some(When::Before) => return Err(ErrorKind::ConnectionAborted.into()),
                Some(When::After) => armed = true,
                None => {}
            }
            if matches!(message.kind, b'Q' | b'S' | b'F') {
                self.extended.store(message.kind == b'S', SeqCst);
                let sent = self.sent.fetch_add(1, SeqCst) + 1;
                if armed {
                    self.last.store(sent, SeqCst);
                }
            }
            self.send(shared, &mut server, &message.bytes)?;
        }
    }

    /// Server to client.
    fn answer(&self, shared: &Shared) -> io::Result<()> {
        let (mut client, mut server) = (&self.client, &self.server);
        let mut ready = 0;
        loop {
            let mut first = [0];
            server.peek(&mut first)?;
            // The single byte that declines encryption; no message of the server's before the start is of that type.
            if ready == 0 && first == *b"N" && self.sent.load(SeqCst) == 0 {
                server.read_exact(&mut first)?;
                self.send(shared, &mut client, &first)?;
                continue;
            }
            let message = Message::read(&mut server)?;
            let held = self.last.load(SeqCst) == ready + 1;
            match message.kind {
                b'Z' => ready += 1,
                // COPY IN passes over the Sync that came with it; another follows its end.
                b'G' if self.extended.load(SeqCst) => {
                    self.sent.fetch_sub(1, SeqCst);
                }
                _ => {}
            }
            match (held, message.kind) {
                (true, b'Z') => return Err(ErrorKind::ConnectionAborted.into()),
                (true, _) => {}
                (false, _) => self.send(shared, &mut client, &message.bytes)?,
            }
        }
    }

    fn send(&self, shared: &Shared, to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
        if shared.open(self) { to.write_all(bytes) } else { Ok(()) }
    }
}
