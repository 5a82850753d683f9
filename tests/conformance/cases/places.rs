//! The ground of the suite itself: each case has a database of its own, by every way to reach it.

use sprongus::Value;
use sprongus_conformance::{Case, Env, Face};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "places::no_case_sees_what_another_left",
            covers: &[],
            transactional: true,
            run: no_case_sees_another,
        },
        Case {
            name: "places::what_the_host_writes_is_there_to_read",
            covers: &[],
            transactional: true,
            run: written_is_read,
        },
    ]
}

fn create(on: Face<'_, '_>) {
    on.execute("CREATE TABLE notes (n BIGINT, word TEXT)", &[]).unwrap();
}

fn no_case_sees_another(env: &Env) {
    env.within(create);
    Env::fresh(env.backend()).within(create);
}

fn written_is_read(env: &Env) {
    env.within(|on| {
        create(on);
        assert_eq!(on.execute("INSERT INTO notes VALUES ($1, $2)", &[Value::Int(7), Value::text("naïve")]).unwrap(), 1);
        let rows = on.query("SELECT n, word FROM notes", &[]).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].columns(), ["n", "word"]);
        assert_eq!(rows[0].values(), [Value::Int(7), Value::text("naïve")]);
    });
}
