//! Stops a server when its owner is gone, however the owner went.
//!
//! libtest ends with `process::exit`, which drops no static, and a killed process drops nothing at all: so a small shell
//! waits at the other end of a pipe that only the owner holds.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `$1` is the server's folder. The data is thrown away, so the stop is the immediate one; a server that is gone has no pid file.
const SCRIPT: &str = r#"
while read -r _; do :; done
pidfile="$1/data/postmaster.pid"
if [ -f "$pidfile" ]; then
    pid=$(head -n 1 "$pidfile")
    kill -QUIT "$pid"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ -f "$pidfile" ] || break
        sleep 0.1
    done
    [ ! -f "$pidfile" ] || kill -KILL "$pid"
fi
for _ in 1 2 3 4 5; do rm -rf "$1" && break; sleep 0.1; done
"#;

#[derive(Debug)]
pub(crate) struct Watchdog(Child);

impl Watchdog {
    /// Watches over the server in that folder until this process or the value is gone; then removes the folder too.
    pub(crate) fn over(folder: &Path) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "watchdog"]).arg(folder).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("start sh"))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
