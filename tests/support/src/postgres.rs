//! A throw-away PostgreSQL server.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::pg_bin::{self, User};
use crate::watchdog::Watchdog;

/// How a server is set up; [`Setup::default`] is as safe as PostgreSQL's own defaults.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Whether commits reach the disk.
    pub fsync: bool,
    /// `max_connections`.
    pub max_connections: u32,
    /// Further `name=value` settings.
    pub settings: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { fsync: true, max_connections: 200, settings: Vec::new() }
    }
}

/// A PostgreSQL server: its own, stopped and removed on drop and when this process ends in whatever way; or, from
/// [`Postgres::shared`], the one that `SPRONGUS_TEST_PG_URL` names.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    url_tcp: Option<String>,
    server: Option<Server>,
}

impl Postgres {
    /// Starts a server with the default [`Setup`].
    ///
    /// # Panics
    /// When PostgreSQL is not installed (the message says how to) or does not come up (with the end of its log).
    pub fn start() -> Self {
        Self::start_with(Setup::default())
    }

    /// Starts a server set up like that. Panics as [`Postgres::start`] does.
    pub fn start_with(setup: Setup) -> Self {
        Self::of(Server::create(setup, Server::init))
    }

    /// Starts a standby of this server that tells it what it still reads (`hot_standby_feedback`). Panics as
    /// [`Postgres::start`] does.
    pub fn standby(&self) -> Self {
        let primary = self.own();
        let copy = |standby: &Server| {
            let mut backup = standby.command("pg_basebackup");
            backup.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "-d", &self.url, "-D"]);
            run(backup.arg(standby.data()));
        };
        let settings = ["hot_standby_feedback=on", "wal_receiver_status_interval=1s", "max_standby_streaming_delay=-1"];
        let settings = settings.map(str::to_owned).into();
        Self::of(Server::create(Setup { settings, ..primary.setup.clone() }, copy))
    }

    fn of(server: Server) -> Self {
        let url = format!("postgresql:///postgres?host={}&port={}&user=postgres", server.folder.display(), server.port);
        let url_tcp = format!("postgresql://postgres@127.0.0.1:{}/postgres", server.port);
        Self { url, url_tcp: Some(url_tcp), server: Some(server) }
    }

    /// The one server all tests of this process share: `SPRONGUS_TEST_PG_URL` (and `SPRONGUS_TEST_PG_TCP_URL`) where set, else started.
    pub fn shared() -> &'static Postgres {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var("SPRONGUS_TEST_PG_URL") {
            Ok(url) if !url.is_empty() => {
                Self { url, url_tcp: std::env::var("SPRONGUS_TEST_PG_TCP_URL").ok(), server: None }
            }
            _ => Self::start(),
        })
    }

    /// The database `postgres` by unix socket.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database `postgres` by TCP on the loopback.
    ///
    /// # Panics
    /// When the server was given by `SPRONGUS_TEST_PG_URL` without `SPRONGUS_TEST_PG_TCP_URL`.
    pub fn url_tcp(&self) -> &str {
        self.url_tcp.as_deref().expect("SPRONGUS_TEST_PG_URL is set without SPRONGUS_TEST_PG_TCP_URL: set both or none")
    }

    /// Creates an empty database; its URL by unix socket.
    pub fn create_database(&self, name: &str) -> String {
        self.psql(&format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\"")));
        with_database(&self.url, name)
    }

    /// Runs SQL in the database `postgres`; the rows as unaligned text, a line each, columns separated by `|`.
    ///
    /// # Panics
    /// When the SQL fails, with the server's message.
    pub fn psql(&self, sql: &str) -> String {
        let mut psql = Command::new(pg_bin::folder().join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url, "-c", sql]);
        run(&mut psql).trim_end().to_owned()
    }

    /// A schema as pg_dump writes it.
    ///
    /// # Panics
    /// When it fails, with its message.
    pub fn dump(from: &str, schema: &str) -> String {
        let mut dump = Command::new(pg_bin::folder().join("pg_dump"));
        run(dump.args(["--no-owner", "--schema", schema, "-d", from]))
    }

    /// Copies a schema into another database as people move their data: pg_dump, then psql.
    ///
    /// # Panics
    /// When either fails, with its message.
    pub fn dump_and_restore(from: &str, schema: &str, to: &str) {
        let script = Self::dump(from, schema);
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), script).expect("write the dump");
        let mut psql = Command::new(pg_bin::folder().join("psql"));
        run(psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", to, "-f"]).arg(file.path()));
    }

    /// Kills the server as a crash would (immediate shutdown) and starts it again on the same port and data.
    pub fn restart(&self) {
        let server = self.own();
        server.halt(Signal::QUIT);
        server.launch().unwrap_or_else(|log| panic!("PostgreSQL did not come up again:\n{log}"));
    }

    /// Shuts the server down cleanly, connections cut; [`Postgres::restart`] brings it back.
    pub fn stop(&self) {
        self.own().halt(Signal::INT);
    }

    /// Stops the server, makes `next` its next transaction id, as if all before it had been used, and starts it again.
    pub fn advance_ids(&self, next: u32) {
        /// Ids whose outcome one file of `pg_xact` tells: two bits each, in 32 pages of 8 KiB.
        const OF_FILE: u32 = 1 << 20;
        let server = self.own();
        server.halt(Signal::INT);
        run(server.command("pg_resetwal").arg("-x").arg(next.to_string()).arg("-D").arg(server.data()));
        let file = server.data().join(format!("pg_xact/{:04X}", next / OF_FILE));
        std::fs::write(&file, vec![0; 256 << 10]).expect("a file of outcomes");
        if let Some(user) = server.user {
            user.own(&file);
        }
        server.launch().unwrap_or_else(|log| panic!("PostgreSQL did not come up again:\n{log}"));
    }

    fn own(&self) -> &Server {
        self.server
            .as_ref()
            .expect("the server was given by SPRONGUS_TEST_PG_URL and is not ours to stop: use Postgres::start()")
    }
}

/// The same URL with another database.
pub(crate) fn with_database(url: &str, name: &str) -> String {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let query = url.find('?').unwrap_or(url.len());
    let path = url[authority..query].find('/').map_or(query, |at| authority + at);
    format!("{}/{name}{}", &url[..path], &url[query..])
}

/// The `host:port` of a URL.
pub(crate) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

#[derive(Debug)]
struct Server {
    bin: PathBuf,
    user: Option<User>,
    folder: PathBuf,
    port: u16,
    setup: Setup,
    process: Mutex<Option<Child>>,
    _watchdog: Watchdog,
}

impl Server {
    /// `fill` makes its data folder.
    fn create(setup: Setup, fill: impl FnOnce(&Self)) -> Self {
        let (bin, user) = (pg_bin::folder(), User::for_server());
        let folder = tempfile::Builder::new()
            .prefix("sprongus-pg-")
            .tempdir_in(short_temp())
            .expect("a temporary folder")
            .keep();
        // From here on the folder is the watchdog's to remove.
        let watchdog = Watchdog::over(&folder);
        if let Some(user) = user {
            user.own(&folder);
        }
        let mut server = Server { bin, user, folder, port: 0, setup, process: Mutex::default(), _watchdog: watchdog };
        fill(&server);
        server.configure();
        // Another process may take the free port before the server does.
        for attempt in 1.. {
            server.port = free_port();
            match server.launch() {
                Ok(()) => break,
                Err(log) => assert!(attempt < 5, "PostgreSQL did not start:\n{log}"),
            }
        }
        server
    }

    /// Sorts by a language's rules wherever PostgreSQL can (15 and newer), so that a forgotten `COLLATE "C"` shows.
    fn init(&self) {
        let mut initdb = self.command("initdb");
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]);
        let help = run(self.command("initdb").arg("--help"));
        if help.contains("--icu-locale") {
            initdb.args(["--locale-provider=icu", "--icu-locale=en-US"]);
        }
        run(initdb.arg("-D").arg(self.data()));
    }

    /// In its file, not on its command line, which `ALTER SYSTEM` could not change.
    fn configure(&self) {
        let file = self.data().join("postgresql.conf");
        let line = |setting: &String| setting.split_once('=').map(|(name, value)| format!("{name} = '{value}'\n"));
        let lines: String = self.settings().iter().filter_map(line).collect();
        let mut file = OpenOptions::new().append(true).open(file).expect("postgresql.conf");
        file.write_all(lines.as_bytes()).expect("write postgresql.conf");
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.current_dir(&self.folder).stdin(Stdio::null());
        if let Some(user) = self.user {
            user.run(&mut command);
        }
        command
    }

    /// Starts the server and waits until it takes connections; the end of its log where it does not.
    fn launch(&self) -> Result<(), String> {
        let mut process = self.process();
        assert!(process.is_none(), "the server is already running");
        let log = File::create(self.folder.join("log")).expect("the server's log");
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(&self.folder).args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
        ]);
        // A group of its own: Ctrl-C at the terminal is for the test; the watchdog sees to the server.
        command.process_group(0).stdout(log.try_clone().expect("the server's log")).stderr(log);
        let mut child = command.spawn().expect("start postgres");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.ready() {
            if Instant::now() > deadline || child.try_wait().expect("look at postgres").is_some() {
                let _ = child.kill();
                let _ = child.wait();
                return Err(std::fs::read_to_string(self.folder.join("log")).unwrap_or_default());
            }
            sleep(Duration::from_millis(20));
        }
        *process = Some(child);
        Ok(())
    }

    fn settings(&self) -> Vec<String> {
        let fsync = if self.setup.fsync { "on" } else { "off" };
        let mut settings = vec![
            format!("fsync={fsync}"),
            format!("max_connections={}", self.setup.max_connections),
            "shared_buffers=32MB".to_owned(),
            "log_min_messages=warning".to_owned(),
        ];
        settings.extend(self.setup.settings.iter().cloned());
        settings
    }

    /// The eighth line of the pid file is the server's state.
    fn ready(&self) -> bool {
        let lines = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        lines.lines().nth(7).is_some_and(|state| state.trim() == "ready")
    }

    fn halt(&self, signal: Signal) {
        if let Some(mut child) = self.process().take() {
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
            kill_process(pid, signal).expect("signal postgres");
            child.wait().expect("wait for postgres");
        }
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.halt(Signal::QUIT);
    }
}

/// A unix socket's path holds 107 bytes, so a long TMPDIR will not do.
fn short_temp() -> PathBuf {
    let temp = std::env::temp_dir();
    if temp.as_os_str().len() > 60 { Path::new("/tmp").to_owned() } else { temp }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on the loopback");
    listener.local_addr().expect("its address").port()
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
