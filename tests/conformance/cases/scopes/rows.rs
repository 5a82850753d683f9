//! Row-level security beneath scoped handles (docs/scopes.md): what a role that does not own the tables sees of them.

use std::sync::Arc;
use std::time::Duration;

use postgres::{Client, NoTls};
use serde_json::json;
use sprongus::aux_store::BulkOptions;
use sprongus::events::ReadEvents;
use sprongus::runs::{Claim, Enqueue, LimitKind, Succeed};
use sprongus::{Dialect, ErrorCode, Json, Options, Scope, Store};
use sprongus_conformance::{Case, Env};

use super::case;
use super::walk;
use super::world::{MARK, World};
use crate::runs::code;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("scopes::a_role_sees_its_projects_by_whatever_sql", plain),
        case("scopes::a_role_of_one_project_works_it", one_project),
        case("scopes::no_operation_reaches_another_project_with_row_security", walked),
        case("scopes::with_row_security_no_handle_hides_an_event_from_others", feed),
        case("scopes::row_security_needs_a_role_that_it_binds", bound),
    ]
}

/// A role of one project and one of all; none of them owns anything.
struct Roles {
    one: String,
    all: String,
}

impl Roles {
    fn new(env: &Env, owner: &Store) -> Self {
        let stem = env.schema().unwrap();
        let roles = Self { one: format!("{stem}_one"), all: format!("{stem}_all") };
        for role in [&roles.one, &roles.all] {
            owner.execute(&format!("CREATE ROLE {role} LOGIN"), &[]).unwrap();
        }
        owner.enable_row_security().unwrap();
        owner.enable_row_security().unwrap();
        owner.grant_projects(&roles.one, &["amber", "other"]).unwrap();
        owner.grant_projects(&roles.one, &["beryl"]).unwrap();
        owner.grant_projects(&roles.all, &["*"]).unwrap();
        roles
    }
}

fn url(env: &Env, role: &str) -> String {
    let url = env.url().replace("postgres@", &format!("{role}@")).replace("user=postgres", &format!("user={role}"));
    assert_ne!(url, env.url());
    url
}

fn options(env: &Env, world: &World) -> Options {
    Options { row_security: true, clock: Arc::new(world.clock.clone()), ..env.options() }
}

/// A connection of that role's, as psql makes one.
fn connect(env: &Env, role: &str) -> Client {
    let mut client = Client::connect(&url(env, role), NoTls).unwrap();
    client.batch_execute(&format!("SET search_path TO {}", env.schema().unwrap())).unwrap();
    client
}

/// SQLite has no roles.
fn unsupported(env: &Env) -> bool {
    let store = env.open();
    if store.backend() == Dialect::Postgres {
        return false;
    }
    assert_eq!(code(store.enable_row_security()), ErrorCode::Unsupported);
    assert_eq!(code(store.grant_projects("somebody", &["p"])), ErrorCode::Unsupported);
    let opened = Store::open(env.url(), Options { row_security: true, ..env.options() });
    assert_eq!(code(opened.map(drop)), ErrorCode::Unsupported);
    true
}

fn tables(owner: &Store) -> Vec<String> {
    let sql = "SELECT c.relname::text FROM pg_class AS c WHERE c.relnamespace = current_schema()::regnamespace \
               AND c.relkind IN ('r', 'p', 'v') ORDER BY 1";
    let name = |row: sprongus::Row| match row.into_values().remove(0) {
        sprongus::Value::Text(name) => name.into_owned(),
        other => panic!("{other:?}"),
    };
    owner.query(sql, &[]).unwrap().into_iter().map(name).collect()
}

fn text(client: &mut Client, table: &str) -> String {
    let rows = client.query(&format!("SELECT t::text FROM {table} AS t"), &[]).unwrap();
    rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
}

fn plain(env: &Env) {
    if unsupported(env) {
        return;
    }
    let world = World::new(env);
    let beryl = world.stranger();
    let run = beryl.runs().enqueue(&Enqueue::new("own", Json::null())).unwrap();
    beryl.aux("beryl", "assets").create(json!({"title": "own"}), Some("own")).unwrap();
    let roles = Roles::new(env, &world.store);
    let without = "SELECT c.relname::text FROM pg_class AS c WHERE c.relnamespace = current_schema()::regnamespace AND \
        (c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND EXISTS (SELECT 1 FROM pg_policy AS p WHERE p.polrelid = c.oid)) \
        OR c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false))";
    assert!(
        world.store.query(without, &[]).unwrap().is_empty(),
        "a table without a policy: row_security.rs lists them all"
    );
    let before = world.rows();
    let mut one = connect(env, &roles.one);
    for setting in ["", "amber", "beryl", "*"] {
        one.batch_execute(&format!("SET sprongus.project = '{setting}'")).unwrap();
        for table in tables(&world.store) {
            let seen = text(&mut one, &table);
            let told = world.secrets().into_iter().find(|secret| seen.contains(secret));
            assert_eq!(told, None, "{table} with {setting:?}: {seen}");
        }
        let own = text(&mut one, "sprongus_runs").contains(&run.id);
        assert_eq!(own, matches!(setting, "" | "beryl"));
    }
    one.batch_execute("SET sprongus.project = ''").unwrap();
    assert!(text(&mut one, "sprongus_aux_seen").contains("own"));
    for sql in [
        "INSERT INTO sprongus_config (project_id, key, value, updated_at) VALUES ('amber', 'k', '1', now())",
        "INSERT INTO sprongus_config (project_id, key, value, updated_at) VALUES ('', 'k', '1', now())",
        "INSERT INTO sprongus_row_grants (role_name, project_id) VALUES (current_user, '*')",
        "UPDATE sprongus_runs SET project_id = 'amber'",
        "INSERT INTO sprongus_kind_limits (kind, rate, per_us) VALUES ('k', 1, 1)",
        "ALTER TABLE sprongus_runs DISABLE ROW LEVEL SECURITY",
        "SET ROLE postgres",
    ] {
        let error = one.batch_execute(sql).unwrap_err();
        assert_eq!(error.code().map(|state| state.code()), Some("42501"), "{sql}: {error}");
    }
    for table in
        tables(&world.store).iter().filter(|table| !table.ends_with("migrations") && !table.ends_with("grants"))
    {
        if table != "sprongus_aux_seen" && table != "sprongus_runs" {
            one.execute(&format!("DELETE FROM {table}"), &[]).unwrap();
        }
    }
    one.execute("DELETE FROM sprongus_runs", &[]).unwrap();
    let after = world.rows();
    let gone: Vec<&String> =
        before.difference(&after).filter(|row| !row.contains("beryl") && !row.contains(&run.id)).collect();
    assert!(gone.is_empty(), "{gone:#?}");
    assert_eq!(text(&mut one, "sprongus_runs"), "");
    let mut all = connect(env, &roles.all);
    assert!(text(&mut all, "sprongus_runs").contains(world.id("queued")), "who is granted all sees all");
    all.batch_execute("SET sprongus.project = 'beryl'").unwrap();
    assert!(!text(&mut all, "sprongus_runs").contains(MARK), "but for what a handle's project keeps from it");
    world.store.grant_projects(&roles.one, &[]).unwrap();
    assert!(one.query("SELECT 1 FROM sprongus_runs", &[]).is_err(), "what was granted is taken back");
}

fn one_project(env: &Env) {
    if unsupported(env) {
        return;
    }
    let world = World::new(env);
    let roles = Roles::new(env, &world.store);
    let store = Store::open(&url(env, &roles.one), options(env, &world)).unwrap();
    world.store.runs().limit_kind(&LimitKind { rate: Some(1), ..LimitKind::new("slow") }).unwrap();
    for handle in [store.scoped("beryl", Scope::DEFAULT).unwrap(), store.scoped("beryl", &[Scope::Admin]).unwrap()] {
        let run = handle.runs().enqueue(&Enqueue::new("slow", Json::null())).unwrap();
        let slow = Claim { kinds: Some(vec!["slow".to_owned()]), ..Claim::new("w") };
        let mine = handle.runs().claim_next(&slow).unwrap().remove(0);
        assert_eq!(mine.id, run.id);
        let done = Succeed { output: Some(Json::parse("[1]").unwrap()), ..Succeed::new(&mine.id, mine.lease) };
        handle.runs().succeed(&done).unwrap();
        handle.transaction(|tx| tx.runs().enqueue(&Enqueue::new("a", Json::null()))).unwrap();
        let items = (0..2_000).map(|n| Ok(json!({"id": format!("{n:04}"), "title": format!("title {n}")})));
        let table = handle.aux("beryl", "assets");
        let report = table.bulk_upsert(items, BulkOptions::default(), &mut |_, _| Ok(())).unwrap();
        assert_eq!((report.errors.len(), report.created + report.unchanged), (0, 2_000));
        assert_eq!(table.count(Some("title 19"), None).unwrap(), 111);
        world.clock.advance(Duration::from_secs(5));
    }
    assert_eq!(code(store.runs().limit_kind(&LimitKind::new("slow"))), ErrorCode::PermissionDenied);
    let unscoped = store.runs().list(&sprongus::runs::ListRuns::default()).unwrap().items;
    assert!(unscoped.iter().all(|run| run.project_id.as_deref() == Some("beryl")), "{unscoped:?}");
    let foreign = Enqueue { project: Some(MARK.to_owned()), ..Enqueue::new("a", Json::null()) };
    assert_eq!(code(store.runs().enqueue(&foreign)), ErrorCode::PermissionDenied);
}

/// The walk over all operations, with the second wall beneath the first: every answer is the same.
fn walked(env: &Env) {
    if unsupported(env) {
        return;
    }
    let world = World::new(env);
    let roles = Roles::new(env, &world.store);
    for role in [&roles.one, &roles.all] {
        let store = Store::open(&url(env, role), options(env, &world)).unwrap();
        let before = world.rows();
        let wrong = walk::tried(&world, &store.scoped("beryl", Scope::DEFAULT).unwrap());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(walk::harm(&world, &before, role), None);
        let tidy = sprongus::projects::DeleteProject::cascade("beryl");
        world.store.projects().delete(&tidy).unwrap();
        world.read_the_feed();
    }
}

/// What one handle learns of the feed is no other's to go by.
fn feed(env: &Env) {
    if unsupported(env) {
        return;
    }
    let world = World::new(env);
    let roles = Roles::new(env, &world.store);
    let store = Store::open(&url(env, &roles.all), options(env, &world)).unwrap();
    let beryl = store.scoped("beryl", Scope::DEFAULT).unwrap();
    let start = store.events().position().unwrap();
    let since = ReadEvents { after: Some(start), limit: 1_000, ..ReadEvents::default() };
    let foreign = Enqueue { project: Some(MARK.to_owned()), ..Enqueue::new("a", Json::null()) };
    let before = store.runs().enqueue(&foreign).unwrap().id;
    let own = beryl.runs().enqueue(&Enqueue::new("a", Json::null())).unwrap().id;
    let told = |on: &Store| -> Vec<String> {
        on.events().read(&since).unwrap().items.into_iter().filter_map(|event| event.run_id).collect()
    };
    assert_eq!(told(&beryl), std::slice::from_ref(&own));
    assert_eq!(told(&store), [before, own]);
}

fn bound(env: &Env) {
    if unsupported(env) {
        return;
    }
    let world = World::new(env);
    let asked = |role: Option<&str>| {
        let url = role.map_or_else(|| env.url().to_owned(), |role| url(env, role));
        Store::open(&url, options(env, &world)).map(drop)
    };
    assert_eq!(code(asked(None)), ErrorCode::Unsupported, "there are no policies yet");
    let scoped = world.stranger();
    assert_eq!(code(scoped.enable_row_security()), ErrorCode::PermissionDenied);
    assert_eq!(code(scoped.grant_projects("postgres", &["*"])), ErrorCode::PermissionDenied);
    let roles = Roles::new(env, &world.store);
    assert_eq!(code(asked(None)), ErrorCode::Unsupported, "the owner is not bound");
    asked(Some(&roles.one)).unwrap();
    let store = Store::open(&url(env, &roles.all), Options { row_security: false, ..options(env, &world) }).unwrap();
    assert_eq!(code(store.enable_row_security()), ErrorCode::PermissionDenied);
    assert_eq!(code(store.grant_projects(&roles.all, &["*"])), ErrorCode::PermissionDenied);
    assert_eq!(code(world.store.grant_projects("no_such_role", &["p"])), ErrorCode::NotFound);
    assert_eq!(code(world.store.grant_projects(&roles.one, &[""])), ErrorCode::InvalidArgument);
}
