// The calls that a store and a transaction have in common. Included by sprongus.hpp.
#ifndef SPRONGUS_SESSION_HPP
#define SPRONGUS_SESSION_HPP

#include "projects.hpp"

namespace sprongus {

// What a store and a transaction have in common: every call exists once. Errors and what stands in the JSON: as the
// function of sprongus.h says that has the name.
class Session : public ProjectCalls {
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
    using ProjectCalls::ProjectCalls;
    ~Session() = default;
    Session(Session &&) = default;
    Session &operator=(Session &&) = default;
};

}  // namespace sprongus

#endif  // SPRONGUS_SESSION_HPP
