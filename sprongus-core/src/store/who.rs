//! Who acts through a handle.

use crate::error::Result;
use crate::session::Who;

/// The name of the user of the operating system, as events carry it where no actor is given.
pub(crate) fn os_user() -> String {
    let named =
        ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).or_else(of_this_process);
    let named = named.filter(|name| crate::text::check_name("actor", name).is_ok());
    named.unwrap_or_else(|| format!("process {}", std::process::id()))
}

/// From passwd(5): services and containers often run without the variables.
fn of_this_process() -> Option<String> {
    #[cfg(not(unix))]
    return None;
    #[cfg(unix)]
    {
        let own = rustix::process::getuid().as_raw().to_string();
        let users = std::fs::read_to_string("/etc/passwd").ok()?;
        let named = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        named.into_iter().find(|fields| fields.get(2) == Some(&own.as_str()))?.first().map(|name| (*name).to_owned())
    }
}

impl Who {
    pub(crate) fn acting_as(&self, actor: &str, reason: Option<&str>) -> Result<Self> {
        crate::text::check_name("actor", actor)?;
        if let Some(reason) = reason {
            crate::text::check_name("reason", reason)?;
        }
        Ok(Self { actor: actor.into(), reason: reason.map(Into::into), grant: self.grant.clone() })
    }
}
