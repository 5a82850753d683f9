// The C++ layer: `layer URL [SCHEMA]`.
#include <sprongus.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <type_traits>

static int checks = 0;

#define CHECK(condition)                                                      \
    do {                                                                      \
        checks++;                                                             \
        if (!(condition)) {                                                   \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                     \
        }                                                                     \
    } while (0)

// The code that the work throws; 0 where it does not.
template <typename Work>
static int32_t thrown(Work work) {
    try {
        work();
    } catch (const sprongus::Error &error) {
        CHECK(error.what()[0] != '\0' && !error.name().empty());
        return error.code();
    }
    return SPRONGUS_OK;
}

static_assert(!std::is_copy_constructible_v<sprongus::Store> && std::is_move_constructible_v<sprongus::Store>);
static_assert(!std::is_copy_constructible_v<sprongus::Tx> && std::is_move_constructible_v<sprongus::Tx>);

static_assert(!std::is_copy_constructible_v<sprongus::Session> && !std::is_destructible_v<sprongus::Session>);
static_assert(std::is_nothrow_copy_constructible_v<sprongus::Error>);

static void runs(sprongus::Store &store) {
    sprongus::Run run = store.enqueue("cpp.mail", R"({"to": "a@b.c"})");
    CHECK(run.state() == "queued" && run.kind() == "cpp.mail" && !run.is_final() && !run.deduplicated());
    std::vector<sprongus::Run> claimed = store.claim_next("worker");
    CHECK(claimed.size() == 1 && claimed[0].id() == run.id() && claimed[0].lease() == 1);
    CHECK(store.heartbeat(claimed[0], "0.5").state() == "running");
    CHECK(store.succeed(claimed[0], R"({"sent":true})").is_final());
    CHECK(store.output(run.id()) == R"({"sent":true})");
    CHECK(thrown([&] { store.get_run("nothing"); }) == SPRONGUS_ERR_NOT_FOUND);
    store.enqueue("cpp.fail");
    claimed = store.claim_next("worker");
    CHECK(store.fail(claimed[0], "no route", true).error() == "no route");
    CHECK(thrown([&] { store.succeed(claimed[0]); }) == SPRONGUS_ERR_LEASE_LOST);
    CHECK(store.cancel(store.enqueue("cpp.cancel").id(), "no").state() == "canceled");

    CHECK(store.enqueue_many(R"([{"kind": "cpp.many"}, {"kind": "cpp.many"}])").size() == 2);
    sprongus_claim_options options;
    SPRONGUS_INIT(options);
    options.limit = 2;
    options.dispatch = 1;
    claimed = store.claim_next("worker", &options);
    CHECK(claimed.size() == 2 && claimed[0].state() == "dispatching" && store.start(claimed[0]).state() == "running");
    CHECK(store.succeed(store.start(claimed[1]), std::nullopt, "s3://b/o").json().find("s3://b/o") != std::string::npos);
    CHECK(store.events(claimed[1].id()).find("run.succeeded") != std::string::npos);
    CHECK(store.succeed(claimed[0]).is_final() && store.rescue() == 0);

    sprongus_runs_query query;
    SPRONGUS_INIT(query);
    query.limit = 2;
    sprongus::Page<sprongus::Run> page = store.list_runs(&query);
    CHECK(page.items.size() == 2 && page.next_cursor.has_value());
    size_t seen = 0;
    for (page = store.list_runs(&query);; page = store.list_runs(&query)) {
        seen += page.items.size();
        if (!page.next_cursor) break;
        query.cursor = page.next_cursor->c_str();
    }
    CHECK(seen == 5);
}

static void queue(sprongus::Store &store) {
    CHECK(store.ensure_idempotent("cpp-key", "cpp.once", [] { return std::string("1"); }).input() == "1");
    sprongus::Run once = store.ensure_idempotent("cpp-key", "cpp.once", []() -> std::string { throw 1; });
    CHECK(once.input() == "1" && store.cancel(once.id()).is_final());
    CHECK(!store.find_idempotent("cpp-key", "another"));
    sprongus::Run run = store.enqueue("cpp.steps");
    run = store.claim_next("worker").at(0);
    CHECK(store.step(run, "charge", [] { return R"({"paid":true})"; }) == R"({"paid":true})");
    CHECK(store.step(run, "charge", []() -> std::string { throw 1; }) == R"({"paid":true})");
    CHECK(store.steps(run.id()).find("charge") != std::string::npos);
    CHECK(store.snooze(run, SPRONGUS_NONE).state() == "queued");
    run = store.claim_next("worker").at(0);
    CHECK(store.fail(run, "no", true).state() == "failed" && store.retry(run.id()).state() == "queued");
    run = store.claim_next("worker").at(0);
    CHECK(store.succeed_many(R"([{"id": ")" + run.id() + R"(", "lease": 3}])").find("succeeded") != std::string::npos);
    CHECK(store.fail_many(R"([{"id": ")" + run.id() + R"(", "lease": 1, "error": "e"}])").find("lease_lost") !=
          std::string::npos);
    CHECK(store.wait(run.id()).state() == "succeeded" && !store.explain(run.id()).empty());
    CHECK(store.run_stats().find("byState") != std::string::npos);
    store.limit_kind("cpp.limited", 2);
    CHECK(store.limits().find("cpp.limited") != std::string::npos);
    store.limit_kind("cpp.limited", 0);
    CHECK(store.limits() == "[]");

    sprongus_enqueue_options gated;
    SPRONGUS_INIT(gated);
    gated.needs_approval = 1;
    run = store.enqueue("cpp.gate", "null", &gated);
    CHECK(!store.get_approval(run.id()).decision() && store.list_approvals().items.size() == 1);
    CHECK(store.approve(run.id(), "ada").decision() == "approved");
    CHECK(thrown([&] { store.deny(run.id(), "ada"); }) == SPRONGUS_ERR_INVALID_STATE);
    run = store.claim_next("worker").at(0);
    CHECK(!store.request_approval(run, "deploy", "build 17").decision());
    CHECK(store.cancel(run.id()).is_final());

    sprongus::Accepted message = store.accept("mail", "<1@b.c>", R"({"kind": "cpp.answer"})");
    CHECK(message.first && message.run && message.run->kind() == "cpp.answer");
    CHECK(!store.accept("mail", "<1@b.c>").first && store.cancel(message.run->id()).is_final());

    sprongus_schedule_options every;
    SPRONGUS_INIT(every);
    every.every_ms = 3600000;
    CHECK(store.put_schedule("hourly", "cpp.hourly", every).find("\"every\":3600") != std::string::npos);
    CHECK(store.pause_schedule("hourly").find("\"paused\":true") != std::string::npos);
    std::string resumed = store.resume_schedule("hourly");
    CHECK(resumed == store.get_schedule("hourly"));
    CHECK(store.next_times("hourly", 2).size() > 50 && store.list_schedules().find("hourly") != std::string::npos);
    CHECK(store.tick() == 0);
    store.delete_schedule("hourly");
    CHECK(store.list_schedules() == "[]");

    std::string position = store.events_position();
    sprongus_events_query after;
    SPRONGUS_INIT(after);
    after.after = position.c_str();
    CHECK(store.read_events(&after).find("\"items\":[]") != std::string::npos);
    CHECK(store.read_events().find("run.approval_requested") != std::string::npos && store.prune() == 0);
}

static void listening(sprongus::Store &store) {
    std::atomic<int> told{0};
    sprongus::Follow follow = store.follow();
    CHECK(!follow.next(SPRONGUS_NONE));
    {
        sprongus::Subscription subscription = store.subscribe([&](const char *event) {
            if (std::string(event).find("run.enqueued") != std::string::npos) told++;
            throw 1;
        });
        const std::string id = store.enqueue("cpp.heard").id();
        std::optional<std::string> event = follow.next(20000);
        CHECK(event && event->find(id) != std::string::npos && event->find("run.enqueued") != std::string::npos);
        CHECK(store.cancel(id).is_final());
        for (int tries = 0; told == 0 && tries < 2000; tries++) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        CHECK(told == 1 && subscription.missed() == 0);
    }
    sprongus_events_query after;
    SPRONGUS_INIT(after);
    std::string cursor = follow.cursor();
    after.after = cursor.c_str();
    CHECK(store.read_events(&after).find("run.canceled") != std::string::npos);
    std::thread stopper([&] { follow.stop(); });
    while (follow.next()) continue;
    stopper.join();
    CHECK(!follow.next(20000));
    store.cancel(store.enqueue("cpp.unheard").id());
    CHECK(told == 1);
}

static void workers(sprongus::Store &store) {
    sprongus::Worker worker(store);
    int built = 0;
    worker.handle("cpp.work", [](sprongus::Context &context) {
        CHECK(!context.canceled());
        context.heartbeat("0.5");
        context.transaction([](sprongus::Session &session) { session.enqueue("cpp.child"); });
        context.output(context.input());
    });
    worker.handle("cpp.refer", [](sprongus::Context &context) { context.output_ref("s3://b/o"); });
    worker.handle("cpp.fatal", [](sprongus::Context &) { throw sprongus::Fatal("no such city"); });
    worker.handle("cpp.put_off", [](sprongus::Context &context) {
        if (context.run().lease() == 1) throw sprongus::Snooze(SPRONGUS_NONE);
    });
    worker.handle("cpp.throws", [](sprongus::Context &context) {
        if (context.run().attempt() == 1) throw 1;
        throw sprongus::Fatal("again");
    });
    worker.handle("cpp.push", [&](sprongus::Context &context) {
        context.step("build", [&] {
            built++;
            return "17";
        });
        try {
            context.approval("repo.push", "push build 17");
        } catch (const std::exception &) {
            std::exit(1);
        }
        context.output("\"pushed\"");
    });
    std::string work = store.enqueue("cpp.work", "[1]").id(), refer = store.enqueue("cpp.refer").id();
    std::string fatal = store.enqueue("cpp.fatal").id(), later = store.enqueue("cpp.put_off").id();
    std::string push = store.enqueue("cpp.push").id();
    store.enqueue("cpp.throws");
    worker.run_until_idle(3000);
    CHECK(store.output(work) == "[1]" && store.get_run(refer).json().find("s3://b/o") != std::string::npos);
    CHECK(store.get_run(fatal).error() == "no such city" && store.get_run(later).state() == "succeeded");
    CHECK(store.get_run(push).state() == "awaiting_approval");
    sprongus_approval_options leave;
    SPRONGUS_INIT(leave);
    leave.scope = "repo.push";
    store.approve(push, "ada", &leave);
    worker.start();
    CHECK(store.wait(push, 20000).state() == "succeeded" && store.output(push) == "\"pushed\"" && built == 1);
    CHECK(worker.stop(20000) && !worker.id().empty());
    CHECK(worker.metrics().find("\"succeeded\":4") != std::string::npos);
    CHECK(thrown([&] { sprongus::Worker(store).run(); }) == SPRONGUS_ERR_MISUSE);
}

static void entries(sprongus::Store &store) {
    CHECK(store.create_entry("cpp", "assets", R"({"title": "a"})", "1").version() == 1);
    CHECK(store.update_entry("cpp", "assets", "1", R"({"year": 3})").payload() == R"({"title":"a","year":3})");
    CHECK(store.upsert_entry("cpp", "assets", R"({"title": "b"})", "1", SPRONGUS_REPLACE).version() == 3);
    CHECK(store.get_entry("cpp", "assets", "1").payload() == R"({"title":"b"})");
    CHECK(store.list_entries("cpp", "assets").items.size() == 1);
    store.delete_entry("cpp", "assets", "1");
    CHECK(thrown([&] { store.get_entry("cpp", "assets", "1"); }) == SPRONGUS_ERR_NOT_FOUND);
    try {
        store.create_entry("cpp", "assets", R"({"title": 1})");
        CHECK(false);
    } catch (const sprongus::Error &error) {
        CHECK(error.code() == SPRONGUS_ERR_VALIDATION && error.details().find("/title") != std::string::npos);
        CHECK(!error.retryable());
    }
}

static void many_entries(sprongus::Store &store) {
    const char *folder = std::getenv("SPRONGUS_TEST_TMP");
    const std::string path = std::string(folder ? folder : "/tmp") + "/layer.csv";
    std::ofstream(path) << "id;title;year\n1;Coburg;1921\n2;Dessau;\n";
    std::string report = store.import_entries("cpp", "assets", path, 0, std::nullopt, ";");
    CHECK(report.find(R"("created":2)") != std::string::npos);
    CHECK(store.count_entries("cpp", "assets") == 2 && store.count_entries("cpp", "assets", "dess") == 1);
    CHECK(store.count_entries("cpp", "assets", std::nullopt, R"({"id": "1"})") == 1);
    CHECK(store.bulk_upsert("cpp", "assets", R"([{"id": "3", "title": "x"}])").find(R"("created":1)") != std::string::npos);
    CHECK(store.export_entries("cpp", "assets", path + ".ndjson") == 3);
    CHECK(thrown([&] { store.import_entries("cpp", "assets", "/no/such/file.csv"); }) == SPRONGUS_ERR_NOT_FOUND);
    CHECK(store.delete_entry("cpp", "assets", "3", "force") == "[]");
}

static void past_and_references(sprongus::Store &store) {
    store.create_entry("cpp-past", "assets", R"({"title": "a"})", "a-1");
    store.update_entry("cpp-past", "assets", "a-1", R"({"title": "b"})");
    CHECK(store.entry_history("cpp-past", "assets", "a-1").find("updated: title") != std::string::npos);
    CHECK(store.diff_entry("cpp-past", "assets", "a-1", "1").find(R"("new":"b")") != std::string::npos);
    CHECK(store.entries_as_of("cpp-past", "assets", "2100-01-01T00:00:00Z").size() == 1);
    CHECK(store.restore_entry("cpp-past", "assets", "a-1", 1).version() == 3);
    store.create_entry("cpp-past", "storyboard", R"({"assetIds": ["a-1"]})", "s-1");
    CHECK(store.referrers("cpp-past", "assets", "a-1").find("s-1") != std::string::npos);
    CHECK(store.resolve_refs("cpp-past", "assets", {"a-1", "none"}).find(R"("missing":true)") != std::string::npos);
    CHECK(store.stats().find(R"("cpp-past")") != std::string::npos);
    CHECK(store.doctor().find(R"("findings")") != std::string::npos);
}

struct Pair : sprongus::Source {
    explicit Pair(std::string &pushed_) : pushed(pushed_) {}
    std::optional<std::string> next() override {
        const char *documents[] = {R"({"id": "d-1", "title": "one"})", R"({"id": "d-2", "title": "two"})"};
        return at < 2 ? std::optional<std::string>(documents[at++]) : std::nullopt;
    }
    void push(const std::string &changes) override { pushed = changes; }
    std::string &pushed;
    int at = 0;
};

static void sources_and_artifacts(sprongus::Store &store) {
    auto pushed = std::make_shared<std::string>();
    store.register_provider("cpp-pair", SPRONGUS_PROVIDER_READ | SPRONGUS_PROVIDER_WRITE,
                            [pushed](const std::string &, const std::string &project, const std::string &) {
                                if (project == "cpp-none") throw std::runtime_error("no such project there");
                                return std::make_unique<Pair>(*pushed);
                            });
    store.put_provider("pair", "cpp-pair", "{}");
    CHECK(store.list_providers().find("cpp-pair") != std::string::npos);
    store.create_entry("cpp-sync", "assets", R"({"title": "here"})", "d-3");
    sprongus::Run run = store.sync("cpp-sync", "assets", "pair");
    CHECK(run.state() == "succeeded" && store.count_entries("cpp-sync", "assets") == 3);
    CHECK(pushed->find("d-3") != std::string::npos);
    CHECK(thrown([&] { store.sync("cpp-none", "assets", "pair"); }) == SPRONGUS_ERR_STORAGE);
    store.delete_provider("pair");
    CHECK(thrown([&] { store.get_provider("pair"); }) == SPRONGUS_ERR_NOT_FOUND);

    sprongus_artifact_options options;
    SPRONGUS_INIT(options);
    options.content = SPRONGUS_CONTENT_TEXT;
    options.project = "cpp-sync";
    sprongus::Artifact first = store.put_artifact("note", "k", "one", &options);
    CHECK(first.version() == 1 && first.content() == std::optional<std::string>("one"));
    CHECK(store.put_artifact("note", "k", "two", &options).version() == 2);
    CHECK(store.get_artifact(first.id()).media_type() == "text/plain; charset=utf-8");
    CHECK(store.latest_artifact("note", "k", "cpp-sync").content() == std::optional<std::string>("two"));
    CHECK(store.artifact_versions("note", "k", "cpp-sync").items.size() == 2);
    CHECK(store.list_artifacts("cpp-sync", "note").items.size() == 1);
    const char *folder = std::getenv("SPRONGUS_TEST_TMP");
    CHECK(store.export_artifacts(std::string(folder ? folder : "/tmp") + "/layer.zip", "cpp-sync") >= 1);
}

static void tables(sprongus::Store &store) {
    const std::string schema = R"({"name": "cpp_hosts", "columns": [{"name": "name", "type": "text", "constraints":
        ["primary_key"]}, {"name": "load", "type": "real"}, {"name": "mark", "type": "blob"}]})";
    CHECK(!store.table_exists("cpp_hosts"));
    store.create_table(schema);
    store.create_table(schema);
    CHECK(store.table_exists("CPP_HOSTS") && store.table_names() == R"(["cpp_hosts"])");
    CHECK(store.describe_table("cpp_hosts").find("primary_key") != std::string::npos);
    CHECK(store.insert_row("cpp_hosts", R"({"name": "a", "mark": {"$bytes": "AAE="}})") == "a");
    CHECK(store.insert_rows("cpp_hosts", R"([{"name": "b", "load": 0.5}, {"name": "c"}])") == R"(["b","c"])");
    CHECK(thrown([&] { store.insert_row("cpp_hosts", R"({"name": "a"})"); }) == SPRONGUS_ERR_CONFLICT);
    CHECK(thrown([&] { store.insert_row("cpp_hosts", R"({"load": true})"); }) == SPRONGUS_ERR_VALIDATION);
    CHECK(thrown([&] { store.insert_row(std::string("a\0b", 3), "{}"); }) == SPRONGUS_ERR_INVALID_ARGUMENT);
    store.update_row("cpp_hosts", "c", R"({"load": 2})");
    sprongus::Rows rows = store.query_rows("cpp_hosts");
    CHECK(rows.count() == 3 && rows.columns() == 3 && rows.column_name(2) == "mark");
    CHECK(rows.text(0, 2) == std::string_view("\0\1", 2) && rows.at(2, 1).real == 2.0);
    CHECK(rows.json().find(R"("mark":{"$bytes":"AAE="})") != std::string::npos);
    const char *order[] = {"-load"};
    sprongus_rows_query query;
    SPRONGUS_INIT(query);
    query.where = R"({"load": [0.5, 2]})";
    query.order_by = order;
    query.order_by_count = 1;
    query.limit = 1;
    CHECK(store.query_rows("cpp_hosts", &query).text(0, 0) == "c");
    CHECK(store.count_rows("cpp_hosts") == 3 && store.count_rows("cpp_hosts", R"({"load": null})") == 1);
    CHECK(store.insert_row("cpp_hosts", {{"name", sprongus_text("d")}, {"mark", sprongus_bytes("\0", 1)}}) == "d");
    store.update_row("cpp_hosts", "d", {{"load", sprongus_float(1.5)}});
    CHECK(store.count_rows("cpp_hosts", R"({"load": 1.5, "mark": {"$bytes": "AA=="}})") == 1);
    store.delete_row("cpp_hosts", "d");
    store.delete_row("cpp_hosts", "a");
    CHECK(thrown([&] { store.delete_row("cpp_hosts", "a"); }) == SPRONGUS_ERR_NOT_FOUND);
    CHECK(thrown([&] {
              store.transaction([](sprongus::Tx &tx) {
                  tx.drop_table("cpp_hosts");
                  tx.drop_table("a b");
              });
          }) == SPRONGUS_ERR_INVALID_ARGUMENT);
    CHECK(store.count_rows("cpp_hosts") == 2);
    store.drop_table("cpp_hosts");
    store.drop_table("cpp_hosts");
    CHECK(store.table_names() == "[]");
}

static void projects(sprongus::Store &store) {
    sprongus::Project project = store.create_project("Cpp Projects", "cpp-p", std::nullopt, "ada");
    CHECK(project.id() == "cpp-p" && project.slug() == "cpp-projects" && project.owner() == "ada");
    CHECK(store.get_project("cpp-p").json() == project.json());
    project = store.update_project("cpp-p", std::nullopt, std::nullopt, "", "archived");
    CHECK(project.name() == "Cpp Projects" && !project.owner() && project.status() == "archived");
    CHECK(store.create_project("Other").id().size() == 26);
    CHECK(store.list_projects(std::nullopt, 1).next_cursor && store.list_projects("ada").items.empty());
    CHECK(store.install_project("cpp-p").find("project_files") != std::string::npos);
    CHECK(store.install_project("cpp-p") == "[]");

    CHECK(!store.get_config("cpp.theme"));
    store.set_config("cpp.theme", "\"dark\"");
    store.set_config("cpp.theme", "null", "cpp-p");
    CHECK(store.get_config("cpp.theme") == "\"dark\"" && store.get_config("cpp.theme", "cpp-p") == "null");
    CHECK(store.list_config("cpp.") == R"({"cpp.theme":"dark"})" && store.list_config("", "cpp-p").size() == 18);
    store.unset_config("cpp.theme");
    CHECK(!store.get_config("cpp.theme"));
    CHECK(thrown([&] { store.set_config("Cpp Theme", "1"); }) == SPRONGUS_ERR_INVALID_ARGUMENT);

    CHECK(thrown([&] { store.delete_project("cpp-p"); }) == SPRONGUS_ERR_REFERENCED);
    store.delete_project("cpp-p", SPRONGUS_CASCADE);
    CHECK(thrown([&] { store.get_project("cpp-p"); }) == SPRONGUS_ERR_NOT_FOUND);
}

// What a progress function throws ends the call, and comes out of it; nothing is written.
static void progress(sprongus::Store &store) {
    struct Enough {};
    bool caught = false;
    try {
        store.bulk_upsert("cpp-progress", "assets", R"([{"title": "x"}])", 0,
                          [](uint64_t, uint64_t) -> bool { throw Enough(); });
    } catch (const Enough &) {
        caught = true;
    }
    CHECK(caught && store.count_entries("cpp-progress", "assets") == 0);
    uint64_t rows = 0;
    store.bulk_upsert("cpp-progress", "assets", R"([{"title": "x"}])", 0, [&](uint64_t done, uint64_t) {
        rows = done;
        return true;
    });
    CHECK(rows == 1);
}

static void presets(sprongus::Store &store) {
    sprongus::Preset draft = store.create_preset("cpp", "custom", R"({"fields": [{"name": "n", "type": "integer"}]})", 0,
                                                 SPRONGUS_DRAFT);
    CHECK(draft.label() == "cpp" && draft.version() == 1 && draft.kind() == "custom" && !draft.published_at());
    CHECK(store.publish_preset("cpp@1").published_at().has_value());
    CHECK(store.get_preset("cpp").id() == draft.id());
    CHECK(store.list_presets(std::nullopt, "cpp").items.size() == 1);
    CHECK(store.validate("cpp", R"({"n": 1})") == "[]");
    CHECK(store.validate("cpp", R"({"n": "1"})").find("/n") != std::string::npos);
    CHECK(store.bind_preset("cpps", "cpp").find(R"("bound":true)") != std::string::npos);
    CHECK(store.bound_preset("cpps").id() == draft.id());
    CHECK(thrown([&] { store.delete_preset("cpp"); }) == SPRONGUS_ERR_CONFLICT);
    std::string items = store.export_presets(std::nullopt, "cpp");
    CHECK(store.import_presets(items).find(R"("unchanged":1)") != std::string::npos);
    store.create_preset("cpp.input", "run_input", R"({"type": "object"})");
    store.bind_run_preset("cpp.checked", "cpp.input");
    CHECK(thrown([&] { store.enqueue("cpp.checked", "1"); }) == SPRONGUS_ERR_VALIDATION);
}

// A text that C would take for a shorter one is refused.
static void holes(sprongus::Store &store) {
    const std::string holed("a\0b", 3);
    CHECK(thrown([&] { store.enqueue(holed); }) == SPRONGUS_ERR_INVALID_ARGUMENT);
    CHECK(thrown([&] { store.get_run(holed); }) == SPRONGUS_ERR_INVALID_ARGUMENT);
    CHECK(thrown([&] { store.query("SELECT 1" + holed); }) == SPRONGUS_ERR_INVALID_ARGUMENT);
    CHECK(thrown([&] { store.cancel("a", holed); }) == SPRONGUS_ERR_INVALID_ARGUMENT);
    CHECK(thrown([&] { sprongus::Store("file" + holed); }) == SPRONGUS_ERR_INVALID_ARGUMENT);
}

static void transactions(sprongus::Store &store) {
    store.execute("CREATE TABLE cpp_orders (id INTEGER PRIMARY KEY, note TEXT)");
    store.transaction([](sprongus::Tx &tx) {
        CHECK(tx.execute("INSERT INTO cpp_orders VALUES ($1, $2)", {sprongus_int(1), sprongus_text("x")}) == 1);
        tx.enqueue("cpp.tx");
    });
    CHECK(thrown([&] {
        store.transaction([](sprongus::Tx &tx) {
            tx.execute("INSERT INTO cpp_orders VALUES (2, NULL)");
            tx.get_run("nothing");
        });
    }) == SPRONGUS_ERR_NOT_FOUND);
    {
        sprongus::Tx tx = store.begin();
        sprongus::Tx moved = std::move(tx);
        sprongus::Tx inner = moved.savepoint();
        inner.execute("INSERT INTO cpp_orders VALUES (3, NULL)");
        inner.rollback();
        moved.execute("INSERT INTO cpp_orders VALUES (4, NULL)");
        CHECK(thrown([&] { tx.execute("INSERT INTO cpp_orders VALUES (5, NULL)"); }) == SPRONGUS_ERR_INVALID_ARGUMENT);
        CHECK(thrown([&] {
            moved.transaction([](sprongus::Tx &within) {
                within.execute("INSERT INTO cpp_orders VALUES (6, NULL)");
                within.get_run("nothing");
            });
        }) == SPRONGUS_ERR_NOT_FOUND);
        CHECK(moved.acting_as("somebody").enqueue("cpp.named").state() == "queued");
        moved.commit();
        CHECK(thrown([&] { moved.commit(); }) == SPRONGUS_ERR_MISUSE);
    }
    sprongus::Rows rows = store.query("SELECT id FROM cpp_orders ORDER BY id");
    CHECK(rows.json() == R"([{"id":1},{"id":4}])" && rows.count() == 2 && rows.columns() == 1);
    CHECK(rows.at(1, 0).integer == 4 && rows.column_name(0) == "id" && rows.text(1, 0) == "4");
    store.execute("DROP TABLE cpp_orders");
}

static void handles(sprongus::Store &store) {
    CHECK(store.call("store.info").find("schemaVersion") != std::string::npos);
    CHECK(thrown([&] { store.call("no.such"); }) == SPRONGUS_ERR_NOT_FOUND);
    sprongus::Store named = store.acting_as("somebody", "because");
    CHECK(named.backend() == store.backend() && named.schema_version() == store.migrate());
    sprongus::Store scoped = store.scoped("p1", {"runs:read"});
    CHECK(thrown([&] { scoped.enqueue("a"); }) == SPRONGUS_ERR_PERMISSION_DENIED);
    CHECK(thrown([] { sprongus::Store("/no/such/folder/app.db"); }) == SPRONGUS_ERR_NOT_FOUND);
    sprongus_scoped_options slow;
    SPRONGUS_INIT(slow);
    slow.enqueue_rate = 1;
    slow.enqueue_per_ms = 3600000;
    sprongus::Store rated = store.scoped("cpp-rated", slow);
    rated.enqueue("a");
    CHECK(thrown([&] { rated.enqueue("a"); }) == SPRONGUS_ERR_RATE_LIMITED);
    const bool server = store.backend() == "postgres";
    CHECK(thrown([&] { store.grant_projects("no_such_role", {"*"}); }) ==
          (server ? SPRONGUS_ERR_NOT_FOUND : SPRONGUS_ERR_UNSUPPORTED));
    CHECK(thrown([&] { scoped.enable_row_security(); }) == SPRONGUS_ERR_PERMISSION_DENIED);

    // Exceptions of a host's functions become errors.
    sprongus_error *error = nullptr;
    CHECK(sprongus::guard(&error, [] { throw std::runtime_error("host"); }) == SPRONGUS_ERR_STORAGE);
    CHECK(std::string(sprongus_error_message(error)) == "host");
    sprongus_error_free(error);
    CHECK(sprongus::guard(&error, [] { throw 1; }) == SPRONGUS_ERR_STORAGE);
    sprongus_error_free(error);
    store.close();
    CHECK(thrown([&] { named.enqueue("a"); }) == SPRONGUS_ERR_MISUSE);
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    sprongus_options options;
    SPRONGUS_INIT(options);
    options.schema = count > 2 ? arguments[2] : nullptr;
    sprongus::Store store(arguments[1], &options);
    runs(store);
    queue(store);
    listening(store);
    workers(store);
    entries(store);
    many_entries(store);
    past_and_references(store);
    sources_and_artifacts(store);
    tables(store);
    projects(store);
    progress(store);
    presets(store);
    holes(store);
    transactions(store);
    handles(store);
    std::printf("%d checks of the C++ layer on %s\n", checks, count > 2 ? "postgres" : arguments[1]);
    return 0;
}
