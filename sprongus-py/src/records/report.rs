//! `Report`.

super::record! {
    /// What the doctor found.
    Report(it: sprongus::doctor::Report) {
        /// Whether nothing worse than advice was found.
        ok = it.ok;
        /// The worst first; each with `code`, `severity` ("error", "warning", "advice"), `message` and `fix`.
        findings = it.findings;
    }
}
