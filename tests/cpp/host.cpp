// A C++ host lends its own SQLite connection; what it throws is an error: `host FILE`.
#include "../c/host_sqlite.h"

#include <sprongus.hpp>

#include <cstdio>

static int checks = 0;
static int deleted = 0;

#define CHECK(condition)                                                      \
    do {                                                                      \
        checks++;                                                             \
        if (!(condition)) {                                                   \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                     \
        }                                                                     \
    } while (0)

namespace {

struct Statement {
    sqlite3_stmt *raw = nullptr;

    Statement(sqlite3 *db, const char *sql, const sprongus_value *params, size_t count) {
        if (sqlite3_prepare_v2(db, sql, -1, &raw, nullptr) != SQLITE_OK || bind(raw, params, count) != SQLITE_OK) {
            sqlite3_finalize(raw);
            fail(db);
        }
    }
    Statement(const Statement &) = delete;
    Statement &operator=(const Statement &) = delete;
    ~Statement() { sqlite3_finalize(raw); }

    // Whether there is a row.
    bool step() {
        int status = sqlite3_step(raw);
        if (status != SQLITE_ROW && status != SQLITE_DONE) fail(sqlite3_db_handle(raw));
        return status == SQLITE_ROW;
    }

    [[noreturn]] static void fail(sqlite3 *db) {
        throw sprongus::Host::sqlite_error(sqlite3_extended_errcode(db), sqlite3_errmsg(db));
    }
};

// Throws at the call where `calls_before` says so.
class Sqlite : public sprongus::Host {
public:
    explicit Sqlite(sqlite3 *db, int *calls_before = nullptr) : db_(db), calls_before_(calls_before) {}
    ~Sqlite() override { deleted++; }

    uint64_t execute(const char *sql, const sprongus_value *params, size_t count) override {
        fault();
        Statement statement(db_, sql, params, count);
        while (statement.step()) continue;
        return static_cast<uint64_t>(sqlite3_changes(db_));
    }

    void query(const char *sql, const sprongus_value *params, size_t count, sprongus::RowSink &rows) override {
        Statement statement(db_, sql, params, count);
        int columns = sqlite3_column_count(statement.raw);
        for (int index = 0; index < columns; index++) rows.column(sqlite3_column_name(statement.raw, index));
        while (statement.step()) {
            std::vector<sprongus_value> values;
            for (int index = 0; index < columns; index++) values.push_back(column(statement.raw, index));
            fault();
            rows.add(values);
        }
    }

    void batch(const char *sql) override {
        fault();
        if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) Statement::fail(db_);
    }

private:
    void fault() {
        if (calls_before_ && (*calls_before_)-- == 0) throw std::runtime_error("the host threw");
    }

    sqlite3 *db_;
    int *calls_before_;
};

void works(sqlite3 *db) {
    sprongus::Tx tx = sprongus::attach(std::make_unique<Sqlite>(db), SPRONGUS_DIALECT_SQLITE);
    CHECK(tx.execute("INSERT INTO own VALUES ($2, $1)", {sprongus_text("a"), sprongus_int(1)}) == 1);
    tx.enqueue("host.cpp", R"({"a": 1e16})");
    CHECK(tx.claim_next("w").size() == 1);
    tx.create_entry("p", "assets", R"({"title": "t"})", "1");
    sprongus::Rows rows = tx.query("SELECT id, name, 0.5 FROM own");
    CHECK(rows.at(0, 0).integer == 1 && rows.text(0, 1) == "a" && rows.text(0, 2) == "0.5");
    int32_t code = SPRONGUS_OK;
    try {
        tx.transaction([](sprongus::Tx &inner) { inner.execute("INSERT INTO own VALUES (1, 'b')"); });
    } catch (const sprongus::Error &error) {
        code = error.code();
    }
    CHECK(code == SPRONGUS_ERR_CONFLICT);
    CHECK(tx.query("SELECT id FROM own").count() == 1);
    CHECK(deleted == 0);
}

// Throws at every call in turn: each time an error of the call, and the host is deleted once.
int throws(sqlite3 *db) {
    for (int call = 0;; call++) {
        int calls_before = call;
        int before = deleted;
        CHECK(sqlite3_exec(db, "SAVEPOINT whole", nullptr, nullptr, nullptr) == SQLITE_OK);
        try {
            sprongus::Tx tx = sprongus::attach(std::make_unique<Sqlite>(db, &calls_before), SPRONGUS_DIALECT_SQLITE);
            sprongus::Run run = tx.enqueue("host.throws");
            tx.get_run(run.id());
            tx.upsert_entry("p", "assets", R"({"title": "u"})", "1");
            tx.execute("INSERT INTO own VALUES (2, NULL)");
        } catch (const sprongus::Error &error) {
            CHECK(error.code() == SPRONGUS_ERR_STORAGE && std::string(error.what()) == "the host threw");
        }
        CHECK(deleted == before + 1);
        CHECK(sqlite3_exec(db, "ROLLBACK TO whole; RELEASE whole", nullptr, nullptr, nullptr) == SQLITE_OK);
        if (calls_before >= 0) return call;
    }
}

}  // namespace

int main(int count, char **arguments) {
    if (count < 2) return 2;
    sqlite3 *db = nullptr;
    CHECK(sqlite3_open(arguments[1], &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, sprongus::migration_sql("sqlite").c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "CREATE TABLE own (id INTEGER PRIMARY KEY, name TEXT)", nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
    works(db);
    CHECK(deleted == 1);
    int calls = throws(db);
    CHECK(calls > 10);
    CHECK(sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK);

    // What cannot be lent is deleted all the same.
    int before = deleted;
    try {
        sprongus::attach(std::make_unique<Sqlite>(db), 9);
        CHECK(false);
    } catch (const sprongus::Error &error) {
        CHECK(error.code() == SPRONGUS_ERR_INVALID_ARGUMENT && deleted == before + 1);
    }
    sqlite3_close(db);
    std::printf("%d checks of a host in C++, %d of whose calls threw\n", checks, calls);
    return 0;
}
