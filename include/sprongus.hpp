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

#include "sprongus.h"

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sprongus {

namespace detail {

inline std::string text(const char *text) {
    return text ? std::string(text) : std::string();
}

inline std::optional<std::string> maybe(const char *text) {
    return text ? std::optional<std::string>(text) : std::nullopt;
}

inline const char *c_str(const std::optional<std::string> &text) {
    return text ? text->c_str() : nullptr;
}

// Frees a handle with the function of its type.
template <typename T, void (*free_it)(T *)>
struct Free {
    void operator()(T *handle) const noexcept { free_it(handle); }
};

template <typename T, void (*free_it)(T *)>
using Handle = std::unique_ptr<T, Free<T, free_it>>;

}  // namespace detail

// Why a call failed: what() is the message.
class Error : public std::runtime_error {
public:
    // Takes the error over.
    explicit Error(int32_t status, sprongus_error *error)
        : std::runtime_error(error ? detail::text(sprongus_error_message(error)) : "the call failed without an error"),
          code_(status),
          name_(detail::text(sprongus_error_name(error))),
          details_(detail::text(sprongus_error_details(error))),
          retryable_(sprongus_error_retryable(error)) {
        sprongus_error_free(error);
    }

    // SPRONGUS_ERR_….
    int32_t code() const noexcept { return code_; }
    // "not_found", ….
    const std::string &name() const noexcept { return name_; }
    // Further data as JSON; empty where there is none.
    const std::string &details() const noexcept { return details_; }
    // Whether the same call may succeed later without a change.
    bool retryable() const noexcept { return retryable_; }

private:
    int32_t code_;
    std::string name_;
    std::string details_;
    bool retryable_;
};

namespace detail {

// Makes an exception of a failed status.
template <typename Call>
void check(Call call) {
    sprongus_error *error = nullptr;
    int32_t status = call(&error);
    if (status != SPRONGUS_OK) throw Error(status, error);
}

// The text of a buffer that a call hands over.
template <typename Call>
std::string buffer(Call call) {
    sprongus_buf *raw = nullptr;
    check([&](sprongus_error **error) { return call(&raw, error); });
    Handle<sprongus_buf, sprongus_buf_free> buf(raw);
    return std::string(sprongus_buf_data(raw), sprongus_buf_length(raw));
}

}  // namespace detail

// The version of the library.
inline std::string version() {
    return detail::text(sprongus_version());
}

// A run as it was when the call returned.
class Run {
public:
    // Copies what a handle of C's shows; does not take it over.
    explicit Run(const sprongus_run *run)
        : id_(detail::text(sprongus_run_id(run))),
          kind_(detail::text(sprongus_run_kind(run))),
          state_(detail::text(sprongus_run_state(run))),
          input_(detail::text(sprongus_run_input(run))),
          json_(detail::text(sprongus_run_to_json(run))),
          error_(detail::maybe(sprongus_run_error(run))),
          lease_(sprongus_run_lease(run)),
          attempt_(sprongus_run_attempt(run)),
          deduplicated_(sprongus_run_deduplicated(run)),
          final_(sprongus_run_is_final(run)) {}

    const std::string &id() const noexcept { return id_; }
    const std::string &kind() const noexcept { return kind_; }
    const std::string &state() const noexcept { return state_; }
    const std::string &input() const noexcept { return input_; }
    const std::optional<std::string> &error() const noexcept { return error_; }
    int64_t lease() const noexcept { return lease_; }
    int64_t attempt() const noexcept { return attempt_; }
    bool deduplicated() const noexcept { return deduplicated_; }
    bool is_final() const noexcept { return final_; }
    // All of it.
    const std::string &json() const noexcept { return json_; }

private:
    std::string id_, kind_, state_, input_, json_;
    std::optional<std::string> error_;
    int64_t lease_, attempt_;
    bool deduplicated_, final_;
};

// An entry as it was when the call returned.
class Entry {
public:
    // Copies what a handle of C's shows; does not take it over.
    explicit Entry(const sprongus_entry *entry)
        : id_(detail::text(sprongus_entry_id(entry))),
          payload_(detail::text(sprongus_entry_payload(entry))),
          json_(detail::text(sprongus_entry_to_json(entry))),
          version_(sprongus_entry_version(entry)) {}

    const std::string &id() const noexcept { return id_; }
    const std::string &payload() const noexcept { return payload_; }
    int64_t version() const noexcept { return version_; }
    // All of it.
    const std::string &json() const noexcept { return json_; }

private:
    std::string id_, payload_, json_;
    int64_t version_;
};

// The items of a page, and how to get the next ones.
template <typename T>
struct Page {
    std::vector<T> items;
    std::optional<std::string> next_cursor;
};

// The rows of a query; values are borrowed from it.
class Rows {
public:
    explicit Rows(sprongus_rows *rows) : rows_(rows) {}

    size_t count() const { return sprongus_rows_count(rows_.get()); }
    size_t columns() const { return sprongus_rows_columns(rows_.get()); }
    std::string column_name(size_t column) const {
        return detail::text(sprongus_rows_column_name(rows_.get(), column));
    }
    // By row and column, counted from 0; std::out_of_range where there is none.
    const sprongus_value &at(size_t row, size_t column) const {
        const sprongus_value *value = sprongus_rows_value(rows_.get(), row, column);
        if (!value) throw std::out_of_range("no such row or column");
        return *value;
    }
    // A JSON array of objects.
    std::string json() const { return detail::text(sprongus_rows_to_json(rows_.get())); }

private:
    detail::Handle<sprongus_rows, sprongus_rows_free> rows_;
};

// What a store and a transaction have in common: every call exists once.
class Session {
public:
    // Calls an operation by name, JSON in, JSON out.
    std::string call(const std::string &operation, std::string_view request = "{}") const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_call(on_, operation.c_str(), request.data(), request.size(), buf, error);
        });
    }

    Rows query(const std::string &sql, const std::vector<sprongus_value> &params = {}) const {
        sprongus_rows *rows = nullptr;
        detail::check([&](sprongus_error **error) {
            return sprongus_query(on_, sql.c_str(), params.data(), params.size(), &rows, error);
        });
        return Rows(rows);
    }

    // The number of rows changed.
    uint64_t execute(const std::string &sql, const std::vector<sprongus_value> &params = {}) const {
        uint64_t changed = 0;
        detail::check([&](sprongus_error **error) {
            return sprongus_execute(on_, sql.c_str(), params.data(), params.size(), &changed, error);
        });
        return changed;
    }

    Run enqueue(const std::string &kind, std::string_view input = "null",
                const sprongus_enqueue_options *options = nullptr) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_enqueue(on_, kind.c_str(), input.data(), input.size(), options, out, error);
        });
    }

    std::vector<Run> claim_next(const std::string &worker_id, const sprongus_claim_options *options = nullptr) const {
        return runs([&](sprongus_run_list **out, sprongus_error **error) {
                   return sprongus_runs_claim_next(on_, worker_id.c_str(), options, out, error);
               })
            .items;
    }

    Run heartbeat(const Run &mine, std::optional<std::string> progress = std::nullopt) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_heartbeat(on_, mine.id().c_str(), mine.lease(), detail::c_str(progress),
                                           progress ? progress->size() : 0, 0, out, error);
        });
    }

    Run succeed(const Run &mine, std::optional<std::string> output = std::nullopt) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_succeed(on_, mine.id().c_str(), mine.lease(), detail::c_str(output),
                                         output ? output->size() : 0, nullptr, out, error);
        });
    }

    Run fail(const Run &mine, const std::string &message, bool is_final = false, int64_t retry_in_ms = 0) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_fail(on_, mine.id().c_str(), mine.lease(), message.c_str(), is_final ? 1 : 0,
                                      retry_in_ms, out, error);
        });
    }

    Run cancel(const std::string &id, std::optional<std::string> reason = std::nullopt) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_cancel(on_, id.c_str(), detail::c_str(reason), out, error);
        });
    }

    Run get_run(const std::string &id) const {
        return run([&](sprongus_run **out, sprongus_error **error) {
            return sprongus_runs_get(on_, id.c_str(), out, error);
        });
    }

    Page<Run> list_runs(const sprongus_runs_query *query = nullptr) const {
        return runs([&](sprongus_run_list **out, sprongus_error **error) {
            return sprongus_runs_list(on_, query, out, error);
        });
    }

    // What a run's last success put out.
    std::string output(const std::string &id) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_runs_output(on_, id.c_str(), buf, error);
        });
    }

    Entry create_entry(const std::string &project, const std::string &table, std::string_view payload,
                       std::optional<std::string> id = std::nullopt) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_create(on_, project.c_str(), table.c_str(), payload.data(), payload.size(),
                                       detail::c_str(id), out, error);
        });
    }

    Entry get_entry(const std::string &project, const std::string &table, const std::string &id) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_get(on_, project.c_str(), table.c_str(), id.c_str(), out, error);
        });
    }

    Entry update_entry(const std::string &project, const std::string &table, const std::string &id,
                       std::string_view patch, uint32_t flags = 0, int64_t if_version = 0) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_update(on_, project.c_str(), table.c_str(), id.c_str(), patch.data(), patch.size(),
                                       flags, if_version, out, error);
        });
    }

    Entry upsert_entry(const std::string &project, const std::string &table, std::string_view payload,
                       std::optional<std::string> id = std::nullopt, uint32_t flags = 0) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_upsert(on_, project.c_str(), table.c_str(), payload.data(), payload.size(),
                                       detail::c_str(id), flags, out, error);
        });
    }

    void delete_entry(const std::string &project, const std::string &table, const std::string &id) const {
        detail::check([&](sprongus_error **error) {
            return sprongus_aux_delete(on_, project.c_str(), table.c_str(), id.c_str(), nullptr, nullptr, error);
        });
    }

    Page<Entry> list_entries(const std::string &project, const std::string &table,
                             const sprongus_aux_query *query = nullptr) const {
        sprongus_entry_list *raw = nullptr;
        detail::check([&](sprongus_error **error) {
            return sprongus_aux_list(on_, project.c_str(), table.c_str(), query, &raw, error);
        });
        detail::Handle<sprongus_entry_list, sprongus_entry_list_free> list(raw);
        Page<Entry> page;
        page.next_cursor = detail::maybe(sprongus_entry_list_next_cursor(raw));
        for (size_t index = 0; index < sprongus_entry_list_count(raw); index++) {
            page.items.emplace_back(sprongus_entry_list_at(raw, index));
        }
        return page;
    }

    // What the calls of sprongus.h take as `store_or_tx`, for those without a method here.
    const void *on() const noexcept { return on_; }

protected:
    explicit Session(const void *on) : on_(on) {}

private:
    template <typename Call>
    static Run run(Call call) {
        sprongus_run *raw = nullptr;
        detail::check([&](sprongus_error **error) { return call(&raw, error); });
        detail::Handle<sprongus_run, sprongus_run_free> run(raw);
        return Run(raw);
    }

    template <typename Call>
    static Entry entry(Call call) {
        sprongus_entry *raw = nullptr;
        detail::check([&](sprongus_error **error) { return call(&raw, error); });
        detail::Handle<sprongus_entry, sprongus_entry_free> entry(raw);
        return Entry(raw);
    }

    template <typename Call>
    static Page<Run> runs(Call call) {
        sprongus_run_list *raw = nullptr;
        detail::check([&](sprongus_error **error) { return call(&raw, error); });
        detail::Handle<sprongus_run_list, sprongus_run_list_free> list(raw);
        Page<Run> page;
        page.next_cursor = detail::maybe(sprongus_run_list_next_cursor(raw));
        for (size_t index = 0; index < sprongus_run_list_count(raw); index++) {
            page.items.emplace_back(sprongus_run_list_at(raw, index));
        }
        return page;
    }

    const void *on_;
};

// A transaction, or a savepoint within one: rolled back unless it is committed.
class Tx : public Session {
public:
    // Takes the handle over.
    explicit Tx(sprongus_tx *tx) : Session(tx), tx_(tx) {}

    void commit() {
        detail::check([&](sprongus_error **error) { return sprongus_tx_commit(tx_.get(), error); });
    }

    void rollback() {
        detail::check([&](sprongus_error **error) { return sprongus_tx_rollback(tx_.get(), error); });
    }

    Tx savepoint() const {
        sprongus_tx *inner = nullptr;
        detail::check([&](sprongus_error **error) { return sprongus_tx_savepoint(tx_.get(), &inner, error); });
        return Tx(inner);
    }

private:
    detail::Handle<sprongus_tx, sprongus_tx_free> tx_;
};

// The library inside the host's own transaction; free it before the host commits.
inline Tx attach(const sprongus_host &host, const sprongus_options *options = nullptr) {
    sprongus_tx *tx = nullptr;
    detail::check([&](sprongus_error **error) { return sprongus_attach(&host, options, &tx, error); });
    return Tx(tx);
}

// Runs a function of a sprongus_host: an exception becomes the error to answer with, and never leaves the function.
template <typename Work>
int32_t guard(sprongus_error **error, Work work) noexcept {
    try {
        work();
        return SPRONGUS_OK;
    } catch (const Error &failed) {
        return sprongus_error_new(failed.code(), failed.what(), error);
    } catch (const std::exception &failed) {
        return sprongus_error_new(SPRONGUS_ERR_STORAGE, failed.what(), error);
    } catch (...) {
        return sprongus_error_new(SPRONGUS_ERR_STORAGE, "a function of the host threw", error);
    }
}

// A store; the database is closed with its last handle.
class Store : public Session {
public:
    // "app.db", "sqlite:app.db", ":memory:", "postgresql://user@host/db".
    explicit Store(const std::string &url, const sprongus_options *options = nullptr) : Store(open(url, options)) {}

    // "sqlite" or "postgres".
    std::string backend() const { return detail::text(sprongus_store_backend(store_.get())); }
    std::string url() const { return detail::text(sprongus_store_url(store_.get())); }
    int64_t schema_version() const { return sprongus_store_schema_version(store_.get()); }

    Tx begin() const {
        sprongus_tx *tx = nullptr;
        detail::check([&](sprongus_error **error) { return sprongus_tx_begin(store_.get(), &tx, error); });
        return Tx(tx);
    }

    // Commits what the work did where it returns, rolls it back where it throws.
    template <typename Work>
    void transaction(Work work) const {
        Tx tx = begin();
        work(tx);
        tx.commit();
    }

    Store acting_as(const std::string &actor, std::optional<std::string> reason = std::nullopt) const {
        sprongus_store *acting = nullptr;
        detail::check([&](sprongus_error **error) {
            return sprongus_store_acting_as(store_.get(), actor.c_str(), detail::c_str(reason), &acting, error);
        });
        return Store(acting);
    }

    // Without scopes: all but "admin".
    Store scoped(const std::string &project, const std::vector<std::string> &scopes = {}) const {
        std::vector<const char *> names;
        for (const std::string &scope : scopes) names.push_back(scope.c_str());
        sprongus_store *scoped = nullptr;
        detail::check([&](sprongus_error **error) {
            return sprongus_store_scoped(store_.get(), project.c_str(), names.empty() ? nullptr : names.data(),
                                         names.size(), &scoped, error);
        });
        return Store(scoped);
    }

    void snapshot(const std::string &path) const {
        detail::check([&](sprongus_error **error) {
            return sprongus_store_snapshot(store_.get(), path.c_str(), error);
        });
    }

    // Refuses further calls on this store and all that come from it.
    void close() {
        detail::check([&](sprongus_error **error) { return sprongus_store_close(store_.get(), error); });
    }

    // C's handle, borrowed.
    sprongus_store *get() const noexcept { return store_.get(); }

private:
    explicit Store(sprongus_store *store) : Session(store), store_(store) {}

    static sprongus_store *open(const std::string &url, const sprongus_options *options) {
        sprongus_store *store = nullptr;
        detail::check([&](sprongus_error **error) {
            return sprongus_store_open(url.c_str(), options, &store, error);
        });
        return store;
    }

    detail::Handle<sprongus_store, sprongus_store_free> store_;
};

}  // namespace sprongus

#endif  // SPRONGUS_HPP
