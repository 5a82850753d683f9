// What the calls of sprongus.hpp give: runs, entries, presets, rows. Included by sprongus.hpp.
#ifndef SPRONGUS_RECORDS_HPP
#define SPRONGUS_RECORDS_HPP

#include "error.hpp"

#include <string_view>
#include <vector>

namespace sprongus {

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
          project_id_(detail::maybe(sprongus_run_project_id(run))),
          error_(detail::maybe(sprongus_run_error(run))),
          lease_(sprongus_run_lease(run)),
          attempt_(sprongus_run_attempt(run)),
          deduplicated_(sprongus_run_deduplicated(run)),
          final_(sprongus_run_is_final(run)) {}

    const std::string &id() const noexcept { return id_; }
    const std::string &kind() const noexcept { return kind_; }
    // "queued", "running", "succeeded", …: see sprongus_run_state.
    const std::string &state() const noexcept { return state_; }
    // JSON.
    const std::string &input() const noexcept { return input_; }
    const std::optional<std::string> &project_id() const noexcept { return project_id_; }
    // The last failure.
    const std::optional<std::string> &error() const noexcept { return error_; }
    // What its reports name; rises with each claim.
    int64_t lease() const noexcept { return lease_; }
    int64_t attempt() const noexcept { return attempt_; }
    // Whether enqueue gave an earlier run under the same key.
    bool deduplicated() const noexcept { return deduplicated_; }
    bool is_final() const noexcept { return final_; }
    // All of it.
    const std::string &json() const noexcept { return json_; }

private:
    std::string id_, kind_, state_, input_, json_;
    std::optional<std::string> project_id_, error_;
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
          warnings_(detail::text(sprongus_entry_warnings(entry))),
          json_(detail::text(sprongus_entry_to_json(entry))),
          version_(sprongus_entry_version(entry)) {}

    const std::string &id() const noexcept { return id_; }
    // The document, a JSON object.
    const std::string &payload() const noexcept { return payload_; }
    // 1 and up.
    int64_t version() const noexcept { return version_; }
    // What a write accepted but is worth a look, a JSON array.
    const std::string &warnings() const noexcept { return warnings_; }
    // All of it.
    const std::string &json() const noexcept { return json_; }

private:
    std::string id_, payload_, warnings_, json_;
    int64_t version_;
};

// A preset as it was when the call returned.
class Preset {
public:
    // Copies what a handle of C's shows; does not take it over.
    explicit Preset(const sprongus_preset *preset)
        : id_(detail::text(sprongus_preset_id(preset))),
          label_(detail::text(sprongus_preset_label(preset))),
          kind_(detail::text(sprongus_preset_kind(preset))),
          definition_(detail::text(sprongus_preset_definition(preset))),
          json_(detail::text(sprongus_preset_to_json(preset))),
          published_at_(detail::maybe(sprongus_preset_published_at(preset))),
          version_(sprongus_preset_version(preset)) {}

    const std::string &id() const noexcept { return id_; }
    const std::string &label() const noexcept { return label_; }
    const std::string &kind() const noexcept { return kind_; }
    // 1 and up within the label.
    int64_t version() const noexcept { return version_; }
    // A field list or a JSON Schema, as JSON.
    const std::string &definition() const noexcept { return definition_; }
    // None for a draft.
    const std::optional<std::string> &published_at() const noexcept { return published_at_; }
    // All of it.
    const std::string &json() const noexcept { return json_; }

private:
    std::string id_, label_, kind_, definition_, json_;
    std::optional<std::string> published_at_;
    int64_t version_;
};

// Leave that was asked for, and what was decided, as it was when the call returned.
class Approval {
public:
    // Copies what a handle of C's shows; does not take it over.
    explicit Approval(const sprongus_approval *approval)
        : id_(detail::text(sprongus_approval_id(approval))),
          run_id_(detail::text(sprongus_approval_run_id(approval))),
          scope_(detail::text(sprongus_approval_scope(approval))),
          json_(detail::text(sprongus_approval_to_json(approval))),
          decision_(detail::maybe(sprongus_approval_decision(approval))) {}

    const std::string &id() const noexcept { return id_; }
    const std::string &run_id() const noexcept { return run_id_; }
    // "run" is the gate before the queue.
    const std::string &scope() const noexcept { return scope_; }
    // "approved" or "denied"; none while it is pending.
    const std::optional<std::string> &decision() const noexcept { return decision_; }
    // All of it: who decided, when, note, metadata, ….
    const std::string &json() const noexcept { return json_; }

private:
    std::string id_, run_id_, scope_, json_;
    std::optional<std::string> decision_;
};

// What became of a message.
struct Accepted {
    // The run of the first time, if it had one.
    std::optional<Run> run;
    // Whether this was the first time.
    bool first;
};

// The items of a page, and the `cursor` of the next one:
//
//     for (auto page = store.list_runs(&query);; page = store.list_runs(&query)) {
//         …
//         if (!page.next_cursor) break;
//         query.cursor = page.next_cursor->c_str();
//     }
template <typename T>
struct Page {
    std::vector<T> items;
    std::optional<std::string> next_cursor;
};

// The rows of a query; values are borrowed from it.
class Rows {
public:
    // Takes the handle over.
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
    // As at(), the text of the value whatever its type; empty for SQL NULL.
    std::string_view text(size_t row, size_t column) const {
        const sprongus_value &value = at(row, column);
        return std::string_view(value.data, value.length);
    }
    // A JSON array of objects.
    std::string json() const { return detail::text(sprongus_rows_to_json(rows_.get())); }

private:
    detail::Handle<sprongus_rows, sprongus_rows_free> rows_;
};

}  // namespace sprongus

#endif  // SPRONGUS_RECORDS_HPP
