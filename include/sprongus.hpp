// sprongus for C++17: the calls of sprongus.h with objects that free themselves and exceptions instead of statuses.
//
//     sprongus::Store store("app.db");
//     sprongus::Run run = store.enqueue("mail.send", R"({"to": "a@b.c"})");
//     std::cout << run.id() << '\n';
//
// Every call throws sprongus::Error where sprongus.h answers with a code. What a getter returns is a copy. Objects are
// moved, not copied. Threads, JSON, structs: as sprongus.h says.
#ifndef SPRONGUS_HPP
#define SPRONGUS_HPP

#include "sprongus/error.hpp"
#include "sprongus/listen.hpp"
#include "sprongus/provider.hpp"
#include "sprongus/records.hpp"
#include "sprongus/session.hpp"
#include "sprongus/worker.hpp"

#include <exception>

namespace sprongus {

// The version of the library.
inline std::string version() {
    return detail::text(sprongus_version());
}

// The SQL of every migration for "sqlite" or "postgres", for hosts that apply schemas themselves.
inline std::string migration_sql(const std::string &backend) {
    return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
        return sprongus_migration_sql(detail::c_str(backend), buf, error);
    });
}

// A transaction, or a savepoint within one: rolled back unless it is committed.
class Tx : public Session {
public:
    // Takes the handle over.
    explicit Tx(sprongus_tx *tx) : Session(tx), tx_(tx) {}

    void commit() {
        check([&](sprongus_error **error) { return sprongus_tx_commit(tx_.get(), error); });
    }

    void rollback() {
        check([&](sprongus_error **error) { return sprongus_tx_rollback(tx_.get(), error); });
    }

    // A transaction that is committed into, or rolled back within, this one.
    Tx savepoint() const {
        sprongus_tx *inner = nullptr;
        check([&](sprongus_error **error) { return sprongus_tx_savepoint(tx_.get(), &inner, error); });
        return Tx(inner);
    }

    // Keeps what the work did where it returns, undoes it where it throws; the transaction goes on.
    template <typename Work>
    void transaction(Work work) const {
        Tx inner = savepoint();
        work(inner);
        inner.commit();
    }

    // The same transaction, its events and history in the name of `actor`.
    Tx acting_as(const std::string &actor, const std::optional<std::string> &reason = std::nullopt) const {
        sprongus_tx *acting = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_tx_acting_as(tx_.get(), detail::c_str(actor), detail::c_str(reason), &acting, error);
        });
        return Tx(acting);
    }

private:
    detail::Handle<sprongus_tx, sprongus_tx_free> tx_;
};

// A store; the database is closed with its last handle.
class Store : public Session {
public:
    // "app.db", "sqlite:app.db", ":memory:", "postgresql://user@host/db".
    explicit Store(const std::string &url, const sprongus_options *options = nullptr) : Store(open(url, options)) {}

    // "sqlite" or "postgres".
    std::string backend() const { return detail::text(sprongus_store_backend(store_.get())); }
    // Without the password.
    std::string url() const { return detail::text(sprongus_store_url(store_.get())); }
    int64_t schema_version() const { return sprongus_store_schema_version(store_.get()); }

    // Brings the schema up to date where SPRONGUS_NO_MIGRATE kept opening from it; its version.
    int64_t migrate() {
        int64_t reached = 0;
        check([&](sprongus_error **error) { return sprongus_store_migrate(store_.get(), &reached, error); });
        return reached;
    }

    Tx begin() const {
        sprongus_tx *tx = nullptr;
        check([&](sprongus_error **error) { return sprongus_tx_begin(store_.get(), &tx, error); });
        return Tx(tx);
    }

    // Commits what the work did where it returns, rolls it back where it throws.
    template <typename Work>
    void transaction(Work work) const {
        Tx tx = begin();
        work(tx);
        tx.commit();
    }

    // A further handle of this store, its events and history in the name of `actor`.
    Store acting_as(const std::string &actor, const std::optional<std::string> &reason = std::nullopt) const {
        sprongus_store *acting = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_store_acting_as(store_.get(), detail::c_str(actor), detail::c_str(reason), &acting, error);
        });
        return Store(acting);
    }

    // A further handle that sees one project alone. Without scopes: all but "admin".
    Store scoped(const std::string &project, const std::vector<std::string> &scopes = {}) const {
        std::vector<const char *> names;
        for (const std::string &scope : scopes) names.push_back(detail::c_str(scope));
        sprongus_store *scoped = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_store_scoped(store_.get(), detail::c_str(project), names.empty() ? nullptr : names.data(),
                                         names.size(), &scoped, error);
        });
        return Store(scoped);
    }

    // The same with rates; begin with SPRONGUS_INIT(options).
    Store scoped(const std::string &project, const sprongus_scoped_options &options) const {
        sprongus_store *scoped = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_store_scoped_with(store_.get(), detail::c_str(project), &options, &scoped, error);
        });
        return Store(scoped);
    }

    // PostgreSQL: row-level security on every table of ours; to be called by their owner.
    void enable_row_security() const {
        check([&](sprongus_error **error) { return sprongus_store_enable_row_security(store_.get(), error); });
    }

    // PostgreSQL: a role of the server sees the rows of these projects and no others.
    void grant_projects(const std::string &role, const std::vector<std::string> &projects) const {
        std::vector<const char *> names;
        for (const std::string &project : projects) names.push_back(detail::c_str(project));
        check([&](sprongus_error **error) {
            return sprongus_store_grant_projects(store_.get(), detail::c_str(role), names.data(), names.size(), error);
        });
    }

    // Follows the feed of events, whoever commits them.
    Follow follow(const sprongus_events_query *query = nullptr) const {
        sprongus_follow *follow = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_events_follow(store_.get(), query, &follow, error);
        });
        return Follow(follow);
    }

    // Calls the function, from a thread of its own, with each event (JSON) that is committed through this opened store.
    Subscription subscribe(std::function<void(const char *)> on_event,
                           const sprongus_events_query *query = nullptr) const {
        auto kept = std::make_unique<std::function<void(const char *)>>(std::move(on_event));
        sprongus_subscription *subscription = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_events_subscribe(store_.get(), query, Subscription::tell, kept.release(),
                                             Subscription::destroy, &subscription, error);
        });
        return Subscription(subscription);
    }

    // Makes a kind of providers known to this opened store; `flags`: SPRONGUS_PROVIDER_READ, SPRONGUS_PROVIDER_WRITE.
    void register_provider(const std::string &kind, uint32_t flags, OpenSource open) const {
        sprongus_provider provider = detail::source_functions(flags, std::move(open));
        check([&](sprongus_error **error) {
            return sprongus_providers_register(store_.get(), detail::c_str(kind), &provider, error);
        });
    }

    // What this process did to the tables since the store was opened, JSON.
    std::string stats() const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_store_stats(store_.get(), buf, error);
        });
    }

    // What is wrong with the store, or soon will be, JSON; `deep` reads everything, for however long that takes.
    std::string doctor(bool deep = false) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_store_doctor(store_.get(), deep, buf, error);
        });
    }

    // SQLite: writes a consistent copy to a new file.
    void snapshot(const std::string &path) const {
        check([&](sprongus_error **error) {
            return sprongus_store_snapshot(store_.get(), detail::c_str(path), error);
        });
    }

    // Refuses further calls on this store and all that come from it.
    void close() {
        check([&](sprongus_error **error) { return sprongus_store_close(store_.get(), error); });
    }

    // C's handle, borrowed.
    sprongus_store *get() const noexcept { return store_.get(); }

private:
    explicit Store(sprongus_store *store) : Session(store), store_(store) {}

    static sprongus_store *open(const std::string &url, const sprongus_options *options) {
        sprongus_store *store = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_store_open(detail::c_str(url), options, &store, error);
        });
        return store;
    }

    detail::Handle<sprongus_store, sprongus_store_free> store_;
};

// Where a host's query() puts its rows; gone when that returns.
class RowSink {
public:
    explicit RowSink(sprongus_row_sink *rows) : rows_(rows) {}

    // Names the next column, before the first row.
    void column(const std::string &name) {
        check([&](sprongus_error **error) { return sprongus_row_sink_column(rows_, detail::c_str(name), error); });
    }

    // Adds a row of as many values as there are columns; they are copied.
    void add(const std::vector<sprongus_value> &values) {
        check([&](sprongus_error **error) {
            return sprongus_row_sink_add(rows_, values.data(), values.size(), error);
        });
    }

private:
    sprongus_row_sink *rows_;
};

// The host's own connection with a transaction open. What its functions have to do, sprongus_host says; what they throw
// becomes the error of the call. For a failure of the database throw what names its code:
//
//     throw sprongus::Host::sqlite_error(sqlite3_extended_errcode(db), sqlite3_errmsg(db));
class Host {
public:
    virtual ~Host() = default;

    // Runs one statement that changes rows; how many.
    virtual uint64_t execute(const char *sql, const sprongus_value *params, size_t count) = 0;
    // Runs one statement that gives rows.
    virtual void query(const char *sql, const sprongus_value *params, size_t count, RowSink &rows) = 0;
    // Runs statements separated by semicolons.
    virtual void batch(const char *sql) = 0;

    // The error for SQLite's extended result code.
    static Error sqlite_error(int32_t extended_code, const char *message) {
        sprongus_error *error = nullptr;
        int32_t status = sprongus_error_from_sqlite(extended_code, message, &error);
        return Error(status, error);
    }

    // The error for a SQLSTATE; NULL where the connection is gone.
    static Error postgres_error(const char *sqlstate, const char *message) {
        sprongus_error *error = nullptr;
        int32_t status = sprongus_error_from_sqlstate(sqlstate, message, &error);
        return Error(status, error);
    }
};

// The library inside the host's own transaction; free it before the host commits.
inline Tx attach(const sprongus_host &host, const sprongus_options *options = nullptr) {
    sprongus_tx *tx = nullptr;
    check([&](sprongus_error **error) { return sprongus_attach(&host, options, &tx, error); });
    return Tx(tx);
}

// As above; `dialect` is SPRONGUS_DIALECT_SQLITE or SPRONGUS_DIALECT_POSTGRES. Deletes the host with the last handle.
inline Tx attach(std::unique_ptr<Host> host, int32_t dialect, const sprongus_options *options = nullptr) {
    sprongus_host table;
    SPRONGUS_INIT(table);
    table.dialect = dialect;
    table.execute = [](void *self, const char *sql, const sprongus_value *params, size_t count, uint64_t *changed,
                       sprongus_error **error) {
        return guard(error, [&] { *changed = static_cast<Host *>(self)->execute(sql, params, count); });
    };
    table.query = [](void *self, const char *sql, const sprongus_value *params, size_t count, sprongus_row_sink *rows,
                     sprongus_error **error) {
        return guard(error, [&] {
            RowSink sink(rows);
            static_cast<Host *>(self)->query(sql, params, count, sink);
        });
    };
    table.batch = [](void *self, const char *sql, sprongus_error **error) {
        return guard(error, [&] { static_cast<Host *>(self)->batch(sql); });
    };
    table.destroy = [](void *self) { delete static_cast<Host *>(self); };
    table.user_data = host.release();
    return attach(table, options);
}

}  // namespace sprongus

#endif  // SPRONGUS_HPP
