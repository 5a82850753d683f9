// The calls that a store and a transaction have in common. Included by sprongus.hpp.
#ifndef SPRONGUS_SESSION_HPP
#define SPRONGUS_SESSION_HPP

#include "queue.hpp"

namespace sprongus {

// What a store and a transaction have in common: every call exists once. Errors and what stands in the JSON: as the
// function of sprongus.h says that has the name.
class Session : public QueueCalls {
public:
    // Calls an operation by name, JSON in, JSON out.
    std::string call(const std::string &operation, std::string_view request = "{}") const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_call(on_, detail::c_str(operation), request.data(), request.size(), buf, error);
        });
    }

    // Runs one statement of the host's own that gives rows.
    Rows query(const std::string &sql, const std::vector<sprongus_value> &params = {}) const {
        sprongus_rows *rows = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_query(on_, detail::c_str(sql), params.data(), params.size(), &rows, error);
        });
        return Rows(rows);
    }

    // Runs one statement of the host's own; the number of rows changed.
    uint64_t execute(const std::string &sql, const std::vector<sprongus_value> &params = {}) const {
        uint64_t changed = 0;
        check([&](sprongus_error **error) {
            return sprongus_execute(on_, detail::c_str(sql), params.data(), params.size(), &changed, error);
        });
        return changed;
    }

    Entry create_entry(const std::string &project, const std::string &table, std::string_view payload,
                       const std::optional<std::string> &id = std::nullopt) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_create(on_, detail::c_str(project), detail::c_str(table), payload.data(),
                                       payload.size(), detail::c_str(id), out, error);
        });
    }

    Entry get_entry(const std::string &project, const std::string &table, const std::string &id) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_get(on_, detail::c_str(project), detail::c_str(table), detail::c_str(id), out, error);
        });
    }

    // `flags`: SPRONGUS_REPLACE, SPRONGUS_KEEP_NULLS.
    Entry update_entry(const std::string &project, const std::string &table, const std::string &id,
                       std::string_view patch, uint32_t flags = 0, int64_t if_version = 0) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_update(on_, detail::c_str(project), detail::c_str(table), detail::c_str(id),
                                       patch.data(), patch.size(), flags, if_version, out, error);
        });
    }

    // `flags`: SPRONGUS_REPLACE.
    Entry upsert_entry(const std::string &project, const std::string &table, std::string_view payload,
                       const std::optional<std::string> &id = std::nullopt, uint32_t flags = 0) const {
        return entry([&](sprongus_entry **out, sprongus_error **error) {
            return sprongus_aux_upsert(on_, detail::c_str(project), detail::c_str(table), payload.data(),
                                       payload.size(), detail::c_str(id), flags, out, error);
        });
    }

    // The entries that referred to it, a JSON array; `on_referenced` is "restrict", "warn", "unlink" or "force".
    std::string delete_entry(const std::string &project, const std::string &table, const std::string &id,
                             const std::string &on_referenced = "restrict") const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_aux_delete(on_, detail::c_str(project), detail::c_str(table), detail::c_str(id),
                                       detail::c_str(on_referenced), buf, error);
        });
    }

    Page<Entry> list_entries(const std::string &project, const std::string &table,
                             const sprongus_aux_query *query = nullptr) const {
        sprongus_entry_list *raw = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_aux_list(on_, detail::c_str(project), detail::c_str(table), query, &raw, error);
        });
        detail::Handle<sprongus_entry_list, sprongus_entry_list_free> list(raw);
        return page<Entry>(raw, sprongus_entry_list_count, sprongus_entry_list_at, sprongus_entry_list_next_cursor);
    }

    // How many entries match; `filter` is JSON.
    uint64_t count_entries(const std::string &project, const std::string &table,
                           const std::optional<std::string> &q = std::nullopt,
                           const std::optional<std::string> &filter = std::nullopt) const {
        uint64_t count = 0;
        check([&](sprongus_error **error) {
            return sprongus_aux_count(on_, detail::c_str(project), detail::c_str(table), detail::c_str(q),
                                      detail::c_str(filter), &count, error);
        });
        return count;
    }

    // The report; `items` is a JSON array, `flags`: SPRONGUS_REPLACE, SPRONGUS_REPORT, SPRONGUS_DRY_RUN.
    std::string bulk_upsert(const std::string &project, const std::string &table, std::string_view items,
                            uint32_t flags = 0) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_aux_bulk_upsert(on_, detail::c_str(project), detail::c_str(table), items.data(),
                                            items.size(), flags, buf, error);
        });
    }

    // The report; `flags`: SPRONGUS_REPLACE, SPRONGUS_REPORT, SPRONGUS_DRY_RUN. The file's extension tells its format
    // where none is given.
    std::string import_entries(const std::string &project, const std::string &table, const std::string &path,
                               uint32_t flags = 0, const std::optional<std::string> &format = std::nullopt,
                               const std::optional<std::string> &delimiter = std::nullopt) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_aux_import(on_, detail::c_str(project), detail::c_str(table), detail::c_str(path),
                                       detail::c_str(format), detail::c_str(delimiter), flags, buf, error);
        });
    }

    // The number of rows written; `flags`: SPRONGUS_ESCAPE_FORMULAS.
    uint64_t export_entries(const std::string &project, const std::string &table, const std::string &path,
                            uint32_t flags = 0, const std::optional<std::string> &format = std::nullopt) const {
        uint64_t count = 0;
        check([&](sprongus_error **error) {
            return sprongus_aux_export(on_, detail::c_str(project), detail::c_str(table), detail::c_str(path),
                                       detail::c_str(format), flags, &count, error);
        });
        return count;
    }

    // `definition` is a field list or a JSON Schema; `version` 0 is the label's next; `flags`: SPRONGUS_DRAFT.
    Preset create_preset(const std::string &label, const std::string &kind, std::string_view definition,
                         int64_t version = 0, uint32_t flags = 0) const {
        return preset([&](sprongus_preset **out, sprongus_error **error) {
            return sprongus_presets_create(on_, detail::c_str(label), detail::c_str(kind), definition.data(),
                                           definition.size(), version, flags, out, error);
        });
    }

    Preset publish_preset(const std::string &address) const {
        return preset([&](sprongus_preset **out, sprongus_error **error) {
            return sprongus_presets_publish(on_, detail::c_str(address), out, error);
        });
    }

    Preset get_preset(const std::string &address) const {
        return preset([&](sprongus_preset **out, sprongus_error **error) {
            return sprongus_presets_get(on_, detail::c_str(address), out, error);
        });
    }

    Page<Preset> list_presets(const std::optional<std::string> &kind = std::nullopt,
                              const std::optional<std::string> &label_prefix = std::nullopt, int64_t limit = 0,
                              const std::optional<std::string> &cursor = std::nullopt) const {
        sprongus_preset_list *raw = nullptr;
        check([&](sprongus_error **error) {
            return sprongus_presets_list(on_, detail::c_str(kind), detail::c_str(label_prefix), limit,
                                         detail::c_str(cursor), &raw, error);
        });
        detail::Handle<sprongus_preset_list, sprongus_preset_list_free> list(raw);
        return page<Preset>(raw, sprongus_preset_list_count, sprongus_preset_list_at,
                            sprongus_preset_list_next_cursor);
    }

    void delete_preset(const std::string &address) const {
        check([&](sprongus_error **error) { return sprongus_presets_delete(on_, detail::c_str(address), error); });
    }

    // The report; `flags`: SPRONGUS_DRY_RUN, SPRONGUS_FORCE. Without a project: for all without a binding of their own.
    std::string bind_preset(const std::string &table, const std::string &address,
                            const std::optional<std::string> &project = std::nullopt, uint32_t flags = 0) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_presets_bind(on_, detail::c_str(table), detail::c_str(address), detail::c_str(project),
                                         flags, buf, error);
        });
    }

    // Binds a kind of runs to a preset for its input.
    void bind_run_preset(const std::string &kind, const std::string &address,
                         const std::optional<std::string> &project = std::nullopt) const {
        check([&](sprongus_error **error) {
            return sprongus_presets_bind_run(on_, detail::c_str(kind), detail::c_str(address), detail::c_str(project),
                                             error);
        });
    }

    // The preset that a table is bound to.
    Preset bound_preset(const std::string &table, const std::optional<std::string> &project = std::nullopt) const {
        return preset([&](sprongus_preset **out, sprongus_error **error) {
            return sprongus_presets_bound(on_, detail::c_str(table), detail::c_str(project), out, error);
        });
    }

    // Every violation of a document, a JSON array; "[]" where it is valid.
    std::string validate(const std::string &address, std::string_view payload) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_presets_validate(on_, detail::c_str(address), payload.data(), payload.size(), buf, error);
        });
    }

    // Presets as they travel between stores, a JSON array.
    std::string export_presets(const std::optional<std::string> &kind = std::nullopt,
                               const std::optional<std::string> &label_prefix = std::nullopt) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_presets_export(on_, detail::c_str(kind), detail::c_str(label_prefix), buf, error);
        });
    }

    // The report; `flags`: SPRONGUS_REPLACE.
    std::string import_presets(std::string_view items, uint32_t flags = 0) const {
        return detail::buffer([&](sprongus_buf **buf, sprongus_error **error) {
            return sprongus_presets_import(on_, items.data(), items.size(), flags, buf, error);
        });
    }

protected:
    using QueueCalls::QueueCalls;
    ~Session() = default;
    Session(Session &&) = default;
    Session &operator=(Session &&) = default;
};

}  // namespace sprongus

#endif  // SPRONGUS_SESSION_HPP
